"""Zoom's answers as data or as one of our errors. One table, closed by default.

Sources: Zoom's API reference (errors of each call), "Rate limits", "OAuth error messages"; texts
of answers never enter an exception, because they can hold names and addresses.
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
from ..oauth.http import NOT_JSON, Answer

_SCOPES = re.compile(r"\[([^\[\]]*)\]")
SECOND_PAUSE = timedelta(seconds=2)
PAID_ONLY = 200
"""Code of "only for paid accounts" and "webinar plan is missing", also under HTTP 200."""


class TokenRefused(ZoomAuthError):
    """401, or code 124: this access token is no good (any more)."""

    def __init__(self, status: int, code: int | None) -> None:
        super().__init__(GrantReason.INVALID_GRANT, code=code, status=status)


def data(answer: Answer, member: str = "", *, writes: bool = False) -> dict[str, Any]:
    """The object that Zoom sent.

    Args:
        member: what a good answer must hold; errors can come under HTTP 200 without it.

    Raises:
        ZoomError: one of the tree, when it is not a good answer.
    """
    body = answer.body
    if 200 <= answer.status < 300:
        if body is None and not member:
            return {}
        if body is NOT_JSON or not isinstance(body, dict):
            raise ZoomProtocolError("Zoom's answer cannot be read.", status=answer.status)
        if member and member not in body:
            raise _problem(answer, body, writes)
        return body
    raise _problem(answer, body if isinstance(body, dict) else {}, writes)


def _problem(answer: Answer, body: dict[str, Any], writes: bool) -> ZoomError:
    status = answer.status
    code = body.get("code", body.get("errorCode"))
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    text = str(body.get("message") or body.get("errorMessage") or "")
    if status == 429 or code == 429:
        return _limited(answer, code, text)
    if status >= 500:
        return ZoomTransient("Zoom has a problem.", ambiguous=writes, code=code, status=status)
    if code == 4711 or (code == 4700 and "scope" in text):
        found = _SCOPES.search(text)
        names = re.split(r"[,\s]+", found[1]) if found else []
        return ZoomScopeMissing(tuple(name for name in names if name), code=code, status=status)
    if status == 401 or code == 124:
        return TokenRefused(status, code)
    if code == 4735:
        return ZoomAuthError(GrantReason.OWNER_GONE, code=code, status=status)
    if code in (4717, 4738):
        return ZoomAuthError(GrantReason.DISABLED, code=code, status=status)
    if status == 404 or code in (404, 1001, 3001, 3301):
        return ZoomNotFound("Zoom does not have it.", code=code, status=status)
    if code is None and 200 <= status < 300:
        return ZoomProtocolError("Zoom's answer lacks what was asked for.", status=status)
    return ZoomRejected("Zoom refused it.", fields=_fields(body), code=code, status=status)


def _fields(body: dict[str, Any]) -> tuple[str, ...]:
    errors = body.get("errors")
    rows = errors if isinstance(errors, list) else []
    return tuple(
        str(row["field"])[:100] for row in rows if isinstance(row, dict) and "field" in row
    )


def _limited(answer: Answer, code: int | None, text: str) -> ZoomRateLimited:
    """Tell the kinds of 429 apart by header, else by the word "daily" (Zoom: rate limits)."""
    kind = str(answer.headers.get("X-RateLimit-Type", ""))
    daily = "daily" in kind.lower() or "daily" in text.lower()
    retry_at = retry_after(answer.headers.get("Retry-After"))
    if retry_at is None:
        retry_at = next_midnight() if daily else timezone.now() + SECOND_PAUSE
    personal = "registrant" in text.lower()
    return ZoomRateLimited(
        "Zoom's rate limit is reached.",
        retry_at=retry_at,
        daily=daily,
        personal=personal,
        code=code,
    )


def retry_after(value: str | None) -> datetime | None:
    """``Retry-After`` as Zoom sends it, an ISO 8601 instant; seconds are understood too.

    At most a day ahead, so that a senseless value cannot stop an account.
    """
    if not value:
        return None
    now = timezone.now()
    try:
        if value.strip().isdigit():
            found = now + timedelta(seconds=int(value.strip()[:6]))
        else:
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(found, now), now + timedelta(days=1))


def next_midnight() -> datetime:
    """When Zoom's daily limits begin anew: 00:00 UTC."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)
