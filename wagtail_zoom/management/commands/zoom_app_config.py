"""``manage.py zoom_app_config``: the settings for the Zoom Marketplace, or the manifest."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import settings
from ...oauth import marketplace
from ...oauth.scopes import (
    ATTENDANCE_SCOPES,
    SCHEDULING_SCOPES,
    SUMMARIES,
    SUMMARY_SCOPES,
    Scope,
)
from ...sync.handlers import subscriptions
from ...utils.urls import split_url

SEPARATE_SETS = (
    ("Scopes for scheduling meetings in the CMS", SCHEDULING_SCOPES),
    ("Scopes for reading who attended", ATTENDANCE_SCOPES),
    ("Scopes for summaries of meetings", SUMMARY_SCOPES),
)


class Command(BaseCommand):
    """Prints no secret, so that the output can be shared."""

    help = "Prints redirect URL, event URL, scopes and events of the installation's Zoom app."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--manifest", action="store_true", help="print the manifest, as JSON")
        parser.add_argument(
            "--name",
            default="Wagtail for Zoom",
            help="name of the app: shorter than 50 characters, not beginning with Zoom",
        )
        parser.add_argument(
            "--user-managed", action="store_true", help="a user-managed app (each user adds it)"
        )
        parser.add_argument("--classic", action="store_true", help="scopes of apps before 2024")
        parser.add_argument(
            "--kind", action="append", default=[], dest="kinds",
            choices=["meeting", "webinar", "recording", "registration", SUMMARIES],
            help="only what this needs; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--hub",
            default="",
            metavar="URL",
            help="for the app of a hub: its URL, as in OAUTH_URL of its deployments",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        hub = options["hub"].rstrip("/")
        if hub and split_url(hub).scheme not in ("http", "https"):
            raise CommandError(f"{hub} is not the URL of a hub.", returncode=2)
        if not settings.base_url and not hub:
            raise CommandError("WAGTAIL_ZOOM lacks BASE_URL; see manage.py check.", returncode=2)
        admin, kinds = not options["user_managed"], options["kinds"]
        problem = marketplace.app_name_error(options["name"])
        if problem:
            raise CommandError(problem, returncode=2)
        urls = marketplace.app_urls(hub)
        events = subscriptions(admin=admin, kinds=kinds)
        if options["manifest"]:
            names = [name for name, _feature, _reason in events]
            manifest = marketplace.manifest(
                options["name"], names, admin=admin, kinds=kinds, urls=urls
            )
            self.stdout.write(json.dumps(manifest, indent=2))
            return
        for url in urls.redirect_urls:
            self.stdout.write(f"OAuth redirect URL and allow list: {url}")
        self.stdout.write(f"Event notification endpoint URL:   {urls.event_url}")
        if urls.start_url:
            self.stdout.write(f"Configuration URL (after publication): {urls.start_url}")
        self.stdout.write("\nScopes:")
        printed: set[str] = set()
        for scope in marketplace.required_scopes(admin=admin, kinds=kinds):
            name = marketplace.scope_name(scope, admin=admin, classic=options["classic"])
            if options["classic"] and name in printed:
                continue
            printed.add(name)
            extra = " (optional)" if scope.optional else ""
            self.stdout.write(f"  {name} [{scope.feature}]{extra}: {scope.reason}")
        if not kinds:
            for title, scopes in SEPARATE_SETS:
                self.stdout.write(f"\n{title}, only if you want it:")
                self._write_separate(scopes, printed, admin=admin, classic=options["classic"])
        self.stdout.write("\nEvents:")
        for name, feature, reason in events:
            self.stdout.write(f"  {name} [{feature}]: {reason}")
        if not kinds:
            self.stdout.write("\nEvents for summaries of meetings, only with their scopes:")
            for name, feature, reason in subscriptions(admin=admin, kinds=[SUMMARIES]):
                if feature == SUMMARIES:
                    self.stdout.write(f"  {name} [{feature}]: {reason}")
        self.stdout.write("  app_deauthorized comes by itself, once the app is published.")

    def _write_separate(
        self, scopes: tuple[Scope, ...], printed: set[str], *, admin: bool, classic: bool
    ) -> None:
        """A set of its own: the manifest and the consent page leave it out."""
        for scope in scopes:
            name = marketplace.scope_name(scope, admin=admin, classic=classic)
            if name not in printed:
                self.stdout.write(f"  {name} [{scope.feature}] (optional): {scope.reason}")
            printed.add(name)
