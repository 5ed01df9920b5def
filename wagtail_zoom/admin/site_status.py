"""What is known about Sites and Zoom, read in a fixed number of queries for one Site or all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet
from django.utils import timezone
from wagtail.models import Site

from ..conf import settings
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import (
    ExposedHost,
    Grant,
    GrantState,
    Heartbeat,
    Host,
    Invitation,
    Kind,
    Occurrence,
    Plan,
    Registration,
    SiteItem,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from . import latest_runs

if TYPE_CHECKING:
    from .preview import Outlook

WORKER_LATE = timedelta(minutes=3)
"""A worker that has not beaten for so long counts as not running: it beats every minute."""
QUIET = timedelta(hours=24)
"""Changes found by comparing, while no message came for so long: messages do not arrive."""
LASTING = timedelta(minutes=1)
"""A shorter wait asked for by Zoom is not worth a sentence."""


@dataclass
class Facts:
    """Everything that a state, a sentence or a mail about one Site is made of."""

    site: Site
    choice: ZoomSettings
    now: datetime
    beat_at: datetime | None = None
    open_run: SyncRun | None = None
    last_run: SyncRun | None = None
    invitation: Invitation | None = None
    removed_at: datetime | None = None
    """When Zoom told that the app was removed there, if nothing was connected since."""
    signups: dict[str, int] = field(default_factory=dict)
    """Number of sign-ups by state."""

    @property
    def grant(self) -> Grant | None:
        return self.choice.grant

    @property
    def account(self) -> ZoomAccount | None:
        return self.choice.account

    @property
    def worker_down(self) -> bool:
        """No sign of life for a while; a worker that was just started has not beaten yet."""
        expected = self.beat_at or self.choice.linked_at
        return expected is None or abs(self.now - expected) > WORKER_LATE

    @property
    def needs_reconnect(self) -> bool:
        """The permission is broken, or belongs to another app than the installation's."""
        grant = self.grant
        if grant is None or grant.state == GrantState.REVOKED:
            return False
        return grant.state == GrantState.NEEDS_RECONNECT or grant.client_id != settings.client_id

    @property
    def reason(self) -> str:
        """Why it must be connected again, for the middle of a sentence."""
        grant = self.grant
        if grant is None:
            return ""
        if grant.client_id != settings.client_id:
            from ..models import GrantReason

            return str(GrantReason.CLIENT_CHANGED.label)
        return str(grant.get_reason_display())

    @property
    def missing(self) -> list[str]:
        """Chosen kinds (and ``registration``) that Zoom has not allowed."""
        if self.grant is None:
            return []
        chosen = {str(kind) for kind in self.choice.kinds}
        if self.choice.show_registration:
            chosen.add("registration")
        return [name for name in self.grant.missing_kinds or [] if name in chosen]

    @property
    def throttled(self) -> bool:
        until = self.account.throttled_until if self.account else None
        return until is not None and until > self.now + LASTING

    @property
    def withheld(self) -> int:
        """How many things the brake against mass removal has held back in the last run."""
        if self.last_run is None or self.last_run.state != SyncRun.State.DONE:
            return 0
        return _sum(self.last_run, "withheld")

    @property
    def events_missing(self) -> bool:
        """Comparing found changes of which no message had come, although the plan sends them."""
        account, run = self.account, self.last_run
        if account is None or run is None or account.plan == Plan.FREE:
            return False
        if run.mode != SyncRun.Mode.RECONCILE or not _sum(run, "created", "changed", "removed"):
            return False
        began = run.started_at or run.requested_at
        return account.last_event_at is None or account.last_event_at < began - QUIET

    @property
    def run_broke_off(self) -> bool:
        return self.last_run is not None and self.last_run.state == SyncRun.State.FAILED

    @property
    def is_late(self) -> bool:
        """Nothing has been compared for twice the usual time."""
        account = self.account
        if account is None or account.reconciled_at is None:
            return self.run_broke_off
        return account.reconciled_at < self.now - timedelta(hours=2 * settings.reconcile_hours)

    # Counts that only the panel of one Site asks for.

    @cached_property
    def gate(self) -> Exposure:
        """What visitors may see; nothing without stored choices."""
        return Exposure(self.choice if self.choice.pk else None)

    @cached_property
    def dates_by_kind(self) -> dict[str, int]:
        """Upcoming dates that visitors see, by kind: one query."""
        gone = (Occurrence.State.CANCELLED, Occurrence.State.EXPIRED)
        rows = self.gate.occurrences(Audience.VISITOR, Surface.PAGE).filter(end__gte=self.now)
        found = rows.exclude(state__in=gone).order_by().values("meeting__kind")
        return {row["meeting__kind"]: row["n"] for row in found.annotate(n=Count("pk"))}

    @property
    def dates_shown(self) -> int:
        return sum(self.dates_by_kind.values())

    @cached_property
    def recordings_shown(self) -> int:
        return self.gate.recordings(Audience.VISITOR, Surface.PAGE).count()

    @cached_property
    def taking_signups(self) -> int:
        """Meetings with a date to come that visitors see and that ask for registration."""
        rows = self.gate.occurrences(Audience.VISITOR, Surface.PAGE).filter(end__gte=self.now)
        gone = (Occurrence.State.CANCELLED, Occurrence.State.EXPIRED)
        rows = rows.filter(meeting__approval_type__in=(0, 1)).exclude(state__in=gone)
        return rows.order_by().values("meeting").distinct().count()

    @cached_property
    def new_recordings(self) -> int:
        return inbox(self.site).count()

    @cached_property
    def events_today(self) -> int:
        if self.account is None:
            return 0
        midnight = timezone.localtime(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        return WebhookEvent.objects.filter(
            account_zoom_id=self.account.zoom_id, received_at__gte=midnight
        ).count()

    @cached_property
    def stored_hosts(self) -> frozenset[int]:
        """Primary keys of the hosts that were ticked and saved."""
        rows = ExposedHost.objects.filter(settings=self.choice.pk)
        return frozenset(rows.values_list("host", flat=True))

    @cached_property
    def ticked(self) -> list[Host]:
        """The ticked hosts that may be ticked; before the first choice the person who connected."""
        from .forms import offered_hosts, or_connector

        wanted = or_connector(self.choice, self.stored_hosts)
        return list(offered_hosts(self.choice).filter(pk__in=wanted))

    @cached_property
    def offered(self) -> int:
        """How many hosts this Site may tick."""
        from .forms import offered_hosts

        return offered_hosts(self.choice).count()

    @cached_property
    def outlook(self) -> Outlook:
        """What visitors would see by the choices as they are stored."""
        from .preview import Outlook

        return Outlook.of(self)

    @cached_property
    def pages(self) -> list[Any]:
        """Pages of this Site that use data from Zoom, with title and address."""
        from . import usage

        return list(usage.pages_of(self.site)[:200])


def inbox(site: Site) -> QuerySet[SiteItem]:
    """Recordings that wait for the owner's decision, of those that are there and wanted."""
    return SiteItem.objects.for_site(site).filter(
        kind=Kind.RECORDING,
        visibility=SiteItem.Visibility.AUTO,
        recording__isnull=False,
        recording__removed_at=None,
        recording__trashed_at=None,
        recording__is_ready=True,
    )


def _sum(run: SyncRun, *names: str) -> int:
    return sum(int(kind.get(name) or 0) for kind in run.counts.values() for name in names)


def read(sites: Iterable[Site], now: datetime | None = None) -> list[Facts]:
    """The facts of these Sites, in their order: nine queries, however many there are."""
    sites, now = list(sites), now or timezone.now()
    ids = [site.pk for site in sites]
    few = {"site__in": ids} if len(ids) < latest_runs.FEW else {}
    choices = {
        choice.site_id: choice
        for choice in ZoomSettings.objects.filter(**few)
        .select_related("grant__connected_by", "account")
        .defer("grant__access_token", "grant__refresh_token")
    }
    accounts = {choice.account_id for choice in choices.values() if choice.account_id}
    open_runs, last_runs = latest_runs.open_runs(accounts), latest_runs.last_runs(accounts)
    beat = Heartbeat.objects.filter(name="tick").first()
    signups: dict[int, dict[str, int]] = defaultdict(dict)
    for row in Registration.objects.filter(**few).values("site", "state").annotate(n=Count("pk")):
        signups[row["site"]][row["state"]] = row["n"]
    open_invitations = Invitation.objects.filter(
        used_at=None, revoked_at=None, expires_at__gt=now, **few
    )
    invitations = {row.site_id: row for row in open_invitations.order_by("created_at")}
    removed = latest_runs.removals(few)
    found = []
    for site in sites:
        choice = choices.get(site.pk) or ZoomSettings(site=site)
        choice.site = site
        account_id = choice.account_id or 0
        found.append(
            Facts(
                site=site,
                choice=choice,
                now=now,
                beat_at=beat.at if beat else None,
                open_run=open_runs.get(account_id),
                last_run=last_runs.get(account_id),
                invitation=invitations.get(site.pk),
                removed_at=removed.get(site.pk),
                signups=signups.get(site.pk, {}),
            )
        )
    return found


def of(site: Site, now: datetime | None = None) -> Facts:
    """The facts of one Site."""
    return read([site], now)[0]
