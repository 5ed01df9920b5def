"""The state of the whole installation: worker, Zoom, backlog, owners, for the operator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Site

from ..models import Grant, GrantState, Heartbeat, Registration, ZoomSettings
from ..sync import health
from . import formatting, links, overview
from .health_checks import Health, worker_seen
from .site_state import StatusAction
from .site_status import WORKER_TIMEOUT

MAX_NAMED = 3
"""More sites that need their owners are counted only."""
START_COMMAND = "python manage.py qcluster"


@dataclass(frozen=True)
class InstallationLine:
    """One line about the installation. ``name`` identifies it in ``zoom_doctor --json``."""

    name: str
    health: Health
    title: str
    text: str
    action: StatusAction | None = None


class InstallationStatus:
    """Computed from the data that ``zoom/health/`` and the overview of all Sites use."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or timezone.now()

    @cached_property
    def site_count(self) -> int:
        return Site.objects.count()

    @cached_property
    def heartbeat_at(self) -> datetime | None:
        row = Heartbeat.objects.filter(name="tick").first()
        return row.beat_at if row else None

    @cached_property
    def connected_sites(self) -> int:
        """Sites that the worker has to keep up to date."""
        return ZoomSettings.objects.filter(grant__isnull=False).count()

    @cached_property
    def worker_is_running(self) -> bool:
        """As ``SiteStatus.worker_down`` has it. Nothing runs, and nothing has to, before the first
        connection."""
        beat_at = self.heartbeat_at
        if beat_at is None:
            long_ago = self.now - WORKER_TIMEOUT
            rows = ZoomSettings.objects.filter(grant__isnull=False, linked_at__lt=long_ago)
            return not rows.exists()
        return abs(self.now - beat_at) <= WORKER_TIMEOUT

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The metrics of ``zoom/health/``."""
        return health.metrics(self.now)

    @cached_property
    def groups(self) -> Counter[str]:
        """Number of Sites by the cause of their worst problem."""
        return Counter(row.group for row in self.summaries)

    @cached_property
    def summaries(self) -> list[overview.SiteSummary]:
        return overview.site_summaries()

    @cached_property
    def lines(self) -> list[InstallationLine]:
        """Worker, Zoom, backlog, owners: in this order, the good ones too."""
        return [self.worker, self.zoom, self.backlog, self.owners]

    @property
    def has_more_to_report(self) -> bool:
        """Whether there is more to say than that all is well."""
        return self.has_problem or self.worker.health is Health.WAITING

    @property
    def has_problem(self) -> bool:
        """Whether somebody has to act."""
        return any(line.health is Health.FAILED for line in self.lines)

    @property
    def worker(self) -> InstallationLine:
        if self.worker_is_running:
            return InstallationLine("worker", *worker_seen(self.heartbeat_at, self.now))
        return InstallationLine(
            "worker",
            Health.FAILED,
            _("The background worker is not running"),
            " ".join(self._worker_texts()),
            StatusAction(
                _("Show how to start it"), reverse("wagtail_zoom_admin:overview"), post=False
            ),
        )

    def _worker_texts(self) -> list[str]:
        if self.heartbeat_at is None:
            parts = [_("It has never run.")]
        else:
            parts = [
                _("Last seen %(time)s, %(age)s ago.")
                % {
                    "time": formatting.date_time(self.heartbeat_at, self.now),
                    "age": formatting.age(self.heartbeat_at, self.now),
                }
            ]
        n = self.connected_sites
        parts.append(
            ngettext("%(n)s site is not synced.", "%(n)s sites are not synced.", n)
            % {"n": formatting.number(n)}
        )
        registrations, events = self.waiting_registrations, int(self.numbers["events_due"])
        waiting = [formatting.registration_count(registrations)] if registrations else []
        waiting += [formatting.event_count(events)] if events else []
        if waiting:
            parts.append(
                _("Waiting: %(things)s. Nothing is lost.")
                % {"things": formatting.join_list(waiting)}
            )
        return parts

    @cached_property
    def waiting_registrations(self) -> int:
        return Registration.objects.filter(state="waiting").count()

    @property
    def zoom(self) -> InstallationLine:
        """Whether Zoom answers: known only while the worker runs."""
        if not self.connected_sites:
            return InstallationLine("zoom", Health.UNKNOWN, _("Zoom has not been asked yet"), "")
        grants = Grant.objects.filter(site_settings__isnull=False)
        if not self.worker_is_running:
            last = grants.order_by("-last_ok_at").exclude(last_ok_at=None).first()
            title = (
                _("Zoom has not been asked since %(time)s")
                % {"time": formatting.date_time(last.last_ok_at, self.now)}
                if last and last.last_ok_at
                else _("Zoom has not been asked yet")
            )
            return InstallationLine(
                "zoom", Health.UNKNOWN, title, _("The background worker does that.")
            )
        degraded = grants.filter(state=GrantState.DEGRADED)
        n = degraded.values("account").distinct().count()
        if not n:
            return InstallationLine("zoom", Health.GOOD, _("Zoom answers"), "")
        since = degraded.order_by("state_since").values_list("state_since", flat=True)[0]
        title = ngettext(
            "Zoom does not answer for %(n)s account",
            "Zoom does not answer for %(n)s accounts",
            n,
        ) % {"n": formatting.number(n)}
        return InstallationLine(
            "zoom",
            Health.FAILED,
            title,
            _("Since %(time)s.") % {"time": formatting.date_time(since, self.now)},
            StatusAction(_("Show sites"), f"{_overview_url()}?group=stale", post=False),
        )

    @property
    def backlog(self) -> InstallationLine:
        numbers, results = self.numbers, health.checks(self.numbers)
        parts = []
        for count, text, oldest in (
            (int(numbers["events_due"]), formatting.event_count, numbers["events_oldest"]),
            (
                int(numbers["registrations_due"]),
                formatting.registration_count,
                numbers["registrations_oldest"],
            ),
        ):
            if count:
                age = formatting.age(self.now - timedelta(seconds=oldest), self.now)
                parts.append(
                    _("%(count)s, the oldest due for %(age)s") % {"count": text(count), "age": age}
                )
        if not parts:
            return InstallationLine("backlog", Health.GOOD, _("No backlog"), "")
        is_late = not (results["events"] and results["registrations"])
        is_taken = self.worker_is_running and not is_late
        return InstallationLine(
            "backlog",
            Health.WAITING if is_taken else Health.FAILED,
            _("Work is waiting for the worker") if is_taken else _("Work is waiting"),
            f"{formatting.join_list(parts)}.",
        )

    @property
    def owners(self) -> InstallationLine:
        """Sites that wait for their owner."""
        rows = [row for row in self.summaries if row.group in overview.OWNER_GROUPS]
        n = len(rows)
        if not n:
            title = ngettext(
                "%(n)s site, no owner has to act",
                "%(n)s sites, no owner has to act",
                self.site_count,
            ) % {"n": formatting.number(self.site_count)}
            show = StatusAction(_("Show sites"), _overview_url(), post=False)
            return InstallationLine("owners", Health.GOOD, title, "", show)
        counts = Counter(row.group for row in rows)
        causes = [
            f"{formatting.number(counts[name])} {overview.group_label(name, counts[name])}"
            for name in overview.GROUPS
            if counts[name]
        ]
        emailed = sum(row.was_mailed for row in rows)
        unknown = sum(not row.owner for row in rows)
        text = _(
            "%(causes)s. Owners emailed: %(emailed)s. Without a known address: %(unknown)s."
        ) % {
            "causes": formatting.join_list(causes),
            "emailed": formatting.number(emailed),
            "unknown": formatting.number(unknown),
        }
        action = StatusAction(_("Show sites"), _overview_url(), post=False)
        if n == 1:
            action = StatusAction(_("Open the site"), links.panel_url_of(rows[0].pk), post=False)
        if n <= MAX_NAMED:
            names_text = formatting.join_list(row.hostname for row in rows)
            title = ngettext("%(names)s needs its owner", "%(names)s need their owners", n)
            return InstallationLine(
                "owners", Health.FAILED, title % {"names": names_text}, text, action
            )
        title = ngettext("%(n)s site needs its owner", "%(n)s sites need their owner", n)
        title %= {"n": formatting.number(n)}
        return InstallationLine("owners", Health.FAILED, title, text, action)


def _overview_url() -> str:
    return reverse("wagtail_zoom_admin:overview")
