"""Exceptions for calls to Zoom, derived from ``ZoomError``.

Texts contain codes and our own words only, never a response body: exception texts appear in logs,
task results and error emails. ``ZoomConfigurationError`` is deliberately not a ``ZoomError``, so
that ``except ZoomError`` around a call cannot hide a misconfigured installation.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ImproperlyConfigured


class ZoomError(Exception):
    """Any response, or missing response, that makes a call to Zoom fail."""

    def __init__(self, message: str = "", *, code: int | None = None, status: int | None = None):
        super().__init__(message or self.__class__.__name__)
        self.code = code
        self.status = status


class ZoomTransient(ZoomError):
    """Zoom is unreachable, slow or failing: the same call may succeed later.

    ``retry_at`` (aware datetime, UTC) is set where Zoom or our own back-off gives a time. With
    ``ambiguous`` the request may have taken effect (the response was lost), so a write must not be
    retried blindly.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_at: datetime | None = None,
        ambiguous: bool = False,
        code: int | None = None,
        status: int | None = None,
    ):
        super().__init__(message, code=code, status=status)
        self.retry_at = retry_at
        self.ambiguous = ambiguous


class ZoomRateLimited(ZoomTransient):
    """HTTP 429, or our own share of the account's rate is used up (Zoom: rate limits).

    ``daily`` is the daily limit, not the per-second one: it stops background work until
    ``retry_at``. ``personal`` is the limit of one registrant (three registrations a day) or of one
    host (100 meetings created and changed a day); it does not concern the account.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_at: datetime | None = None,
        daily: bool = False,
        personal: bool = False,
        code: int | None = None,
        status: int | None = 429,
    ):
        super().__init__(message, retry_at=retry_at, code=code, status=status)
        self.daily = daily
        self.personal = personal


class ZoomAuthError(ZoomError):
    """The grant cannot be used. ``reason`` is a ``GrantReason`` value."""

    def __init__(
        self,
        reason: str,
        message: str = "",
        *,
        code: int | None = None,
        status: int | None = None,
    ):
        super().__init__(
            message or f"Zoom refused the authorisation: {reason}", code=code, status=status
        )
        self.reason = reason


class ZoomScopeMissing(ZoomAuthError):
    """HTTP 400 with code 4711: the token lacks scopes. The grant stays connected."""

    def __init__(
        self, scopes: tuple[str, ...], *, code: int | None = 4711, status: int | None = 400
    ):
        super().__init__("scope", "Zoom did not grant a needed scope", code=code, status=status)
        self.scopes = scopes


class ZoomNotFound(ZoomError):
    """404: deleted, expired, in another account or not accessible. Not a proof of deletion."""


class ZoomRejected(ZoomError):
    """Zoom understood the request and refuses it; retrying will not help.

    ``fields`` contains the names of the refused fields where Zoom gives them (never the values).
    ``without_registration``: Zoom says that the meeting takes no registrations.
    """

    def __init__(
        self,
        message: str = "",
        *,
        fields: tuple[str, ...] = (),
        without_registration: bool = False,
        code: int | None = None,
        status: int | None = None,
    ):
        super().__init__(message, code=code, status=status)
        self.fields = fields
        self.without_registration = without_registration


class ZoomProtocolError(ZoomError):
    """The response is invalid: not JSON, unexpected structure, too large, endless paging."""


class ZoomQuarantined(ZoomError):
    """This installation is a copy of another one: nothing may be sent to Zoom."""


class ZoomWriteRefused(ZoomError):
    """This Site may not change this meeting at Zoom now. ``reason`` is a ``Refusal`` value."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The Site may not change this meeting at Zoom: {reason}")
        self.reason = reason


class ZoomConfigurationError(ImproperlyConfigured):
    """The installation's settings are missing or wrong; a Site's owner cannot fix that."""


def may_have_taken_effect(error: Exception) -> bool:
    """Whether a request that was to change something may have done so, although it failed.

    Then it must not be sent again before Zoom was looked at.
    """
    if isinstance(error, ZoomTransient):
        return error.ambiguous
    return isinstance(error, ZoomProtocolError)
