"""Filters, search and empty lists: what an owner asks, and where an empty list leads."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from wagtail.models import Page, ReferenceIndex

from tests.admin.test_listings import index
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


def body(client, kind, **query):
    answer = client.get(index(kind, **query))
    assert answer.status_code == 200
    return answer.content.decode()


def titles(html):
    """The titles of the rows; filters name some, too."""
    return re.findall(r'id="zoomitem_\d+_title">\s*(.*?)\s*<', html)


def second_host(world):
    host = rows.host(world.account, f"Mika of {world.site.hostname}")
    ExposedHost.objects.create(settings=world.choice, host=host)
    date = rows.date(host, topic="Second round")
    item = rows.item(
        world.site, date.meeting, "auto", meeting=date.meeting, last_title="Second round"
    )
    return host, item


def put_on_page(world, item):
    page = world.site.root_page
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
    found = body(as_aurora, "meetings", host=host.pk)
    assert "Second round" in found and "Meeting of aurora" not in found
    everything = body(as_aurora, "meetings")
    assert "Mika of aurora" in everything and "borealis" not in everything
    # A host of another Site is no choice; nothing of it is shown.
    assert "borealis" not in body(as_aurora, "meetings", host=borealis.host.pk)


@pytest.mark.parametrize("kind", ["meetings", "recordings"])
def test_by_use(as_aurora, aurora, kind):
    item = aurora.meeting if kind == "meetings" else aurora.recording
    assert str(item) not in body(as_aurora, kind, used="yes")
    put_on_page(aurora, item)
    assert str(item) in body(as_aurora, kind, used="yes")
    assert str(item) not in body(as_aurora, kind, used="no")


def test_recordings_by_series_and_by_day(as_aurora, aurora):
    for number, days in ((1, 3), (2, 40)):
        start = timezone.now() - timedelta(days=days)
        film = rows.recording(
            aurora.host, topic=f"Series part {number}", meeting_zoom_id="77", start=start
        )
        rows.item(aurora.site, film, "auto", recording=film, last_title=film.topic)
    found = titles(body(as_aurora, "recordings", series="77"))
    assert sorted(found) == ["Series part 1", "Series part 2"]
    since = (timezone.localdate() - timedelta(days=10)).isoformat()
    found = titles(body(as_aurora, "recordings", recorded_from=since))
    assert sorted(found) == ["Film of aurora", "Series part 1"]


def test_the_day_until_which_a_recording_shows_comes_from_all_rules(as_aurora, aurora):
    from wagtail_zoom.admin import formatting

    start = timezone.localtime(aurora.film.start).date()
    assert formatting.day(start + timedelta(days=90)) not in body(as_aurora, "recordings")
    ZoomSettings.objects.filter(pk=aurora.choice.pk).update(recording_days=90)
    assert formatting.day(start + timedelta(days=90)) in body(as_aurora, "recordings")
    own = timezone.localdate() + timedelta(days=5)
    SiteItem.objects.filter(pk=aurora.recording.pk).update(expires_on=own)
    assert formatting.day(own) in body(as_aurora, "recordings")


def test_decisions_of_ones_own_say_you(as_aurora, aurora):
    SiteItem.objects.filter(pk=aurora.meeting.pk).update(
        visibility="hidden", decided_by=aurora.owner, decided_at=timezone.now()
    )
    assert "by you, " in body(as_aurora, "meetings")


# Sign-ups


def test_signups_by_meeting_state_and_name(as_aurora, aurora):
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
    found = body(as_aurora, "registrations", meeting=row.meeting_zoom_id)
    assert "Visitor aurora" in found and "Tom Reuter" not in found
    found = body(as_aurora, "registrations", q="reut")
    assert "Tom Reuter" in found and "Visitor aurora" not in found
    found = body(as_aurora, "registrations", state="approved")
    assert "Tom Reuter" in found and "Visitor aurora" not in found


def test_the_page_of_a_signup_names_the_fields(as_aurora, aurora):
    from django.urls import reverse

    url = reverse("wagtail_zoom_registrations:view", args=[aurora.registration.pk])
    found = as_aurora.get(url).content.decode()
    assert "First name" in found and "first_name" not in found


def test_registered_says_who_sent_the_link(as_aurora, aurora):
    row = Registration.objects.filter(pk=aurora.registration.pk)
    row.update(state="approved", mails={"approved": "2026-01-01T00:00:00"})
    for zoom, said in ((True, "link sent by Zoom"), (False, "link sent by this site")):
        aurora.date.meeting.zoom_notifies = zoom
        aurora.date.meeting.save()
        assert said in body(as_aurora, "registrations")


# Empty lists


def test_meetings_without_a_date_to_come_lead_to_the_others(as_aurora, aurora):
    from wagtail_zoom.models import Occurrence

    past = timezone.now() - timedelta(days=9)
    Occurrence.objects.update(start=past, end=past)
    found = body(as_aurora, "meetings")
    assert "No date to come. 1 meeting is over." in found and "&amp;when=" in found
    assert "Meeting of aurora" in body(as_aurora, "meetings", when="")


def test_meetings_say_how_far_the_import_is(as_aurora, aurora):
    SiteItem.objects.all().delete()
    SyncRun.objects.create(
        account=aurora.account, mode="backfill", state="running", progress={"meeting": [4, 10]}
    )
    assert "The first import is 40 % done." in body(as_aurora, "meetings")


def test_meetings_say_that_zoom_has_none(as_aurora, aurora):
    SiteItem.objects.all().delete()
    assert "Nothing from Zoom yet." in body(as_aurora, "meetings")
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    assert "have no meeting in Zoom." in body(as_aurora, "meetings")
    ZoomSettings.objects.filter(pk=aurora.choice.pk).update(show_meetings=False)
    assert "Meetings and webinars are switched off." in body(as_aurora, "meetings")


def test_recordings_say_that_a_permission_is_missing(as_aurora, aurora):
    SiteItem.objects.all().delete()
    Grant.objects.filter(pk=aurora.grant.pk).update(missing_kinds=["recording"])
    found = body(as_aurora, "recordings")
    assert "Zoom has not allowed this site to read them." in found
    assert "Give the permission" in found


def test_an_inbox_that_is_done_says_so(as_aurora, aurora):
    SiteItem.objects.filter(pk=aurora.recording.pk).update(visibility="hidden")
    assert "You have looked at everything." in body(as_aurora, "recordings", state="new")


def test_activity_of_an_older_day_is_one_press_away(as_aurora, aurora):
    Activity.objects.update(at=timezone.now() - timedelta(days=20))
    found = body(as_aurora, "activity")
    assert "Nothing has happened in the last 7 days." in found and "Show all" in found
    Activity.objects.all().delete()
    assert "Nothing has happened yet." in body(as_aurora, "activity")


def test_a_search_without_a_match_can_be_cleared(as_aurora, aurora):
    for kind in ("meetings", "recordings", "registrations", "activity"):
        found = body(as_aurora, kind, q="nothing is called this")
        assert "No match." in found and "Clear the filters" in found
