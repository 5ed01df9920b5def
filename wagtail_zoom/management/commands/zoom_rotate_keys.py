"""``manage.py zoom_rotate_keys``: re-encrypts what is stored with the newest key.

Run it after a new key was put first in ``ENCRYPTION_KEYS``. Every row is written by
compare-and-swap on its old ciphertext, so that a concurrent write (a token refresh, a visitor)
wins. Repeatable and resumable: rows that the newest key encrypted are not changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError, CommandParser
from django.db import models

from ...conf import settings
from ...models import Registration, SecretField
from ...registration import dedup
from ...registration.tokens import email_index
from ...utils.crypto import DecryptionError, is_current
from ...utils.logging import get_logger
from ..base import DatabaseCommand

logger = get_logger("rotation")

BATCH = 200


@dataclass
class RotationResult:
    """Counts of the rows of one model."""

    seen: int = 0
    renewed: int = 0
    unreadable: int = 0
    conflicts: int = 0
    """Rows that another process wrote in the meantime; the next call tries them again."""


def secret_models() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model of the project with encrypted columns, and their names."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.fields if isinstance(field, SecretField)]
        if names:
            yield model, names


def rotate(model: type[models.Model], names: list[str], *, batch: int = BATCH) -> RotationResult:
    """Re-encrypt the rows of one model, in batches."""
    result, last_pk = RotationResult(), 0
    while True:
        rows = list(model._default_manager.filter(pk__gt=last_pk).order_by("pk")[:batch])
        if not rows:
            return result
        last_pk = rows[-1].pk
        for row in rows:
            result.seen += 1
            _rotate_row(model, row, names, result)


def _rotate_row(
    model: type[models.Model],
    row: models.Model,
    names: list[str],
    result: RotationResult,
) -> None:
    old_values = {name: getattr(row, name).ciphertext() for name in names}
    stale = [name for name, token in old_values.items() if token and not is_current(token)]
    values: dict[str, object] = {}
    try:
        for name in stale:
            setattr(row, name, getattr(row, name).reveal())
            values[name] = getattr(row, name)
        if isinstance(row, Registration):
            values |= _digests(row)  # guard: registration-digests-rotated
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


def _digests(row: Registration) -> dict[str, object]:
    """The digests by which a registration is found are keyed as well."""
    values: dict[str, object] = {}
    if row.email and (index := email_index(row.email.reveal())) != row.email_index:
        values["email_index"] = index
    for name, value in dedup.columns_for_newest_key(row).items():
        setattr(row, name, value)
        values[name] = getattr(row, name)
    return values


class Command(DatabaseCommand):
    """Exit status 1 when a row is not yet encrypted with the newest key: keep the old ones then."""

    help = "Encrypts everything that is stored with the newest key. May be repeated at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="rows held in memory at once")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        not_rotated = 0
        for model, names in secret_models():
            result = rotate(model, names, batch=options["batch"])
            not_rotated += result.unreadable + result.conflicts
            self.stdout.write(
                f"{model._meta.label}: {result.seen} rows, {result.renewed} renewed, "
                f"{result.unreadable} unreadable, {result.conflicts} changed meanwhile"
            )
        if not_rotated:
            raise CommandError(
                f"{not_rotated} rows are not under the newest key. Run this again; "
                "keep the older keys until it finds nothing."
            )
        older = len(settings.encryption_keys) - 1
        if older:
            self.stdout.write(f"The {older} older key(s) can be taken out of ENCRYPTION_KEYS.")
