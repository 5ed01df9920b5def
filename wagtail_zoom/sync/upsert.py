"""Writes a page of mapped objects to the database: in bulk, newest data wins, idempotent.

A read that *began* before newer data was applied does not overwrite it. Unchanged rows are marked
as seen by one UPDATE and nothing else; a second identical page writes no row's content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connections, router, transaction

from ..conf import settings
from ..models import Host, Meeting, Recording, Summary, ZoomAccount
from ..models.mirror import Mirrored
from ..utils.crypto import indexer
from ..utils.fields import SecretField
from .bulk_sql import column_of, insert_rows, not_newer_than, update_rows, value_in

STAMPS = ("content_hash", "fetched_at", "provider_ts", "removed_at")
CopiedModel = type[Host] | type[Meeting] | type[Recording] | type[Summary]
HALF_DIGEST = 32
"""Characters of a digest: 128 bits of the plain columns, as many of the secret ones."""


@dataclass
class UpsertResult:
    """Natural keys by what became of their rows. ``before``: the former values of changed rows."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    secrets_changed: list[str] = field(default_factory=list)
    """Created, or changed with another link or passcode."""
    stale: list[str] = field(default_factory=list)
    """Not written, because something newer had been applied before."""
    before: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def written(self) -> list[str]:
        """Natural keys of the rows whose content was written."""
        return [*self.created, *self.changed]

    def keep_only(self, current_keys: Collection[str]) -> None:
        """Count every other key as stale: another worker has read its row later."""
        for keys in (self.created, self.changed, self.unchanged):
            self.stale += [key for key in keys if key not in current_keys]
            keys[:] = [key for key in keys if key in current_keys]


def content_hash(
    fields: Mapping[str, Any], secrets: Collection[str] = (), natural_key: str = ""
) -> str:
    """Keyed digest of mapped fields: without the key a passcode cannot be guessed from it.

    Its second half covers the secrets and the natural key only. So a row whose topic changed keeps
    the ciphertext of its link, and equal passcodes have different digests. The oldest key is used,
    so that adding a newer one does not make every row look changed.
    """
    return _hasher()(fields, secrets, natural_key)


def _hasher() -> Callable[[Mapping[str, Any], Collection[str], str], str]:
    index = indexer("content", key=settings.encryption_keys[-1])

    def digest(fields: Mapping[str, Any], secrets: Collection[str], natural_key: str) -> str:
        plain = {name: value for name, value in fields.items() if name not in secrets}
        secret = {"place": natural_key}
        secret |= {name: fields[name] for name in secrets if name in fields}
        return (
            index(_canonical_json(plain))[:HALF_DIGEST]
            + index(_canonical_json(secret))[:HALF_DIGEST]
        )

    return digest


_canonical_json = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False).encode


def upsert(
    model: CopiedModel,
    account: ZoomAccount,
    key: str,
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    fetched_at: datetime,
    run: int = 0,
    stamps: Mapping[str, Any] | None = None,
) -> UpsertResult:
    """Write ``(natural key, column values)`` pairs of one account.

    Args:
        key: name of the model's natural key column beside ``account``.
        fetched_at: when the read of these rows began (aware, UTC).
        run: primary key of the sync run that saw them, 0 outside of a run.
        stamps: columns that are set on every row seen, without counting as a change.
    """
    stamps = dict(stamps or {})
    fields_by_key = dict(rows)  # the last one wins where a page names an object twice
    if not fields_by_key:
        return UpsertResult()
    batch = UpsertBatch(model, account, key, fields_by_key, UpsertResult(), fetched_at, run, stamps)
    batch.read()
    batch.classify()
    with transaction.atomic(using=router.db_for_write(model)):
        batch.write()
        batch.mark_seen()
    return batch.result


