"""``setup_demo``: database, Sites, pages, users; with ``--connect`` also the connections."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from demo_site import content, users
from demo_site.sites import SITES


class Command(BaseCommand):
    help = "Makes the demo's sites, pages and log-ins. Can be repeated; edits are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--connect",
            action="store_true",
            help="connect the owners to the Zoom simulator; needs the running web server",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["connect"]:
            from demo_site import connections

            connections.connect_all(self.stdout.write)
            if not connections.wait_for_import():
                self.stdout.write("The first import goes on in the background.")
            connections.publish_summary()
            connections.register_for_past_meeting()
            return
        # With its checks: a database of an earlier development version is refused in words.
        call_command("migrate", verbosity=0, interactive=False, skip_checks=False)
        with transaction.atomic():
            content.remove_welcome()
            users.ensure_admin()
            for site_data in SITES:
                if settings.DEMO.has_site(site_data.key):
                    site = content.ensure_site(site_data, settings.DEMO.port)
                    users.ensure_owner(site_data, site)
