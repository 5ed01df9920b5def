"""The gate: what one Site may show, to whom and where. Every public surface asks here.

Everything is decided when it is read, so a changed choice, a lost grant or a hidden item takes
effect at once, whichever grant had fetched the row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from wagtail.models import Site

from ..models import (
    Grant,
    ItemRule,
    JoinPolicy,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Transcript,
    ZoomSettings,
)


class Audience(Enum):
    """Who is looking."""

    VISITOR = "visitor"
    REGISTRANT = "registrant"


class Surface(Enum):
    """Where it is shown. Only ``JOIN`` loads secrets, and only it follows the join policy."""

    PAGE = "page"
    FEED = "feed"
    API = "api"
    SEARCH = "search"
    JOIN = "join"


@dataclass(frozen=True)
class Exposure:
    """The gate of one Site. Without a choice by its owner it lets nothing through."""

    choice: ZoomSettings | None
    kept: dict[str, dict[Any, Any]] = field(default_factory=dict, compare=False, repr=False)
    """What readers of this gate have found out, for the blocks that come after them."""

    @classmethod
    def for_site(cls, site: Site) -> Exposure:
        """Read the Site's choices: one query. The result is good for one request."""
        rows = ZoomSettings.objects.select_related("grant", "account").defer(*_UNREAD)
        found = rows.filter(site=site).first()
        if found is not None:
            found.site = site
        return cls(found)

    def meetings(self, audience: Audience, surface: Surface) -> QuerySet[Meeting]:
        """Meetings and webinars that may be shown, also those without a fixed time."""
        choice = self.choice
        if choice is None or not choice.shows_data:
            return Meeting.objects.none()
        rows = Meeting.objects.filter(removed_at=None)
        rows = self._shown(rows, choice).select_related("host")
        if surface is Surface.JOIN:
            return rows.filter(_lets_in(choice, audience))
        return rows.defer("join_url", "passcode")

    def occurrences(self, audience: Audience, surface: Surface) -> QuerySet[Occurrence]:
        """Dates that may be shown, unordered; with their meeting and host, without secrets."""
        choice = self.choice
        if choice is None or not choice.shows_data:
            return Occurrence.objects.none()
        # A deleted meeting's dates say "Cancelled" until their end, then they go.
        called_off = Q(state=Occurrence.State.CANCELLED, end__gt=timezone.now())
        # Asked of each date's meeting, not by a join: SQLite would begin with the meetings and sort
        # all their dates, where twenty in their order are wanted.
        meeting = self._shown(Meeting.objects.filter(pk=OuterRef("meeting")), choice)
        rows = Occurrence.objects.filter(
            Q(meeting__removed_at=None) | called_off, Exists(meeting), account=choice.account_id
        ).select_related("meeting__host")
        if surface is Surface.JOIN:
            return rows.filter(_joinable(choice, audience))
        return rows.defer(
            "meeting__join_url", "meeting__passcode"
        )  # guard: page-loads-no-join-link

    def recordings(self, audience: Audience, surface: Surface) -> QuerySet[Recording]:
        """Published recordings, unordered. Only the join surface loads link and passcode."""
        choice = self.choice
        if choice is None or not choice.shows_data or Kind.RECORDING not in choice.kinds:
            return Recording.objects.none()
        items = self._items(choice, kind=Kind.RECORDING, key=OuterRef("uuid"))
        published = items.filter(visibility=SiteItem.Visibility.PUBLISHED).exclude(_withheld())
        rows = Recording.objects.filter(
            # An unscheduled recording needs a person's decision; no rule may publish it.
            Q(
                is_unscheduled=False, zoom_type__in=_SCHEDULED
            )  # guard: unscheduled-recording-needs-decision
            | Exists(published.filter(decided_at__isnull=False)),
            self._hosts(choice),
            Exists(published),
            account=choice.account_id,
            is_ready=True,
            removed_at=None,
            trashed_at=None,  # guard: trashed-recording-hidden
        ).exclude(Q(meeting__is_private=True) | Q(meeting__uses_personal_room=True))
        if choice.recording_days:
            oldest = timezone.now() - timedelta(days=choice.recording_days)
            rows = rows.filter(start__gte=oldest)
        rows = rows.select_related("host")
        return rows if surface is Surface.JOIN else rows.defer("share_url", "play_url", "passcode")

    def transcripts(self, audience: Audience, surface: Surface) -> QuerySet[Transcript]:
        """Texts of recordings that may be shown, where the owner has chosen to show texts."""
        if self.choice is None or not self.choice.show_transcripts:
            return Transcript.objects.none()
        shown = self.recordings(audience, surface).order_by().values("pk")
        return Transcript.objects.filter(recording__in=shown).exclude(text="")

    def why_hidden(self, thing: Occurrence | Meeting | Recording) -> str:
        """Why visitors of this Site do not see a thing, in a sentence for its owner.

        Empty when they do: the gate itself is asked, so the two cannot disagree.
        """
        from .visibility_reasons import reason

        return reason(self, thing)

    def _shown(self, rows: QuerySet[Meeting], choice: ZoomSettings) -> QuerySet[Meeting]:
        """The rules about meetings."""
        kinds = [kind for kind in (Kind.MEETING, Kind.WEBINAR) if kind in choice.kinds]
        rows = rows.filter(
            self._hosts(choice),
            account=choice.account_id,
            kind__in=kinds,  # guard: only-chosen-kinds-shown
            is_private=False,  # guard: private-meeting-hidden
            uses_personal_room=False,  # guard: personal-room-hidden
            detail_at__isnull=False,  # guard: meeting-without-details-hidden
        ).exclude(zoom_type__in=(1, 4))
        items = self._items(choice, kind=OuterRef("kind"), key=OuterRef("zoom_id"))
        rows = rows.exclude(Exists(items.filter(_withheld())))  # guard: hidden-item-not-shown
        published = Exists(items.filter(visibility=SiteItem.Visibility.PUBLISHED))
        return rows.filter(_rule(choice) | Q(published))

    @staticmethod
    def _hosts(choice: ZoomSettings) -> Q:
        """Ticked hosts that this Site's own grant covers; an archive has only its ticks left."""
        ticked = Q(
            host__exposed_on__settings=choice.pk,  # guard: only-chosen-hosts-shown
            host__account=choice.account_id,
        )
        grant: Grant | None = choice.grant
        if grant is None:
            return ticked
        if grant.account_id != choice.account_id:
            return Q(pk__in=[])
        if grant.account_level:
            return ticked
        return (
            ticked & Q(host__zoom_id=grant.zoom_user_id)  # guard: personal-grant-shows-own-meetings
        )

    @staticmethod
    def _items(choice: ZoomSettings, **match: object) -> QuerySet[SiteItem]:
        items = SiteItem.objects.for_site(choice.site_id)
        return items.filter(account=choice.account_id, **match)


