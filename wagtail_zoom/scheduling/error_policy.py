"""What an error from Zoom means for one change of a meeting. Unknown errors are final.

Codes: Zoom's API reference, "Create a meeting", "Update a meeting" and "Delete a meeting".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..client.responses import next_midnight
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
from ..models.outbox import CONNECTION_DELAY, CONNECTION_ERRORS
from ..utils import backoff

RETRY_SECONDS = (20, 60, 120, 300, 900, 1800, 3600)
"""Seconds until the next attempt, by the number of failures in a row."""
NO_HOST_CODE = 1001
_ERRORS_BY_CODE = {
    200: "plan",
    300: "fields",
    3000: "not_allowed",
    3002: "running",
    3003: "not_host",
    3161: "not_allowed",
}


@dataclass(frozen=True)
class ChangeOutcome:
    """Retry at ``retry_at``; without it the error is final until a person decides."""

    error: str
    retry_at: datetime | None = None
    code: int | None = None
    counts_as_failure: bool = False


def classify(error: Exception, failures: int) -> ChangeOutcome:
    """What to do about an exception of a call to Zoom, after so many failures in a row."""
    now = timezone.now()
    code = getattr(error, "code", None)
    if isinstance(error, ZoomRateLimited):
        if error.personal:
            return ChangeOutcome("host_limit", max(error.retry_at or now, next_midnight()), code)
        retry_at = error.retry_at or now + timedelta(minutes=1)
        return ChangeOutcome("daily_limit" if error.daily else "busy", retry_at, code)
    if isinstance(error, ZoomTransient | ZoomProtocolError):
        not_before = getattr(error, "retry_at", None)
        retry_at = backoff.retry_at(RETRY_SECONDS, failures + 1, not_before=not_before)
        return ChangeOutcome("unreachable", retry_at, code, counts_as_failure=True)
    if isinstance(error, ZoomWriteRefused):
        ends_by_itself = error.reason in CONNECTION_ERRORS
        return ChangeOutcome(error.reason, now + CONNECTION_DELAY if ends_by_itself else None)
    if isinstance(error, ZoomAuthError):
        name = "scope" if isinstance(error, ZoomScopeMissing) else "connection"
        return ChangeOutcome(name, now + CONNECTION_DELAY, code)
    if isinstance(error, ZoomQuarantined | ZoomConfigurationError):
        return ChangeOutcome("quarantined", now + CONNECTION_DELAY)
    if isinstance(error, ZoomNotFound):
        return ChangeOutcome("no_host" if code == NO_HOST_CODE else "gone", code=code)
    if isinstance(error, ZoomRejected):
        return ChangeOutcome(_ERRORS_BY_CODE.get(code or 0, "refused"), code=code)
    return ChangeOutcome("unreadable", code=code)


MESSAGES: dict[str, str | Promise] = {
    "fields": _("Zoom did not accept one of the values. Edit them and try again."),
    "plan": _("The plan or licence of the host does not include this."),
    "not_allowed": _("Zoom does not allow this host to schedule it."),
    "not_host": _("Only the host can change this at Zoom."),
    "running": _("It is running now. Try again when it has ended."),
    "no_host": _("Zoom no longer has this host."),
    "gone": _("Zoom no longer has this meeting or this date."),
    "refused": _("Zoom rejected it with an unknown error."),
    "unreadable": _("It cannot be read with the installation’s keys."),
    "unreachable": _("Zoom did not answer. We try again."),
    "busy": _("Zoom is busy. This continues automatically."),
    "daily_limit": _("Zoom’s daily limit is reached. This continues after midnight UTC."),
    "host_limit": _(
        "Zoom accepts 100 new or changed meetings a day from one host. This continues after "
        "midnight UTC."
    ),
    "connection": _(
        "Zoom is not connected. This continues automatically once you have reconnected."
    ),
    "left": _(
        "Your site is not connected with the Zoom account that this is for. This continues "
        "automatically once you have connected that account again."
    ),
    "not_covered": _(
        "Your connection with Zoom does not cover this host. This continues automatically once "
        "it does."
    ),
    "not_shown": _(
        "Your site does not show this host or this type of meeting. It continues automatically "
        "once you show them again."
    ),
    "scope": _("A permission is missing in Zoom. This continues automatically once it is granted."),
    "quarantined": _("This installation is a copy; nothing is sent to Zoom."),
    "changed_elsewhere": _(
        "It was changed in Zoom after you opened the form. Nothing was sent. Edit it to compare."
    ),
    "private": _("It is private in Zoom now, so it can be changed only there."),
    "over": _("It was to begin before Zoom took it. Edit the start and try again."),
    "earlier": _("An earlier change of this meeting is on its way. This one follows it."),
    "copy": _("Zoom has it. It could not be read yet for this site. We try again."),
    "looking": _("Zoom did not say whether it has it. We look before we try again."),
}
"""Why a change waits or has failed, as owners read it."""
