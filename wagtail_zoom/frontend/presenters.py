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
from .datetimes import When
from .form_links import Ref
from .queries import GONE, OVERRUN
from .related import EXCERPT, curated, films_of, telling, texts_of
from .text import html_for, title_for
from .view_models import Action, DateView, FilmView, MeetingView, State, cover
from .visibility import Exposure

Detail = Callable[[Occurrence], str]
"""Gives the address of a date's own page (``ZoomDatesPageMixin``)."""


def closes(meeting: Meeting) -> bool:
    """Whether sign-ups end when the date begins: ``close_registration`` is Zoom's "after the event
    date", and a series goes on to its last date."""
    return meeting.close_registration and not meeting.is_series


def state_of(row: Occurrence, choice: ZoomSettings, now: datetime) -> State:
    """What a visitor must know about a date before anything else."""
    meeting = row.meeting
    if row.state == Occurrence.State.CANCELLED:
        return State("cancelled", _("Cancelled"), "off", _("It will not take place."))
    if row.state == Occurrence.State.LIVE and row.end + OVERRUN >= now:
        return State("live", _("Live now"), "live")
    if row.state in GONE or row.end < now:
        return State("over", _("Ended"), "off")
    if signs_up(meeting, choice) and row.start <= now and closes(meeting):
        return State("closed", _("Registration closed"), "off")
    if signs_up(meeting, choice) and row.start > now:
        total = meeting.capacity
        if total and (meeting.registrant_count or 0) >= total:
            taken = ngettext(
                "The only place is taken.", "All %(count)d places are taken.", total
            ) % {"count": total}
            return State("full", _("Full"), "off", taken)
    if row.state == Occurrence.State.MOVED:
        return State("moved", _("New time"), "moved")
    return State()


def signs_up(meeting: Meeting, choice: ZoomSettings) -> bool:
    """Whether visitors of this Site can register for a meeting with us at all."""
    return choice.show_registration and meeting.takes_registration and not meeting.is_events_webinar


def opens_at(row: Occurrence, choice: ZoomSettings) -> datetime | None:
    """When the door opens for visitors who have not registered; None when it never does."""
    if choice.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW):
        return row.start - timedelta(minutes=choice.join_minutes)
    return None


class DateViews:
    """Makes ``DateView`` objects for rows of one Site: a fixed number of queries for all."""

    def __init__(
        self,
        gate: Exposure,
        rows: Sequence[Occurrence],
        *,
        films: bool = False,
        detail: Detail | None = None,
    ) -> None:
        self.gate, self.now, self.detail = gate, timezone.now(), detail
        self.words: dict[int, tuple[str, SafeString | str]] = {}
        self.items = curated(gate, ((row.meeting.kind, row.meeting.zoom_id) for row in rows))
        self.pages: dict[int, tuple[str, bool]] = {}
        if gate.choice:
            self.pages = telling(gate, self.items.values())
        self.films: dict[int, FilmView] = {}
        if films:
            for film, view in _films(gate, films_of(gate, rows)):
                self.films.setdefault(film.occurrence_id or 0, view)

    def view(self, row: Occurrence) -> DateView:
        """The view of one of the rows that were given."""
        choice, meeting = self.gate.choice, row.meeting
        if choice is None:
            raise ValueError("Only rows that a gate let through can be shown.")
        item = self.items.get((meeting.kind, meeting.zoom_id))
        title, summary = self._words(meeting, item, choice)
        state = state_of(row, choice, self.now)
        url, has_form = self.pages.get(item.pk, ("", False)) if item else ("", False)
        if not url and self.detail:
            url = self.detail(row)
        moved = row.state == Occurrence.State.MOVED and row.previous_start != row.start
        total = meeting.capacity if signs_up(meeting, choice) else None
        view = DateView(
            title=title,
            kind=meeting.kind,
            when=When.of(
                row.start, row.end, meeting.timezone, row.previous_start if moved else None
            ),
            minutes=row.duration,
            state=state,
            host=_host(meeting, choice),
            summary=summary,
            cover=cover(meeting.zoom_id, title, item.image if item else None),
            url=url,
            has_form=has_form,
            opens_minutes=choice.join_minutes if opens_at(row, choice) else 0,
            calendar_url=""
            if state.code in ("cancelled", "over")
            else links.calendar(choice.site_id, row),
            film=self.films.get(row.pk),
            places=(max(0, total - (meeting.registrant_count or 0)), total) if total else None,
        )
        action = self._action(row, view, choice)
        door = links.join(choice.site_id, row) if opens_at(row, choice) else None
        in_browser = f"{door}?in=browser" if action and action.url == door else ""
        return replace(view, action=action, browser_url=in_browser)

    def _words(
        self, meeting: Meeting, item: SiteItem | None, choice: ZoomSettings
    ) -> tuple[str, SafeString | str]:
        """Title and summary, cleaned once for all dates of a series."""
        if meeting.pk not in self.words:
            title = _title(item, meeting.topic, choice)
            self.words[meeting.pk] = title, _summary(item, meeting.agenda, choice)
        return self.words[meeting.pk]

    def _action(self, row: Occurrence, view: DateView, choice: ZoomSettings) -> Action | None:
        code = view.state.code
        if code == "over":
            if view.film is None:
                return None
            return Action(_("Watch the recording"), view.film.url, view.title)
        if code == "cancelled":
            return None
        if code in ("full", "closed"):
            return None
        if signs_up(row.meeting, choice):
            url = view.url if view.has_form else self._form(row, choice)
            return Action(_("Register"), url, view.title, main=code == "live")
        opens = opens_at(row, choice)
        if opens and opens <= self.now:
            url = links.join(choice.site_id, row)
            return Action(_("Join on Zoom"), url, view.title, main=True)
        if code == "live":
            return None
        return Action(_("Add to calendar"), view.calendar_url, view.title)

    def _form(self, row: Occurrence, choice: ZoomSettings) -> str:
        """Our own page with the form: this list offers it, where no page of the Site does."""
        date = {"date": str(row.public_id)} if row.meeting.is_series else {}
        return Ref(choice.site_id, None, row.meeting_id, get_language() or "", date).url


