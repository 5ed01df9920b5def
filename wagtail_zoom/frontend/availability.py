"""What visitors can do about a meeting or one of its dates now: register, or join.

The only place that decides it. Lists, pages, forms, feeds, the API, structured data and emails ask
here, so that they all say the same. ``is_open_at`` is the same decision for a database query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import JoinPolicy, Kind, Meeting, Occurrence, ZoomSettings
from ..models.mirror import CLOSED_STATES, REGISTRATION_TYPES, UserType, is_live_at
from .datetimes import day_and_time, in_zone

REFUSAL_TTL = timedelta(hours=1)
"""How long a refusal that concerns the whole meeting is trusted without asking Zoom again."""
LICENSED_TYPES = (UserType.UNKNOWN, UserType.LICENSED)
"""Types of hosts for whom Zoom takes registrations: unknown yet, licensed."""


class RegistrationState(StrEnum):
    """Whether registration is open, or why not. The values are part of the API."""

    OPEN = "open"
    NOT_NEEDED = "none"
    """Zoom asks for no registration."""
    FULL = "full"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    OVER = "over"
    PAUSED = "paused"
    """This installation is a copy, which sends nothing to Zoom."""
    OFF = "off"
    """The Site offers none: by its owner's choice, as an archive, or without Zoom's scope."""
    EVENTS = "events"
    """Zoom Events takes the registrations."""
    UNLICENSED = "unlicensed"
    REFUSED = "refused"
    GONE = "gone"
    """Visitors do not see the meeting."""


State = RegistrationState
HINDERED = (State.FULL, State.CLOSED, State.PAUSED, State.UNLICENSED, State.REFUSED)
"""The Site takes registrations for this meeting, but not now."""


@dataclass(frozen=True)
class Availability:
    """The state of the registration, and the texts to show instead of the form."""

    code: RegistrationState = State.OPEN
    """``open``, ``none`` (not needed), ``full``, ``closed``, ``cancelled``, ``over``, ``paused``,
    ``off`` (not here), ``events`` (in Zoom Events), ``unlicensed``, ``refused`` or ``gone``."""
    sentence: str | Promise = ""
    """Why it is not open; empty while it is."""
    hint: str | Promise = ""
    show_contact: bool = False
    """Show the organiser's email address: contact may help."""
    places: tuple[int, int] | None = None
    """Places left and total places; None if there is no limit, or Zoom's count is not known."""

    @property
    def is_open(self) -> bool:
        return self.code is State.OPEN

    @property
    def is_hindered(self) -> bool:
        """Registration belongs here, but is not possible now."""
        return self.code in HINDERED


def availability(
    meeting: Meeting | None,
    site_settings: ZoomSettings | None,
    dates: Sequence[Occurrence] = (),
    now: datetime | None = None,
) -> Availability:
    """The registration for a whole meeting on one Site.

    Args:
        meeting: None when it is not visible to visitors.
        dates: its upcoming occurrences that are visible to visitors.
    """
    now = now or timezone.now()
    if meeting is None or site_settings is None:
        return Availability(State.GONE, _("This meeting is no longer available."))
    starts = [date.start for date in dates if date.end > now]
    if meeting.has_fixed_time and not starts:
        return _without_dates(meeting, site_settings, now)
    closes_at = max(starts, default=None) if meeting.close_registration else None
    return _decide(meeting, site_settings, closes_at, now)


def availability_of_date(
    row: Occurrence, site_settings: ZoomSettings, last_start: datetime, now: datetime
) -> Availability:
    """The registration for one occurrence: it is open if a form would offer the occurrence.

    Args:
        last_start: when the last occurrence of its meeting starts, where Zoom closes the
            registration then and this one has started (``last_starts``).
    """
    meeting = row.meeting
    if row.state == Occurrence.State.CANCELLED:
        return _cancelled(meeting)
    if row.is_over(now):
        return _over(meeting)
    if row.end <= now:
        return _decide(meeting, site_settings, row.end, now)
    closes_at = max(last_start, row.start) if meeting.close_registration else None
    return _decide(meeting, site_settings, closes_at, now)


def takes_registrations(site_settings: ZoomSettings) -> bool:
    """Whether a Site takes any registrations now."""
    return _check_site(site_settings) is None


def is_open_at(site_settings: ZoomSettings, now: datetime) -> Q:
    """The condition of ``availability_of_date(...).is_open`` for occurrences that are not over."""
    if not takes_registrations(site_settings):
        return Q(pk__in=[])
    has_places = Q(meeting__capacity=None) | Q(meeting__registrant_count=None)
    has_places |= Q(meeting__registrant_count__lt=F("meeting__capacity"))
    not_refused = Q(meeting__registration_block="") | Q(meeting__registration_block_at=None)
    not_refused |= Q(meeting__registration_block_at__lt=now - REFUSAL_TTL)
    later = upcoming(now).filter(meeting=OuterRef("meeting"), start__gt=now)
    not_closed = Q(meeting__close_registration=False) | Q(start__gt=now) | Exists(later)
    licensed = Q(meeting__host=None) | Q(meeting__host__user_type__in=LICENSED_TYPES)
    return (
        Q(meeting__approval_type__in=REGISTRATION_TYPES, meeting__is_events_webinar=False)
        & Q(end__gt=now)
        & ~Q(state__in=CLOSED_STATES)
        & has_places
        & not_refused
        & not_closed
        & licensed
    )


