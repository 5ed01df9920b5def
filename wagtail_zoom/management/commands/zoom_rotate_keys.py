"""``manage.py zoom_rotate_keys``: after a new key was put first in ``ENCRYPTION_KEYS``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import settings
from ...rotation import BATCH, rotate, secret_models


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
