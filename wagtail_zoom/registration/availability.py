"""Whether a form can be offered for a meeting now, and the sentence that stands instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..frontend.datetimes import day_and_clock, in_zone
from ..models import Kind, Meeting, Occurrence, ZoomSettings

OPEN = "open"
BLOCK_HOLDS = timedelta(hours=1)
"""For how long a refusal of the whole meeting by Zoom is believed without asking again."""


@dataclass(frozen=True)
class Availability:
    """``open``, or the code and the sentences of what stands instead of the form."""

    code: str = OPEN
    sentence: str | Promise = ""
    hint: str | Promise = ""
    ask: bool = False
    """The organiser's address may help."""

    @property
    def is_open(self) -> bool:
        return self.code == OPEN


def availability(
    meeting: Meeting | None,
    choice: ZoomSettings | None,
    dates: Sequence[Occurrence] = (),
    now: datetime | None = None,
) -> Availability:
    """Judge one meeting on one Site.

    Args:
        meeting: as the gate let it through for visitors; None when it did not.
        dates: its dates still to come, as the gate let them through.
    """
    now = now or timezone.now()
    if meeting is None or choice is None:
        return Availability("gone", _("This meeting is no longer available."))
    for judge in (_of_site, _of_meeting, _of_time, _of_places):
        verdict = judge(meeting, choice, dates, now)
        if verdict is not None:
            return verdict
    return Availability()


def _of_site(
    meeting: Meeting, choice: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    off = Availability("off", _("Registration is not offered here."), ask=True)
    grant = choice.grant
    if not choice.show_registration or grant is None:
        return off
    if "registration" in grant.missing_kinds:
        return off
    if (
        choice.paused_at or meeting.account.is_quarantined  # guard: copy-takes-no-registration
    ):
        return Availability("paused", _("Registration is not possible at the moment."), ask=True)
    return None


def _of_meeting(
    meeting: Meeting, choice: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    if meeting.is_events_webinar:
        sentence = _("Registration for this webinar is kept in Zoom Events, not here.")
        return Availability("events", sentence, ask=True)
    if not meeting.takes_registration:
        webinar = _("You do not need to register for this webinar.")
        plain = _("You do not need to register for this meeting.")
        return Availability("none", webinar if meeting.kind == Kind.WEBINAR else plain)
    if meeting.host and meeting.host.user_type not in (0, 2):
        return _unlicensed()
    return None


def _unlicensed() -> Availability:
    return Availability("unlicensed", _("Registration is not possible at the moment."), ask=True)


def _of_time(
    meeting: Meeting, choice: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    if not meeting.has_fixed_time:
        return None
    webinar = meeting.kind == Kind.WEBINAR
    coming = [date for date in dates if date.end > now]
    if not coming:
        known = Occurrence.objects.filter(meeting=meeting, end__gt=now)
        if known.exists() and not known.exclude(state=Occurrence.State.CANCELLED).exists():
            sentence = (
                _("This webinar is cancelled.") if webinar else _("This meeting is cancelled.")
            )
            told = _("Everyone who had registered has been told by email.")
            return Availability("cancelled", sentence, told if meeting.zoom_notifies else "")
        return Availability(
            "over", _("This webinar is over.") if webinar else _("This meeting is over.")
        )
    # Zoom closes at the date of the event (``close_registration``: "after the event date").
    last = max(coming, key=lambda date: date.start)
    if meeting.close_registration and last.start <= now:
        when = day_and_clock(in_zone(last.start, meeting.timezone))
        return Availability(
            "closed", _("Registration closed on %(when)s.") % {"when": when}, ask=True
        )
    return None


def _of_places(
    meeting: Meeting, choice: ZoomSettings, dates: Sequence[Occurrence], now: datetime
) -> Availability | None:
    total = meeting.capacity
    if total and (meeting.registrant_count or 0) >= total:
        taken = ngettext("The only place is taken.", "All %(count)d places are taken.", total)
        return _full(taken % {"count": total})
    block, since = meeting.registration_block, meeting.registration_block_at
    if not block or since is None or since + BLOCK_HOLDS < now:
        return None
    if block == "full":
        return _full(_("All places are taken."))
    if block == "unlicensed":
        return _unlicensed()
    if block == "over":
        return Availability("over", _("Registration is closed."), ask=True)
    return Availability("refused", _("Registration is not possible here."), ask=True)


def _full(sentence: str) -> Availability:
    hint = _("Sometimes a place becomes free. It then shows here.")
    return Availability("full", sentence, hint)
