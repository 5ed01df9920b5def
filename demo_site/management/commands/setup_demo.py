"""``setup_demo``: database, sites, pages, log-ins; with ``--connect`` also the connections."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from demo_site import content, people
from demo_site.sites import SITES


class Command(BaseCommand):
    help = "Makes the demo's sites, pages and log-ins. Can be repeated; edits are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--connect",
            action="store_true",
            help="connect the owners to the simulated Zoom; needs the running web server",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["connect"]:
            from demo_site import connecting

            connecting.connect_all(self.stdout.write)
            if not connecting.wait_for_import():
                self.stdout.write("The first import goes on in the background.")
            return
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic():
            content.remove_welcome()
            people.ensure_admin()
            for facts in SITES:
                people.ensure_owner(facts, content.ensure_site(facts, settings.PLACES.port))
