"""View models for templates, API and structured data.

They are plain data: templates cannot reach model instances and their columns. Their fields are the
documented context of the partials (docs/reference/blocks.md).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Kind
from .availability import Availability, RegistrationState
from .datetimes import TimeRange, format_time, length, short_day

Text = str | Promise
NO_REGISTRATION = Availability(RegistrationState.NOT_NEEDED)


@dataclass(frozen=True)
class StateLabel:
    """The state of a row: a label, and a message where the label is not enough."""

    code: str = ""
    """``live``, ``moved``, ``cancelled``, ``over``, ``full``, ``closed`` or empty."""
    label: Text = ""
    tone: str = "off"
    """The class after ``wz-state--``."""
    message: Text = ""


@dataclass(frozen=True)
class ActionLink:
    """The action that is offered for a row now."""

    label: Text
    url: str
    about: str = ""
    """For screen readers, after the label: distinguishes buttons with the same label."""
    main: bool = False
    """Shown as the main button: the action is possible now."""


@dataclass(frozen=True)
class CardImage:
    """The generated image, or the owner's image, at the top of a card."""

    number: int = 1
    letter: str = ""
    image: Any = None
    """The owner's Wagtail image, which replaces the generated one."""


@dataclass(frozen=True)
class RecordingView:
    """One recording."""

    title: str
    when: TimeRange
    minutes: int
    url: str
    public_id: str = ""
    host: str = ""
    summary: SafeString | str = ""
    cover: CardImage = field(default_factory=CardImage)
    series: str = ""
    """The key by which a list groups it; empty for a single recording."""
    is_twin: bool = False
    """Another one of the list has the same title, day and length: the time tells them apart."""
    until: date | None = None
    """Its last day, if that is near."""
    transcript: str = ""
    """The beginning of the transcript as plain text; empty if the Site shows no transcripts."""
    transcript_url: str = ""
    """The page with the whole transcript."""
    meeting_summary_url: str = ""
    """The page with the summary of what was said, if the Site has published one."""

    @property
    def length(self) -> str:
        """ "68 minutes"; empty if Zoom does not send a duration."""
        return length(self.minutes) if self.minutes else ""

    @property
    def time_label(self) -> str:
        """When it began, where the day alone does not tell it apart."""
        return format_time(self.when.start) if self.is_twin else ""

    @property
    def until_day(self) -> str:
        return short_day(_noon(self.until)) if self.until else ""

    @property
    def until_label(self) -> str:
        return _("Until %(day)s") % {"day": self.until_day} if self.until else ""


@dataclass(frozen=True)
class SummaryView:
    """The summary of one ended meeting, as a person of the Site has reviewed it."""

    title: str
    when: TimeRange
    url: str
    public_id: str = ""
    host: str = ""
    text: str = ""
    """Plain text, or its beginning in lists."""
    html: SafeString | str = ""
    """All of it; empty in lists."""
    recording_url: str = ""


@dataclass(frozen=True)
class OccurrenceView:
    """One occurrence of a meeting or webinar."""

    title: str
    kind: str
    """``meeting`` or ``webinar``."""
    when: TimeRange
    minutes: int
    public_id: str = ""
    """Our id, which stays when it is moved: also in calendar files and forms."""
    state: StateLabel = field(default_factory=StateLabel)
    registration: Availability = NO_REGISTRATION
    """Whether somebody can register for it now; otherwise why not."""
    action: ActionLink | None = None
    host: str = ""
    summary: SafeString | str = ""
    cover: CardImage = field(default_factory=CardImage)
    url: str = ""
    """The detail page; empty if there is none."""
    calendar_url: str = ""
    recording: RecordingView | None = None
    browser_url: str = ""
    """Joins in Zoom's web client instead of the app; only while joining is possible."""
    opens_minutes: int = 0
    """How many minutes before the start all visitors can join; 0 if they never can."""
    has_form: bool = False
    """``url`` is a page with the registration form."""
    has_begun: bool = False
    """The planned start has passed: there is nothing to count down to."""
    shows_end: bool = True
    """The planned end is known and still to come."""
    meeting_summary_url: str = ""
    """The page with the summary of what was said; only of a date that is over."""
    continued: str = ""
    """On a further day of several, in a calendar: "all day" or "until 10:00", instead of a time."""

    @property
    def link(self) -> str:
        """The link of its title: the detail page, otherwise the URL of the action."""
        if self.url or self.action is None or self.action.url == self.calendar_url:
            return self.url
        return self.action.url

    @property
    def is_cancelled(self) -> bool:
        return self.state.code == "cancelled"

    @property
    def is_past(self) -> bool:
        return self.state.code == "over"

    @property
    def kind_label(self) -> str:
        return _("Webinar") if self.kind == Kind.WEBINAR else _("Meeting")

    @property
    def with_host(self) -> str:
        """ "Meeting with Ines Novak", or only "Meeting" without a host."""
        if not self.host:
            return self.kind_label
        if self.kind == Kind.WEBINAR:
            return _("Webinar with %(host)s") % {"host": self.host}
        return _("Meeting with %(host)s") % {"host": self.host}

    @property
    def length(self) -> str:
        return length(self.minutes) if self.minutes else ""

    @property
    def places(self) -> tuple[int, int] | None:
        """Places left and total places; none without a limit or while they are not known."""
        return self.registration.places

    @property
    def places_label(self) -> str:
        if not self.places:
            return ""
        left, total = self.places
        return ngettext("%(left)d of %(total)d is left", "%(left)d of %(total)d are left", left) % {
            "left": left,
            "total": total,
        }


def card_image(series: str, title: str, image: Any = None) -> CardImage:
    """An image that is the same for a whole series, with the first letter of the title."""
    letter = next((character for character in title if character.isalnum()), "")
    return CardImage(zlib.crc32((series or title).encode()) % 5 + 1, letter.upper(), image)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True)
class MeetingView:
    """A meeting without a fixed time: a series without occurrences in Zoom."""

    title: str
    kind: str
    host: str = ""
    summary: SafeString | str = ""
    action: ActionLink | None = None
    registration: Availability = NO_REGISTRATION
    """Whether somebody can register for it now; otherwise why not."""
