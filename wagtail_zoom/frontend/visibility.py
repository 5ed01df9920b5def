"""Visibility rules: querysets of what a Site may use, and of that, what it may show to an audience.

All code uses them: pages, feeds, the API and the views of the admin. The rules are applied on each
read. A changed setting, a lost grant or a hidden item takes effect immediately, whichever grant
fetched the row.

Two levels. *Usable* is what the Site may read now at all: rows of its present account, of the kinds
and hosts that it shows, that its grant covers; of an archive only what has not changed since.
*Visible* adds the rules for visitors: publication, privacy, Zoom's own states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from wagtail.models import Page, PageViewRestriction, Site

from ..models import (
    MEETING_KINDS,
    SCHEDULED_TYPES,
    SHOWABLE_TYPES,
    SUMMARY,
    ArchivedRow,
    Grant,
    HiddenDate,
    Host,
    ItemRule,
    JoinPolicy,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Summary,
    SummaryReview,
    Transcript,
    ZoomSettings,
)
from ..models.mirror import CLOSED_STATES, REGISTRATION_TYPES
from ..models.versions import with_host_versions

ItemRow = Meeting | Recording | Summary
"""What an item stands for."""
_MEETING_TEXTS = tuple(
    f"meeting__{name}" for name in ("join_url", "passcode", "agenda", "questions")
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
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Results for further blocks of the same request."""
    page: Page | None = field(default=None, compare=False, repr=False)
    """The page that shows the rows: links name it. None outside pages."""

    @classmethod
    def for_site(cls, site: Site, page: Page | None = None) -> SiteVisibility:
        """Read the Site's settings with one query. The result is valid for one request."""
        rows = ZoomSettings.objects.select_related("grant", "account").defer(*_DEFERRED_COLUMNS)
        rows = with_host_versions(rows)
        # Whether the installation has any view restriction: it tells most pages to ask no further.
        rows = rows.annotate(has_restrictions=Exists(PageViewRestriction.objects.all()))
        site_settings = rows.filter(site=site).first()
        if site_settings is not None:
            site_settings.site = site
        return cls(site_settings, page=page)

    @property
    def page_id(self) -> int | None:
        """The page that links name; a page that is not saved yet has none."""
        return self.page.pk if self.page else None

    def usable_meetings(self) -> QuerySet[Meeting]:
        """Meetings and webinars that this Site may read now, whether visitors see them or not."""
        return self._usable_meetings(Meeting.objects.all())

    def usable_recordings(self) -> QuerySet[Recording]:
        """Recordings that this Site may read now, whether visitors see them or not."""
        site_settings = self.site_settings
        if (
            site_settings is None
            or not site_settings.shows_data
            or Kind.RECORDING not in site_settings.kinds  # guard: recordings-off-not-read
        ):
            return Recording.objects.none()
        rows = Recording.objects.filter(
            self._exposed_hosts(site_settings), account=site_settings.account_id
        )
        if site_settings.is_archive:
            frozen = _archived(site_settings, Kind.RECORDING, OuterRef("uuid"))
            rows = rows.filter(frozen)  # guard: archive-recordings-frozen
        if _missing_kinds(site_settings, [Kind.RECORDING]):
            own_items = self._items(site_settings, kind=Kind.RECORDING, key=OuterRef("uuid"))
            rows = rows.filter(Exists(own_items))  # guard: missing-recordings-not-read
        return rows

    def usable_summaries(self) -> QuerySet[Summary]:
        """Summaries of meetings that this Site may read now, whether visitors see them or not."""
        site_settings = self.site_settings
        if (
            site_settings is None
            or not site_settings.shows_data
            or not site_settings.show_summaries  # guard: summaries-off-not-read
        ):
            return Summary.objects.none()
        rows = Summary.objects.filter(
            self._exposed_hosts(site_settings), account=site_settings.account_id
        )
        if site_settings.is_archive:
            frozen = _archived(site_settings, SUMMARY, OuterRef("uuid"))
            rows = rows.filter(frozen)  # guard: archive-summaries-frozen
        if _missing_kinds(site_settings, [SUMMARY]):
            own_items = self._items(site_settings, kind=SUMMARY, key=OuterRef("uuid"))
            rows = rows.filter(Exists(own_items))  # guard: missing-summaries-not-read
        return rows

    def usable_hosts(self) -> QuerySet[Host]:
        """Selected hosts whose names this Site may read now."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Host.objects.none()
        rows = Host.objects.filter(
            account=site_settings.account_id, exposed_on__settings=site_settings.pk
        )
        if site_settings.is_archive:
            named = ArchivedRow.objects.filter(
                settings=site_settings.pk, host_name=OuterRef("display_name")
            )
            return rows.filter(Exists(named))  # guard: archive-host-names-frozen
        grant = site_settings.grant
        if grant is None or grant.account_id != site_settings.account_id:
            return rows.none()
        if grant.account_level:
            return rows
        return rows.filter(zoom_id=grant.zoom_user_id)  # guard: personal-grant-names-own-host

    def items(self) -> QuerySet[SiteItem]:
        """The Site's items with a row that it may read now: only their rows may be joined."""
        if self.site_settings is None:
            return SiteItem.objects.none()
        meeting = self.usable_meetings().filter(pk=OuterRef("meeting"), kind=OuterRef("kind"))
        recording = self.usable_recordings().filter(pk=OuterRef("recording"))
        summary = self.usable_summaries().filter(pk=OuterRef("meeting_summary"))
        usable = Q(Exists(meeting), kind__in=MEETING_KINDS)
        usable |= Q(Exists(recording), kind=Kind.RECORDING)
        if self.site_settings.show_summaries:
            usable |= Q(Exists(summary), kind=SUMMARY)
        rows = SiteItem.objects.for_site(self.site_settings.site_id)
        rows = rows.filter(account=self.site_settings.account_id)
        rows = rows.filter(usable)  # guard: item-row-needs-use
        return rows

    def rows_of(self, items: Iterable[SiteItem]) -> dict[int, ItemRow]:
        """The rows of these items by the item's primary key, without those it may not read now."""
        site_settings, items = self.site_settings, list(items)
        if site_settings is None:
            return {}
        account = site_settings.account_id
        items = [item for item in items if item.site_id == site_settings.site_id]
        own = [item for item in items if item.account_id == account]  # guard: item-row-of-account
        numbers = {item.key for item in own if item.kind in MEETING_KINDS}
        uuids = {item.key for item in own if item.kind == Kind.RECORDING}
        summary_uuids = {item.key for item in own if item.kind == SUMMARY}
        rows: dict[tuple[str, str], ItemRow] = {}
        if numbers:
            meetings = self.usable_meetings().filter(zoom_id__in=numbers)
            meetings = meetings.select_related("host").defer("join_url", "passcode")
            rows |= {(row.kind, row.zoom_id): row for row in meetings}
        if uuids:
            recordings = self.usable_recordings().filter(uuid__in=uuids)
            recordings = recordings.select_related("host", "meeting")
            rows |= {(str(Kind.RECORDING), row.uuid): row for row in recordings}
        if summary_uuids:
            summaries = self.usable_summaries().filter(uuid__in=summary_uuids)
            summaries = summaries.select_related("host", "meeting__host")
            rows |= {(SUMMARY, row.uuid): row for row in summaries}
        return {item.pk: rows[item.kind, item.key] for item in own if (item.kind, item.key) in rows}

    def row_of(self, item: SiteItem) -> ItemRow | None:
        """The meeting, recording or summary of an item, if this Site may read it now."""
        return self.rows_of([item]).get(item.pk)

    def meetings(self, audience: Audience, channel: Channel) -> QuerySet[Meeting]:
        """Meetings and webinars that may be shown, including those without a fixed time."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Meeting.objects.none()
        rows: QuerySet[Meeting] = Meeting.objects.filter(removed_at=None)
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
        if site_settings.is_archive:
            until = site_settings.archived_at
            rows = rows.filter(updated_at__lte=until)  # guard: archive-dates-frozen
        if audience is Audience.VISITOR:
            # Registered people keep their date: it is only taken off the pages.
            rows = rows.filter(date_not_hidden(site_settings))  # guard: hidden-date-not-shown
        if channel is Channel.JOIN:
            return rows.filter(_occurrence_join_rule(site_settings, audience))
        return rows.defer(
            "meeting__join_url", "meeting__passcode"
        )  # guard: page-loads-no-join-link

    def recordings(self, audience: Audience, channel: Channel) -> QuerySet[Recording]:
        """Published recordings, unordered. Only ``JOIN`` loads link and passcode."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Recording.objects.none()
        items = self._items(site_settings, kind=Kind.RECORDING, key=OuterRef("uuid"))
        published = items.filter(visibility=SiteItem.Visibility.PUBLISHED).exclude(_is_hidden())
        rows = (
            self.usable_recordings()
            .filter(
                # An unscheduled recording needs a user's decision; no rule may publish it.
                Q(
                    is_unscheduled=False, zoom_type__in=("", *SCHEDULED_TYPES)
                )  # guard: unscheduled-recording-needs-decision
                | Exists(published.filter(decided_at__isnull=False)),
                Exists(published),
                is_ready=True,
                has_link=True,  # guard: recording-without-link-hidden
                removed_at=None,
                trashed_at=None,  # guard: trashed-recording-hidden
            )
            .exclude(
                Q(meeting__is_private=True)  # guard: private-recording-hidden
                | Q(meeting__uses_personal_room=True)  # guard: personal-room-recording-hidden
                | (Q(meeting__isnull=False) & ~Q(meeting__unclear_setting=""))
            )
        )
        if site_settings.recording_days:
            oldest = timezone.now() - timedelta(days=site_settings.recording_days)
            rows = rows.filter(start__gte=oldest)
        rows = rows.select_related("host")
        return rows if channel is Channel.JOIN else rows.defer("share_url", "play_url", "passcode")

    def transcripts(self, audience: Audience, channel: Channel) -> QuerySet[Transcript]:
        """Transcripts of recordings that may be shown, if the Site shows transcripts."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.show_transcripts:
            return Transcript.objects.none()
        visible_recordings = self.recordings(audience, channel).order_by().values("pk")
        rows = Transcript.objects.filter(recording__in=visible_recordings).exclude(text="")
        if site_settings.is_archive:
            until = site_settings.archived_at
            rows = rows.filter(read_at__lte=until)  # guard: archive-transcripts-frozen
        return rows

    def summaries(self, audience: Audience, channel: Channel) -> QuerySet[Summary]:
        """Summaries that a person of this Site has reviewed and published, unordered, without
        Zoom's text: visitors read that of ``reviews``."""
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return Summary.objects.none()
        items = self._items(site_settings, kind=SUMMARY, key=OuterRef("uuid"))
        published = items.filter(
            visibility=SiteItem.Visibility.PUBLISHED,
            review__isnull=False,  # guard: summary-needs-review
        ).exclude(_is_hidden() | Q(review__text=""))
        rows = (
            self.usable_summaries()
            .filter(
                Exists(published),
                removed_at=None,  # guard: deleted-summary-hidden
                trashed_at=None,  # guard: trashed-summary-hidden
            )
            .exclude(
                Q(meeting__is_private=True)  # guard: private-summary-hidden
                | Q(meeting__uses_personal_room=True)  # guard: personal-room-summary-hidden
                | (Q(meeting__isnull=False) & ~Q(meeting__unclear_setting=""))
            )
        )
        return rows.select_related("host", "meeting").defer("text", *_MEETING_TEXTS)

    def reviews(self, audience: Audience, channel: Channel) -> QuerySet[SummaryReview]:
        """The reviewed texts of ``summaries``, with their items."""
        site_settings = self.site_settings
        if site_settings is None:
            return SummaryReview.objects.none()
        uuids = self.summaries(audience, channel).order_by().values("uuid")
        return SummaryReview.objects.filter(
            item__site=site_settings.site_id,  # guard: review-of-own-site
            item__account=site_settings.account_id,
            item__kind=SUMMARY,
            item__key__in=uuids,
        ).select_related("item")

    def why_hidden(self, obj: Occurrence | ItemRow) -> str:
        """Why visitors of this Site do not see an object, for its owner.

        Empty if they do. It checks these querysets first, so that the two cannot disagree.
        """
        from .visibility_reasons import reason

        return reason(self, obj)

    def _visible_meetings(
        self, rows: QuerySet[Meeting], site_settings: ZoomSettings
    ) -> QuerySet[Meeting]:
        """The rules for meetings that visitors may see."""
        rows = self._usable_meetings(rows).filter(
            is_private=False,  # guard: private-meeting-hidden
            uses_personal_room=False,  # guard: personal-room-hidden
            unclear_setting="",  # guard: unclear-meeting-hidden
            detail_at__isnull=False,  # guard: meeting-without-details-hidden
            zoom_type__in=SHOWABLE_TYPES,  # guard: unknown-type-hidden
        )
        items = self._items(site_settings, kind=OuterRef("kind"), key=OuterRef("zoom_id"))
        rows = rows.exclude(Exists(items.filter(_is_hidden())))  # guard: hidden-item-not-shown
        published = Exists(items.filter(visibility=SiteItem.Visibility.PUBLISHED))
        return rows.filter(_item_rule(site_settings) | Q(published))

    def _usable_meetings(self, rows: QuerySet[Meeting]) -> QuerySet[Meeting]:
        site_settings = self.site_settings
        if site_settings is None or not site_settings.shows_data:
            return rows.none()
        kinds = [kind for kind in MEETING_KINDS if kind in site_settings.kinds]
        rows = rows.filter(
            self._exposed_hosts(site_settings),
            account=site_settings.account_id,
            kind__in=kinds,  # guard: only-chosen-kinds-shown
        )
        if site_settings.is_archive:
            frozen = _archived(site_settings, OuterRef("kind"), OuterRef("zoom_id"))
            rows = rows.filter(frozen)  # guard: archive-meetings-frozen
        if missing_kinds := _missing_kinds(site_settings, kinds):
            own_items = self._items(site_settings, kind=OuterRef("kind"), key=OuterRef("zoom_id"))
            allowed = ~Q(kind__in=missing_kinds) | Exists(own_items)
            rows = rows.filter(allowed)  # guard: missing-meetings-not-read
        return rows

    def _exposed_hosts(self, site_settings: ZoomSettings) -> Q:
        """Exposed hosts that this Site's grant covers; an archive has no grant to check."""
        # An archive's rows are limited to those that its grant covered.
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
        return items.filter(
            account=site_settings.account_id,  # guard: choice-of-present-account
            **match,
        )


