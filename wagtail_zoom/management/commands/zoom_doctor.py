"""``manage.py zoom_doctor [hostname …]``: the state of Sites, in the panel's own sentences."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError, CommandParser
from wagtail.models import Site

from ...admin import health_checks, site_status, states
from ...admin.site_state import TROUBLE, State
from ...checks import queue_editors
from ...conf import settings
from ...exceptions import ZoomConfigurationError
from ...models import Heartbeat
from ...oauth.scopes import missing


def _everywhere() -> list[str]:
    """Groups that hold the right for all Sites: usually a slip in the group form."""
    right = Permission.objects.filter(
        content_type__app_label="wagtail_zoom", codename="change_zoomsettings"
    )
    groups = Group.objects.filter(permissions__in=right)
    return list(groups.order_by("name").values_list("name", flat=True))


class Command(BaseCommand):
    """Exit status 0: all well; 1: something needs somebody; 2: the installation is not set up."""

    help = "Says for each site how Zoom is connected, what is wrong, and what to do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hostname", nargs="*", help="only these sites")
        parser.add_argument("--trouble", action="store_true", help="only sites with trouble")

    def handle(self, *args: Any, **options: Any) -> None:
        lacking = [
            name
            for name, value in (
                ("CLIENT_ID", settings.client_id),
                ("CLIENT_SECRET", settings.client_secret),
                ("BASE_URL", settings.base_url),
            )
            if not value
        ]
        try:
            lacking += [] if settings.encryption_keys else ["ENCRYPTION_KEYS"]
        except ZoomConfigurationError:
            lacking.append("ENCRYPTION_KEYS")
        if lacking:
            raise CommandError(
                f"WAGTAIL_ZOOM lacks {', '.join(lacking)}; see manage.py check.", returncode=2
            )
        beat = Heartbeat.objects.filter(name="tick").first()
        self.stdout.write(f"Worker: last sign of life {beat.at:%Y-%m-%d %H:%M} UTC" if beat
                          else "Worker: has never run")  # fmt: skip
        for name in _everywhere():
            self.stdout.write(f"The group “{name}” may change Zoom on every site.")
        for name in queue_editors():
            self.stdout.write(f"“{name}” may edit the task queue, and so run code in the worker.")
        trouble = sum(self._site(known, **options) for known in self._facts(options["hostname"]))
        if trouble:
            raise CommandError(f"{trouble} site(s) need somebody.", returncode=1)
        self.stdout.write(self.style.SUCCESS("All is well."))

    def _facts(self, names: list[str]) -> list[site_status.Facts]:
        sites = Site.objects.select_related("root_page").order_by("hostname")
        if names:
            sites = sites.filter(hostname__in=names)
            unknown = set(names) - set(sites.values_list("hostname", flat=True))
            if unknown:
                raise CommandError(f"No such site: {', '.join(sorted(unknown))}.", returncode=2)
        return site_status.read(sites)

    def _site(self, known: site_status.Facts, **options: Any) -> int:
        """Print one Site; 1 when it needs somebody."""
        state = states.classify(known)
        ill = state in TROUBLE or state is State.SIGNUPS_FAILED
        if options["trouble"] and not ill:
            return 0
        status = states.describe(known)
        style = self.style.ERROR if ill else self.style.SUCCESS
        self.stdout.write("")
        self.stdout.write(
            f"{known.site.hostname}: {style(states.short(known, state))} [{state.value}]"
        )
        for line in filter(None, (status.title if status.tone else "", status.text)):
            self.stdout.write(f"  {line}")
        for line in health_checks.lines(known):
            mark = "ok  " if line.good else "BAD "
            self.stdout.write(f"  {mark}{line.title}. {line.text}".rstrip())
        if known.grant is not None:
            for scope in missing(known.grant.scopes) if known.grant.scope else []:
                if not scope.optional:
                    self.stdout.write(f"  lacks {scope.name}: {scope.reason}")
        return int(ill)
