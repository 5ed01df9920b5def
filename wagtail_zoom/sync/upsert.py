"""Writes a page of mapped things into the mirror: in bulk, newest fact wins, idempotent.

A read that *began* before a newer fact was applied does not undo it. Unchanged rows are touched by
one UPDATE and nothing else; a second identical page writes no row's content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connections, models, router, transaction
from django.utils import timezone

from ..conf import settings
from ..crypto import blind_index
from ..models import Secret, ZoomAccount
from ..models.mirror import Mirrored

BOOKKEEPING = ("content_hash", "fetched_at", "seen_run", "missing_since", "removed_at", "synced_at")


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


def content_hash(fields: Mapping[str, Any]) -> str:
    """Keyed digest of mapped fields: without the key a passcode cannot be guessed from it.

    The oldest key is used, so that adding a newer one does not make every row look changed.
    """
    text = json.dumps(fields, sort_keys=True, default=str, ensure_ascii=False)
    return blind_index(text, "content", key=settings.encryption_keys[-1])


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
    result = Upserted()
    if not wanted:
        return result
    rows_of = model._default_manager.filter(account=account, **{f"{key}__in": list(wanted)})
    known: dict[str, Any] = {getattr(row, key): row for row in rows_of}
    digests = {natural: content_hash(fields) for natural, fields in wanted.items()}
    for natural, digest in digests.items():
        row = known.get(natural)
        if row is None:
            result.created.append(natural)
        elif _is_newer(row, fetched_at):
            result.stale.append(natural)
        elif row.content_hash == digest and row.removed_at is None:
            result.unchanged.append(natural)
        else:
            result.changed.append(natural)
    fresh: list[models.Model] = []
    for natural in result.written:
        row, fields = known.get(natural), wanted[natural]
        if row is None:
            row = model(account=account, **{key: natural})
        else:
            result.before[natural] = {name: _plain(row, name) for name in fields}
        _fill(row, {**fields, **stamps}, digests[natural], fetched_at, run)
        fresh.append(row)
    with transaction.atomic(using=router.db_for_write(model)):
        columns = [*next(iter(wanted.values())), *stamps, *BOOKKEEPING]
        _write(model, fresh, ("account", key), columns)
        touched = [known[natural].pk for natural in result.unchanged]
        _touch(model, touched, {**stamps, "fetched_at": fetched_at, "seen_run": run})
    return result


def _is_newer(row: Mirrored, fetched_at: datetime) -> bool:
    """Whether the row already holds a fact that is younger than this read."""
    return any(at is not None and at > fetched_at for at in (row.fetched_at, row.provider_ts))


def _plain(row: models.Model, name: str) -> Any:
    value = getattr(row, name)
    return bool(value) if isinstance(value, Secret) else value


def _fill(
    row: Mirrored, fields: Mapping[str, Any], digest: str, fetched_at: datetime, run: int
) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.content_hash = digest
    row.fetched_at = fetched_at
    row.seen_run = run
    row.missing_since = None
    row.removed_at = None
    row.synced_at = timezone.now()


def _write(
    model: type[models.Model], rows: list[Any], unique: tuple[str, str], columns: list[str]
) -> None:
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    # MariaDB finds the conflict by its own unique keys and refuses to be told which one.
    target = unique if connection.features.supports_update_conflicts_with_target else None
    for row in rows:
        row.pk = None
        row._state.adding = True
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=target,
        update_fields=list(dict.fromkeys(columns)),
        batch_size=500,
    )


def _touch(model: type[models.Model], pks: list[int], values: dict[str, Any]) -> None:
    if pks:
        model._default_manager.filter(pk__in=pks).update(**values, missing_since=None)
