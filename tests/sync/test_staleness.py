"""Which rows of a listing are read again (S5, S8): no change is missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wagtail_zoom.mapping.meetings import AGENDA_EXCERPT_LENGTH
from wagtail_zoom.models import Meeting, ZoomAccount
from wagtail_zoom.sync.staleness import (
    StoredMeeting,
    is_due,
    stored_meetings,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
START = NOW + timedelta(days=3)
LISTED = {
    "id": 80_000_000_001,
    "host_id": "h1",
    "topic": "Evening",
    "type": 2,
    "start_time": START.isoformat(),
    "duration": 60,
    "timezone": "Europe/Berlin",
    "agenda": "About it.",
}
ROW = StoredMeeting(
    pk=1, zoom_id="80000000001", zoom_type=2, topic="Evening", start=START, duration=60,
    timezone="Europe/Berlin", host_zoom_id="h1", host_id=1, kind="meeting", seen_run=0,
    detail_at=NOW - timedelta(hours=1), removed_at=None, expired_at=None, missing_since=None,
    agenda="About it.", cut_digest="",
)  # fmt: skip


def test_an_unchanged_listing_is_not_read():
    assert not is_due(ROW, LISTED, NOW)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", "Another evening"),
        ("topic", None),
        ("type", 8),
        ("start_time", (START + timedelta(minutes=1)).isoformat()),
        ("start_time", None),
        ("duration", 61),
        ("timezone", "Europe/Paris"),
        ("host_id", "h2"),
        ("agenda", "About something else."),
        ("agenda", None),
    ],
)
def test_each_changed_value_is_noticed(key: str, value: Any):
    assert is_due(ROW, {**LISTED, key: value}, NOW)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", " Evening\n"),
        ("type", "2"),
        ("duration", "60"),
        ("start_time", START.astimezone().isoformat()),
    ],
)
def test_equivalent_values_are_no_change(key: str, value: Any):
    assert not is_due(ROW, {**LISTED, key: value}, NOW)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"detail_at": None}, True),
        ({"removed_at": NOW}, True),
        ({"expired_at": NOW}, True),
        ({"detail_at": NOW - timedelta(hours=25)}, True),
        ({"detail_at": NOW - timedelta(hours=23)}, False),
        ({"zoom_type": 8, "detail_at": NOW - timedelta(hours=6)}, True),
        ({"zoom_type": 8, "detail_at": NOW - timedelta(hours=4)}, False),
    ],
)
def test_old_and_missing_details_are_read_again(fields: dict[str, Any], expected: bool):
    row = ROW._replace(**fields)
    assert is_due(row, {**LISTED, "type": row.zoom_type}, NOW) is expected


def test_past_meetings_are_not_read_again():
    start = NOW - timedelta(days=3)
    row = ROW._replace(start=start, detail_at=NOW - timedelta(days=2))
    assert not is_due(row, {**LISTED, "start_time": start.isoformat()}, NOW)


@pytest.mark.django_db
def test_long_descriptions_are_compared_by_their_first_characters():
    """Zoom cuts them in listings; the database counts characters as Python does."""
    text = "ä🎈" * AGENDA_EXCERPT_LENGTH
    account = ZoomAccount.objects.create(zoom_id="a")
    Meeting.objects.create(
        account=account, host_zoom_id="h1", kind="meeting", zoom_id="80000000001", zoom_type=2,
        topic="Evening", start=START, duration=60, timezone="Europe/Berlin", agenda=text,
        detail_at=NOW,
    )  # fmt: skip
    row = stored_meetings(account, ["80000000001", "80000000002"])["80000000001"]
    assert not is_due(row, {**LISTED, "agenda": text[:AGENDA_EXCERPT_LENGTH]}, NOW)
    assert not is_due(row, {**LISTED, "agenda": text}, NOW)
    assert is_due(
        row, {**LISTED, "agenda": "ä" + text[1:AGENDA_EXCERPT_LENGTH].replace("🎈", "🎉")}, NOW
    )


@pytest.mark.django_db
def test_a_page_is_loaded_by_one_query_and_without_other_accounts(django_assert_num_queries):
    account, other = (ZoomAccount.objects.create(zoom_id=name) for name in "ab")
    for row_account in (account, other):
        Meeting.objects.create(
            account=row_account,
            host_zoom_id=row_account.zoom_id,
            kind="meeting",
            zoom_id="80000000001",
        )
    with django_assert_num_queries(1):
        rows = stored_meetings(account, [str(80_000_000_000 + number) for number in range(300)])
    assert [row.host_zoom_id for row in rows.values()] == ["a"]
