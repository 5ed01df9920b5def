"""Reads single values out of Zoom's payloads, tolerantly and safely.

Zoom omits members, sends empty strings or, rarely, null; owners type anything into topics. What
comes out of here can be stored on every database and shown on one line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..conf import settings
from ..models.mirror import LONGEST_MINUTES

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class BadItem(ValueError):
    """One object of a page cannot be understood: it is reported and skipped, the page goes on."""


def prose(value: Any, limit: int = 20_000) -> str:
    """Text that may have several lines. U+0000 and lone surrogates become U+FFFD."""
    if value is None or isinstance(value, dict | list):
        return ""
    return _UNSTORABLE.sub("\ufffd", str(value))[:limit]


def line(value: Any, limit: int = 300) -> str:
    """Text on one line: no control character can reach a header, a mail or a calendar file."""
    return _BREAKS.sub(" ", prose(value, limit * 2)).strip()[
        :limit
    ]  # guard: control-characters-removed


def identifier(value: Any) -> str:
    """An id as text: Zoom sends numbers in answers and text in some messages.

    Raises:
        BadItem: there is none, or it is no id.
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise BadItem("The id is missing.")
    text = str(value)
    odd = isinstance(value, str) and (_BREAKS.search(text) or _UNSTORABLE.search(text))
    if len(text) > 100 or odd:
        raise BadItem("The id is not one of Zoom's.")
    return text


def moment(value: Any) -> datetime | None:
    """An instant in UTC, or None when it is missing, malformed or outside 2000 to 2200."""
    if not isinstance(value, str) or not value or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        return None
    return found if EARLIEST <= found < LATEST else None


def minutes(value: Any) -> int:
    """A length in minutes: 0 when missing or senseless, at most 31 days."""
    number = whole(value)
    return min(number, LONGEST_MINUTES) if number and number > 0 else 0


def whole(value: Any) -> int | None:
    """A whole number of at most 18 digits, also when it came as text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**18 else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def zone(value: Any) -> str:
    """An IANA zone that this machine knows, else an empty string."""
    return _zone(value) if isinstance(value, str) and len(value) <= 64 else ""


@lru_cache(maxsize=512)
def _zone(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", value):
        return ""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return ""
    return value


def member(payload: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object, or an empty one where Zoom left it out or sent something else."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def members(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list, without what is no object."""
    value = payload.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def link(value: Any) -> str:
    """An https link into one of Zoom's domains, else an empty string.

    Zoom uses vanity hosts, so the domain's end decides (``LINK_HOSTS``).
    """
    if not isinstance(value, str) or len(value) > 2000 or _BREAKS.search(value):
        return ""
    try:
        parts = urlsplit(value)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    allowed = any(host == name or host.endswith(f".{name}") for name in settings.link_hosts)
    local = host in ("localhost", "127.0.0.1")
    if (
        not allowed  # guard: link-leads-to-zoom
        or parts.username
        or parts.scheme not in (("http", "https") if local else ("https",))
    ):
        return ""
    return value
