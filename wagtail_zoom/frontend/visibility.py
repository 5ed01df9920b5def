"""Visibility rules: querysets of what a Site may show to an audience. All public code uses them.

The rules are applied on each read. A changed setting, a lost grant or a hidden item takes effect
immediately, whichever grant fetched the row.
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
    """For whom rows are read."""

    VISITOR = "visitor"
    REGISTRANT = "registrant"


class Channel(Enum):
    """Where rows are shown. Only ``JOIN`` loads secrets and applies the join policy."""

    PAGE = "page"
    FEED = "feed"
    API = "api"
    SEARCH = "search"
    JOIN = "join"


@dataclass(frozen=True)
class SiteVisibility:
    """The visibility rules of one Site. Without Zoom settings nothing is visible."""

    site_settings: ZoomSettings | None
    memo: dict[str, dict[Any, Any]] = field(default_factory=dict, compare=False, repr=False)
    """Results for further blocks of the same request."""

    @classmethod
    def for_site(cls, site: Site) -> SiteVisibility:
        """Read the Site's settings with one query. The result is valid for one request."""
        rows = ZoomSettings.objects.select_related("grant", "account").defer(*_DEFERRED_COLUMNS)
        site_settings = rows.filter(site=site).first()
        if site_settings is not None:
            site_settings.site = site
        return cls(site_settings)

    def meetings(self, audience: Audience, channel: Channel) -> QuerySet[Meeting]:
        """Meetings and webinars that may be shown, including those without a fixed time."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Meeting.objects.none()
        rows = Meeting.objects.filter(removed_at=None)
        rows = self._visible_meetings(rows, site_settings).select_related("host")
        if channel is Channel.JOIN:
            return rows.filter(_meeting_join_rule(site_settings, audience))
        return rows.defer("join_url", "passcode")

    def occurrences(self, audience: Audience, channel: Channel) -> QuerySet[Occurrence]:
        """Occurrences that may be shown, unordered, with meeting and host, without secrets."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Occurrence.objects.none()
        # Occurrences of a deleted meeting are shown as cancelled until their end.
        cancelled = Q(state=Occurrence.State.CANCELLED, end__gt=timezone.now())
        # A subquery, not a join: with a join SQLite starts with the meetings and sorts all their
        # occurrences, although only the first twenty are needed.
        meeting = self._visible_meetings(
            Meeting.objects.filter(pk=OuterRef("meeting")), site_settings
        )
        rows = Occurrence.objects.filter(
            Q(meeting__removed_at=None) | cancelled,
            Exists(meeting),
            account=site_settings.account_id,
        ).select_related("meeting__host")
        if channel is Channel.JOIN:
            return rows.filter(_occurrence_join_rule(site_settings, audience))
        return rows.defer(
            "meeting__join_url", "meeting__passcode"
        )  # guard: page-loads-no-join-link

    def recordings(self, audience: Audience, channel: Channel) -> QuerySet[Recording]:
        """Published recordings, unordered. Only ``JOIN`` loads link and passcode."""
        site_settings = self.site_settings
        if (
            site_settings is None
            or not site_settings.shows_data
            or Kind.RECORDING not in site_settings.kinds
        ):
            return Recording.objects.none()
        items = self._items(site_settings, kind=Kind.RECORDING, key=OuterRef("uuid"))
        published = items.filter(visibility=SiteItem.Visibility.PUBLISHED).exclude(_is_hidden())
        rows = Recording.objects.filter(
            # An unscheduled recording needs a user's decision; no rule may publish it.
            Q(
                is_unscheduled=False, zoom_type__in=_SCHEDULED_TYPES
            )  # guard: unscheduled-recording-needs-decision
            | Exists(published.filter(decided_at__isnull=False)),
            self._exposed_hosts(site_settings),
            Exists(published),
            account=site_settings.account_id,
            is_ready=True,
            removed_at=None,
            trashed_at=None,  # guard: trashed-recording-hidden
        ).exclude(Q(meeting__is_private=True) | Q(meeting__uses_personal_room=True))
        if site_settings.recording_days:
            oldest = timezone.now() - timedelta(days=site_settings.recording_days)
            rows = rows.filter(start__gte=oldest)
        rows = rows.select_related("host")
        return rows if channel is Channel.JOIN else rows.defer("share_url", "play_url", "passcode")

    def transcripts(self, audience: Audience, channel: Channel) -> QuerySet[Transcript]:
        """Transcripts of recordings that may be shown, if the Site shows transcripts."""
        if self.site_settings is None or not self.site_settings.show_transcripts:
            return Transcript.objects.none()
        visible_recordings = self.recordings(audience, channel).order_by().values("pk")
        return Transcript.objects.filter(recording__in=visible_recordings).exclude(text="")

    def why_hidden(self, obj: Occurrence | Meeting | Recording) -> str:
        """Why visitors of this Site do not see an object, for its owner.

        Empty if they do. It checks these querysets first, so that the two cannot disagree.
        """
        from .visibility_reasons import reason

        return reason(self, obj)

    def _visible_meetings(
        self, rows: QuerySet[Meeting], site_settings: ZoomSettings
    ) -> QuerySet[Meeting]:
        """The rules for meetings."""
        kinds = [kind for kind in (Kind.MEETING, Kind.WEBINAR) if kind in site_settings.kinds]
        rows = rows.filter(
            self._exposed_hosts(site_settings),
            account=site_settings.account_id,
            kind__in=kinds,  # guard: only-chosen-kinds-shown
            is_private=False,  # guard: private-meeting-hidden
            uses_personal_room=False,  # guard: personal-room-hidden
            detail_at__isnull=False,  # guard: meeting-without-details-hidden
        ).exclude(zoom_type__in=(1, 4))
        items = self._items(site_settings, kind=OuterRef("kind"), key=OuterRef("zoom_id"))
        rows = rows.exclude(Exists(items.filter(_is_hidden())))  # guard: hidden-item-not-shown
        published = Exists(items.filter(visibility=SiteItem.Visibility.PUBLISHED))
        return rows.filter(_item_rule(site_settings) | Q(published))

    @staticmethod
    def _exposed_hosts(site_settings: ZoomSettings) -> Q:
        """Exposed hosts that this Site's grant covers; an archive has no grant to check."""
        exposed = Q(
            host__exposed_on__settings=site_settings.pk,  # guard: only-chosen-hosts-shown
            host__account=site_settings.account_id,
        )
        grant: Grant | None = site_settings.grant
        if grant is None:
            return exposed
        if grant.account_id != site_settings.account_id:
            return Q(pk__in=[])
        if grant.account_level:
            return exposed
        own = Q(host__zoom_id=grant.zoom_user_id)
        return exposed & own  # guard: personal-grant-shows-own-meetings

    @staticmethod
    def _items(site_settings: ZoomSettings, **match: object) -> QuerySet[SiteItem]:
        items = SiteItem.objects.for_site(site_settings.site_id)
        return items.filter(account=site_settings.account_id, **match)