def meeting_view(gate: Exposure, meeting: Meeting) -> MeetingView:
    """The view of a meeting that has no dates."""
    choice = gate.choice
    if choice is None:
        raise ValueError("Only rows that a gate let through can be shown.")
    item = curated(gate, [(meeting.kind, meeting.zoom_id)]).get((meeting.kind, meeting.zoom_id))
    title = _title(item, meeting.topic, choice)
    action = None
    if signs_up(meeting, choice):
        url = Ref(choice.site_id, None, meeting.pk, get_language() or "").url
        action = Action(_("Register"), url, title, main=True)
    return MeetingView(
        title,
        meeting.kind,
        _host(meeting, choice),
        _summary(item, meeting.agenda, choice),
        action,
    )


def date_views(
    gate: Exposure,
    rows: Sequence[Occurrence],
    *,
    films: bool = False,
    detail: Detail | None = None,
) -> list[DateView]:
    """Views of dates in the given order; with their recordings when ``films``.

    A date that several lists of a page have is put into words once.
    """
    made: dict[int, DateView] = gate.kept.setdefault(("views", films, detail is None), {})
    missing = [row for row in rows if row.pk not in made]
    if missing:
        maker = DateViews(gate, missing, films=films, detail=detail)
        made.update({row.pk: maker.view(row) for row in missing})
    return [made[row.pk] for row in rows]


def film_views(gate: Exposure, rows: Iterable[Recording], *, texts: bool = True) -> list[FilmView]:
    """Views of recordings in the given order; with what was said when ``texts`` and exposed."""
    return [view for _row, view in _films(gate, rows, texts)]


def _films(
    gate: Exposure, rows: Iterable[Recording], texts: bool = True
) -> list[tuple[Recording, FilmView]]:
    rows, choice = list(rows), gate.choice
    if choice is None:
        return []
    items = curated(gate, ((Kind.RECORDING, row.uuid) for row in rows))
    said = texts_of(gate, rows) if texts and choice.show_transcripts else {}
    pairs = ((row, items.get((Kind.RECORDING, row.uuid))) for row in rows)
    return [
        (row, _film(row, item, choice, said.get(row.pk, "")))
        for row, item in pairs
        if item is not None
    ]


def _excerpt(text: str) -> str:
    text = sanitize_text(text)
    return text if len(text) <= EXCERPT else text[:EXCERPT].rpartition(" ")[0] + " …"


def _film(row: Recording, item: SiteItem, choice: ZoomSettings, said: str = "") -> FilmView:
    title = _title(item, row.topic, choice)
    return FilmView(
        title=title,
        when=When.of(row.start, row.start + timedelta(minutes=row.duration), row.timezone),
        minutes=row.duration,
        url=links.watch(item),
        host=_host(row, choice),
        summary=_summary(item, "", choice),
        cover=cover(row.meeting_zoom_id, title, item.image),
        series=row.meeting_zoom_id,
        until=last_day(row, item, choice),
        transcript=_excerpt(said),
        transcript_url=links.transcript(item) if said else "",
    )


def last_day(row: Recording, item: SiteItem | None, choice: ZoomSettings) -> date | None:
    """The last day of a recording on this Site, when it is within six weeks."""
    days = [row.deletes_on, item.expires_on if item else None]
    if choice.recording_days:
        days.append((row.start + timedelta(days=choice.recording_days)).date())
    last = min((day for day in days if day), default=None)
    return last if last and last <= timezone.localdate() + timedelta(weeks=6) else None


def _title(item: SiteItem | None, topic: str, choice: ZoomSettings) -> str:
    return (item.title if item else "") or title_for(choice, topic) or _("Zoom meeting")


def _summary(item: SiteItem | None, agenda: str, choice: ZoomSettings) -> SafeString | str:
    own = item.summary if item else ""
    if own:
        return sanitize_html(own)
    return html_for(choice, agenda) if agenda.strip() else ""


def _host(thing: Meeting | Recording, choice: ZoomSettings) -> str:
    if not choice.show_host_names or thing.host is None:
        return ""
    return thing.host.display_name
