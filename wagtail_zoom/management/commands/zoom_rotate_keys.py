"""``manage.py zoom_rotate_keys``: re-encrypts what is stored with the newest key.

Run it after a new key was put first in ``ENCRYPTION_KEYS``. Every row is written by
compare-and-swap on its old ciphertext, so that a refresh or a visitor who writes at the same time
wins. Repeatable and resumable: what the newest key encrypted is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models

from ...conf import settings
from ...models import Registration, SecretField
from ...registration import dedup
from ...registration.tokens import email_index
from ...utils.crypto import DecryptionError, is_current
from ...utils.logging import get_logger

logger = get_logger("rotation")

BATCH = 200


@dataclass
class Rotated:
    """What became of the rows of one model."""

    seen: int = 0
    renewed: int = 0
    unreadable: int = 0
    overtaken: int = 0
    """Somebody else wrote the row meanwhile; the next call looks at it again."""


def secret_models() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model of the project with encrypted columns, and their names."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.fields if isinstance(field, SecretField)]
        if names:
            yield model, names


def rotate(model: type[models.Model], names: list[str], *, batch: int = BATCH) -> Rotated:
    """Renew the ciphertexts of one model, a batch of rows at a time."""
    done, last = Rotated(), 0
    while True:
        rows = list(model._default_manager.filter(pk__gt=last).order_by("pk")[:batch])
        if not rows:
            return done
        last = rows[-1].pk
        for row in rows:
            done.seen += 1
            _rotate_row(model, row, names, done)


def _rotate_row(
    model: type[models.Model],
    row: models.Model,
    names: list[str],
    done: Rotated,
) -> None:
    old = {name: getattr(row, name).sealed() for name in names}
    stale = [name for name, token in old.items() if token and not is_current(token)]
    values: dict[str, object] = {}
    try:
        for name in stale:
            setattr(row, name, getattr(row, name).reveal())
            values[name] = getattr(row, name)
        if isinstance(row, Registration):
            values |= _digests(row)  # guard: registration-digests-rotated
    except DecryptionError:
        # Its key is gone already: the panel tells the owner, nothing here can.
        logger.warning("%s %s cannot be read with any key.", model._meta.label, row.pk)
        done.unreadable += 1
        return
    if not values:
        return
    unchanged = {name: models.Value(old[name], models.TextField()) for name in stale}
    if model._default_manager.filter(pk=row.pk, **unchanged).update(**values):
        done.renewed += 1
    else:
        done.overtaken += 1


def _digests(row: Registration) -> dict[str, object]:
    """What a sign-up is found by is made with a key as well."""
    values: dict[str, object] = {}
    if row.email and (index := email_index(row.email.reveal())) != row.email_index:
        values["email_index"] = index
    for name, value in dedup.renewed(row).items():
        setattr(row, name, value)
        values[name] = getattr(row, name)
    return values


class Command(BaseCommand):
    """Exit status 1 when something is not yet under the newest key: keep the old ones then."""

    help = "Encrypts everything that is stored with the newest key. May be repeated at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="rows held in memory at once")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        left = 0
        for model, names in secret_models():
            done = rotate(model, names, batch=options["batch"])
            left += done.unreadable + done.overtaken
            self.stdout.write(
                f"{model._meta.label}: {done.seen} rows, {done.renewed} renewed, "
                f"{done.unreadable} unreadable, {done.overtaken} changed meanwhile"
            )
        if left:
            raise CommandError(
                f"{left} rows are not under the newest key. Run this again; "
                "keep the older keys until it finds nothing."
            )
        older = len(settings.encryption_keys) - 1
        if older:
            self.stdout.write(f"The {older} older key(s) can be taken out of ENCRYPTION_KEYS.")