_DEFERRED_COLUMNS = (
    *(f"grant__{name}" for name in (
        "access_token", "refresh_token", "user_email", "user_name", "scope", "api_url",
        "expires_at", "refreshed_at", "generation", "lease_owner", "lease_until",
        "refresh_started_at", "reason", "state_since", "retry_at", "failures", "reminders_sent",
        "revoke_requested_at", "revoke_attempts", "connected_by", "connected_at",
    )),
    *(f"account__{name}" for name in (
        "number", "throttled_until", "throttle_daily", "lease_owner", "lease_until", "directory_at",
        "next_reconcile_at",
    )),
)  # fmt: skip
"""Columns that public pages do not need. Tokens are never loaded for a visitor."""
_SCHEDULED_TYPES = ("", "2", "3", "5", "6", "8", "9")
"""Zoom's types of scheduled meetings, for recordings; 1, 4, 7 and uploads are not scheduled."""


def _is_hidden() -> Q:
    """Curation that hides an item whatever the rules. "Show until" includes that day."""
    hidden = Q(visibility=SiteItem.Visibility.HIDDEN)
    return hidden | Q(expires_on__lt=timezone.localdate())


def _item_rule(site_settings: ZoomSettings) -> Q:
    none = Q(pk__in=[])
    if site_settings.item_rule == ItemRule.ALL:
        return ~none
    if site_settings.item_rule == ItemRule.REGISTRATION:
        approval_types = (Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL)
        return Q(approval_type__in=approval_types)
    word = site_settings.mark_word.strip()
    if site_settings.item_rule == ItemRule.MARKED and word:
        return Q(topic__icontains=word) | Q(agenda__icontains=word)
    return none


def _meeting_join_rule(site_settings: ZoomSettings, audience: Audience) -> Q:
    """Meetings without a fixed time that this audience may join; they have no join window."""
    open_to_all = (JoinPolicy.PUBLIC, JoinPolicy.WINDOW)
    registered = (
        audience is Audience.REGISTRANT and site_settings.join_policy == JoinPolicy.REGISTRANTS
    )
    return ~Q(pk__in=[]) if site_settings.join_policy in open_to_all or registered else Q(pk__in=[])


def _occurrence_join_rule(site_settings: ZoomSettings, audience: Audience) -> Q:
    """Occurrences whose join link this audience may have now, by the join policy."""
    closed_states = (Occurrence.State.CANCELLED, Occurrence.State.OVER, Occurrence.State.EXPIRED)
    joinable = ~Q(state__in=closed_states)
    if site_settings.join_policy == JoinPolicy.PUBLIC:
        return joinable
    if site_settings.join_policy == JoinPolicy.WINDOW:
        return joinable & Q(
            start__lte=timezone.now() + timedelta(minutes=site_settings.join_minutes)
        )
    if (
        site_settings.join_policy == JoinPolicy.REGISTRANTS
        and audience is Audience.REGISTRANT  # guard: join-policy-registrants
    ):
        return joinable
    return Q(pk__in=[])
