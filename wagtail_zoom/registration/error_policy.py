"""What a failure at Zoom means for one sign-up. One table, closed by default: unknown is final.

Codes: Zoom's API reference, "Add a meeting registrant" and "Add a webinar registrant".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..exceptions import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)

STEPS = (20, 60, 120, 300, 900, 1800, 3600)
"""Seconds until the next try after so many failures in a row."""
AMBIGUOUS_PAUSE = 20
"""Seconds for Zoom to make a sign-up visible before we look for it."""
AUTH_PAUSE = timedelta(minutes=15)

ANSWERS = "answers"
_CODES = {
    200: "unlicensed",
    300: ANSWERS,
    303: "gone",
    3000: "refused",
    3027: "host",
    3034: "work_email",
    3035: "full",
    3038: "over",
    3043: "full",
    3079: "gone",
    3161: "refused",
}
BLOCKS = {"full", "unlicensed", "over"}
"""Refusals that concern the meeting and not the person: the form says so for a while."""


@dataclass(frozen=True)
class Verdict:
    """Try again at ``retry_at``, or it is final."""

    error: str
    retry_at: datetime | None = None
    code: int | None = None
    counts: bool = False
    """One more failure in a row (waiting for our turn is none)."""
    tired: bool = False
    """The account wants to be left alone: go on with others."""


def judge(error: Exception, failures: int) -> Verdict:
    """The verdict over what a call to Zoom raised, after so many failures in a row."""
    now = timezone.now()
    step = timedelta(seconds=STEPS[min(failures, len(STEPS) - 1)])
    code = getattr(error, "code", None)
    if isinstance(error, ZoomRateLimited):
        return _limited(error, now)
    if isinstance(error, ZoomTransient | ZoomProtocolError):
        retry_at = max(getattr(error, "retry_at", None) or now, now + step)
        return Verdict("unreachable", retry_at, code, counts=True)
    if isinstance(error, ZoomScopeMissing):
        return Verdict("scope", now + AUTH_PAUSE, code, tired=True)
    if isinstance(error, ZoomAuthError):
        return Verdict("connection", now + AUTH_PAUSE, code, tired=True)
    if isinstance(error, ZoomQuarantined | ZoomConfigurationError):
        return Verdict("quarantined", now + AUTH_PAUSE, tired=True)
    if isinstance(error, ZoomNotFound):
        return Verdict("gone", code=code)
    if isinstance(error, ZoomRejected):
        return Verdict(_CODES.get(code or 0, "refused"), code=code)
    return Verdict("unreadable", code=code)


def _limited(error: ZoomRateLimited, now: datetime) -> Verdict:
    retry_at = error.retry_at or now + timedelta(minutes=1)
    if error.personal:
        # Three sign-ups a day and person, counted until 00:00 UTC (Zoom: rate limits).
        midnight = now.replace(hour=0, minute=0, second=5, microsecond=0) + timedelta(days=1)
        return Verdict("personal_limit", max(retry_at, midnight), error.code)
    return Verdict("daily_limit" if error.daily else "busy", retry_at, error.code, tired=True)


VISITOR: dict[str, str | Promise] = {
    "answers": _("Zoom did not accept one of the answers. Please register once more."),
    "gone": _("Zoom no longer offers this registration."),
    "refused": _("Zoom did not accept this registration."),
    "unlicensed": _("Registration is not possible in Zoom at the moment."),
    "host": _("This is the address of the host, who does not need to register."),
    "work_email": _("This registration takes addresses of organisations only."),
    "full": _("All places are taken."),
    "over": _("It was over before Zoom could take your registration."),
    "unreachable": _("Zoom could not be reached for several days."),
    "unreadable": _("Your registration could not be read any more. Please register once more."),
    "connection": _("The connection with Zoom was not restored in time."),
}
"""Final failures in a visitor's words."""

OWNER: dict[str, str | Promise] = {
    **VISITOR,
    "answers": _("Zoom did not accept one of the answers. Edit them and try again."),
    "gone": _("Zoom no longer has this meeting, or its registration is switched off there."),
    "refused": _("Zoom refused it without saying why in a way we know."),
    "unlicensed": _("The host has no Zoom licence that includes registration."),
    "host": _("It is the address of the host, who cannot register."),
    "work_email": _("This webinar takes addresses of organisations only."),
    "full": _("All places are taken in Zoom."),
    "over": _("It was over before Zoom took it."),
    "unreadable": _("It cannot be read with the installation’s keys."),
    "connection": _("Zoom is not connected. It goes on by itself once you have connected again."),
    "scope": _("A permission is missing in Zoom. It goes on by itself once it is granted."),
    "quarantined": _("This installation is a copy; nothing is sent to Zoom."),
    "busy": _("Zoom is busy. It goes on by itself."),
    "daily_limit": _("Zoom’s limit of the day is reached. It goes on after midnight UTC."),
    "personal_limit": _(
        "Zoom takes three sign-ups a day of one person. It goes on after midnight UTC."
    ),
    "mail": _("Our email could not be delivered to this address."),
}
"""Failures in an owner's words, also those that are not final."""
