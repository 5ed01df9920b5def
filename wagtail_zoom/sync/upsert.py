"""Writes a page of mapped things into the mirror: in bulk, newest fact wins, idempotent.

A read that *began* before a newer fact was applied does not undo it. Unchanged rows are touched by
one UPDATE and nothing else; a second identical page writes no row's content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connections, router, transaction

from ..conf import settings
from ..models import ZoomAccount
from ..models.mirror import Mirrored
from ..utils.crypto import indexer
from ..utils.fields import SecretField
from .bulk_sql import among, insert_rows, not_younger, update_rows

STAMPS = ("content_hash", "fetched_at", "provider_ts", "removed_at")
HALF = 32
"""Characters of a digest: 128 bits of the plain columns, as many of the secret ones."""


@dataclass
class Upserted:
    """What a page did. ``before`` holds the former values of changed rows, by natural key."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """Left alone, because something newer had been applied before."""
    before: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def written(self) -> list[str]:
        """Natural keys of the rows whose content was written."""
        return [*self.created, *self.changed]

    def only(self, kept: Collection[str]) -> None:
        """Of what was to be written or touched, this alone is ours: all else was read anew by
        another worker meanwhile, and what it found stays."""
        for keys in (self.created, self.changed, self.unchanged):
            self.stale += [key for key in keys if key not in kept]
            keys[:] = [key for key in keys if key in kept]


def content_hash(fields: Mapping[str, Any], secrets: Collection[str] = (), place: str = "") -> str:
    """Keyed digest of mapped fields: without the key a passcode cannot be guessed from it.

    Its second half is of the secrets alone and of the row's place, so that a row whose topic
    changed need not have its link encrypted anew, and equal passcodes do not look equal. The
    oldest key is used, so that adding a newer one does not make every row look changed.
    """
    return _hasher()(fields, secrets, place)


def _hasher() -> Callable[[Mapping[str, Any], Collection[str], str], str]:
    index = indexer("content", key=settings.encryption_keys[-1])

    def digest(fields: Mapping[str, Any], secrets: Collection[str], place: str) -> str:
        plain = {name: value for name, value in fields.items() if name not in secrets}
        hidden = {"place": place, **{name: fields[name] for name in secrets if name in fields}}
        return index(_text(plain))[:HALF] + index(_text(hidden))[:HALF]

    return digest


_text = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False).encode


def upsert(
    model: type[Mirrored],
    account: ZoomAccount,
    key: str,
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    fetched_at: datetime,
    run: int = 0,
    stamps: Mapping[str, Any] | None = None,
) -> Upserted:
    """Write ``(natural key, column values)`` pairs of one account.

    Args:
        key: name of the model's natural key column beside ``account``.
        fetched_at: when the read of these rows began (aware, UTC).
        run: primary key of the sync run that saw them, 0 outside of a run.
        stamps: columns that are set on every row seen, without counting as a change.
    """
    stamps = dict(stamps or {})
    wanted = dict(rows)  # the last one wins where a page names a thing twice
    if not wanted:
        return Upserted()
    page = Page(model, account, key, wanted, Upserted(), fetched_at, run, stamps)
    page.read()
    page.judge()
    with transaction.atomic(using=router.db_for_write(model)):
        page.write()
        page.touch()
    return page.result


@dataclass
class Page:
    """One page on its way into the mirror: four statements on databases that can, two when
    nothing changed."""

    model: type[Mirrored]
    account: ZoomAccount
    key: str
    wanted: dict[str, Mapping[str, Any]]
    result: Upserted
    fetched_at: datetime
    run: int
    stamps: dict[str, Any]
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Stamps of the rows that are there, without making objects of them."""
        self.columns = list(next(iter(self.wanted.values())))
        fields = {name: self.model._meta.get_field(name) for name in self.columns}
        self.secrets = [name for name, one in fields.items() if isinstance(one, SecretField)]
        self.known = self._values(self.wanted, *STAMPS)

    def _values(self, keys: Collection[str], *columns: str) -> dict[str, dict[str, Any]]:
        rows = self.model._default_manager.filter(
            among(self.model, self.key, keys), account=self.account
        )
        return {row[self.key]: row for row in rows.values("pk", self.key, *columns)}

    def judge(self) -> None:
        """New, changed, unchanged, or older than what is stored."""
        digest, result = _hasher(), self.result
        for natural, fields in self.wanted.items():
            self.digests[natural] = digest(fields, self.secrets, natural)
            row = self.known.get(natural)
            if row is None:
                result.created.append(natural)
            elif _is_newer(row, self.fetched_at):  # guard: older-read-ignored
                result.stale.append(natural)
            elif row["content_hash"] == self.digests[natural] and row["removed_at"] is None:
                result.unchanged.append(natural)
            else:
                result.changed.append(natural)
        self._remember()

    def _remember(self) -> None:
        """The former values of what changed: of all others the digest was enough."""
        changed = self.result.changed
        former = self._values(changed, *self.columns) if changed else {}
        for natural in changed:
            row = self.known[natural]
            row.update(former.get(natural) or dict.fromkeys(self.columns))
            self.result.before[natural] = {
                name: bool(row[name]) if name in self.secrets else row[name]
                for name in self.columns
            }

    def write(self) -> None:
        """New rows in whole, changed ones by their changed columns where the database can."""
        result, connection = self.result, connections[router.db_for_write(self.model)]
        if result.created or connection.vendor != "postgresql":
            self._insert()
        elif result.changed:
            self._update()

    def touch(self) -> None:
        """Rows seen and found unchanged: one statement, no content."""
        if self.result.unchanged:
            pks = [self.known[natural]["pk"] for natural in self.result.unchanged]
            rows = self.model._default_manager.filter(among(self.model, "id", pks))
            rows.filter(not_younger(self.fetched_at)).update(
                **self.stamps, fetched_at=self.fetched_at, seen_run=self.run, missing_since=None
            )

    def _book(self) -> dict[str, Any]:
        return {
            **self.stamps, "fetched_at": self.fetched_at, "seen_run": self.run,
            "missing_since": None, "removed_at": None,
        }  # fmt: skip

    def _keeps_secrets(self, natural: str) -> bool:
        row = self.known.get(natural)
        return row is not None and row["content_hash"][HALF:] == self.digests[natural][HALF:]

    def _row(self, natural: str) -> Mirrored:
        """The row as it is to be; secrets that did not change keep their ciphertext."""
        row = self.model(account=self.account, **{self.key: natural})
        stays = self._keeps_secrets(natural)
        for name, value in self.wanted[natural].items():
            kept = stays and name in self.secrets
            setattr(row, name, self.known[natural][name] if kept else value)
        row.content_hash = self.digests[natural]
        return row

    def _insert(self) -> None:
        rows, book = [self._row(natural) for natural in self.result.written], self._book()
        if not rows:
            return
        for row in rows:
            for name, value in book.items():
                setattr(row, name, value)
        insert_rows(
            rows,
            ("account", self.key),
            list(dict.fromkeys([*self.columns, *book, "content_hash"])),
            not_after=self.fetched_at,
        )

    def _update(self) -> None:
        changed = self.result.changed
        secret = {natural for natural in changed if not self._keeps_secrets(natural)}
        columns = [
            name for name in self.columns
            if (secret if name in self.secrets else any(
                self.known[natural][name] != self.wanted[natural][name] for natural in changed
            ))
        ]  # fmt: skip
        values: dict[str, list[Any]] = {
            "id": [self.known[natural]["pk"] for natural in changed],
            "content_hash": [self.digests[natural] for natural in changed],
        }
        rows = [self._row(natural) for natural in changed] if secret else []
        for name in columns:
            if name in self.secrets:
                seal = self.model._meta.get_field(name).pre_save
                values[name] = [seal(row, add=False) for row in rows]
            else:
                values[name] = [self.wanted[natural][name] for natural in changed]
        update_rows(self.model, values, self._book(), not_after=self.fetched_at)


def _is_newer(row: Mapping[str, Any], fetched_at: datetime) -> bool:
    """Whether the row already holds a fact that is younger than this read."""
    return any(at is not None and at > fetched_at for at in (row["fetched_at"], row["provider_ts"]))
