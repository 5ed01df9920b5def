"""Parses single values of Zoom's payloads, tolerantly and safely.

Zoom omits keys, sends empty strings or, rarely, null; topics may contain any character. The results
can be stored in every database; those of ``single_line`` fit on one line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from ..models.mirror import MAX_MINUTES
from ..utils.zoom_urls import hostname_of, is_zoom_url

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class InvalidItem(ValueError):
    """One object of a page is invalid: it is counted and skipped."""


def text(value: Any, limit: int = 20_000) -> str:
    """Text that may have several lines. U+0000 and lone surrogates become U+FFFD."""
    if value is None or isinstance(value, dict | list):
        return ""
    return _UNSTORABLE.sub("\ufffd", str(value))[:limit]


def single_line(value: Any, limit: int = 300) -> str:
    """Text on one line: no control character can reach a header, an email or a calendar file."""
    return _CONTROL.sub(" ", text(value, limit * 2)).strip()[
        :limit
    ]  # guard: control-characters-removed


def parse_id(value: Any) -> str:
    """An id as text: Zoom sends numbers in API answers and text in some webhooks.

    Raises:
        InvalidItem: the id is missing or malformed.
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InvalidItem("The id is missing.")
    text = str(value)
    is_malformed = isinstance(value, str) and (_CONTROL.search(text) or _UNSTORABLE.search(text))
    if len(text) > 100 or is_malformed:
        raise InvalidItem("The id is not one of Zoom's.")
    return text


def parse_datetime(value: Any) -> datetime | None:
    """A datetime in UTC, or None when it is missing, malformed or outside 2000 to 2200."""
    if not isinstance(value, str) or not value or len(value) > 40:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
    try:
        parsed = parsed.astimezone(UTC)
    except OverflowError:
        return None
    return parsed if EARLIEST <= parsed < LATEST else None


def parse_minutes(value: Any) -> int:
    """A duration in minutes: 0 when missing or invalid, at most 31 days."""
    number = parse_int(value)
    return min(number, MAX_MINUTES) if number and number > 0 else 0


def parse_int(value: Any) -> int | None:
    """An integer of at most 18 digits, also from text; otherwise None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**18 else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def parse_timezone(value: Any) -> str:
    """An IANA time zone that this machine knows, otherwise an empty string."""
    return _timezone_name(value) if isinstance(value, str) and len(value) <= 64 else ""


@lru_cache(maxsize=512)
def _timezone_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", value):
        return ""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return ""
    return value


def get_dict(payload: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object, or an empty one if Zoom omitted it or sent something else."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def get_list(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list; other values are left out."""
    value = payload.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parse_zoom_url(value: Any) -> str:
    """A URL on one of Zoom's domains, otherwise an empty string; see ``zoom_urls``."""
    return value if is_zoom_url(value) else ""  # guard: link-leads-to-zoom


def unknown_link_host(value: Any) -> str:
    """The hostname of a link that is dropped, for the owner; empty if there is nothing to drop."""
    return hostname_of(value) if value and not is_zoom_url(value) else ""


TRUE_VALUES = (True, 1, "1", "true", "yes", "on")
FALSE_VALUES = (False, 0, "0", "false", "no", "off", "", None)


def parse_flag(value: Any, *, missing: bool = False, unknown: bool = True) -> bool:
    """A switch, also from text or a number.

    ``unknown``: what any other value means. Switches that hide something count as on then.
    """
    if value is None or value == "":
        return missing
    return _flag_value(value) in TRUE_VALUES if is_known_flag(value) else unknown


def is_known_flag(value: Any) -> bool:
    """Whether a value of a switch is on, off or missing; owners are told about any other."""
    return _flag_value(value) in (*TRUE_VALUES, *FALSE_VALUES)


def _flag_value(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip().lower()
    return value if value is None or isinstance(value, bool | int) else "?"
