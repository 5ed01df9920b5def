"""What becomes of something whose call to Zoom failed: it is retried at a time, or given up.

The rules are the same for registrations, changes of meetings and lists of who took part. Each has
a subclass of :class:`ErrorPolicy` that states in what it differs. Whether the call may have taken
effect anyway: :func:`wagtail_zoom.exceptions.may_have_taken_effect`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

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
from ..models.outbox import CONNECTION_DELAY, CONNECTION_ERRORS
from ..utils import backoff
from .responses import next_midnight

UNREACHABLE = "unreachable"
"""Zoom gave no answer, or none that could be read: a request may still take effect."""
RATE_LIMIT_DELAY = timedelta(minutes=1)
"""After a rate limit without a time."""


class Affects(Enum):
    """What else would fail in the same way."""

    ROW = "row"
    SITE = "site"
    """Everything of this Site. Others have another grant."""
    ACCOUNT = "account"


@dataclass(frozen=True)
class ErrorOutcome:
    """Retry at ``retry_at``; without it the error is final until a person decides."""

    error: str
    retry_at: datetime | None = None
    code: int | None = None
    counts_as_failure: bool = False
    """One more failure in a row. Waiting for a rate limit or for a connection is not one."""
    affects: Affects = Affects.ROW


class ErrorPolicy:
    """The rules that hold for all calls; unknown errors are final."""

    retry_seconds: Sequence[int] = (20, 60, 120, 300, 900, 1800, 3600)
    """Seconds until the next attempt, by the number of failures in a row."""
    errors_by_code: Mapping[int, str] = {}
    """Zoom's codes of requests that it refuses; others are "refused"."""
    personal_limit = "personal_limit"
    """The error after the limit of one registrant, or of one host."""

    def classify(self, error: Exception, failures: int) -> ErrorOutcome:
        """What to do about an exception of a call to Zoom, after so many failures in a row."""
        waits_until = timezone.now() + CONNECTION_DELAY
        code = getattr(error, "code", None)
        if isinstance(error, ZoomRateLimited):
            return self._rate_limited(error)
        if isinstance(error, ZoomTransient | ZoomProtocolError):
            return self.unreachable(error, failures)
        if isinstance(error, ZoomWriteRefused):
            ends_by_itself = error.reason in CONNECTION_ERRORS
            return ErrorOutcome(error.reason, waits_until if ends_by_itself else None)
        if isinstance(error, ZoomAuthError):
            name = "scope" if isinstance(error, ZoomScopeMissing) else "connection"
            return ErrorOutcome(name, waits_until, code, affects=Affects.SITE)
        if isinstance(error, ZoomQuarantined | ZoomConfigurationError):
            return ErrorOutcome("quarantined", waits_until, affects=Affects.ACCOUNT)
        if isinstance(error, ZoomNotFound | ZoomRejected):
            return self.refused(error, failures)
        return ErrorOutcome("unreadable", code=code)

    def refused(self, error: ZoomNotFound | ZoomRejected, failures: int) -> ErrorOutcome:
        """Zoom has understood it, and does not do it."""
        if isinstance(error, ZoomNotFound):
            return ErrorOutcome("gone", code=error.code)
        return ErrorOutcome(self.errors_by_code.get(error.code or 0, "refused"), code=error.code)

    def unreachable(self, error: Exception, failures: int) -> ErrorOutcome:
        """No answer, or none that can be read: try again, less and less often."""
        retry_at = backoff.retry_at(
            self.retry_seconds, failures + 1, not_before=getattr(error, "retry_at", None)
        )
        code = getattr(error, "code", None)
        return ErrorOutcome(UNREACHABLE, retry_at, code, counts_as_failure=True)

    def _rate_limited(self, error: ZoomRateLimited) -> ErrorOutcome:
        retry_at = error.retry_at or timezone.now() + RATE_LIMIT_DELAY
        if error.personal:
            # Counted until 00:00 UTC (Zoom: rate limits).
            return ErrorOutcome(self.personal_limit, max(retry_at, next_midnight()), error.code)
        name = "daily_limit" if error.daily else "busy"
        return ErrorOutcome(name, retry_at, error.code, affects=Affects.ACCOUNT)


COMMON_MESSAGES: dict[str, str | Promise] = {
    "busy": _("Zoom is busy. This continues automatically."),
    "daily_limit": _("Zoom’s daily limit is reached. This continues after midnight UTC."),
    "connection": _(
        "Zoom is not connected. This continues automatically once you have reconnected."
    ),
    "scope": _("A permission is missing in Zoom. This continues automatically once it is granted."),
    "quarantined": _("This installation is a copy; nothing is sent to Zoom."),
    "unreadable": _("It cannot be read with the installation’s keys."),
}
"""Errors that none words for itself, as owners read them."""
