"""Re-encrypts stored secrets with the newest key, after it was put first in ``ENCRYPTION_KEYS``.

Every row is written by compare-and-swap on its old ciphertext, so that a concurrent write (a token
refresh, a visitor) wins. Repeatable and resumable: rows that the newest key encrypted are not
changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from ..conf import settings
from .crypto import DecryptionError, is_current
from .fields import SecretField
from .logging import get_logger

logger = get_logger("rotation")

BATCH = 200
SecretModels = Iterable[tuple[type[models.Model], list[str]]]
RowDigests = Callable[[Any], dict[str, object]]
"""Gives the keyed columns of a row that differ under the newest key; may raise DecryptionError."""


@dataclass
class RotationResult:
    """Counts of the rows of one model."""

    seen: int = 0
    renewed: int = 0
    unreadable: int = 0
    conflicts: int = 0
    """Rows that another process wrote in the meantime; the next call tries them again."""


def secret_models(app_label: str = "") -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model of the project, or of one app, with encrypted columns, and their names."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.fields if isinstance(field, SecretField)]
        if names and app_label in ("", model._meta.app_label):
            yield model, names


def rotate_models(
    secrets: SecretModels,
    write: Callable[[str], object],
    *,
    batch: int = BATCH,
    digests: RowDigests | None = None,
) -> int:
    """Re-encrypt the rows of these models and write a line about each; return how many rows are
    not under the newest key."""
    remaining = 0
    for model, names in secrets:
        result = rotate(model, names, batch=batch, digests=digests)
        remaining += result.unreadable + result.conflicts
        write(
            f"{model._meta.label}: {result.seen} rows, {result.renewed} renewed, "
            f"{result.unreadable} unreadable, {result.conflicts} changed meanwhile"
        )
    return remaining


def not_rotated_text(remaining: int) -> str:
    """What to do when rows are not under the newest key."""
    return (
        f"{remaining} rows are not under the newest key. Run this again; "
        "keep the older keys until it finds nothing."
    )


def older_keys_text() -> str:
    """That older keys are not needed any more; empty if there are none."""
    older = len(settings.encryption_keys) - 1
    return f"The {older} older key(s) can be taken out of ENCRYPTION_KEYS." if older else ""


def rotate(
    model: type[models.Model],
    names: list[str],
    *,
    batch: int = BATCH,
    digests: RowDigests | None = None,
) -> RotationResult:
    """Re-encrypt the rows of one model, in batches."""
    result, last_pk = RotationResult(), 0
    while True:
        rows = list(model._default_manager.filter(pk__gt=last_pk).order_by("pk")[:batch])
        if not rows:
            return result
        last_pk = rows[-1].pk
        for row in rows:
            result.seen += 1
            _rotate_row(model, row, names, result, digests)


def _rotate_row(
    model: type[models.Model],
    row: models.Model,
    names: list[str],
    result: RotationResult,
    digests: RowDigests | None,
) -> None:
    old_values = {name: getattr(row, name).ciphertext() for name in names}
    stale = [name for name, token in old_values.items() if token and not is_current(token)]
    values: dict[str, object] = {}
    try:
        for name in stale:
            setattr(row, name, getattr(row, name).reveal())
            values[name] = getattr(row, name)
        if digests is not None:
            values |= digests(row)  # guard: registration-digests-rotated
    except DecryptionError:
        # Its key has been removed already: the settings panel reports it to the owner.
        logger.warning("%s %s cannot be read with any key.", model._meta.label, row.pk)
        result.unreadable += 1
        return
    if not values:
        return
    unchanged = {name: models.Value(old_values[name], models.TextField()) for name in stale}
    if model._default_manager.filter(pk=row.pk, **unchanged).update(**values):
        result.renewed += 1
    else:
        result.conflicts += 1
