"""What can go wrong between us and Zoom, as one small tree.

Messages carry codes and our own words only, never a response body: exception texts end in
logs, task results and error mails. A configuration error stands outside the tree on purpose,
so that ``except ZoomError`` around a call cannot swallow a wrong installation.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ImproperlyConfigured


class ZoomError(Exception):
    """Any answer, or lack of one, that keeps a call to Zoom from succeeding."""

    def __init__(self, message: str = "", *, code: int | None = None, status: int | None = None):
        super().__init__(message or self.__class__.__name__)
        self.code = code
        self.status = status


class ZoomTransient(ZoomError):
    """Zoom is away, slow or failing: the same call may succeed later.

    ``retry_at`` (aware datetime, UTC) is set where Zoom or our own back-off names a time.
    ``ambiguous`` tells that the request may have taken effect (the answer was lost), which
    forbids a blind repetition of a write.
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
    """HTTP 429, or our own budget for the account is used up (REFERENCE of Zoom: rate limits).

    ``daily`` tells the daily limit from the per-second one: it stops background work until
    ``retry_at``. ``personal`` is a limit of one registrant (three sign-ups a day), which says
    nothing about the account.
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
    """404: deleted, expired, of another account or out of reach. No proof of deletion by itself."""


class ZoomRejected(ZoomError):
    """Zoom understood the request and refuses it; repeating it will not help.

    ``fields`` holds the names of the refused fields where Zoom gives them (never the values).
    """

    def __init__(
        self,
        message: str = "",
        *,
        fields: tuple[str, ...] = (),
        code: int | None = None,
        status: int | None = None,
    ):
        super().__init__(message, code=code, status=status)
        self.fields = fields


class ZoomProtocolError(ZoomError):
    """The answer cannot be understood: not JSON, wrong shape, too large, endless paging."""


class ZoomQuarantined(ZoomError):
    """This installation is a copy of another one: nothing may be sent to Zoom (DESIGN 4.7)."""


class ZoomConfigurationError(ImproperlyConfigured):
    """The installation's settings are missing or wrong; the owner of a Site cannot mend that."""