def date_not_hidden(site_settings: ZoomSettings) -> Q:
    """A condition for occurrences: the owner of this Site does not hide that date."""
    hidden = HiddenDate.objects.filter(
        item__site=site_settings.site_id, public_id=OuterRef("public_id")
    )
    return ~Q(Exists(hidden))


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


K = TypeVar("K", bound=str)


def _missing_kinds(site_settings: ZoomSettings, kinds: Iterable[K]) -> list[K]:
    """Those of these kinds that Zoom has not allowed the Site's grant to read, whatever it has
    allowed another Site's.

    Of these the Site keeps what it had before: the rows of its items, to which none is added.
    """
    grant: Grant | None = site_settings.grant
    return [kind for kind in kinds if grant is not None and kind in grant.missing_kinds]


def _archived(site_settings: ZoomSettings, kind: object, key: object) -> Exists:
    """Whether the outer row was shown when the Site was disconnected, and is as it was then."""
    rows = ArchivedRow.objects.filter(
        settings=site_settings.pk,
        kind=kind,
        key=key,
        content_hash=OuterRef("content_hash"),  # guard: archive-row-unchanged
        host_name=OuterRef("host__display_name"),  # guard: archive-host-name-unchanged
    )
    return Exists(rows)


def _is_hidden() -> Q:
    """Curation that hides an item whatever the rules."""
    return Q(visibility=SiteItem.Visibility.HIDDEN) | SiteItem.expired()


