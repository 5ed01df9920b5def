"""Filters, search and empty lists."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Page, ReferenceIndex

from tests.admin.test_listings import index_url
from tests.blocks import rows
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Registration,
    SiteItem,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)

pytestmark = pytest.mark.django_db


def get_body(client, kind, **query):
    response = client.get(index_url(kind, **query))
    assert response.status_code == 200
    return response.content.decode()


def titles(html):
    """The titles of the rows; filters may contain the same titles."""
    return re.findall(r'id="zoomitem_\d+_title">\s*(.*?)\s*<', html)


def second_host(tenant):
    host = rows.host(tenant.account, f"Mika of {tenant.site.hostname}")
    ExposedHost.objects.create(settings=tenant.site_settings, host=host)
    date = rows.occurrence(host, topic="Second round")
    item = rows.item(
        tenant.site, date.meeting, "auto", meeting=date.meeting, last_title="Second round"
    )
    return host, item


def put_on_page(tenant, item):
    page = tenant.site.root_page
    ReferenceIndex.objects.create(
        base_content_type=ContentType.objects.get_for_model(Page),
        content_type=ContentType.objects.get_for_model(page),
        object_id=str(page.pk),
        to_content_type=ContentType.objects.get_for_model(SiteItem),
        to_object_id=str(item.pk),
        model_path="body",
        content_path="body",
        content_path_hash=uuid.uuid4(),
    )


def test_meetings_by_host(as_aurora, aurora, borealis):
    host, _item = second_host(aurora)
    html = get_body(as_aurora, "meetings", host=host.pk)
    assert "Second round" in html and "Meeting of aurora" not in html
    page = get_body(as_aurora, "meetings")
    assert "Mika of aurora" in page and "borealis" not in page
    # Hosts of other Sites are not options.
    assert "borealis" not in get_body(as_aurora, "meetings", host=borealis.host.pk)


@pytest.mark.parametrize("kind", ["meetings", "recordings"])
def test_items_by_use(as_aurora, aurora, kind):
    item = aurora.meeting_item if kind == "meetings" else aurora.recording_item
    assert item.display_title not in get_body(as_aurora, kind, used="yes")
    put_on_page(aurora, item)
    assert item.display_title in get_body(as_aurora, kind, used="yes")
    assert item.display_title not in get_body(as_aurora, kind, used="no")


def test_recordings_by_series_and_by_day(as_aurora, aurora):
    for number, days in ((1, 3), (2, 40)):
        start = timezone.now() - timedelta(days=days)
        recording = rows.recording(
            aurora.host, topic=f"Series part {number}", meeting_zoom_id="77", start=start
        )
        rows.item(aurora.site, recording, "auto", recording=recording, last_title=recording.topic)
    html = titles(get_body(as_aurora, "recordings", series="77"))
    assert sorted(html) == ["Series part 1", "Series part 2"]
    since = (timezone.localdate() - timedelta(days=10)).isoformat()
    html = titles(get_body(as_aurora, "recordings", recorded_from=since))
    assert sorted(html) == ["Film of aurora", "Series part 1"]


def test_recordings_that_were_deleted_make_no_series(as_aurora, aurora):
    """A choice of the filter needs two recordings that are still there."""
    recordings = [
        rows.recording(aurora.host, topic="Series part", meeting_zoom_id="77") for _ in range(2)
    ]
    for recording in recordings:
        rows.item(aurora.site, recording, "auto", recording=recording, last_title="Series part")
    option = re.compile(r'name="series"[^>]*value="77"')
    assert option.search(get_body(as_aurora, "recordings"))
    recordings[0].removed_at = timezone.now()
    recordings[0].save()
    assert not option.search(get_body(as_aurora, "recordings"))


def test_the_last_day_of_a_recording_follows_all_rules(as_aurora, aurora):
    from wagtail_zoom.admin import formatting

    start = timezone.localtime(aurora.recording.start).date()
    assert formatting.day(start + timedelta(days=90)) not in get_body(as_aurora, "recordings")
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(recording_days=90)
    assert formatting.day(start + timedelta(days=90)) in get_body(as_aurora, "recordings")
    own = timezone.localdate() + timedelta(days=5)
    SiteItem.objects.filter(pk=aurora.recording_item.pk).update(expires_on=own)
    assert formatting.day(own) in get_body(as_aurora, "recordings")


def test_own_decisions_are_marked_by_you(as_aurora, aurora):
    SiteItem.objects.filter(pk=aurora.meeting_item.pk).update(
        visibility="hidden", decided_by=aurora.owner, decided_at=timezone.now()
    )
    assert "by you, " in get_body(as_aurora, "meetings")


# Registrations


def test_registrations_by_meeting_state_and_name(as_aurora, aurora):
    row = aurora.registration
    other = Registration(
        site=aurora.site,
        account=aurora.account,
        meeting_zoom_id="999",
        email_index="other",
        idempotency_key="other",
        state="approved",
    )
    other.email = "tom@mail.example"
    other.answers = '{"standard": {"first_name": "Tom", "last_name": "Reuter"}}'
    other.save()
    html = get_body(as_aurora, "registrations", meeting=row.meeting_zoom_id)
    assert "Visitor aurora" in html and "Tom Reuter" not in html
    html = get_body(as_aurora, "registrations", q="reut")
    assert "Tom Reuter" in html and "Visitor aurora" not in html
    html = get_body(as_aurora, "registrations", state="approved")
    assert "Tom Reuter" in html and "Visitor aurora" not in html


def test_the_page_of_a_registration_labels_the_fields(as_aurora, aurora):
    from django.urls import reverse

    url = reverse("wagtail_zoom_registrations:view", args=[aurora.registration.pk])
    html = as_aurora.get(url).content.decode()
    assert "First name" in html and "first_name" not in html


def test_approved_registrations_show_who_sent_the_link(as_aurora, aurora):
    row = Registration.objects.filter(pk=aurora.registration.pk)
    row.update(state="approved", mails={"approved": "2026-01-01T00:00:00"})
    for by_zoom, text in ((True, "link sent by Zoom"), (False, "link sent by this site")):
        aurora.date.meeting.zoom_notifies = by_zoom
        aurora.date.meeting.save()
        assert text in get_body(as_aurora, "registrations")


# Empty lists


def test_meetings_without_upcoming_dates_link_to_past_ones(as_aurora, aurora):
    from wagtail_zoom.models import Occurrence

    past = timezone.now() - timedelta(days=9)
    Occurrence.objects.update(start=past, end=past)
    html = get_body(as_aurora, "meetings")
    assert "No date to come. 1 meeting is over." in html and "&amp;when=" in html
    assert "Meeting of aurora" in get_body(as_aurora, "meetings", when="")


def test_meetings_show_the_progress_of_the_import(as_aurora, aurora):
    SiteItem.objects.all().delete()
    SyncRun.objects.create(
        account=aurora.account, mode="backfill", state="running", progress={"meeting": [4, 10]}
    )
    assert "The first import is 40 % done." in get_body(as_aurora, "meetings")


def test_meetings_report_that_zoom_has_none(as_aurora, aurora):
    SiteItem.objects.all().delete()
    assert "Nothing from Zoom yet." in get_body(as_aurora, "meetings")
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    assert "have no meeting in Zoom." in get_body(as_aurora, "meetings")
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(show_meetings=False)
    assert "Meetings and webinars are switched off." in get_body(as_aurora, "meetings")


def test_recordings_report_a_missing_permission(as_aurora, aurora):
    SiteItem.objects.all().delete()
    Grant.objects.filter(pk=aurora.grant.pk).update(missing_kinds=["recording"])
    html = get_body(as_aurora, "recordings")
    assert "Zoom has not allowed this site to read them." in html
    assert "Give the permission" in html


def test_an_empty_review_list_has_its_own_text(as_aurora, aurora):
    SiteItem.objects.filter(pk=aurora.recording_item.pk).update(visibility="hidden")
    assert "You have looked at everything." in get_body(as_aurora, "recordings", state="new")


def test_an_empty_week_of_activity_links_to_all(as_aurora, aurora):
    Activity.objects.update(created_at=timezone.now() - timedelta(days=20))
    html = get_body(as_aurora, "activity")
    assert "Nothing has happened in the last 7 days." in html and "Show all" in html
    Activity.objects.all().delete()
    assert "Nothing has happened yet." in get_body(as_aurora, "activity")


def test_a_search_without_a_match_can_be_cleared(as_aurora, aurora):
    for kind in ("meetings", "recordings", "registrations", "activity"):
        html = get_body(as_aurora, kind, q="nothing is called this")
        assert "No match." in html and "Clear the filters" in html


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("meetings", ["All", "Upcoming", "Over", "All", "Shown", "Not shown"]),
        ("recordings", ["All", "New", "Published", "Hidden", "Over"]),
        ("registrations", ["All", *(str(label) for label in Registration.State.labels)]),
    ],
)
def test_useful_filters_are_links_above_the_list(as_aurora, aurora, name, labels):
    """Each leads to its rows, keeps the other filters, and the current one is marked."""
    url = reverse(f"wagtail_zoom_{name}:index")
    rows = as_aurora.get(url, {"q": "x", "p": "1"}).context["quick_filters"]
    options = [option for row in rows for option in row["options"]]
    assert [option["label"] for option in options] == labels
    for option in options[1:]:
        assert f"site={aurora.site.pk}" in option["url"] and "q=x" in option["url"]
        assert "p=1" not in option["url"]
        response = as_aurora.get(option["url"])
        current = [
            (row["label"], chosen["label"])
            for row in response.context["quick_filters"]
            for chosen in row["options"]
            if chosen["is_current"]
        ]
        assert option["label"] in [label for _row, label in current]
        assert len(current) == len(rows)
        assert response.content.decode().count('aria-current="true"') >= len(rows)