@dataclass
class UpsertBatch:
    """One page to be written: four statements on databases that can, two when nothing changed."""

    model: CopiedModel
    account: ZoomAccount
    key: str
    fields: dict[str, Mapping[str, Any]]
    """Column values by natural key."""
    result: UpsertResult
    fetched_at: datetime
    run: int
    stamps: dict[str, Any]
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Values of the stored rows, by natural key."""
    digests: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Load the stamps of the stored rows, without creating model instances."""
        self.columns = list(next(iter(self.fields.values())))
        model_fields = {name: self.model._meta.get_field(name) for name in self.columns}
        self.secrets = [
            name for name, column in model_fields.items() if isinstance(column, SecretField)
        ]
        self.stored = self._values(self.fields, *STAMPS)

    def _values(self, keys: Collection[str], *columns: str) -> dict[str, dict[str, Any]]:
        rows = self.model._default_manager.filter(
            value_in(self.model, self.key, keys), account=self.account
        )
        return {row[self.key]: row for row in rows.values("pk", self.key, *columns)}

    def classify(self) -> None:
        """New, changed, unchanged, or older than what is stored."""
        digest, result = _hasher(), self.result
        for natural_key, fields in self.fields.items():
            self.digests[natural_key] = digest(fields, self.secrets, natural_key)
            row = self.stored.get(natural_key)
            if row is None:
                result.created.append(natural_key)
                result.secrets_changed.append(natural_key)
            elif _is_newer(row, self.fetched_at):  # guard: older-read-ignored
                result.stale.append(natural_key)
            elif row["content_hash"] == self.digests[natural_key] and row["removed_at"] is None:
                result.unchanged.append(natural_key)
            else:
                result.changed.append(natural_key)
                if not self._secrets_unchanged(natural_key):
                    result.secrets_changed.append(natural_key)
        self._load_former_values()

    def _load_former_values(self) -> None:
        """The former values of changed rows; for all others the digest was enough."""
        changed = self.result.changed
        former = self._values(changed, *self.columns) if changed else {}
        for natural_key in changed:
            row = self.stored[natural_key]
            row.update(former.get(natural_key) or dict.fromkeys(self.columns))
            self.result.before[natural_key] = {
                name: bool(row[name]) if name in self.secrets else row[name]
                for name in self.columns
            }

    def write(self) -> None:
        """Insert new rows; update only the changed columns where the database can."""
        result, connection = self.result, connections[router.db_for_write(self.model)]
        if result.created or connection.vendor != "postgresql":
            self._insert()
        elif result.changed:
            self._update()

    def mark_seen(self) -> None:
        """Mark unchanged rows as seen: one statement, no content."""
        if self.result.unchanged:
            pks = [self.stored[natural_key]["pk"] for natural_key in self.result.unchanged]
            rows = self.model._default_manager.filter(value_in(self.model, "id", pks))
            rows.filter(not_newer_than(self.fetched_at)).update(
                **self.stamps, fetched_at=self.fetched_at, seen_run=self.run, missing_since=None
            )

    def _sync_columns(self) -> dict[str, Any]:
        return {
            **self.stamps, "fetched_at": self.fetched_at, "seen_run": self.run,
            "missing_since": None, "removed_at": None,
        }  # fmt: skip

    def _secrets_unchanged(self, natural_key: str) -> bool:
        row = self.stored.get(natural_key)
        if row is None:
            return False
        return bool(row["content_hash"][HALF_DIGEST:] == self.digests[natural_key][HALF_DIGEST:])

    def _row(self, natural_key: str) -> Mirrored:
        """The row as it will be; unchanged secrets keep their ciphertext."""
        row = self.model(account=self.account, **{self.key: natural_key})
        secrets_unchanged = self._secrets_unchanged(natural_key)
        for name, value in self.fields[natural_key].items():
            is_unchanged = secrets_unchanged and name in self.secrets
            setattr(row, name, self.stored[natural_key][name] if is_unchanged else value)
        row.content_hash = self.digests[natural_key]
        return row

    def _insert(self) -> None:
        rows = [self._row(natural_key) for natural_key in self.result.written]
        sync_columns = self._sync_columns()
        if not rows:
            return
        for row in rows:
            for name, value in sync_columns.items():
                setattr(row, name, value)
        insert_rows(
            rows,
            ("account", self.key),
            list(dict.fromkeys([*self.columns, *sync_columns, "content_hash"])),
            not_after=self.fetched_at,
        )

    def _update(self) -> None:
        changed = self.result.changed
        secrets_changed = {key for key in changed if not self._secrets_unchanged(key)}
        columns = [
            name for name in self.columns
            if (secrets_changed if name in self.secrets else any(
                self.stored[key][name] != self.fields[key][name] for key in changed
            ))
        ]  # fmt: skip
        values: dict[str, list[Any]] = {
            "id": [self.stored[key]["pk"] for key in changed],
            "content_hash": [self.digests[key] for key in changed],
        }
        rows = [self._row(key) for key in changed] if secrets_changed else []
        for name in columns:
            if name in self.secrets:
                encrypt = column_of(self.model, name).pre_save
                values[name] = [encrypt(row, add=False) for row in rows]
            else:
                values[name] = [self.fields[key][name] for key in changed]
        update_rows(self.model, values, self._sync_columns(), not_after=self.fetched_at)


def _is_newer(row: Mapping[str, Any], fetched_at: datetime) -> bool:
    """Whether the row already holds data that is newer than this read."""
    return any(
        stamp is not None and stamp > fetched_at
        for stamp in (row["fetched_at"], row["provider_ts"])
    )
