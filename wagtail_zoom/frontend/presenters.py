"""Builds view models from rows: with curation, labels and the next action."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from ..models import JoinPolicy, Kind, Meeting, Occurrence, Recording, SiteItem, ZoomSettings
from ..utils.text import sanitize_html, sanitize_text
from . import links
from .datetimes import TimeRange
from .form_links import FormLink
from .queries import ENDED_STATES, MAX_OVERRUN
from .related import EXCERPT_LENGTH, detail_pages_for, items_for, recordings_for, transcripts_for
from .text import html_for, title_for
from .view_models import (
    ActionLink,
    MeetingView,
    OccurrenceView,
    RecordingView,
    StateLabel,
    card_image,
)
from .visibility import SiteVisibility

DetailUrl = Callable[[Occurrence], str]
"""Returns the URL of an occurrence's own page (``ZoomDatesPageMixin``)."""


def registration_closes_at_start(meeting: Meeting) -> bool:
    """Whether registration closes when the occurrence starts. ``close_registration`` is Zoom's
    "after event date"; registration for a series stays open until its last occurrence."""
    return meeting.close_registration and not meeting.is_series


def state_of(row: Occurrence, site_settings: ZoomSettings, now: datetime) -> StateLabel:
    """The state label of an occurrence for visitors."""
    meeting = row.meeting
    if row.state == Occurrence.State.CANCELLED:
        return StateLabel("cancelled", _("Cancelled"), "off", _("It will not take place."))
    if row.state == Occurrence.State.LIVE and row.end + MAX_OVERRUN >= now:
        return StateLabel("live", _("Live now"), "live")
    if row.state in ENDED_STATES or row.end < now:
        return StateLabel("over", _("Ended"), "off")
    if (
        accepts_registration(meeting, site_settings)
        and row.start <= now
        and registration_closes_at_start(meeting)
    ):
        return StateLabel("closed", _("Registration closed"), "off")
    if accepts_registration(meeting, site_settings) and row.start > now:
        capacity = meeting.capacity
        if capacity and (meeting.registrant_count or 0) >= capacity:
            taken = ngettext(
                "The only place is taken.", "All %(count)d places are taken.", capacity
            ) % {"count": capacity}
            return StateLabel("full", _("Full"), "off", taken)
    if row.state == Occurrence.State.MOVED:
        return StateLabel("moved", _("New time"), "moved")
    return StateLabel()


def accepts_registration(meeting: Meeting, site_settings: ZoomSettings) -> bool:
    """Whether this Site accepts registrations for a meeting."""
    return (
        site_settings.show_registration
        and meeting.takes_registration
        and not meeting.is_events_webinar
    )


def join_opens_at(row: Occurrence, site_settings: ZoomSettings) -> datetime | None:
    """When visitors without a registration can join; None when they never can."""
    if site_settings.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW):
        return row.start - timedelta(minutes=site_settings.join_minutes)
    return None


