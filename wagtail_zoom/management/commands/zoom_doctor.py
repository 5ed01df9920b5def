"""``manage.py zoom_doctor [hostname …]``: installation and Sites, in the words of the panel."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import CommandError, CommandParser
from wagtail.models import Site

from ...admin import health_checks, status_rules
from ...admin.health_checks import Health
from ...admin.installation import InstallationLine, InstallationStatus
from ...admin.site_state import PROBLEM_STATES
from ...admin.site_status import SiteStatus, get_site_statuses
from ...checks import (
    check_databases,
    check_queue,
    check_time_zones,
    check_urls,
    queue_editors,
)
from ...conf import settings
from ...exceptions import ZoomConfigurationError
from ...oauth.scopes import SUMMARIES, SUMMARY_SCOPES, has_scope, missing_scopes
from ..base import DatabaseCommand
from ..hub_lines import hub_lines


def _groups_for_all_sites() -> list[str]:
    """Groups with the permission for all Sites: usually a mistake in the group form."""
    permission = Permission.objects.filter(
        content_type__app_label="wagtail_zoom", codename="change_zoomsettings"
    )
    groups = Group.objects.filter(permissions__in=permission)
    return list(groups.order_by("name").values_list("name", flat=True))


MAX_ROWS = 20
"""Sites named in the summary."""


class Command(DatabaseCommand):
    """Exit status 0: no problem; 1: somebody has to act; 2: the installation is not set up."""

    help = (
        "Says how the installation is: worker, Zoom, backlog, and the sites that need somebody. "
        "With hostnames, everything about these sites."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hostname", nargs="*", help="everything about these sites")
        parser.add_argument(
            "--trouble", action="store_true", help="name all sites with a problem, one line each"
        )
        parser.add_argument("--json", action="store_true", help="for scripts: all sites, in JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check_settings()
        statuses = self._statuses(options["hostname"])
        status = InstallationStatus()
        worst_first = sorted(statuses, key=lambda row: status_rules.own_state(row).rank)
        in_trouble = [row for row in worst_first if status_rules.own_state(row) in PROBLEM_STATES]
        lines = [status.worker, status.zoom, status.backlog, *hub_lines()]
        failed_lines = [line for line in lines if is_failed(line)]
        if options["json"]:
            self.stdout.write(json.dumps(as_json(status, lines, statuses), indent=2))
        else:
            self._print_installation(lines, len(statuses), in_trouble)
            if options["hostname"] or len(statuses) <= MAX_DETAILED and not options["trouble"]:
                for row in statuses:
                    self._print_site(row)
            else:
                self._print_rows(in_trouble, len(in_trouble) if options["trouble"] else MAX_ROWS)
        problems = [line.title for line in failed_lines]
        if in_trouble:
            n = len(in_trouble)
            problems.append("1 site needs somebody" if n == 1 else f"{n} sites need somebody")
        if problems:
            raise CommandError(f"{'; '.join(problems)}.", returncode=1)
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS("All is well."))

    def _check_settings(self) -> None:
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
        if not_set_up := [*check_urls(), *check_time_zones()]:
            raise CommandError(
                " ".join(f"{message.msg} {message.hint}" for message in not_set_up), returncode=2
            )

    def _statuses(self, names: list[str]) -> list[SiteStatus]:
        sites = Site.objects.select_related("root_page").order_by("hostname")
        if names:
            sites = sites.filter(hostname__in=names)
            unknown = set(names) - set(sites.values_list("hostname", flat=True))
            if unknown:
                raise CommandError(f"No such site: {', '.join(sorted(unknown))}.", returncode=2)
        return get_site_statuses(sites)

    def _print_installation(
        self, lines: list[InstallationLine], site_count: int, in_trouble: list[SiteStatus]
    ) -> None:
        for line in lines:
            self._print_line(MARKS[line.health], line.title, line.text)
        for message in (*check_queue(), *check_databases()):
            self.stdout.write(f"{message.msg} {message.hint}")
        for name in _groups_for_all_sites():
            self.stdout.write(f"The group “{name}” may change Zoom on every site.")
        for name in queue_editors():
            self.stdout.write(f"“{name}” may edit the task queue, and so run code in the worker.")
        states = ((row, status_rules.own_state(row)) for row in in_trouble)
        causes = Counter(status_rules.short_label(row, state) for row, state in states)
        counts = ", ".join(f"{label}: {n}" for label, n in causes.most_common())
        text = f"Sites: {site_count}, {len(in_trouble)} with a problem. {counts}"
        self.stdout.write(text.strip())

    def _print_rows(self, rows: list[SiteStatus], limit: int) -> None:
        """One line for each Site."""
        for row in rows[:limit]:
            state = status_rules.own_state(row)
            label = self.style.ERROR(status_rules.short_label(row, state))
            self.stdout.write(f"  {row.site.hostname}: {label} [{state.value}]")
        if len(rows) > limit:
            self.stdout.write(
                f"  and {len(rows) - limit} more: --trouble names all, a hostname says everything."
            )

    def _print_line(self, mark: str, title: str, text: str) -> None:
        self.stdout.write(f"{mark}{title.rstrip('.')}. {text}".rstrip())

    def _print_site(self, site_status: SiteStatus) -> None:
        """Everything about one Site."""
        state = status_rules.own_state(site_status)
        style = self.style.ERROR if state in PROBLEM_STATES else self.style.SUCCESS
        label = style(status_rules.short_label(site_status, state))
        self.stdout.write(f"\n{site_status.site.hostname}: {label} [{state.value}]")
        for message in status_rules.problems(site_status):
            for line in filter(None, (message.title, message.text)):
                self.stdout.write(f"  {line}")
        for check in health_checks.run_checks(site_status):
            self._print_line(f"  {MARKS[check.health]}", check.title, check.text)
        if site_status.grant is not None and site_status.grant.scope:
            for scope in missing_scopes(site_status.grant.scopes):
                if not scope.optional:
                    self.stdout.write(f"  lacks {scope.name}: {scope.reason}")
            if SUMMARIES in site_status.missing_kinds:
                for scope in SUMMARY_SCOPES:
                    if not has_scope(site_status.grant.scopes, scope):
                        self.stdout.write(f"  lacks {scope.name}: {scope.reason}")


MARKS = {
    Health.GOOD: "ok   ",
    Health.WAITING: "wait ",
    Health.UNKNOWN: "?    ",
    Health.FAILED: "BAD  ",
}
MAX_DETAILED = 3
"""With more Sites, those without a problem are only counted."""


def is_failed(line: InstallationLine) -> bool:
    return line.health is Health.FAILED


def as_json(
    status: InstallationStatus, lines: list[InstallationLine], statuses: list[SiteStatus]
) -> dict[str, Any]:
    """The same for scripts. Names and states are stable, titles are in the active language."""
    return {
        "installation": {
            line.name: {"health": line.health.value, "title": line.title, "text": line.text}
            for line in lines
        },
        "numbers": status.numbers,
        "sites": [
            {
                "hostname": row.site.hostname,
                "port": row.site.port,
                "state": status_rules.own_state(row).value,
                "states": [state.value for state in status_rules.applicable_states(row)],
                "has_problem": status_rules.own_state(row) in PROBLEM_STATES,
            }
            for row in statuses
        ],
    }
