"""What an error from Zoom means for one registration. Unknown errors are final.

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
    ZoomWriteRefused,
)
from ..models.outbox import CONNECTION_DELAY
from ..utils import backoff

RETRY_SECONDS = (20, 60, 120, 300, 900, 1800, 3600)
"""Seconds until the next attempt, by the number of failures in a row."""
UNREACHABLE = "unreachable"
"""Zoom gave no answer, or none that could be read: a request may still take effect."""

INVALID_ANSWERS = "answers"
_ERRORS_BY_CODE = {
    200: "unlicensed",
    300: INVALID_ANSWERS,
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
MEETING_ERRORS = {"full", "unlicensed", "over"}
"""Errors that concern the meeting and not the person: the form reports them for a while."""
CLOSED_ERRORS = MEETING_ERRORS | {"gone"}
"""Errors that concern the meeting: a visitor reads them at once, whatever the email address."""


@dataclass(frozen=True)
class ErrorPolicy:
    """Retry at ``retry_at``; without it the error is final."""

    error: str
    retry_at: datetime | None = None
    code: int | None = None
    counts_as_failure: bool = False
    """One more failure in a row (waiting for a rate limit is not one)."""
    rate_limited: bool = False
    """Skip the other rows of this account until ``retry_at``."""
    site_only: bool = False
    """With ``rate_limited``: only those of the same Site. Others have another grant."""


def classify(error: Exception, failures: int) -> ErrorPolicy:
    """What to do about an exception of a call to Zoom, after so many failures in a row."""
    now = timezone.now()
    code = getattr(error, "code", None)
    if isinstance(error, ZoomRateLimited):
        return _classify_rate_limit(error, now)
    if isinstance(error, ZoomTransient | ZoomProtocolError):
        not_before = getattr(error, "retry_at", None)
        retry_at = backoff.retry_at(RETRY_SECONDS, failures + 1, not_before=not_before)
        return ErrorPolicy(UNREACHABLE, retry_at, code, counts_as_failure=True)
    if isinstance(error, ZoomWriteRefused):
        return ErrorPolicy(error.reason, now + CONNECTION_DELAY)
    if isinstance(error, ZoomAuthError):
        name = "scope" if isinstance(error, ZoomScopeMissing) else "connection"
        retry_at = now + CONNECTION_DELAY
        return ErrorPolicy(name, retry_at, code, rate_limited=True, site_only=True)
    if isinstance(error, ZoomQuarantined | ZoomConfigurationError):
        return ErrorPolicy("quarantined", now + CONNECTION_DELAY, rate_limited=True)
    if isinstance(error, ZoomNotFound):
        return ErrorPolicy("gone", code=code)
    if isinstance(error, ZoomRejected) and error.without_registration:
        return ErrorPolicy("gone", code=code)
    if isinstance(error, ZoomRejected):
        return ErrorPolicy(_ERRORS_BY_CODE.get(code or 0, "refused"), code=code)
    return ErrorPolicy("unreadable", code=code)


def _classify_rate_limit(error: ZoomRateLimited, now: datetime) -> ErrorPolicy:
    retry_at = error.retry_at or now + timedelta(minutes=1)
    if error.personal:
        # Three registrations a day and person, counted until 00:00 UTC (Zoom: rate limits).
        midnight = now.replace(hour=0, minute=0, second=5, microsecond=0) + timedelta(days=1)
        return ErrorPolicy("personal_limit", max(retry_at, midnight), error.code)
    return ErrorPolicy(
        "daily_limit" if error.daily else "busy", retry_at, error.code, rate_limited=True
    )


VISITOR_MESSAGES: dict[str, str | Promise] = {
    "answers": _("Zoom did not accept one of the answers."),
    "gone": _("Zoom no longer offers this registration."),
    "refused": _("Zoom did not accept this registration."),
    "unlicensed": _("Registration is not possible in Zoom at the moment."),
    "host": _("This is the address of the host, who does not need to register."),
    "work_email": _("This registration takes addresses of organisations only."),
    "full": _("All places are taken."),
    "over": _("It was over before Zoom could take your registration."),
    "unreachable": _("Zoom could not be reached for several days."),
    "unreadable": _("Your registration could not be read any more."),
    "connection": _("The connection with Zoom was not restored in time."),
    "left": _("The connection with Zoom was not restored in time."),
    "not_covered": _("The connection with Zoom was not restored in time."),
    "not_shown": _("The connection with Zoom was not restored in time."),
}
"""Final failures, as visitors read them."""
WORTH_REPEATING = {"answers", "unreadable"}
"""Final failures after which a person may register once more, while registration is open."""

OWNER_MESSAGES: dict[str, str | Promise] = {
    **VISITOR_MESSAGES,
    "answers": _("Zoom did not accept one of the answers. Edit them and try again."),
    "gone": _("Zoom no longer has this meeting, or its registration is switched off there."),
    "refused": _("Zoom rejected it with an unknown error."),
    "unlicensed": _("The host has no Zoom licence that includes registration."),
    "host": _("It is the address of the host, who cannot register."),
    "work_email": _("This webinar takes addresses of organisations only."),
    "full": _("All places are taken in Zoom."),
    "over": _("It was over before Zoom took it."),
    "unreadable": _("It cannot be read with the installation’s keys."),
    "connection": _(
        "Zoom is not connected. This continues automatically once you have reconnected."
    ),
    "left": _(
        "Your site is no longer connected with the Zoom account that holds this meeting. This "
        "continues automatically once you have connected that account again."
    ),
    "not_covered": _(
        "Your connection with Zoom no longer covers the host of this meeting. This continues "
        "automatically once it does again."
    ),
    "not_shown": _(
        "Your site no longer shows this host or this type of meeting. It continues automatically "
        "once you show them again."
    ),
    "scope": _("A permission is missing in Zoom. This continues automatically once it is granted."),
    "quarantined": _("This installation is a copy; nothing is sent to Zoom."),
    "busy": _("Zoom is busy. This continues automatically."),
    "daily_limit": _("Zoom’s daily limit is reached. This continues after midnight UTC."),
    "personal_limit": _(
        "Zoom accepts three registrations a day from one person. This continues after midnight UTC."
    ),
    "mail": _("Our email could not be delivered to this address."),
}
"""Failures, also those that are not final, as owners read them."""