_UNREAD = (
    *(f"grant__{name}" for name in (
        "access_token", "refresh_token", "user_email", "user_name", "scope", "api_url",
        "expires_at", "refreshed_at", "generation", "lease_owner", "lease_until",
        "refresh_started_at", "reason", "state_since", "retry_at", "failures", "notices",
        "revoke_requested_at", "revoke_attempts", "connected_by", "connected_at",
    )),
    *(f"account__{name}" for name in (
        "number", "throttled_until", "throttle_daily", "lease_owner", "lease_until", "directory_at",
        "next_reconcile_at",
    )),
)  # fmt: skip
"""Columns that no visitor's page needs: tokens above all are not even loaded for one."""
_SCHEDULED = ("", "2", "3", "5", "6", "8", "9")
"""Zoom's types of recorded meetings that were planned; 1, 4, 7 and uploads were not."""


def _withheld() -> Q:
    """Curation that takes an item off whatever else is said. "Show until" includes that day."""
    hidden = Q(visibility=SiteItem.Visibility.HIDDEN)
    return hidden | Q(expires_on__lt=timezone.localdate())


def _rule(choice: ZoomSettings) -> Q:
    nothing = Q(pk__in=[])
    if choice.item_rule == ItemRule.ALL:
        return ~nothing
    if choice.item_rule == ItemRule.REGISTRATION:
        takes = (Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL)
        return Q(approval_type__in=takes)
    word = choice.mark_word.strip()
    if choice.item_rule == ItemRule.MARKED and word:
        return Q(topic__icontains=word) | Q(agenda__icontains=word)
    return nothing


def _lets_in(choice: ZoomSettings, audience: Audience) -> Q:
    """Who may join a meeting without a fixed time: there is no window to wait for."""
    open_to_all = (JoinPolicy.PUBLIC, JoinPolicy.WINDOW)
    registered = audience is Audience.REGISTRANT and choice.join_policy == JoinPolicy.REGISTRANTS
    return ~Q(pk__in=[]) if choice.join_policy in open_to_all or registered else Q(pk__in=[])


def _joinable(choice: ZoomSettings, audience: Audience) -> Q:
    """Dates whose join link this audience may have now, as the owner's policy says."""
    gone = (Occurrence.State.CANCELLED, Occurrence.State.OVER, Occurrence.State.EXPIRED)
    alive = ~Q(state__in=gone)
    if choice.join_policy == JoinPolicy.PUBLIC:
        return alive
    if choice.join_policy == JoinPolicy.WINDOW:
        return alive & Q(start__lte=timezone.now() + timedelta(minutes=choice.join_minutes))
    if (
        choice.join_policy == JoinPolicy.REGISTRANTS
        and audience is Audience.REGISTRANT  # guard: join-policy-registrants
    ):
        return alive
    return Q(pk__in=[])
