"""Builds view models from rows: with curation, labels and the next action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from ..models import (
    JoinPolicy,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Summary,
    ZoomSettings,
    public_day,
)
from ..utils.markdown import markdown_to_html
from ..utils.text import sanitize_html, sanitize_text
from . import links
from .availability import (
    Availability,
    RegistrationState,
    availability,
    availability_of_date,
    join_opens_at,
    last_starts,
)
from .datetimes import TimeRange
from .form_links import FormLink
from .related import (
    EXCERPT_LENGTH,
    detail_pages_for,
    items_for,
    recordings_for,
    summary_urls_of_dates,
    summary_urls_of_recordings,
    transcripts_for,
)
from .text import html_for, shown_title
from .view_models import (
    ActionLink,
    MeetingView,
    OccurrenceView,
    RecordingView,
    StateLabel,
    SummaryView,
    card_image,
)
from .visibility import Audience, Channel, SiteVisibility

DetailUrl = Callable[[Occurrence], str]
"""Returns the URL of an occurrence's own page (``ZoomDatesPageMixin``)."""


def state_of(
    row: Occurrence, registration: Availability, site_settings: ZoomSettings, now: datetime
) -> StateLabel:
    """The state label of an occurrence for visitors."""
    if registration.code is RegistrationState.CANCELLED:
        return StateLabel("cancelled", _("Cancelled"), "off", _("It will not take place."))
    if row.is_live(now):
        live_message = _live_message(row, registration, site_settings, now)
        return StateLabel("live", _("Live now"), "live", live_message)
    if registration.code is RegistrationState.OVER:
        return StateLabel("over", _("Ended"), "off")
    message = registration.sentence if registration.is_hindered else ""
    if registration.code is RegistrationState.CLOSED:
        return StateLabel("closed", _("Registration closed"), "off")
    if registration.code is RegistrationState.FULL:
        return StateLabel("full", _("Full"), "off", message)
    if row.state == Occurrence.State.MOVED:
        return StateLabel("moved", _("New time"), "moved", message)
    return StateLabel(message=message)


def _may_join(row: Occurrence, site_settings: ZoomSettings, now: datetime, *, live: bool) -> bool:
    """Whether visitors are offered to join: from a time that the Site has set, or once it is live
    where the Site lets them join at any time."""
    opens_at = join_opens_at(row, site_settings)
    at_any_time = live and site_settings.join_policy == JoinPolicy.PUBLIC
    return opens_at is not None and (opens_at <= now or at_any_time)