class OccurrencePresenter:
    """Builds ``OccurrenceView`` objects for rows of one Site with a fixed number of queries."""

    def __init__(
        self,
        visibility: SiteVisibility,
        rows: Sequence[Occurrence],
        *,
        recordings: bool = False,
        detail_url: DetailUrl | None = None,
    ) -> None:
        self.visibility, self.now, self.detail_url = visibility, timezone.now(), detail_url
        self.texts: dict[int, tuple[str, SafeString | str]] = {}
        self.items = items_for(
            visibility, ((row.meeting.kind, row.meeting.zoom_id) for row in rows)
        )
        self.detail_pages: dict[int, tuple[str, bool]] = {}
        if visibility.site_settings:
            self.detail_pages = detail_pages_for(visibility, self.items.values())
        self.recordings: dict[int, RecordingView] = {}
        if recordings:
            for recording, view in _recording_views(visibility, recordings_for(visibility, rows)):
                self.recordings.setdefault(recording.occurrence_id or 0, view)

    def view(self, row: Occurrence) -> OccurrenceView:
        """The view model of one of the rows."""
        site_settings, meeting = self.visibility.site_settings, row.meeting
        if site_settings is None:
            raise ValueError("Only visible rows can be shown.")
        item = self.items.get((meeting.kind, meeting.zoom_id))
        title, summary = self._texts(meeting, item, site_settings)
        state = state_of(row, site_settings, self.now)
        url, has_form = self.detail_pages.get(item.pk, ("", False)) if item else ("", False)
        if not url and self.detail_url:
            url = self.detail_url(row)
        moved = row.state == Occurrence.State.MOVED and row.previous_start != row.start
        capacity = meeting.capacity if accepts_registration(meeting, site_settings) else None
        view = OccurrenceView(
            title=title,
            kind=meeting.kind,
            when=TimeRange.of(
                row.start, row.end, meeting.timezone, row.previous_start if moved else None
            ),
            minutes=row.duration,
            state=state,
            host=_host(meeting, site_settings),
            summary=summary,
            cover=card_image(meeting.zoom_id, title, item.image if item else None),
            url=url,
            has_form=has_form,
            opens_minutes=site_settings.join_minutes if join_opens_at(row, site_settings) else 0,
            calendar_url=""
            if state.code in ("cancelled", "over")
            else links.calendar_url(site_settings.site_id, row),
            recording=self.recordings.get(row.pk),
            places=(max(0, capacity - (meeting.registrant_count or 0)), capacity)
            if capacity
            else None,
        )
        action = self._action(row, view, site_settings)
        join_url = (
            links.join_url(site_settings.site_id, row)
            if join_opens_at(row, site_settings)
            else None
        )
        browser_url = f"{join_url}?in=browser" if action and action.url == join_url else ""
        return replace(view, action=action, browser_url=browser_url)

    def _texts(
        self, meeting: Meeting, item: SiteItem | None, site_settings: ZoomSettings
    ) -> tuple[str, SafeString | str]:
        """Title and summary, sanitised once for all occurrences of a series."""
        if meeting.pk not in self.texts:
            title = _title(item, meeting.topic, site_settings)
            self.texts[meeting.pk] = title, _summary(item, meeting.agenda, site_settings)
        return self.texts[meeting.pk]

    def _action(
        self, row: Occurrence, view: OccurrenceView, site_settings: ZoomSettings
    ) -> ActionLink | None:
        code = view.state.code
        if code == "over":
            if view.recording is None:
                return None
            return ActionLink(_("Watch the recording"), view.recording.url, view.title)
        if code == "cancelled":
            return None
        if code in ("full", "closed"):
            return None
        if accepts_registration(row.meeting, site_settings):
            url = view.url if view.has_form else self._form_url(row, site_settings)
            return ActionLink(_("Register"), url, view.title, main=code == "live")
        opens_at = join_opens_at(row, site_settings)
        if opens_at and opens_at <= self.now:
            url = links.join_url(site_settings.site_id, row)
            return ActionLink(_("Join on Zoom"), url, view.title, main=True)
        if code == "live":
            return None
        return ActionLink(_("Add to calendar"), view.calendar_url, view.title)

    def _form_url(self, row: Occurrence, site_settings: ZoomSettings) -> str:
        """The URL of our page with the form, for Sites without a page that has it."""
        options = {"date": str(row.public_id)} if row.meeting.is_series else {}
        return FormLink(
            site_settings.site_id, None, row.meeting_id, get_language() or "", options
        ).url


def meeting_view(visibility: SiteVisibility, meeting: Meeting) -> MeetingView:
    """The view model of a meeting without occurrences."""
    site_settings = visibility.site_settings
    if site_settings is None:
        raise ValueError("Only visible rows can be shown.")
    item = items_for(visibility, [(meeting.kind, meeting.zoom_id)]).get(
        (meeting.kind, meeting.zoom_id)
    )
    title = _title(item, meeting.topic, site_settings)
    action = None
    if accepts_registration(meeting, site_settings):
        url = FormLink(site_settings.site_id, None, meeting.pk, get_language() or "").url
        action = ActionLink(_("Register"), url, title, main=True)
    return MeetingView(
        title,
        meeting.kind,
        _host(meeting, site_settings),
        _summary(item, meeting.agenda, site_settings),
        action,
    )


