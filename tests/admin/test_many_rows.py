"""Lists with 20,000 rows: as many queries as with 20, and the database does the paging."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin.test_listings import LISTS, index
from tests.blocks import rows
from wagtail_zoom.models import (
    Activity,
    Meeting,
    Occurrence,
    Recording,
    Registration,
    SiteItem,
)

pytestmark = pytest.mark.django_db
MANY = 20_000
FEW = 30


def grow(world, kind, count):
    """Many more rows of this kind, copied from the one there is."""
    now = timezone.now()
    if kind == "activity":
        rows_ = (
            Activity(site=world.site, category="sync", code="run_done", at=now)
            for _number in range(count)
        )
        Activity.objects.bulk_create(rows_, batch_size=2000)
    elif kind == "registrations":
        one = world.registration
        Registration.objects.bulk_create(
            (
                Registration(
                    site=world.site,
                    account=world.account,
                    meeting=one.meeting,
                    meeting_zoom_id=one.meeting_zoom_id,
                    snapshot=one.snapshot,
                    email_index=f"many-{number}",
                    idempotency_key=f"many-{count}-{number}",
                    state="approved",
                )
                for number in range(count)
            ),
            batch_size=2000,
        )
    elif kind == "meetings":
        _meetings(world, count)
    else:
        _recordings(world, count)


def _meetings(world, count):
    start = next(rows.numbers) * 1_000_000
    made = Meeting.objects.bulk_create(
        (
            Meeting(
                account=world.account,
                host=world.host,
                host_zoom_id=world.host.zoom_id,
                zoom_id=str(start + number),
                kind="meeting",
                zoom_type=2,
                topic=f"Evening {number}",
                detail_at=timezone.now(),
                approval_type=2,
            )
            for number in range(count)
        ),
        batch_size=2000,
    )
    date = world.date
    Occurrence.objects.bulk_create(
        (
            Occurrence(
                meeting=meeting,
                account=world.account,
                start=date.start,
                end=date.end,
                duration=60,
                state="scheduled",
            )
            for meeting in made
        ),
        batch_size=2000,
    )
    SiteItem.objects.bulk_create(
        (
            SiteItem(
                site=world.site,
                account=world.account,
                kind="meeting",
                key=meeting.zoom_id,
                meeting=meeting,
                visibility="auto",
                last_title=meeting.topic,
            )
            for meeting in made
        ),
        batch_size=2000,
    )


def _recordings(world, count):
    start = next(rows.numbers) * 1_000_000
    made = Recording.objects.bulk_create(
        (
            Recording(
                account=world.account,
                host=world.host,
                host_zoom_id=world.host.zoom_id,
                uuid=f"many-{start + number}",
                topic=f"Film {number}",
                is_ready=True,
                zoom_type="2",
                start=timezone.now(),
            )
            for number in range(count)
        ),
        batch_size=2000,
    )
    SiteItem.objects.bulk_create(
        (
            SiteItem(
                site=world.site,
                account=world.account,
                kind="recording",
                key=film.uuid,
                recording=film,
                visibility="published",
                decided_at=timezone.now(),
                last_title=film.topic,
            )
            for film in made
        ),
        batch_size=2000,
    )


def look(client, kind):
    """Queries and seconds of one visit, the second one."""
    client.get(index(kind))
    with CaptureQueriesContext(connection) as captured:
        began = time.perf_counter()
        answer = client.get(index(kind))
        seconds = time.perf_counter() - began
    assert answer.status_code == 200
    return captured.captured_queries, seconds, answer


@pytest.mark.slow
@pytest.mark.parametrize("kind", LISTS)
def test_twenty_thousand_rows_open_like_thirty(as_aurora, aurora, kind, monkeypatch):
    """Issue 3, Shows 5. Twenty rows are read, however many there are."""
    monkeypatch.setattr(
        "wagtail_zoom.admin.listings.registration.person_of", lambda row: ("Ada", "a@b")
    )
    grow(aurora, kind, FEW)
    few, quick, _answer = look(as_aurora, kind)
    grow(aurora, kind, MANY)
    many, seconds, answer = look(as_aurora, kind)
    assert len(many) == len(few)
    assert len(answer.context["object_list"]) == 20
    assert answer.context["paginator"].count >= MANY
    unlimited = [query["sql"] for query in many if _reads_all(query["sql"], kind)]
    assert unlimited == []
    assert seconds < 1 + 5 * quick, f"{kind}: {seconds:.2f} s instead of {quick:.2f} s"


def _reads_all(sql, kind):
    """A query for the rows of the list itself without a limit."""
    tables = {
        "meetings": "wagtail_zoom_siteitem",
        "recordings": "wagtail_zoom_siteitem",
        "registrations": "wagtail_zoom_registration",
        "activity": "wagtail_zoom_activity",
    }
    plain = sql.replace('"', "").replace("`", "")
    selects = plain.startswith(f"SELECT {tables[kind]}.id") and f"FROM {tables[kind]}" in plain
    return selects and " LIMIT " not in plain
