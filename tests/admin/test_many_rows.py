"""Lists with 20,000 rows: as many queries as with 20, and pagination in the database."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin.test_listings import LISTS, index_url
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


def add_rows_of_kind(tenant, kind, count):
    """Add rows of this kind, copied from the existing one."""
    now = timezone.now()
    if kind == "activity":
        activities = (
            Activity(site=tenant.site, category="sync", code="run_done", created_at=now)
            for _number in range(count)
        )
        Activity.objects.bulk_create(activities, batch_size=2000)
    elif kind == "registrations":
        registration = tenant.registration
        Registration.objects.bulk_create(
            (
                Registration(
                    site=tenant.site,
                    account=tenant.account,
                    meeting=registration.meeting,
                    meeting_zoom_id=registration.meeting_zoom_id,
                    snapshot=registration.snapshot,
                    email_index=f"many-{number}",
                    idempotency_key=f"many-{count}-{number}",
                    state="approved",
                )
                for number in range(count)
            ),
            batch_size=2000,
        )
    elif kind == "meetings":
        _meetings(tenant, count)
    else:
        _recordings(tenant, count)


def _meetings(tenant, count):
    start = next(rows.sequence) * 1_000_000
    meetings = Meeting.objects.bulk_create(
        (
            Meeting(
                account=tenant.account,
                host=tenant.host,
                host_zoom_id=tenant.host.zoom_id,
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
    date = tenant.date
    Occurrence.objects.bulk_create(
        (
            Occurrence(
                meeting=meeting,
                account=tenant.account,
                start=date.start,
                end=date.end,
                duration=60,
                state="scheduled",
            )
            for meeting in meetings
        ),
        batch_size=2000,
    )
    SiteItem.objects.bulk_create(
        (
            SiteItem(
                site=tenant.site,
                account=tenant.account,
                kind="meeting",
                key=meeting.zoom_id,
                meeting=meeting,
                visibility="auto",
                last_title=meeting.topic,
            )
            for meeting in meetings
        ),
        batch_size=2000,
    )


def _recordings(tenant, count):
    start = next(rows.sequence) * 1_000_000
    recordings = Recording.objects.bulk_create(
        (
            Recording(
                account=tenant.account,
                host=tenant.host,
                host_zoom_id=tenant.host.zoom_id,
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
                site=tenant.site,
                account=tenant.account,
                kind="recording",
                key=recording.uuid,
                recording=recording,
                visibility="published",
                decided_at=timezone.now(),
                last_title=recording.topic,
            )
            for recording in recordings
        ),
        batch_size=2000,
    )


def measure_visit(client, kind):
    """Queries, seconds and response of a second request."""
    client.get(index_url(kind))
    with CaptureQueriesContext(connection) as captured:
        started_at = time.perf_counter()
        response = client.get(index_url(kind))
        seconds = time.perf_counter() - started_at
    assert response.status_code == 200
    return captured.captured_queries, seconds, response


@pytest.mark.slow
@pytest.mark.parametrize("kind", LISTS)
def test_twenty_thousand_rows_cost_as_much_as_thirty(as_aurora, aurora, kind, monkeypatch):
    """Only one page of rows is read."""
    monkeypatch.setattr(
        "wagtail_zoom.admin.listings.registration.name_and_email", lambda row: ("Ada", "a@b")
    )
    add_rows_of_kind(aurora, kind, FEW)
    few, quick, _response = measure_visit(as_aurora, kind)
    add_rows_of_kind(aurora, kind, MANY)
    many, seconds, response = measure_visit(as_aurora, kind)
    assert len(many) == len(few)
    assert len(response.context["object_list"]) == 20
    assert response.context["paginator"].count >= MANY
    unlimited = [query["sql"] for query in many if _is_unlimited(query["sql"], kind)]
    assert unlimited == []
    assert seconds < 1 + 5 * quick, f"{kind}: {seconds:.2f} s instead of {quick:.2f} s"


def _is_unlimited(sql, kind):
    """Whether a query selects the rows of the list without a limit."""
    tables = {
        "meetings": "wagtail_zoom_siteitem",
        "recordings": "wagtail_zoom_siteitem",
        "registrations": "wagtail_zoom_registration",
        "activity": "wagtail_zoom_activity",
    }
    plain = sql.replace('"', "").replace("`", "")
    selects = plain.startswith(f"SELECT {tables[kind]}.id") and f"FROM {tables[kind]}" in plain
    return selects and " LIMIT " not in plain