def occurrence_views(
    visibility: SiteVisibility,
    rows: Sequence[Occurrence],
    *,
    recordings: bool = False,
    detail_url: DetailUrl | None = None,
) -> list[OccurrenceView]:
    """View models of occurrences in the given order, with their recordings if requested.

    An occurrence in several lists of a page is built once.
    """
    views: dict[int, OccurrenceView] = visibility.memo.setdefault(
        ("views", recordings, detail_url is None), {}
    )
    missing = [row for row in rows if row.pk not in views]
    if missing:
        presenter = OccurrencePresenter(
            visibility, missing, recordings=recordings, detail_url=detail_url
        )
        views.update({row.pk: presenter.view(row) for row in missing})
    return [views[row.pk] for row in rows]


def recording_views(
    visibility: SiteVisibility, rows: Iterable[Recording], *, with_transcripts: bool = True
) -> list[RecordingView]:
    """View models of recordings in the given order, with transcripts if the Site shows them."""
    return [view for _row, view in _recording_views(visibility, rows, with_transcripts)]


def _recording_views(
    visibility: SiteVisibility, rows: Iterable[Recording], with_transcripts: bool = True
) -> list[tuple[Recording, RecordingView]]:
    rows, site_settings = list(rows), visibility.site_settings
    if site_settings is None:
        return []
    items = items_for(visibility, ((Kind.RECORDING, row.uuid) for row in rows))
    transcripts = (
        transcripts_for(visibility, rows)
        if with_transcripts and site_settings.show_transcripts
        else {}
    )
    pairs = ((row, items.get((Kind.RECORDING, row.uuid))) for row in rows)
    return [
        (row, _recording_view(row, item, site_settings, transcripts.get(row.pk, "")))
        for row, item in pairs
        if item is not None
    ]


def _excerpt(text: str) -> str:
    text = sanitize_text(text)
    return text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH].rpartition(" ")[0] + " …"


def _recording_view(
    row: Recording, item: SiteItem, site_settings: ZoomSettings, transcript: str = ""
) -> RecordingView:
    title = _title(item, row.topic, site_settings)
    return RecordingView(
        title=title,
        when=TimeRange.of(row.start, row.start + timedelta(minutes=row.duration), row.timezone),
        minutes=row.duration,
        url=links.watch_url(item),
        host=_host(row, site_settings),
        summary=_summary(item, "", site_settings),
        cover=card_image(row.meeting_zoom_id, title, item.image),
        series=row.meeting_zoom_id,
        until=last_day(row, item, site_settings),
        transcript=_excerpt(transcript),
        transcript_url=links.transcript_url(item) if transcript else "",
    )


def last_day(row: Recording, item: SiteItem | None, site_settings: ZoomSettings) -> date | None:
    """The last day of a recording on this Site, if it is within six weeks."""
    days = [row.deletes_on, item.expires_on if item else None]
    if site_settings.recording_days:
        days.append((row.start + timedelta(days=site_settings.recording_days)).date())
    last = min((day for day in days if day), default=None)
    return last if last and last <= timezone.localdate() + timedelta(weeks=6) else None


def _title(item: SiteItem | None, topic: str, site_settings: ZoomSettings) -> str:
    return (item.title if item else "") or title_for(site_settings, topic) or _("Zoom meeting")


def _summary(item: SiteItem | None, agenda: str, site_settings: ZoomSettings) -> SafeString | str:
    own_summary = item.summary if item else ""
    if own_summary:
        return sanitize_html(own_summary)
    return html_for(site_settings, agenda) if agenda.strip() else ""


def _host(row: Meeting | Recording, site_settings: ZoomSettings) -> str:
    if not site_settings.show_host_names or row.host is None:
        return ""
    return row.host.display_name
