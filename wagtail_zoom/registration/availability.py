"""Whether registration for a meeting is open now; otherwise the message to show instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..frontend.datetimes import day_and_time, in_zone
from ..models import Kind, Meeting, Occurrence, ZoomSettings

OPEN = "open"
REFUSAL_TTL = timedelta(hours=1)
"""How long a refusal that concerns the whole meeting is trusted without asking Zoom again."""


@dataclass(frozen=True)
class Availability:
    """``open``, or the code and the texts to show instead of the form."""

    code: str = OPEN
    sentence: str | Promise = ""
    hint: str | Promise = ""
    show_contact: bool = False
    """Show the organiser's email address: contact may help."""

    @property
    def is_open(self) -> bool:
        return self.code == OPEN


def availability(
    meeting: Meeting | None,
    site_settings: ZoomSettings | None,
    dates: Sequence[Occurrence] = (),
    now: datetime | None = None,
) -> Availability:
    """Whether one meeting takes registrations on one Site.

    Args:
        meeting: None when it is not visible to visitors.
        dates: its upcoming occurrences that are visible to visitors.
    """
    now = now or timezone.now()
    if meeting is None or site_settings is None:
        return Availability("gone", _("This meeting is no longer available."))
    for check in (_check_site, _check_meeting, _check_time, _check_capacity):
        result = check(meeting, site_settings, dates, now)
        if result is not None:
            return result
    return Availability()


def _check_site(
    meeting: Meeting, site_settings: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    not_offered = Availability("off", _("Registration is not offered here."), show_contact=True)
    grant = site_settings.grant
    if not site_settings.show_registration or grant is None:
        return not_offered
    if "registration" in grant.missing_kinds:
        return not_offered
    if (
        site_settings.paused_at
        or meeting.account.is_quarantined  # guard: copy-takes-no-registration
    ):
        return Availability(
            "paused", _("Registration is not possible at the moment."), show_contact=True
        )
    return None


def _check_meeting(
    meeting: Meeting, site_settings: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    if meeting.is_events_webinar:
        sentence = _("Registration for this webinar is kept in Zoom Events, not here.")
        return Availability("events", sentence, show_contact=True)
    if not meeting.takes_registration:
        webinar = _("You do not need to register for this webinar.")
        plain = _("You do not need to register for this meeting.")
        return Availability("none", webinar if meeting.kind == Kind.WEBINAR else plain)
    if meeting.host and meeting.host.user_type not in (0, 2):
        return _unlicensed()
    return None


def _unlicensed() -> Availability:
    return Availability(
        "unlicensed", _("Registration is not possible at the moment."), show_contact=True
    )


def _check_time(
    meeting: Meeting, site_settings: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    if not meeting.has_fixed_time:
        return None
    webinar = meeting.kind == Kind.WEBINAR
    upcoming = [date for date in dates if date.end > now]
    if not upcoming:
        scheduled = Occurrence.objects.filter(meeting=meeting, end__gt=now)
        if scheduled.exists() and not scheduled.exclude(state=Occurrence.State.CANCELLED).exists():
            sentence = (
                _("This webinar is cancelled.") if webinar else _("This meeting is cancelled.")
            )
            notice = _("Everyone who had registered has been told by email.")
            return Availability("cancelled", sentence, notice if meeting.zoom_notifies else "")
        return Availability(
            "over", _("This webinar is over.") if webinar else _("This meeting is over.")
        )
    # Zoom closes at the date of the event (``close_registration``: "after the event date").
    last = max(upcoming, key=lambda date: date.start)
    if meeting.close_registration and last.start <= now:
        when = day_and_time(in_zone(last.start, meeting.timezone))
        return Availability(
            "closed", _("Registration closed on %(when)s.") % {"when": when}, show_contact=True
        )
    return None


def _check_capacity(
    meeting: Meeting, site_settings: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    total = meeting.capacity
    if total and (meeting.registrant_count or 0) >= total:
        taken = ngettext("The only place is taken.", "All %(count)d places are taken.", total)
        return _full(taken % {"count": total})
    refusal, since = meeting.registration_block, meeting.registration_block_at
    if not refusal or since is None or since + REFUSAL_TTL < now:
        return None
    if refusal == "full":
        return _full(_("All places are taken."))
    if refusal == "unlicensed":
        return _unlicensed()
    if refusal == "over":
        return Availability("over", _("Registration is closed."), show_contact=True)
    return Availability("refused", _("Registration is not possible here."), show_contact=True)


def _full(sentence: str) -> Availability:
    hint = _("Sometimes a place becomes free. It then shows here.")
    return Availability("full", sentence, hint)
