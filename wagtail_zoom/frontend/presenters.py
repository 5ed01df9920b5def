"""Rows of the mirror → the objects that templates show: curated, worded, with what to do next."""

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
from .queries import GONE, OVERRUN
from .related import EXCERPT, detail_pages_for, items_for, recordings_for, transcripts_for
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

Detail = Callable[[Occurrence], str]
"""Gives the address of a date's own page (``ZoomDatesPageMixin``)."""


def registration_closes_at_start(meeting: Meeting) -> bool:
    """Whether sign-ups end when the date begins: ``close_registration`` is Zoom's "after the event
    date", and a series goes on to its last date."""
    return meeting.close_registration and not meeting.is_series


def state_of(row: Occurrence, site_settings: ZoomSettings, now: datetime) -> StateLabel:
    """What a visitor must know about a date before anything else."""
    meeting = row.meeting
    if row.state == Occurrence.State.CANCELLED:
        return StateLabel("cancelled", _("Cancelled"), "off", _("It will not take place."))
    if row.state == Occurrence.State.LIVE and row.end + OVERRUN >= now:
        return StateLabel("live", _("Live now"), "live")
    if row.state in GONE or row.end < now:
        return StateLabel("over", _("Ended"), "off")
    if (
        accepts_registration(meeting, site_settings)
        and row.start <= now
        and registration_closes_at_start(meeting)
    ):
        return StateLabel("closed", _("Registration closed"), "off")
    if accepts_registration(meeting, site_settings) and row.start > now:
        total = meeting.capacity
        if total and (meeting.registrant_count or 0) >= total:
            taken = ngettext(
                "The only place is taken.", "All %(count)d places are taken.", total
            ) % {"count": total}
            return StateLabel("full", _("Full"), "off", taken)
    if row.state == Occurrence.State.MOVED:
        return StateLabel("moved", _("New time"), "moved")
    return StateLabel()


def accepts_registration(meeting: Meeting, site_settings: ZoomSettings) -> bool:
    """Whether visitors of this Site can register for a meeting with us at all."""
    return (
        site_settings.show_registration
        and meeting.takes_registration
        and not meeting.is_events_webinar
    )


def join_opens_at(row: Occurrence, site_settings: ZoomSettings) -> datetime | None:
    """When the door opens for visitors who have not registered; None when it never does."""
    if site_settings.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW):
        return row.start - timedelta(minutes=site_settings.join_minutes)
    return None


class OccurrencePresenter:
    """Makes ``OccurrenceView`` objects for rows of one Site: a fixed number of queries for all."""

    def __init__(
        self,
        visibility: SiteVisibility,
        rows: Sequence[Occurrence],
        *,
        recordings: bool = False,
        detail: Detail | None = None,
    ) -> None:
        self.visibility, self.now, self.detail = visibility, timezone.now(), detail
        self.words: dict[int, tuple[str, SafeString | str]] = {}
        self.items = items_for(
            visibility, ((row.meeting.kind, row.meeting.zoom_id) for row in rows)
        )
        self.pages: dict[int, tuple[str, bool]] = {}
        if visibility.site_settings:
            self.pages = detail_pages_for(visibility, self.items.values())
        self.recordings: dict[int, RecordingView] = {}
        if recordings:
            for recording, view in _recording_views(visibility, recordings_for(visibility, rows)):
                self.recordings.setdefault(recording.occurrence_id or 0, view)

    def view(self, row: Occurrence) -> OccurrenceView:
        """The view of one of the rows that were given."""
        site_settings, meeting = self.visibility.site_settings, row.meeting
        if site_settings is None:
            raise ValueError("Only rows that a gate let through can be shown.")
        item = self.items.get((meeting.kind, meeting.zoom_id))
        title, summary = self._words(meeting, item, site_settings)
        state = state_of(row, site_settings, self.now)
        url, has_form = self.pages.get(item.pk, ("", False)) if item else ("", False)
        if not url and self.detail:
            url = self.detail(row)
        moved = row.state == Occurrence.State.MOVED and row.previous_start != row.start
        total = meeting.capacity if accepts_registration(meeting, site_settings) else None
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
            else links.calendar(site_settings.site_id, row),
            recording=self.recordings.get(row.pk),
            places=(max(0, total - (meeting.registrant_count or 0)), total) if total else None,
        )
        action = self._action(row, view, site_settings)
        door = links.join(site_settings.site_id, row) if join_opens_at(row, site_settings) else None
        in_browser = f"{door}?in=browser" if action and action.url == door else ""
        return replace(view, action=action, browser_url=in_browser)

    def _words(
        self, meeting: Meeting, item: SiteItem | None, site_settings: ZoomSettings
    ) -> tuple[str, SafeString | str]:
        """Title and summary, cleaned once for all dates of a series."""
        if meeting.pk not in self.words:
            title = _title(item, meeting.topic, site_settings)
            self.words[meeting.pk] = title, _summary(item, meeting.agenda, site_settings)
        return self.words[meeting.pk]

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
            url = view.url if view.has_form else self._form(row, site_settings)
            return ActionLink(_("Register"), url, view.title, main=code == "live")
        opens = join_opens_at(row, site_settings)
        if opens and opens <= self.now:
            url = links.join(site_settings.site_id, row)
            return ActionLink(_("Join on Zoom"), url, view.title, main=True)
        if code == "live":
            return None
        return ActionLink(_("Add to calendar"), view.calendar_url, view.title)

    def _form(self, row: Occurrence, site_settings: ZoomSettings) -> str:
        """Our own page with the form: this list offers it, where no page of the Site does."""
        date = {"date": str(row.public_id)} if row.meeting.is_series else {}
        return FormLink(site_settings.site_id, None, row.meeting_id, get_language() or "", date).url


