"""Parses Zoom's responses into data or one of our exceptions; unknown responses are errors.

Sources: Zoom's API reference (errors of each call), "Rate limits", "OAuth error messages". Response
texts never become part of an exception, because they can contain names and email addresses.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from ..exceptions import (
    ZoomAuthError,
    ZoomError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from ..models import GrantReason
from ..oauth.http import NOT_JSON, ZoomResponse

_SCOPES = re.compile(r"\[([^\[\]]*)\]")
_NO_REGISTRATION = re.compile(
    r"registration\b.{0,40}\bnot\b.{0,20}\b(?:required|enabled|turned on|needed)"
    r"|\bnot?\b.{0,20}\b(?:require|need)\w*.{0,20}\bregistration|\bno registration\b",
    re.IGNORECASE,
)
"""Zoom says that a meeting takes no registrations, with code 300 or 3000 and no field."""
_PERSONAL_LIMIT = re.compile(r"registrant|create/update|particular user", re.IGNORECASE)
"""A limit of one registrant, or of one host who schedules: the account's other calls go through."""
DEFAULT_PAUSE = timedelta(seconds=2)
PAID_ONLY_CODE = 200
"""Code of "only for paid accounts" and "webinar plan is missing", also under HTTP 200."""
UNKNOWN_CALL_CODE = 2300
"""Code of a 404 that is about the path of the call, such as one below a wrong ``API_URL``."""


class TokenRejected(ZoomAuthError):
    """401, or code 124: this access token is not valid, or no longer."""

    def __init__(self, status: int, code: int | None) -> None:
        super().__init__(GrantReason.INVALID_GRANT, code=code, status=status)


def parse_response(
    response: ZoomResponse, required_key: str = "", *, writes: bool = False
) -> dict[str, Any]:
    """Return the JSON object of a response.

    Args:
        required_key: a valid response contains this key; errors can arrive with HTTP 200.

    Raises:
        ZoomError: a subclass, when it is not a valid response.
    """
    body = response.body
    if 200 <= response.status < 300:
        if body is None and not required_key:
            return {}
        if body is NOT_JSON or not isinstance(body, dict):
            raise ZoomProtocolError("Zoom's response cannot be read.", status=response.status)
        if required_key and required_key not in body:
            raise _error_for(response, body, writes)
        return body
    raise _error_for(response, body if isinstance(body, dict) else {}, writes)


def _error_for(response: ZoomResponse, body: dict[str, Any], writes: bool) -> ZoomError:
    status = response.status
    code = body.get("code", body.get("errorCode"))
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    text = str(body.get("message") or body.get("errorMessage") or "")
    if status == 429 or code == 429:
        return _rate_limit_error(response, code, text)
    if status >= 500:
        return ZoomTransient("Zoom has a problem.", ambiguous=writes, code=code, status=status)
    if _is_missing_scope(status, code, text):
        match = _SCOPES.search(text)
        names = re.split(r"[,\s]+", match[1]) if match else []
        return ZoomScopeMissing(tuple(name for name in names if name), code=code, status=status)
    if status == 401 or code == 124:
        return TokenRejected(status, code)
    if code == 4735:
        return ZoomAuthError(GrantReason.OWNER_GONE, code=code, status=status)
    if code in (4717, 4738):
        return ZoomAuthError(GrantReason.DISABLED, code=code, status=status)
    if code == UNKNOWN_CALL_CODE:  # guard: unknown-call-is-no-absence
        return ZoomProtocolError("Zoom does not know this call.", code=code, status=status)
    if status == 404 or code in (404, 1001, 3001, 3301):
        return ZoomNotFound("Zoom does not have it.", code=code, status=status)
    if code is None and 200 <= status < 300:
        return ZoomProtocolError("Zoom's response lacks a required key.", status=status)
    fields = _rejected_fields(body)
    without_registration = not fields and _NO_REGISTRATION.search(text) is not None
    return ZoomRejected(
        "Zoom refused it.",
        fields=fields,
        without_registration=without_registration,
        code=code,
        status=status,
    )


def _is_missing_scope(status: int, code: int | None, text: str) -> bool:
    """4711 today; 4700 before; 104 and 201 in other parts of Zoom, where they also mean more."""
    if code == 4711:
        return True
    is_worded = "scope" in text.lower()
    if code == 4700:
        return is_worded  # guard: missing-scope-is-worded
    return status in (400, 401, 403) and code in (104, 201) and (is_worded or not text)


def _rejected_fields(body: dict[str, Any]) -> tuple[str, ...]:
    errors = body.get("errors")
    errors = errors if isinstance(errors, list) else []
    return tuple(
        str(error["field"])[:100]
        for error in errors
        if isinstance(error, dict) and "field" in error
    )


def _rate_limit_error(response: ZoomResponse, code: int | None, text: str) -> ZoomRateLimited:
    """Distinguish the types of 429 by header, otherwise by the word "daily" (Zoom: rate limits)."""
    limit_type = str(response.headers.get("X-RateLimit-Type", ""))
    daily = "daily" in limit_type.lower() or "daily" in text.lower()
    retry_at = parse_retry_after(response.headers.get("Retry-After"))
    if retry_at is None:
        retry_at = next_midnight() if daily else timezone.now() + DEFAULT_PAUSE
    personal = _PERSONAL_LIMIT.search(text) is not None
    return ZoomRateLimited(
        "Zoom's rate limit is reached.",
        retry_at=retry_at,
        daily=daily,
        personal=personal,
        code=code,
    )


def parse_retry_after(value: str | None) -> datetime | None:
    """Parse ``Retry-After``: Zoom sends an ISO 8601 time; seconds are accepted too.

    At most a day ahead, so that an invalid value cannot stop an account.
    """
    if not value:
        return None
    now = timezone.now()
    try:
        if value.strip().isdigit():
            retry_at = now + timedelta(seconds=int(value.strip()[:6]))
        else:
            retry_at = datetime.fromisoformat(value.strip())
            retry_at = (
                retry_at.replace(tzinfo=UTC)
                if retry_at.tzinfo is None
                else retry_at.astimezone(UTC)
            )
    except (ValueError, OverflowError):
        return None
    return min(max(retry_at, now), now + timedelta(days=1))


def next_midnight() -> datetime:
    """When Zoom's daily limits reset: 00:00 UTC."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)