def last_starts(rows: Iterable[Occurrence], now: datetime) -> dict[int, datetime]:
    """When the last occurrences start, by meeting: of those that have begun and close then."""
    meetings = {
        row.meeting_id
        for row in rows
        if row.start <= now and row.meeting.is_series and row.meeting.close_registration
    }
    if not meetings:
        return {}
    last = upcoming(now).filter(meeting__in=meetings).values("meeting").order_by()
    return dict(last.annotate(last=Max("start")).values_list("meeting", "last"))


def upcoming(now: datetime) -> QuerySet[Occurrence]:
    """Occurrences for which somebody can still register, of any Site."""
    rows = Occurrence.objects.filter(end__gt=now)
    return rows.exclude(state__in=CLOSED_STATES)


def join_opens_at(row: Occurrence, site_settings: ZoomSettings) -> datetime | None:
    """When visitors without a registration can join; None when they never can."""
    if not row.meeting.has_join_link:
        return None
    if site_settings.is_archive:  # guard: archive-offers-no-joining
        return None
    if site_settings.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW):
        return row.start - timedelta(minutes=site_settings.join_minutes)
    return None


def _decide(
    meeting: Meeting, site_settings: ZoomSettings, closes_at: datetime | None, now: datetime
) -> Availability:
    """What remains to be decided while it is neither over nor cancelled."""
    hindrance = _check_need(meeting) or _check_site(site_settings) or _check_host(meeting)
    if hindrance is not None:
        return hindrance
    # Zoom closes at the date of the event (``close_registration``: "after the event date").
    if closes_at is not None and closes_at <= now:
        when = day_and_time(in_zone(closes_at, meeting.timezone))
        sentence = _("Registration closed on %(when)s.") % {"when": when}
        return Availability(State.CLOSED, sentence, show_contact=True)
    return _check_places(meeting, now)


def _check_need(meeting: Meeting) -> Availability | None:
    if meeting.is_events_webinar:
        sentence = _("Registration for this webinar is kept in Zoom Events, not here.")
        return Availability(State.EVENTS, sentence, show_contact=True)
    if not meeting.takes_registration:
        webinar = _("You do not need to register for this webinar.")
        plain = _("You do not need to register for this meeting.")
        return Availability(State.NOT_NEEDED, webinar if meeting.kind == Kind.WEBINAR else plain)
    return None


def _check_site(site_settings: ZoomSettings) -> Availability | None:
    grant, account = site_settings.grant, site_settings.account
    if (
        grant is None  # guard: archive-offers-no-registration
        or not site_settings.show_registration
        or "registration" in grant.missing_kinds
    ):
        return Availability(State.OFF, _("Registration is not offered here."), show_contact=True)
    if account is None or account.is_quarantined:  # guard: copy-takes-no-registration
        return _not_possible(State.PAUSED)
    return None


def _check_host(meeting: Meeting) -> Availability | None:
    if meeting.host and meeting.host.user_type not in LICENSED_TYPES:
        return _not_possible(State.UNLICENSED)
    return None


def _not_possible(state: State) -> Availability:
    return Availability(state, _("Registration is not possible at the moment."), show_contact=True)


def _check_places(meeting: Meeting, now: datetime) -> Availability:
    places = meeting.places
    if places and not places[0]:
        total = places[1]
        taken = ngettext("The only place is taken.", "All %(count)d places are taken.", total)
        return _full(taken % {"count": total}, places)
    refusal, since = meeting.registration_block, meeting.registration_block_at
    if not refusal or since is None or since + REFUSAL_TTL < now:
        return Availability(places=places)
    if refusal == "full":
        return _full(_("All places are taken."), (0, places[1]) if places else None)
    if refusal == "unlicensed":
        return _not_possible(State.UNLICENSED)
    if refusal == "over":
        return Availability(State.CLOSED, _("Registration is closed."), show_contact=True)
    return Availability(State.REFUSED, _("Registration is not possible here."), show_contact=True)


def _full(sentence: str, places: tuple[int, int] | None) -> Availability:
    hint = _("Sometimes a place becomes free. It then shows here.")
    return Availability(State.FULL, sentence, hint, places=places)


def _without_dates(meeting: Meeting, site_settings: ZoomSettings, now: datetime) -> Availability:
    """Nothing is left to register for: it is cancelled, over, or running beyond its end."""
    rows = Occurrence.objects.filter(meeting=meeting)
    scheduled = rows.filter(end__gt=now)
    if scheduled.exists() and not scheduled.exclude(state=Occurrence.State.CANCELLED).exists():
        return _cancelled(meeting)
    running = rows.filter(is_live_at(now)).order_by("-end").first()
    return _decide(meeting, site_settings, running.end, now) if running else _over(meeting)


def _cancelled(meeting: Meeting) -> Availability:
    webinar, plain = _("This webinar is cancelled."), _("This meeting is cancelled.")
    notice = _("Zoom notifies everybody who had registered by email.")
    return Availability(
        State.CANCELLED,
        webinar if meeting.kind == Kind.WEBINAR else plain,
        notice if meeting.takes_registration and meeting.zoom_notifies else "",
    )


def _over(meeting: Meeting) -> Availability:
    webinar, plain = _("This webinar is over."), _("This meeting is over.")
    return Availability(State.OVER, webinar if meeting.kind == Kind.WEBINAR else plain)
