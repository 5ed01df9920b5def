"""Validation of the bodies that create and change meetings and webinars."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from . import default_settings
from .clock import parse
from .content import SERIES, UNDATED
from .errors import Problem
from .storage import Doc

Wrong = Iterator[tuple[str, str]]
"""Names of invalid fields, with a text."""

INVALID, REQUIRED = "Invalid field.", "This field is required."
TYPES = {"meeting": (1, 2, 3, 8), "webinar": (5, 6, 9)}
LONGEST_INTERVAL = {1: 90, 2: 12, 3: 3}
"""Type of a rule → its largest ``repeat_interval``: days, weeks, months."""
MAX_CUSTOM_KEYS = 10
CHOICES: dict[str, tuple[Any, ...]] = {
    "approval_type": (0, 1, 2),
    "registration_type": (1, 2, 3),
    "audio": ("both", "telephony", "voip", "thirdParty"),
    "auto_recording": ("local", "cloud", "none"),
    "jbh_time": (0, 5, 10, 15),
    "encryption_type": ("enhanced_encryption", "e2ee"),
}
OF_ONE_DATE = ("agenda", "start_time", "duration", "settings")
SETTINGS_OF_ONE_DATE = (
    "host_video", "participant_video", "join_before_host", "mute_upon_entry", "waiting_room",
    "auto_recording",
)  # fmt: skip
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?")
_PASSCODE = re.compile(r"[A-Za-z0-9@_*-]{0,10}")
_WEEKDAYS = re.compile(r"[1-7](,[1-7])*")


def _text(longest: int, shortest: int = 0) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and shortest <= len(value.strip()) <= longest


def _number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: type(value) is type(values[0]) and value in values


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_time(value: Any) -> bool:
    """UTC with ``Z``, the wall clock without it; within a century, as dates are added to it."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        return 2000 <= parse(value if value.endswith("Z") else f"{value}Z").year < 2100
    except ValueError:
        return False


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (KeyError, ValueError, OSError):
        return False


def _is_custom_keys(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_CUSTOM_KEYS
        and all(
            isinstance(pair, dict)
            and _text(64, 1)(pair.get("key"))
            and _text(256)(pair.get("value"))
            for pair in value
        )
    )


FIELDS: dict[str, Callable[[Any], bool]] = {
    "topic": _text(200, 1),
    "agenda": _text(2000),
    "start_time": _is_time,
    "duration": _number(1, 1440),
    "timezone": _is_zone,
    "password": _matching(_PASSCODE),
    "default_password": _one_of(True, False),
    "default_passcode": _one_of(True, False),
    "schedule_for": _text(200),
    "template_id": _text(200),
}
RULE: dict[str, Callable[[Any], bool]] = {
    "type": _one_of(1, 2, 3),
    "weekly_days": _matching(_WEEKDAYS),
    "monthly_day": _number(1, 31),
    "monthly_week": _one_of(-1, 1, 2, 3, 4),
    "monthly_week_day": _number(1, 7),
    "end_times": _number(1, 60),
    "end_date_time": lambda value: _is_time(value) and value.endswith("Z"),
}


def check_schedule(kind: str, body: dict[str, Any], stored: Doc | None) -> None:
    """Raise 400/300 with every invalid field; ``stored`` is the meeting to change, if any.

    Unknown fields are ignored, as Zoom does.
    """
    _raise(
        [
            *_invalid(FIELDS, body),
            *_types(kind, body, stored),
            *(_rule(body["recurrence"]) if "recurrence" in body else ()),
            *_settings(kind, body.get("settings", {})),
        ]
    )


def check_date(kind: str, body: dict[str, Any]) -> None:
    """Raise 400/300 for what cannot be changed of one date of a series."""
    wrong = [(name, INVALID) for name in body if name not in OF_ONE_DATE]
    wrong += _invalid(FIELDS, {name: body[name] for name in OF_ONE_DATE if name in body})
    settings = body.get("settings", {})
    wrong += _settings(kind, settings)
    if isinstance(settings, dict):
        names = [name for name in settings if name not in SETTINGS_OF_ONE_DATE]
        wrong += [(f"settings.{name}", INVALID) for name in names]
    _raise(wrong)


def known_settings(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings that Zoom knows for meetings or for webinars; it ignores the others."""
    defaults = _defaults(kind)
    return {name: given[name] for name in given if name in defaults}


def _defaults(kind: str) -> dict[str, Any]:
    both = {"approval_type": 2, "registration_type": 1}
    if kind == "webinar":
        return {**default_settings.WEBINAR, **both}
    return {**default_settings.MEETING, **both, "use_pmi": False, "custom_keys": []}


def _raise(wrong: list[tuple[str, str]]) -> None:
    if wrong:
        fields = [{"field": field, "message": message} for field, message in wrong]
        raise Problem(400, 300, "Validation Failed.", fields=fields)


def _invalid(checks: dict[str, Callable[[Any], bool]], body: dict[str, Any]) -> Wrong:
    for name, is_valid in checks.items():
        if name in body and not is_valid(body[name]):
            yield name, INVALID


def _types(kind: str, body: dict[str, Any], stored: Doc | None) -> Wrong:
    """What each type of meeting requires, for a new one or for one that changes its type."""
    if stored is None:
        yield from ((name, REQUIRED) for name in ("topic", "type") if name not in body)
    number = body.get("type", stored["type"] if stored else 0)
    if "type" in body and not _one_of(*TYPES[kind])(number):
        yield "type", INVALID
        return
    former = stored or {"type": 0}
    has_start = "start_time" in body or "start_time" in former
    if number not in UNDATED and number in (2, 5, *SERIES) and not has_start:
        yield "start_time", REQUIRED
    if "recurrence" in body and number not in (*SERIES, *UNDATED):
        yield "recurrence", "Recurrence requires a recurring meeting."
    if "recurrence" not in body and number in SERIES and former["type"] not in SERIES:
        yield "recurrence", REQUIRED


def _rule(rule: Any) -> Wrong:
    if not isinstance(rule, dict):
        yield "recurrence", INVALID
        return
    for name, message in _invalid(RULE, rule):
        yield f"recurrence.{name}", message
    number = rule.get("type")
    if number is None:
        yield "recurrence.type", REQUIRED
    longest = LONGEST_INTERVAL.get(number if type(number) is int else 0, 90)
    if not _number(1, longest)(rule.get("repeat_interval", 1)):
        yield "recurrence.repeat_interval", INVALID
    if ("end_times" in rule) == ("end_date_time" in rule):
        yield "recurrence.end_times", "Either end_times or end_date_time is required."
    if ("monthly_week" in rule) != ("monthly_week_day" in rule):
        yield "recurrence.monthly_week_day", "monthly_week requires monthly_week_day."
    if number == 3 and ("monthly_day" in rule) == ("monthly_week" in rule):
        yield "recurrence.monthly_day", "Either monthly_day or monthly_week is required."


def _settings(kind: str, given: Any) -> Wrong:
    if not isinstance(given, dict):
        yield "settings", INVALID
        return
    defaults = _defaults(kind)
    for name, value in given.items():
        if name not in defaults:
            continue
        if name == "custom_keys":
            is_valid = _is_custom_keys(value)
        elif name in CHOICES:
            is_valid = _one_of(*CHOICES[name])(value)
        else:
            is_valid = type(value) is type(defaults[name])
        if not is_valid:
            yield f"settings.{name}", INVALID