def meeting_view(visibility: SiteVisibility, meeting: Meeting) -> MeetingView:
    """The view of a meeting that has no dates."""
    site_settings = visibility.site_settings
    if site_settings is None:
        raise ValueError("Only rows that a gate let through can be shown.")
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
    detail: Detail | None = None,
) -> list[OccurrenceView]:
    """Views of dates in the given order; with their recordings when ``films``.

    A date that several lists of a page have is put into words once.
    """
    made: dict[int, OccurrenceView] = visibility.kept.setdefault(
        ("views", recordings, detail is None), {}
    )
    missing = [row for row in rows if row.pk not in made]
    if missing:
        maker = OccurrencePresenter(visibility, missing, recordings=recordings, detail=detail)
        made.update({row.pk: maker.view(row) for row in missing})
    return [made[row.pk] for row in rows]


def recording_views(
    visibility: SiteVisibility, rows: Iterable[Recording], *, texts: bool = True
) -> list[RecordingView]:
    """Views of recordings in the given order; with what was said when ``texts`` and exposed."""
    return [view for _row, view in _recording_views(visibility, rows, texts)]


def _recording_views(
    visibility: SiteVisibility, rows: Iterable[Recording], texts: bool = True
) -> list[tuple[Recording, RecordingView]]:
    rows, site_settings = list(rows), visibility.site_settings
    if site_settings is None:
        return []
    items = items_for(visibility, ((Kind.RECORDING, row.uuid) for row in rows))
    said = transcripts_for(visibility, rows) if texts and site_settings.show_transcripts else {}
    pairs = ((row, items.get((Kind.RECORDING, row.uuid))) for row in rows)
    return [
        (row, _recording_view(row, item, site_settings, said.get(row.pk, "")))
        for row, item in pairs
        if item is not None
    ]


def _excerpt(text: str) -> str:
    text = sanitize_text(text)
    return text if len(text) <= EXCERPT else text[:EXCERPT].rpartition(" ")[0] + " …"


def _recording_view(
    row: Recording, item: SiteItem, site_settings: ZoomSettings, said: str = ""
) -> RecordingView:
    title = _title(item, row.topic, site_settings)
    return RecordingView(
        title=title,
        when=TimeRange.of(row.start, row.start + timedelta(minutes=row.duration), row.timezone),
        minutes=row.duration,
        url=links.watch(item),
        host=_host(row, site_settings),
        summary=_summary(item, "", site_settings),
        cover=card_image(row.meeting_zoom_id, title, item.image),
        series=row.meeting_zoom_id,
        until=last_day(row, item, site_settings),
        transcript=_excerpt(said),
        transcript_url=links.transcript(item) if said else "",
    )


def last_day(row: Recording, item: SiteItem | None, site_settings: ZoomSettings) -> date | None:
    """The last day of a recording on this Site, when it is within six weeks."""
    days = [row.deletes_on, item.expires_on if item else None]
    if site_settings.recording_days:
        days.append((row.start + timedelta(days=site_settings.recording_days)).date())
    last = min((day for day in days if day), default=None)
    return last if last and last <= timezone.localdate() + timedelta(weeks=6) else None


def _title(item: SiteItem | None, topic: str, site_settings: ZoomSettings) -> str:
    return (item.title if item else "") or title_for(site_settings, topic) or _("Zoom meeting")


def _summary(item: SiteItem | None, agenda: str, site_settings: ZoomSettings) -> SafeString | str:
    own = item.summary if item else ""
    if own:
        return sanitize_html(own)
    return html_for(site_settings, agenda) if agenda.strip() else ""


def _host(thing: Meeting | Recording, site_settings: ZoomSettings) -> str:
    if not site_settings.show_host_names or thing.host is None:
        return ""
    return thing.host.display_name
