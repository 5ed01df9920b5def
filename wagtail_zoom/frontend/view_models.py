"""The objects that templates show, and that API and structured data repeat.

They are plain data: no model instance is within a template's reach, so none of its columns is.
Their fields are the documented context of the partials (docs/reference/blocks.md).
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
from .datetimes import When, length, short_day

Text = str | Promise


@dataclass(frozen=True)
class State:
    """One word about a row, and a sentence where the word is not enough."""

    code: str = ""
    """``live``, ``moved``, ``cancelled``, ``over``, ``full``, ``closed`` or nothing."""
    label: Text = ""
    tone: str = "off"
    """The class after ``wz-state--``."""
    sentence: Text = ""


@dataclass(frozen=True)
class Action:
    """The one thing to do with a row now."""

    label: Text
    url: str
    about: str = ""
    """Read out after the label, where the same button stands many times."""
    main: bool = False
    """Filled: only for what can be done at this moment."""


@dataclass(frozen=True)
class Cover:
    """The drawing, or the owner's image, at the top of a card."""

    number: int = 1
    letter: str = ""
    image: Any = None
    """A Wagtail image of the owner's, which replaces the drawing."""


@dataclass(frozen=True)
class FilmView:
    """One recording."""

    title: str
    when: When
    minutes: int
    url: str
    host: str = ""
    summary: SafeString | str = ""
    cover: Cover = field(default_factory=Cover)
    series: str = ""
    """The key under which a list groups it; nothing when it stands alone."""
    until: date | None = None
    """Its last day, when that is near."""
    transcript: str = ""
    """The beginning of what was said, as plain text; nothing where the owner shows no texts."""
    transcript_url: str = ""
    """The page with all of it."""

    @property
    def length(self) -> str:
        """ "68 minutes", or nothing when Zoom does not say."""
        return length(self.minutes) if self.minutes else ""

    @property
    def until_day(self) -> str:
        return short_day(_noon(self.until)) if self.until else ""

    @property
    def until_label(self) -> str:
        return _("Until %(day)s") % {"day": self.until_day} if self.until else ""


@dataclass(frozen=True)
class DateView:
    """One date of a meeting or webinar."""

    title: str
    kind: str
    """``meeting`` or ``webinar``."""
    when: When
    minutes: int
    state: State = field(default_factory=State)
    action: Action | None = None
    host: str = ""
    summary: SafeString | str = ""
    cover: Cover = field(default_factory=Cover)
    url: str = ""
    """The page that tells more; empty when there is none."""
    calendar_url: str = ""
    film: FilmView | None = None
    places: tuple[int, int] | None = None
    """Places left and places in all, where sign-ups are counted."""
    browser_url: str = ""
    """Joins in Zoom's web client instead of the app; only while the door is open."""
    opens_minutes: int = 0
    """How long before the start the door opens for everybody; 0 when it never does."""
    has_form: bool = False
    """``url`` leads to a page with the registration form."""

    @property
    def link(self) -> str:
        """Where its title leads: the page that tells more, else what can be done now."""
        if self.url or self.action is None or self.action.url == self.calendar_url:
            return self.url
        return self.action.url

    @property
    def is_off(self) -> bool:
        return self.state.code == "cancelled"

    @property
    def is_past(self) -> bool:
        return self.state.code == "over"

    @property
    def kind_label(self) -> str:
        return _("Webinar") if self.kind == Kind.WEBINAR else _("Meeting")

    @property
    def with_host(self) -> str:
        """ "Meeting with Ines Novak", or only what it is."""
        if not self.host:
            return self.kind_label
        if self.kind == Kind.WEBINAR:
            return _("Webinar with %(host)s") % {"host": self.host}
        return _("Meeting with %(host)s") % {"host": self.host}

    @property
    def length(self) -> str:
        return length(self.minutes) if self.minutes else ""

    @property
    def places_label(self) -> str:
        if not self.places:
            return ""
        left, total = self.places
        return ngettext("%(left)d of %(total)d is left", "%(left)d of %(total)d are left", left) % {
            "left": left,
            "total": total,
        }


def cover(series: str, title: str, image: Any = None) -> Cover:
    """A drawing that is the same for a whole series, with the first letter of the topic."""
    letter = next((each for each in title if each.isalnum()), "")
    return Cover(zlib.crc32((series or title).encode()) % 5 + 1, letter.upper(), image)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True)
class MeetingView:
    """A meeting without a fixed time: a series whose dates Zoom does not know."""

    title: str
    kind: str
    host: str = ""
    summary: SafeString | str = ""
    action: Action | None = None
