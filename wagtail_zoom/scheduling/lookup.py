"""Looks for a new meeting whose creation Zoom did not answer.

By our key in ``settings.custom_keys``. Where Zoom does not give it back, by topic, type and start,
among the meetings that Zoom has created since the first attempt, that no other row has claimed and
that were not known before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from ..client import SiteClient
from ..exceptions import ZoomNotFound
from ..mapping.parsing import get_dict, get_list, parse_datetime, parse_int
from ..models import Meeting, MeetingChange
from .recurrence import RecurrenceRule, UnknownRule

CUSTOM_KEY = "wagtail-zoom"
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far our clock may be ahead of Zoom's."""
CLOCK_CHANGE = timedelta(hours=1)
"""How far clocks are changed at most."""


class NumberTaken(Exception):
    """Another row has created, or claimed, this meeting."""


def custom_keys(row: MeetingChange) -> list[dict[str, str]]:
    """What a new meeting is recognised by."""
    return [{"key": CUSTOM_KEY, "value": str(row.public_id)}]


def find_created(row: MeetingChange, client: SiteClient, body: dict[str, Any]) -> str:
    """The number of the meeting that this row has created; empty if Zoom lists none."""
    similar: list[tuple[str, str]] = []
    for item in _candidates(row, client, body):
        number = str(item["id"])
        try:
            detail = client.meeting(number, row.kind)
        except ZoomNotFound:
            continue
        value = _own_key(detail)
        if value == str(row.public_id):
            return number
        if value is None and _is_similar(row, detail, body):
            similar.append((str(item["created_at"]), number))
    if not similar:
        return ""
    if len(similar) <= _twins_under_way(row):
        raise NumberTaken
    # The oldest: younger ones may be of rows that were sent later, which do not look so far back.
    return min(similar)[1]


def _twins_under_way(row: MeetingChange) -> int:
    """How many equal rows wait for an answer of Zoom: one of the meetings can be theirs."""
    return MeetingChange.objects.filter(
        account=row.account_id, host_zoom_id=row.host_zoom_id, kind=row.kind, topic=row.topic,
        action=MeetingChange.Action.CREATE, created_zoom_id=None, maybe_sent_at__isnull=False,
        lease_until__gte=timezone.now(),
    ).exclude(pk=row.pk).count()  # fmt: skip


def _candidates(
    row: MeetingChange, client: SiteClient, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """Listed meetings to be read: new, of the type, and of no other row; those of the topic first.

    Each is one call. The others matter too: somebody may have changed the topic at Zoom meanwhile.
    """
    pages = client.meetings(row.host_zoom_id, row.kind)
    items = [item for page in pages for item in page.items if _is_new(row, item, body)]
    numbers = [str(item["id"]) for item in items]
    claimed = set(
        MeetingChange.objects.filter(
            account=row.account_id, created_zoom_id__in=numbers
        ).values_list("created_zoom_id", flat=True)
    )
    free = [item for item in items if str(item["id"]) not in claimed]
    return sorted(free, key=lambda item: str(item.get("topic", "")).strip() != body["topic"])


def _is_new(row: MeetingChange, item: dict[str, Any], body: dict[str, Any]) -> bool:
    created_at = parse_datetime(item.get("created_at"))
    if row.maybe_sent_at is None or created_at is None or not item.get("id"):
        return False
    if created_at < row.maybe_sent_at - CLOCK_TOLERANCE:
        return False
    return bool(parse_int(item.get("type")) == body["type"])


def _own_key(detail: dict[str, Any]) -> str | None:
    """The value of our key; None if Zoom gives no keys back, or none of ours."""
    for pair in get_list(get_dict(detail, "settings"), "custom_keys"):
        if pair.get("key") == CUSTOM_KEY:
            return str(pair.get("value"))
    return None


def _is_similar(row: MeetingChange, detail: dict[str, Any], body: dict[str, Any]) -> bool:
    number = str(detail.get("id"))
    known_rows = Meeting.objects.filter(
        account=row.account_id, zoom_id=number, created_at__lt=row.maybe_sent_at
    )
    if known_rows.exists():
        return False
    if str(detail.get("creation_source") or "open_api") != "open_api":
        return False
    return str(detail.get("topic", "")).strip() == body["topic"].strip() and _is_same_time(
        detail, body
    )


def _is_same_time(detail: dict[str, Any], body: dict[str, Any]) -> bool:
    """Whether it has the start, or is a series whose first date can be that of this rule.

    Zoom makes the dates: the first one is known only if the day of the start is one of the rule's.
    Otherwise it is a later day at about the same hour, as the clocks may change in between.
    """
    times = [detail, *get_list(detail, "occurrences")[:1]]
    starts = {parse_datetime(item.get("start_time")) for item in times} - {None}
    start = start_of(body)
    if start is None or not starts or start in starts:
        return True
    zone = zone_of(body)
    rule = _rule(body, zone, start)
    if rule is None or rule.includes(start.astimezone(zone).date()):
        return False
    return any(
        first is not None and first > start and _away_from_days(first - start) <= CLOCK_CHANGE
        for first in starts
    )


def _away_from_days(span: timedelta) -> timedelta:
    """How much longer or shorter than some whole days."""
    rest = span % timedelta(days=1)
    return min(rest, timedelta(days=1) - rest)


def start_of(body: dict[str, Any]) -> datetime | None:
    """The start that is sent to Zoom: a wall clock with a zone, or UTC."""
    text, zone = str(body.get("start_time") or ""), body.get("timezone")
    if not text or text.endswith("Z") or not zone:
        return parse_datetime(text)
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(str(zone)))


def zone_of(body: dict[str, Any]) -> ZoneInfo:
    """The time zone in which a meeting has its hour."""
    try:
        return ZoneInfo(str(body.get("timezone") or "UTC"))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def same_rule(stored: dict[str, Any], body: dict[str, Any]) -> bool:
    """Whether Zoom has the rule of this body already, however it writes it."""
    zone = zone_of({**stored, **body})
    first = start_of({"timezone": zone.key, **body}) or parse_datetime(stored.get("start_time"))
    sent = _rule(body, zone, first)
    return sent is not None and sent == _rule(stored, zone, first)


def _rule(body: dict[str, Any], zone: ZoneInfo, first: datetime | None) -> RecurrenceRule | None:
    """The rule of a series; None of other meetings, and if it is not known here."""
    recurrence = get_dict(body, "recurrence")
    day = (first or timezone.now()).astimezone(zone).date()
    try:
        return RecurrenceRule.from_zoom(recurrence, zone, day) if recurrence else None
    except UnknownRule:
        return None
