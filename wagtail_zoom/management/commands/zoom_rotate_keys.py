"""``manage.py zoom_rotate_keys``: re-encrypts what is stored with the newest key.

Run it after a new key was put first in ``ENCRYPTION_KEYS``; see ``utils.key_rotation``.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import CommandError, CommandParser

from ...models import Registration
from ...registration import dedup
from ...registration.tokens import email_index
from ...utils.key_rotation import (
    BATCH,
    not_rotated_text,
    older_keys_text,
    rotate_models,
    secret_models,
)
from ..base import DatabaseCommand


def digests(row: Any) -> dict[str, object]:
    """The digests by which a registration is found are keyed as well."""
    if not isinstance(row, Registration):
        return {}
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
        remaining = rotate_models(
            secret_models(), self.stdout.write, batch=options["batch"], digests=digests
        )
        if remaining:
            raise CommandError(not_rotated_text(remaining))
        if problem := self._hub_problem():
            raise CommandError(problem)
        if text := older_keys_text():
            self.stdout.write(text)

    def _hub_problem(self) -> str:
        if not apps.is_installed("wagtail_zoom.hub"):
            return ""
        from ...hub.status import older_keys_problem

        return older_keys_problem()