def _item_rule(site_settings: ZoomSettings) -> Q:
    none = Q(pk__in=[])
    if site_settings.item_rule == ItemRule.ALL:
        return ~none
    if site_settings.item_rule == ItemRule.REGISTRATION:
        return Q(approval_type__in=REGISTRATION_TYPES)
    word = site_settings.mark_word.strip()
    if site_settings.item_rule == ItemRule.MARKED and word:
        return Q(topic__icontains=word) | Q(agenda__icontains=word)
    return none


def _meeting_join_rule(site_settings: ZoomSettings, audience: Audience) -> Q:
    """Meetings without a fixed time that this audience may join; they have no join window."""
    if site_settings.is_archive:  # guard: archive-joins-no-meeting
        return Q(pk__in=[])
    open_to_all = (JoinPolicy.PUBLIC, JoinPolicy.WINDOW)
    registered = (
        audience is Audience.REGISTRANT and site_settings.join_policy == JoinPolicy.REGISTRANTS
    )
    may_join = site_settings.join_policy in open_to_all or registered
    return ~Q(pk__in=[]) if may_join else Q(pk__in=[])  # guard: meeting-link-by-policy


def _occurrence_join_rule(site_settings: ZoomSettings, audience: Audience) -> Q:
    """Occurrences whose join link this audience may have now, by the join policy."""
    if site_settings.is_archive:  # guard: archive-joins-nothing
        return Q(pk__in=[])
    joinable = ~Q(state__in=CLOSED_STATES)
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
