"""The Zoom status of Sites, read in a fixed number of queries for one Site or all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet, Value
from django.utils import timezone
from wagtail.models import Site

from ..conf import settings
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import (
    SUMMARY,
    ExposedHost,
    Grant,
    GrantState,
    Heartbeat,
    Host,
    Invitation,
    Kind,
    Plan,
    Registration,
    SiteItem,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from ..models.mirror import CLOSED_STATES, REGISTRATION_TYPES
from . import latest_runs

if TYPE_CHECKING:
    from .preview import ExposurePreview

WORKER_TIMEOUT = timedelta(minutes=3)
"""A worker without a heartbeat for this long counts as not running; it sends one a minute."""
WORKER_LATE = timedelta(seconds=100)
"""A heartbeat older than this is late: the queue looks for due jobs every 30 seconds."""
NO_EVENTS_AFTER = timedelta(hours=24)
"""When reconciliation finds changes and no event came for this long, events do not arrive."""
MIN_THROTTLE = timedelta(minutes=1)
"""Shorter rate limits are not reported."""
COUNT_CHUNK = 100
"""Sites whose counts are read with one query: SQLite joins at most 500 in one statement."""


@dataclass
class SiteStatus:
    """All data from which the state, messages and emails about one Site are made."""

    site: Site
    site_settings: ZoomSettings
    now: datetime
    heartbeat_at: datetime | None = None
    open_run: SyncRun | None = None
    last_run: SyncRun | None = None
    invitation: Invitation | None = None
    app_removed_at: datetime | None = None
    """When the app was removed in Zoom, if nothing was connected since."""
    registration_counts: dict[str, int] = field(default_factory=dict)
    """Number of registrations by state."""

    @property
    def grant(self) -> Grant | None:
        return self.site_settings.grant

    @property
    def account(self) -> ZoomAccount | None:
        return self.site_settings.account

    @property
    def worker_down(self) -> bool:
        """No heartbeat for a while. A new Site has time until the first one."""
        since = self.heartbeat_at or self.site_settings.linked_at
        return since is None or abs(self.now - since) > WORKER_TIMEOUT

    @property
    def needs_reconnect(self) -> bool:
        """The grant is broken, or belongs to an app other than the installation's."""
        grant = self.grant
        if grant is None or grant.state == GrantState.REVOKED:
            return False
        return grant.state == GrantState.NEEDS_RECONNECT or grant.client_id != settings.client_id

    @property
    def reconnect_reason(self) -> str:
        """Why it must be connected again, for the middle of a sentence."""
        grant = self.grant
        if grant is None:
            return ""
        if grant.client_id != settings.client_id:
            from ..models import GrantReason

            return str(GrantReason.CLIENT_CHANGED.label)
        return str(grant.get_reason_display())

    @property
    def missing_kinds(self) -> list[str]:
        """Enabled kinds (and ``registration``) that Zoom has not allowed."""
        if self.grant is None:
            return []
        chosen = {str(kind) for kind in self.site_settings.kinds}
        if self.site_settings.show_registration:
            chosen.add("registration")
        if self.site_settings.show_summaries:
            chosen.add(SUMMARY)
        return [name for name in self.grant.missing_kinds or [] if name in chosen]

    @property
    def is_throttled(self) -> bool:
        until = self.account.throttled_until if self.account else None
        return until is not None and until > self.now + MIN_THROTTLE

    @property
    def withheld_removals(self) -> int:
        """How many removals the mass-delete guard withheld in the last run: of the whole account
        where this Site decides for it, otherwise of its own items."""
        if self.last_run is None or self.last_run.state != SyncRun.State.DONE:
            return 0
        count = _sum_counts(self.last_run, "withheld")
        return count if not count or self.decides_for_account else self.missing_items

    @property
    def events_missing(self) -> bool:
        """Reconciliation found changes without an event, although the plan sends events."""
        account, run = self.account, self.last_run
        if account is None or run is None or account.plan == Plan.FREE:
            return False
        if run.mode != SyncRun.Mode.RECONCILE or not _sum_counts(
            run, "created", "changed", "removed"
        ):
            return False
        started_at = run.started_at or run.requested_at
        return account.last_event_at is None or account.last_event_at < started_at - NO_EVENTS_AFTER

    def is_allowed(self, kind: str) -> bool:
        """Whether Zoom has allowed this kind to the Site's own grant."""
        return self.grant is None or kind not in (self.grant.missing_kinds or ())

    def own_counts(self, counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        """Counts of a run, which serves all Sites of the account, of the kinds of this Site."""
        return {
            kind: numbers
            for kind, numbers in counts.items()
            if self.is_allowed(kind)  # guard: run-counts-of-allowed-kinds
        }

    @property
    def last_run_failed(self) -> bool:
        return self.last_run is not None and self.last_run.state == SyncRun.State.FAILED

    @property
    def is_idle(self) -> bool:
        """Paused, not configured, or being read now: an old comparison is no problem."""
        is_waiting = self.site_settings.paused_at or not self.site_settings.configured_at
        return bool(is_waiting or self.open_run)

    @property
    def is_late(self) -> bool:
        """Not reconciled for twice the usual interval."""
        account = self.account
        if account is None or account.reconciled_at is None:
            return self.last_run_failed
        return account.reconciled_at < self.now - timedelta(hours=2 * settings.reconcile_hours)

    @cached_property
    def decides_for_account(self) -> bool:
        """Whether who reads this may decide for the whole Zoom account."""
        return self.site_settings.decides_for_account

    # Counts that only the panel of one Site needs.

    @cached_property
    def visibility(self) -> SiteVisibility:
        """What visitors may see; nothing without stored settings."""
        return SiteVisibility(self.site_settings if self.site_settings.pk else None)

    @cached_property
    def occurrences_by_kind(self) -> dict[str, int]:
        """Upcoming occurrences that visitors see, by kind: one query."""
        return {kind: n for _site, kind, n in self._occurrence_counts}

    @property
    def occurrences_shown(self) -> int:
        return sum(self.occurrences_by_kind.values())

    @cached_property
    def recordings_shown(self) -> int:
        return sum(n for _site, n in self._recording_counts)

    @property
    def _occurrence_counts(self) -> QuerySet[Any, Any]:
        """Rows of the Site, a kind and the number of occurrences."""
        rows = self.visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(end__gte=self.now)
        rows = rows.exclude(state__in=CLOSED_STATES).order_by()
        rows = rows.annotate(status_site=Value(self.site.pk))
        return rows.values_list("status_site", "meeting__kind").annotate(n=Count("pk"))

    @property
    def _recording_counts(self) -> QuerySet[Any, Any]:
        """One row of the Site and the number of recordings, or none."""
        rows = self.visibility.recordings(Audience.VISITOR, Channel.PAGE).order_by()
        rows = rows.annotate(status_site=Value(self.site.pk))
        return rows.values_list("status_site").annotate(n=Count("pk"))

    @cached_property
    def meetings_with_registration(self) -> int:
        """Visible meetings with an upcoming occurrence that require registration."""
        rows = self.visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(end__gte=self.now)
        rows = rows.filter(meeting__approval_type__in=REGISTRATION_TYPES)
        rows = rows.exclude(state__in=CLOSED_STATES)
        return rows.order_by().values("meeting").distinct().count()

    @cached_property
    def new_recordings(self) -> int:
        return recordings_to_review(self.visibility).count()

    @cached_property
    def new_summaries(self) -> int:
        if not self.site_settings.show_summaries:
            return 0
        return summaries_to_review(self.visibility).count()

    @cached_property
    def events_today(self) -> int:
        if self.account is None:
            return 0
        midnight = timezone.localtime(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        return WebhookEvent.objects.filter(
            account_zoom_id=self.account.zoom_id, received_at__gte=midnight
        ).count()

    @cached_property
    def stored_host_ids(self) -> frozenset[int]:
        """Primary keys of the hosts that were selected and saved."""
        rows = ExposedHost.objects.filter(settings=self.site_settings.pk)
        return frozenset(rows.values_list("host", flat=True))

    @cached_property
    def selected_hosts(self) -> list[Host]:
        """The available hosts that are selected; until the first save, the user who connected."""
        from .forms import available_hosts, with_default_host

        host_ids = with_default_host(self.site_settings, self.stored_host_ids)
        return list(available_hosts(self.site_settings).filter(pk__in=host_ids))

    @cached_property
    def available_host_count(self) -> int:
        """How many hosts this Site may select."""
        from .forms import available_hosts

        return available_hosts(self.site_settings).count()

    @cached_property
    def missing_items(self) -> int:
        """How many items of this Site are no longer in Zoom, but are not removed."""
        return self.visibility.items().filter(is_missing_in_zoom()).count()

    @cached_property
    def preview(self) -> ExposurePreview:
        """What visitors would see with the stored settings."""
        from .preview import ExposurePreview

        return ExposurePreview.from_stored(self)

    @cached_property
    def pages(self) -> list[Any]:
        """Pages of this Site that use data from Zoom."""
        from . import usage

        return list(usage.pages_using_zoom(self.site)[:200])

    @property
    def public_pages(self) -> list[Any]:
        """Those of them that are published."""
        return [page for page in self.pages if page.live]

    @cached_property
    def has_public_page(self) -> bool:
        """Whether a published page uses data from Zoom. Otherwise visitors see none of it."""
        return bool(self.public_pages)


def recordings_to_review(visibility: SiteVisibility) -> QuerySet[SiteItem]:
    """Existing, ready recordings that the owner has not decided on."""
    return visibility.items().filter(
        kind=Kind.RECORDING,
        visibility=SiteItem.Visibility.AUTO,
        recording__removed_at=None,
        recording__trashed_at=None,
        recording__is_ready=True,
    )


def summaries_to_review(visibility: SiteVisibility) -> QuerySet[SiteItem]:
    """Existing summaries that nobody has decided on."""
    return visibility.items().filter(
        kind=SUMMARY,
        visibility=SiteItem.Visibility.AUTO,
        meeting_summary__removed_at=None,
        meeting_summary__trashed_at=None,
    )


def is_missing_in_zoom() -> Q:
    """Items that two listings of Zoom no longer held and whose removal waits for the owner."""
    meeting = Q(
        meeting__missing_since__isnull=False,
        meeting__missed_run__isnull=False,
        meeting__removed_at=None,
    )
    recording = Q(
        recording__missing_since__isnull=False,
        recording__missed_run__isnull=False,
        recording__removed_at=None,
    )
    return meeting | recording


def _sum_counts(run: SyncRun, *names: str) -> int:
    return sum(int(kind.get(name) or 0) for kind in run.counts.values() for name in names)


def count_for_visitors(statuses: Iterable[SiteStatus]) -> None:
    """Count what visitors see of these Sites, four queries for each COUNT_CHUNK of them."""
    from . import usage

    rest = iter(statuses)
    while chunk := list(islice(rest, COUNT_CHUNK)):
        occurrences: dict[int, dict[str, int]] = defaultdict(dict)
        recordings: dict[int, int] = defaultdict(int)
        for site_pk, kind, n in _union(status._occurrence_counts for status in chunk):
            occurrences[site_pk][kind] = n
        for site_pk, n in _union(status._recording_counts for status in chunk):
            recordings[site_pk] = n
        public = usage.sites_with_public_pages(status.site for status in chunk)
        for status in chunk:
            status.has_public_page = status.site.pk in public
            status.occurrences_by_kind = occurrences[status.site.pk]
            status.recordings_shown = recordings[status.site.pk]


def _union(querysets: Iterable[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    first, *others = querysets
    return first.union(*others, all=True)


def get_site_statuses(sites: Iterable[Site], now: datetime | None = None) -> list[SiteStatus]:
    """The status of these Sites, in their order: nine queries, however many there are."""
    sites, now = list(sites), now or timezone.now()
    site_ids = [site.pk for site in sites]
    site_filter = {"site__in": site_ids} if len(site_ids) < latest_runs.MAX_IDS else {}
    settings_by_site = {
        site_settings.site_id: site_settings
        for site_settings in ZoomSettings.objects.filter(**site_filter)
        .select_related("linked_by", "grant__connected_by", "account")
        .defer("grant__access_token", "grant__refresh_token")
    }
    account_ids = {
        site_settings.account_id
        for site_settings in settings_by_site.values()
        if site_settings.account_id
    }
    open_runs, last_runs = latest_runs.open_runs(account_ids), latest_runs.last_runs(account_ids)
    heartbeat = Heartbeat.objects.filter(name="tick").first()
    registration_counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in (
        Registration.objects.filter(**site_filter).values("site", "state").annotate(n=Count("pk"))
    ):
        registration_counts[row["site"]][row["state"]] = row["n"]
    open_invitations = Invitation.objects.filter(
        used_at=None, revoked_at=None, expires_at__gt=now, **site_filter
    )
    invitations = {row.site_id: row for row in open_invitations.order_by("created_at")}
    app_removed_at = latest_runs.app_removals(site_filter)
    statuses = []
    for site in sites:
        site_settings = settings_by_site.get(site.pk) or ZoomSettings(site=site)
        site_settings.site = site
        account_id = site_settings.account_id or 0
        statuses.append(
            SiteStatus(
                site=site,
                site_settings=site_settings,
                now=now,
                heartbeat_at=heartbeat.beat_at if heartbeat else None,
                open_run=open_runs.get(account_id),
                last_run=last_runs.get(account_id),
                invitation=invitations.get(site.pk),
                app_removed_at=app_removed_at.get(site.pk),
                registration_counts=registration_counts.get(site.pk, {}),
            )
        )
    return statuses


def get_site_status(site: Site, now: datetime | None = None, *, user: Any = None) -> SiteStatus:
    """The status of one Site. ``user`` reads it: superusers decide for every account."""
    site_status = get_site_statuses([site], now)[0]
    if user is not None and user.is_superuser:
        site_status.decides_for_account = True
    return site_status
