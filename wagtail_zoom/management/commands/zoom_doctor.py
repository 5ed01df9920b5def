"""``manage.py zoom_doctor [hostname …]``: the state of Sites, in the words of the panel."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError, CommandParser
from wagtail.models import Site

from ...admin import health_checks, status_rules
from ...admin.site_state import PROBLEM_STATES, SiteState
from ...admin.site_status import SiteStatus, get_site_statuses
from ...checks import queue_editors
from ...conf import settings
from ...exceptions import ZoomConfigurationError
from ...models import Heartbeat
from ...oauth.scopes import missing_scopes


def _groups_for_all_sites() -> list[str]:
    """Groups with the permission for all Sites: usually a mistake in the group form."""
    permission = Permission.objects.filter(
        content_type__app_label="wagtail_zoom", codename="change_zoomsettings"
    )
    groups = Group.objects.filter(permissions__in=permission)
    return list(groups.order_by("name").values_list("name", flat=True))


class Command(BaseCommand):
    """Exit status 0: no problem; 1: a site has a problem; 2: the installation is not set up."""

    help = "Says for each site how Zoom is connected, what is wrong, and what to do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hostname", nargs="*", help="only these sites")
        parser.add_argument("--trouble", action="store_true", help="only sites with trouble")

    def handle(self, *args: Any, **options: Any) -> None:
        missing_settings = [
            name
            for name, value in (
                ("CLIENT_ID", settings.client_id),
                ("CLIENT_SECRET", settings.client_secret),
                ("BASE_URL", settings.base_url),
            )
            if not value
        ]
        try:
            missing_settings += [] if settings.encryption_keys else ["ENCRYPTION_KEYS"]
        except ZoomConfigurationError:
            missing_settings.append("ENCRYPTION_KEYS")
        if missing_settings:
            raise CommandError(
                f"WAGTAIL_ZOOM lacks {', '.join(missing_settings)}; see manage.py check.",
                returncode=2,
            )
        heartbeat = Heartbeat.objects.filter(name="tick").first()
        if heartbeat:
            self.stdout.write(f"Worker: last sign of life {heartbeat.beat_at:%Y-%m-%d %H:%M} UTC")
        else:
            self.stdout.write("Worker: has never run")
        for name in _groups_for_all_sites():
            self.stdout.write(f"The group “{name}” may change Zoom on every site.")
        for name in queue_editors():
            self.stdout.write(f"“{name}” may edit the task queue, and so run code in the worker.")
        problem_count = sum(
            self._print_site(site_status, **options)
            for site_status in self._statuses(options["hostname"])
        )
        if problem_count:
            raise CommandError(f"{problem_count} site(s) need somebody.", returncode=1)
        self.stdout.write(self.style.SUCCESS("All is well."))

    def _statuses(self, names: list[str]) -> list[SiteStatus]:
        sites = Site.objects.select_related("root_page").order_by("hostname")
        if names:
            sites = sites.filter(hostname__in=names)
            unknown = set(names) - set(sites.values_list("hostname", flat=True))
            if unknown:
                raise CommandError(f"No such site: {', '.join(sorted(unknown))}.", returncode=2)
        return get_site_statuses(sites)

    def _print_site(self, site_status: SiteStatus, **options: Any) -> int:
        """Print one Site; returns 1 when it has a problem."""
        state = status_rules.classify(site_status)
        has_problem = state in PROBLEM_STATES or state is SiteState.REGISTRATIONS_FAILED
        if options["trouble"] and not has_problem:
            return 0
        status = status_rules.describe(site_status)
        style = self.style.ERROR if has_problem else self.style.SUCCESS
        self.stdout.write("")
        label = style(status_rules.short_label(site_status, state))
        self.stdout.write(f"{site_status.site.hostname}: {label} [{state.value}]")
        for line in filter(None, (status.title if status.tone else "", status.text)):
            self.stdout.write(f"  {line}")
        for line in health_checks.run_checks(site_status):
            mark = "ok  " if line.passed else "BAD "
            self.stdout.write(f"  {mark}{line.title}. {line.text}".rstrip())
        if site_status.grant is not None:
            for scope in (
                missing_scopes(site_status.grant.scopes) if site_status.grant.scope else []
            ):
                if not scope.optional:
                    self.stdout.write(f"  lacks {scope.name}: {scope.reason}")
        return int(has_problem)