def _live_message(
    row: Occurrence, registration: Availability, site_settings: ZoomSettings, now: datetime
) -> str:
    """Why visitors are not offered to join, while others are in the room."""
    if registration.is_open or registration.is_hindered:
        return str(registration.sentence)
    if _may_join(row, site_settings, now, live=True):
        return ""
    if join_opens_at(row, site_settings):
        minutes = site_settings.join_minutes
        return ngettext(
            "You can join here from %(minutes)s minute before the start.",
            "You can join here from %(minutes)s minutes before the start.",
            minutes,
        ) % {"minutes": minutes}
    if row.meeting.takes_registration:
        return _("Only for people who have registered.")
    return _("The organiser gives out the link.")


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
        self.last_starts = last_starts(rows, self.now)
        self.texts: dict[int, tuple[str, SafeString | str]] = {}
        self.items = items_for(
            visibility, ((row.meeting.kind, row.meeting.zoom_id) for row in rows)
        )
        self.detail_pages: dict[int, tuple[str, bool]] = {}
        if visibility.site_settings:
            self.detail_pages = detail_pages_for(visibility, self.items.values())
        self.recordings: dict[int, RecordingView] = {}
        if recordings:
            # Of several recordings of one occurrence the button leads to the longest.
            pairs = _recording_views(visibility, recordings_for(visibility, rows))
            for recording, view in sorted(pairs, key=lambda pair: -pair[0].duration):
                self.recordings.setdefault(recording.occurrence_id or 0, view)
        self.summary_urls = summary_urls_of_dates(visibility, rows) if recordings else {}

    def view(self, row: Occurrence) -> OccurrenceView:
        """The view model of one of the rows."""
        site_settings, meeting = self.visibility.site_settings, row.meeting
        if site_settings is None:
            raise ValueError("Only visible rows can be shown.")
        item = self.items.get((meeting.kind, meeting.zoom_id))
        title, summary = self._texts(meeting, item, site_settings)
        last_start = self.last_starts.get(meeting.pk, row.start)
        registration = availability_of_date(row, site_settings, last_start, self.now)
        state = state_of(row, registration, site_settings, self.now)
        url, has_form = self.detail_pages.get(item.pk, ("", False)) if item else ("", False)
        if not url and self.detail_url:
            url = self.detail_url(row)
        moved = row.state == Occurrence.State.MOVED and row.previous_start != row.start
        view = OccurrenceView(
            title=title,
            kind=meeting.kind,
            public_id=str(row.public_id),
            when=TimeRange.of(
                row.start,
                row.end,
                meeting.timezone,
                row.previous_start if moved else None,
                has_end=row.has_end,
            ),
            has_begun=row.start <= self.now,
            shows_end=row.has_end and row.end > self.now,
            minutes=row.duration,
            state=state,
            registration=registration,
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
            meeting_summary_url=self.summary_urls.get(row.pk, "") if state.code == "over" else "",
        )
        action = self._action(row, view, site_settings)
        join_url = (
            links.join_url(site_settings.site_id, row, self.visibility.page_id)
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
        if view.registration.is_hindered:
            return None
        if view.registration.is_open:
            url = view.url if view.has_form else self._form_url(row, site_settings)
            return ActionLink(_("Register"), url, view.title, main=code == "live")
        if _may_join(row, site_settings, self.now, live=code == "live"):
            url = links.join_url(site_settings.site_id, row, self.visibility.page_id)
            return ActionLink(_("Join on Zoom"), url, view.title, main=True)
        if code == "live" and not join_opens_at(row, site_settings):
            return None
        return ActionLink(_("Add to calendar"), view.calendar_url, view.title)

    def _form_url(self, row: Occurrence, site_settings: ZoomSettings) -> str:
        """The URL of our page with the form, for Sites without a page that has it."""
        date = str(row.public_id) if row.meeting.is_series else ""
        return _standalone_form_url(self.visibility, row.meeting_id, date)


def _standalone_form_url(visibility: SiteVisibility, meeting_id: int, date: str = "") -> str:
    """The URL of our own page with the form of a meeting."""
    options: dict[str, Any] = {"date": date} if date else {}
    if visibility.page_id is not None:
        options["offered_by"] = visibility.page_id
    site_id = visibility.site_settings.site_id if visibility.site_settings else 0
    return FormLink(site_id, None, meeting_id, get_language() or "", options).url


def meeting_view(visibility: SiteVisibility, meeting: Meeting) -> MeetingView:
    """The view model of a meeting without occurrences."""
    site_settings = visibility.site_settings
    if site_settings is None:
        raise ValueError("Only visible rows can be shown.")
    item = items_for(visibility, [(meeting.kind, meeting.zoom_id)]).get(
        (meeting.kind, meeting.zoom_id)
    )
    title = _title(item, meeting.topic, site_settings)
    action, registration = None, availability(meeting, site_settings)
    if registration.is_open:
        url = _standalone_form_url(visibility, meeting.pk)
        action = ActionLink(_("Register"), url, title, main=True)
    return MeetingView(
        title,
        meeting.kind,
        _host(meeting, site_settings),
        _summary(item, meeting.agenda, site_settings),
        action,
        registration,
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
    summary_urls = summary_urls_of_recordings(visibility, rows)
    pairs = ((row, items.get((Kind.RECORDING, row.uuid))) for row in rows)
    views = [
        (
            row,
            replace(
                _recording_view(visibility, row, item, transcripts.get(row.pk, "")),
                meeting_summary_url=summary_urls.get(row.uuid, ""),
            ),
        )
        for row, item in pairs
        if item is not None
    ]
    looks = Counter(_look(view) for _row, view in views)
    return [(row, replace(view, is_twin=looks[_look(view)] > 1)) for row, view in views]


def summary_views(
    visibility: SiteVisibility, rows: Iterable[Summary], *, whole: bool = False
) -> list[SummaryView]:
    """View models of summaries in the given order, with the texts that visitors may read.

    Args:
        whole: with all of the text as HTML; otherwise its beginning.
    """
    rows, site_settings = list(rows), visibility.site_settings
    if site_settings is None or not rows:
        return []
    reviews = visibility.reviews(Audience.VISITOR, Channel.PAGE)
    by_uuid = {
        review.item.key: review
        for review in reviews.filter(item__key__in=[row.uuid for row in rows])
    }
    views = []
    for row in rows:
        review = by_uuid.get(row.uuid)
        if review is None:
            continue
        text = review.plain_text
        views.append(
            SummaryView(
                title=_title(review.item, row.topic, site_settings),
                when=TimeRange.of(row.start, row.start, row.timezone, has_end=False),
                url=links.summary_url(review.item, visibility.page_id),
                public_id=str(review.item.public_id),
                host=_host(row, site_settings),
                text=text if whole else _excerpt(text),
                html=markdown_to_html(review.text) if whole else "",
            )
        )
    return views


def _look(view: RecordingView) -> tuple[str, date, int]:
    """What a list shows of a recording."""
    return view.title, view.when.start.date(), view.minutes


def _excerpt(text: str) -> str:
    text = sanitize_text(text)
    return text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH].rpartition(" ")[0] + " …"


def _recording_view(
    visibility: SiteVisibility, row: Recording, item: SiteItem, transcript: str
) -> RecordingView:
    site_settings = visibility.site_settings
    if site_settings is None:
        raise ValueError("Only visible rows can be shown.")
    title = _title(item, row.topic, site_settings)
    return RecordingView(
        title=title,
        when=TimeRange.of(row.start, row.start + timedelta(minutes=row.duration), row.timezone),
        minutes=row.duration,
        url=links.watch_url(item, visibility.page_id),
        public_id=str(item.public_id),
        host=_host(row, site_settings),
        summary=_summary(item, "", site_settings),
        cover=card_image(row.meeting_zoom_id, title, item.image),
        series=row.meeting_zoom_id,
        until=_near_last_day(row, item, site_settings),
        transcript=_excerpt(transcript),
        transcript_url=links.transcript_url(item, visibility.page_id) if transcript else "",
    )


def last_day(row: Recording, item: SiteItem | None, site_settings: ZoomSettings) -> date | None:
    """The last day of a recording on this Site: its own, by the Site's rule, or the day on which
    Zoom deletes it."""
    days = [row.deletes_on, item.expires_on if item else None]
    if site_settings.recording_days:
        days.append(public_day(row.start + timedelta(days=site_settings.recording_days)))
    return min((day for day in days if day), default=None)


def _near_last_day(
    row: Recording, item: SiteItem | None, site_settings: ZoomSettings
) -> date | None:
    """The last day, if it is within six weeks."""
    last = last_day(row, item, site_settings)
    return last if last and last <= public_day() + timedelta(weeks=6) else None


def _title(item: SiteItem | None, topic: str, site_settings: ZoomSettings) -> str:
    return shown_title(site_settings, item.title if item else "", topic)


def _summary(item: SiteItem | None, agenda: str, site_settings: ZoomSettings) -> SafeString | str:
    own_summary = item.summary if item else ""
    if own_summary:
        return sanitize_html(own_summary)
    return html_for(site_settings, agenda) if agenda.strip() else ""


def _host(row: Meeting | Recording | Summary, site_settings: ZoomSettings) -> str:
    if not site_settings.show_host_names or row.host is None:
        return ""
    return row.host.display_name
