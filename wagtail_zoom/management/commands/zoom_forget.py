"""``manage.py zoom_forget someone@example.org``: deletes or exports a person's data."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from wagtail.models import Site

from ...registration import forget
from ..base import DatabaseCommand


class Command(DatabaseCommand):
    """Exit status 1 when Zoom, or a receiver of ``person_forgotten``, failed."""

    help = "Deletes the registrations of one person here and cancels them at Zoom."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address; - reads it from standard input")
        parser.add_argument("--site", help="hostname of one site; all sites without it")
        parser.add_argument("--export", action="store_true", help="print what is stored, as JSON")
        parser.add_argument(
            "--only-here", action="store_true", help="do not cancel the registrations at Zoom"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        # From standard input, the email appears in no process list and no shell history.
        email = sys.stdin.readline().strip() if email == "-" else email
        if "@" not in email:
            raise CommandError("This is no e-mail address.")
        site = None
        if options["site"]:
            site = Site.objects.filter(hostname=options["site"]).first()
            if site is None:
                raise CommandError("There is no site with this hostname.")
        if options["export"]:
            self.stdout.write(json.dumps(forget.export(email, site), indent=2, ensure_ascii=False))
            return
        result = forget.forget(email, site, at_zoom=not options["only_here"])
        self.stdout.write(
            f"Registrations deleted: {result.deleted}; "
            f"webhook events emptied: {result.webhook_events}."
        )
        if result.not_at_zoom:
            self.stderr.write(
                f"Zoom could not be told about {result.not_at_zoom}; cancel them there by hand."
            )
        if result.failed_receivers:
            self.stderr.write(
                f"{result.failed_receivers} receivers of person_forgotten failed (see the log)."
            )
        if result.not_at_zoom or result.failed_receivers:
            sys.exit(1)
