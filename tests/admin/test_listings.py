"""The lists: content, number of queries, exports; curation."""

from __future__ import annotations

import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Page, Site
from wagtail.models.audit_log import ModelLogEntry
from wagtail.users.models import UserProfile

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.admin import formatting
from wagtail_zoom.admin.listings import base
from wagtail_zoom.admin.listings.base import escape_formula
from wagtail_zoom.admin.listings.edit import ItemForm, zoom_values
from wagtail_zoom.models import (
    Activity,
    BlockUsage,
    HostVersion,
    Meeting,
    Occurrence,
    RecordingRule,
    Registration,
    RegistrationDate,
    SiteItem,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.signals import mirror_changed

pytestmark = pytest.mark.django_db
LISTS = ("meetings", "recordings", "registrations", "activity")


def index_url(kind, **query):
    from urllib.parse import urlencode

    return f"{reverse(f'wagtail_zoom_{kind}:index')}?{urlencode(query)}"


def add_rows(tenant, n):
    for number in range(n):
        date = rows.occurrence(tenant.host, topic=f"Extra {number}", agenda="x")
        rows.item(tenant.site, date.meeting, "auto", meeting=date.meeting, last_title="Extra")
        recording = rows.recording(tenant.host, topic=f"Extra film {number}")
        rows.item(tenant.site, recording, "auto", recording=recording, last_title="Extra film")
        Activity.objects.create(site=tenant.site, category="sync", code="run_done")
        row = Registration(
            site=tenant.site,
            account=tenant.account,
            meeting_zoom_id="1",
            email_index=f"{number}",
            idempotency_key=f"{number}",
        )
        row.email, row.answers = "x@example.org", "{}"
        row.save()


@pytest.mark.parametrize("kind", LISTS)
def test_queries_do_not_grow_with_the_list(as_aurora, aurora, kind, django_assert_num_queries):
    add_rows(aurora, 3)
    as_aurora.get(index_url(kind))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        as_aurora.get(index_url(kind))
    add_many_rows(aurora)
    with django_assert_num_queries(len(captured)):
        assert as_aurora.get(index_url(kind)).status_code == 200


def add_many_rows(tenant):
    Registration.objects.exclude(pk=tenant.registration.pk).delete()
    add_rows(tenant, 25)


def test_meetings_show_why_one_is_not_visible(as_aurora, aurora):
    hidden = rows.occurrence(aurora.host, topic="Teachers’ evening")
    rows.item(aurora.site, hidden.meeting, "hidden", meeting=hidden.meeting)
    unmarked = rows.occurrence(aurora.host, topic="Staff round")
    rows.item(aurora.site, unmarked.meeting, "auto", meeting=unmarked.meeting, last_title="Staff")
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(
        item_rule="marked", mark_word="Meeting of"
    )
    body = as_aurora.get(index_url("meetings")).content.decode()
    assert "The word “Meeting of” is not in its topic" in body
    assert "Hidden" in body and "Shown" in body
    assert "Staff" in as_aurora.get(index_url("meetings", visitors="no")).content.decode()
    shown = as_aurora.get(index_url("meetings", visitors="yes")).content.decode()
    assert "Meeting of aurora" in shown and "Staff" not in shown


def test_meetings_show_upcoming_ones_by_default(as_aurora, aurora):
    over = rows.occurrence(aurora.host, topic="Long ago", start=timezone.now() - timedelta(days=9))
    rows.item(aurora.site, over.meeting, "auto", meeting=over.meeting, last_title="Long ago")
    assert "Long ago" not in as_aurora.get(index_url("meetings")).content.decode()
    assert "Long ago" in as_aurora.get(index_url("meetings", when="past")).content.decode()
    assert "Long ago" in as_aurora.get(index_url("meetings", when="")).content.decode()
    html = as_aurora.get(index_url("meetings", when="", q="long")).content.decode()
    assert "Long ago" in html and "Meeting of aurora" not in html


def test_every_page_with_times_names_its_time_zone(as_aurora, aurora):
    """The owner's time zone may differ from the meeting's."""
    UserProfile.objects.create(user=aurora.owner, current_time_zone="America/New_York")
    lists = [
        f"/admin/zoom/{name}/" for name in ("meetings", "recordings", "registrations", "activity")
    ]
    items = (
        reverse("wagtail_zoom_meetings:edit", args=[aurora.meeting_item.pk]),
        reverse("wagtail_zoom_recordings:edit", args=[aurora.recording_item.pk]),
    )
    RegistrationDate.objects.create(
        registration=aurora.registration, occurrence=aurora.date, start=aurora.date.start
    )
    person = reverse("wagtail_zoom_registrations:view", args=[aurora.registration.pk])
    visitors, chooser = f"/admin/zoom/{aurora.site.pk}/visitors/", "/admin/zoom/items/choose/"
    panel = f"/admin/settings/wagtail_zoom/zoomsettings/{aurora.site.pk}/"
    for url in (*lists, *items, person, visitors, chooser, panel):
        assert "All times are New York time." in as_aurora.get(url).content.decode(), url
    start = aurora.date.start.astimezone(ZoneInfo("America/New_York"))
    assert f"{start:%H:%M}" in as_aurora.get(lists[0]).content.decode()


def test_new_recordings_come_first(as_aurora, aurora):
    old = rows.recording(aurora.host, topic="Published film")
    rows.item(aurora.site, old, recording=old, last_title="Published film")
    body = as_aurora.get(index_url("recordings")).content.decode()
    assert "1 new recording" in body
    assert body.index("Film of aurora") < body.index("Published film")
    assert (
        "Published film" not in as_aurora.get(index_url("recordings", state="new")).content.decode()
    )


def test_empty_lists_give_the_reason(as_aurora, aurora):
    SiteItem.objects.all().delete()
    assert b"No recordings yet." in as_aurora.get(index_url("recordings")).content
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(show_recordings=False)
    assert b"Recordings are switched off." in as_aurora.get(index_url("recordings")).content
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(grant=None, account=None)
    assert b"Zoom is not connected." in as_aurora.get(index_url("recordings")).content


def test_the_list_of_a_user_with_several_sites(as_root, aurora, borealis):
    body = as_root.get(index_url("meetings", site=borealis.site.pk)).content.decode()
    assert "Meeting of borealis" in body and "Meeting of aurora" not in body


# Files


FORMULAS = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "\r=1",
    "Mika;=1+1",
    "a; =1",
    ";@x",
    "a;;+1",
    "a\t=1",
    "a\n=1",
    "\uff1d1",
    "a;\uff0b1",
    "\uff0d1",
    "\uff201",
    " =1",
    "\u00a0=1",
    'a;"=1+1;b',
    'a; "@x',
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(text):
    """X18: at commas, semicolons, tabs or line breaks; full-width signs count as well."""
    cells = re.split("[,;\t\r\n]", escape_formula(text))
    # A quotation mark after a semicolon is doubled in the file, and opens a cell of its own there.
    assert not [cell for cell in cells if re.match(r"[\s\"]*[=+@\uff1d\uff0b\uff0d\uff20-]", cell)]
    assert escape_formula(text).replace("'", "") == text


def test_other_cells_are_left_as_they_are():
    for value in ("Mika; Tanaka", "a-b", "1 + 1", "x=1", "a@b.example", -1, 2.5, None, ""):
        assert escape_formula(value) == value


@pytest.mark.parametrize("text", FORMULAS[:8])
def test_exports_contain_no_formulas(as_aurora, aurora, text):
    """X18"""
    answers = {"standard": {"first_name": text}}
    aurora.registration.answers = json.dumps(answers)
    aurora.registration.save()
    csv = b"".join(as_aurora.get(index_url("registrations", export="csv"))).decode()
    cell = csv.splitlines()[1].split(",")[0].strip('"')
    assert cell.startswith("'") or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    response = as_aurora.get(index_url("registrations", export="xlsx"))
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response))).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_the_page_of_a_registration_says_which_emails_are_due(as_aurora, aurora):
    """A second email about a new time waits for an hour, and does not count as being sent."""
    row, now = aurora.registration, timezone.now()
    url = reverse("wagtail_zoom_registrations:view", args=[row.pk])
    assert "The next one" not in as_aurora.get(url).content.decode()
    row.mails, row.mail_due, row.mail_at = {"approved": now.isoformat()}, "moved", now
    row.save()
    page = as_aurora.get(url).content.decode()
    assert "You are registered: " in page and "The next one is being sent." in page
    row.mail_at = now + timedelta(minutes=50)
    row.save()
    page = as_aurora.get(url).content.decode()
    assert f"The next one is sent at {formatting.date_time(row.mail_at)}." in page
    assert "being sent" not in page


def test_a_workbook_with_too_many_rows_is_refused(as_aurora, aurora, monkeypatch):
    """It is made in the request, and 20,000 rows take longer than a web server waits."""
    monkeypatch.setattr(base, "MAX_WORKBOOK_ROWS", 0)
    list_url = f"{reverse('wagtail_zoom_registrations:index')}?site={aurora.site.pk}"
    response = as_aurora.get(f"{list_url}&export=xlsx", follow=True)
    assert response.redirect_chain[-1][0] == list_url
    assert "has room for 0 rows, and these are 1. Download CSV" in response.content.decode()
    assert not Activity.objects.filter(code="registrations_exported").exists()
    assert b"visitor@" in b"".join(as_aurora.get(f"{list_url}&export=csv"))


def test_exports_contain_all_rows_and_are_logged(as_aurora, aurora):
    add_rows(aurora, 25)
    csv = b"".join(as_aurora.get(index_url("meetings", export="csv"))).decode()
    assert len(csv.strip().splitlines()) == 27 and csv.startswith("Title,When,Host")
    b"".join(as_aurora.get(index_url("registrations", export="csv")))
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.export").count() == 1
    assert "exported the registrations" in as_aurora.get(index_url("activity")).content.decode()


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_exports_use_the_language_and_zone_of_the_list(as_aurora, aurora, format):
    """A file is streamed after the request, a workbook has no time zones; both use the user's."""
    UserProfile.objects.update_or_create(
        user=aurora.owner,
        defaults={"preferred_language": "de", "current_time_zone": "Asia/Kolkata"},
    )
    aurora.registration.created_at = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
    aurora.registration.save()
    file = b"".join(as_aurora.get(index_url("registrations", export=format)))
    if format == "csv":
        heading, row = file.decode().splitlines()[:2]
        assert heading.startswith("Person,E-Mail,Meeting,Termin,Angemeldet am")
        assert "2026-03-02 01:30:00+05:30" in row
    else:
        cells = list(openpyxl.load_workbook(io.BytesIO(file)).active.iter_rows(values_only=True))
        column = cells[0].index("Angemeldet am (Asia/Kolkata)")
        assert cells[1][column] == datetime(2026, 3, 2, 1, 30)


def test_reading_registrations_is_logged_once_an_hour(as_aurora, aurora):
    for _again in range(3):
        assert b"visitor@aurora.example" in as_aurora.get(index_url("registrations")).content
    entry = ModelLogEntry.objects.get(action="wagtail_zoom.registrants")
    assert entry.user == aurora.owner and "visitor" not in json.dumps(entry.data)


def test_registrations_are_searched_by_whole_email(as_aurora, aurora):
    from wagtail_zoom.registration import tokens

    email = "visitor@aurora.example"
    Registration.objects.update(email_index=tokens.email_index(email))
    assert b"Visitor" in as_aurora.get(index_url("registrations", q=email.upper())).content
    assert b"No match." in as_aurora.get(index_url("registrations", q="visitor@aurora")).content


def test_decide_on_a_registration(as_aurora, aurora):
    row = aurora.registration
    Registration.objects.filter(pk=row.pk).update(state="pending")
    body = as_aurora.get(index_url("registrations")).content.decode()
    assert "Approve" in body and "Deny" in body
    url = reverse("wagtail_zoom_registrations:approve", args=[row.pk])
    assert as_aurora.post(url).status_code == 302
    assert Activity.objects.filter(code="registration_approved", user=aurora.owner).exists()
    detail = as_aurora.get(reverse("wagtail_zoom_registrations:view", args=[row.pk]))
    assert b"visitor@aurora.example" in detail.content


# Curation


def edit(tenant, item, **data):
    kind = "recordings" if item.kind == "recording" else "meetings"
    return reverse(f"wagtail_zoom_{kind}:edit", args=[item.pk]), {"title": "", **data}


def test_a_correction_that_is_incomplete_is_not_saved(as_aurora, aurora):
    """The owner reads what is missing; what the person entered stays, and nothing is sent."""
    before = Registration.objects.values().get(pk=aurora.registration.pk)
    url = reverse("wagtail_zoom_registrations:edit", args=[aurora.registration.pk])
    assert as_aurora.get(url).status_code == 200
    response = as_aurora.post(url, {"first_name": "New", "last_name": "Name", "email": "none"})
    assert response.status_code == 200
    assert "email" in response.context["form"].errors
    assert Registration.objects.values().get(pk=aurora.registration.pk) == before


def test_publish_a_recording(as_aurora, aurora, django_capture_on_commit_callbacks):
    recording_ids = []

    def receive(**kwargs):
        recording_ids.append(kwargs["recordings"])

    mirror_changed.connect(receive)
    versions = list(HostVersion.objects.filter(host=aurora.recording.host).values())
    url, data = edit(
        aurora,
        aurora.recording_item,
        title="Own",
        tags="calm, evening,calm",
        **{"action-publish": "1"},
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert as_aurora.post(url, data).status_code == 302
    item = SiteItem.objects.get(pk=aurora.recording_item.pk)
    assert (item.visibility, item.title, item.decided_by) == ("published", "Own", aurora.owner)
    assert [tag.name for tag in item.tags.all()] == ["calm", "evening"]
    assert recording_ids == [{aurora.recording.pk}]
    assert list(HostVersion.objects.filter(host=aurora.recording.host).values()) != versions
    assert Activity.objects.filter(code="item_published", user=aurora.owner).exists()
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.publish").exists()


def test_save_only_decides_nothing(as_aurora, aurora):
    url, data = edit(aurora, aurora.recording_item, title="Own", **{"action-save": "1"})
    as_aurora.post(url, data)
    item = SiteItem.objects.get(pk=aurora.recording_item.pk)
    assert (item.visibility, item.title) == ("auto", "Own")


def test_saving_keeps_changes_made_since_the_form_was_loaded(aurora):
    """The sync links an item to a new meeting, and another user decides on it."""
    item = aurora.meeting_item
    new_meeting = rows.occurrence(aurora.host, topic="Imported anew").meeting
    form = ItemForm({"title": "Own", "tags": "calm"}, instance=item, for_user=aurora.owner)
    values = {"meeting": new_meeting, "last_title": new_meeting.topic, "visibility": "hidden"}
    SiteItem.objects.filter(pk=item.pk).update(**values)
    assert form.is_valid(), form.errors
    form.save()
    item = SiteItem.objects.get(pk=item.pk)
    assert (item.title, item.meeting, item.last_title) == ("Own", new_meeting, new_meeting.topic)
    assert item.visibility == "hidden"
    assert [tag.name for tag in item.tags.all()] == ["calm"]


@pytest.mark.parametrize(("zoom_type", "kind"), [(3, "meeting"), (6, "webinar")])
def test_a_meeting_without_fixed_time_shows_no_number_of_dates(as_aurora, aurora, zoom_type, kind):
    ZoomSettings.objects.update(show_webinars=True)
    values = {"zoom_type": zoom_type, "kind": kind}
    meeting = rows.occurrence(aurora.host, topic="Any time", **values).meeting
    meeting.occurrences.all().delete()
    item = rows.item(aurora.site, meeting, "auto", meeting=meeting)
    values_shown = dict(zoom_values(item, meeting))
    assert values_shown["When"] == "no fixed date" and "Dates to come" not in values_shown
    assert "no fixed date" in as_aurora.get(edit(aurora, item)[0]).content.decode()
    dated = aurora.meeting_item
    assert dict(zoom_values(dated, dated.meeting))["Dates to come"] == "1"


def test_a_series_shows_its_next_occurrence(aurora):
    """Its first one may be long past."""
    now = timezone.now()
    first = rows.occurrence(aurora.host, topic="Series", start=now - timedelta(days=40)).meeting
    Meeting.objects.filter(pk=first.pk).update(start=now - timedelta(days=40), zoom_type=8)
    item = rows.item(aurora.site, first, "auto", meeting=first)
    for days, state in ((2, "cancelled"), (9, "scheduled")):
        start = now + timedelta(days=days)
        Occurrence.objects.create(
            meeting=first, account=first.account, zoom_id=str(days), state=state, duration=60,
            start=start, end=start + timedelta(hours=1),
        )  # fmt: skip
    item.meeting.refresh_from_db()
    values_shown = dict(zoom_values(item, item.meeting))
    assert values_shown["When"].startswith(formatting.date_time(now + timedelta(days=9)))
    assert values_shown["Dates to come"] == "2"


def test_hide_a_meeting(as_aurora, aurora):
    url, data = edit(aurora, aurora.meeting_item, **{"action-hide": "1"})
    as_aurora.post(url, data)
    assert SiteItem.objects.get(pk=aurora.meeting_item.pk).visibility == "hidden"
    assert b"You have hidden it." in as_aurora.get(url).content


def test_site_and_kind_cannot_be_posted(as_aurora, aurora, borealis):
    url, data = edit(
        aurora, aurora.meeting_item, site=borealis.site.pk, account=borealis.account.pk
    )
    as_aurora.post(url, {**data, "kind": "recording"})
    item = SiteItem.objects.get(pk=aurora.meeting_item.pk)
    assert (item.site_id, item.account_id, item.kind) == (
        aurora.site.pk,
        aurora.account.pk,
        "meeting",
    )


def test_images_of_others_cannot_be_used(as_aurora, aurora):
    from wagtail.images import get_image_model
    from wagtail.images.tests.utils import get_test_image_file

    image = get_image_model().objects.create(title="Foreign", file=get_test_image_file())
    url, data = edit(aurora, aurora.meeting_item, image=image.pk)
    response = as_aurora.post(url, data)
    assert response.status_code == 200 and b"You may not use this image." in response.content
    assert SiteItem.objects.get(pk=aurora.meeting_item.pk).image_id is None


def test_bulk_publish_hide_and_tag(as_aurora, aurora):
    def act(name, **data):
        url = reverse("wagtail_bulk_action", args=["wagtail_zoom", "siteitem", name])
        return as_aurora.post(
            f"{url}?id={aurora.recording_item.pk}&id={aurora.meeting_item.pk}", data
        )

    assert act("zoom_publish").status_code == 302
    assert SiteItem.objects.filter(visibility="published").count() == 2
    act("zoom_hide")
    assert SiteItem.objects.filter(visibility="hidden").count() == 2
    act("zoom_tag", tags="a, b")
    act("zoom_tag", tags="b, c")
    assert aurora.meeting_item.tags.count() == 3


def test_bulk_decisions_on_registrations(as_aurora, aurora):
    def act(name, method="post"):
        url = reverse("wagtail_bulk_action", args=["wagtail_zoom", "registration", name])
        return getattr(as_aurora, method)(f"{url}?id={aurora.registration.pk}")

    question = act("zoom_deny", "get").content.decode()
    assert (
        "Not possible in their present state" in question
        and "Visitor aurora: Needs attention" in question
    )
    Registration.objects.update(state="pending")
    question = act("zoom_deny", "get").content.decode()
    assert "Deny 1 person?" in question and "Zoom informs them that they have no place." in question
    assert act("zoom_approve").status_code == 302
    assert Registration.objects.get().task == "approve"
    Registration.objects.update(state="failed", task="")
    act("zoom_retry")
    assert Registration.objects.get().state == "waiting"
    codes = Activity.objects.filter(user=aurora.owner).values_list("code", flat=True)
    assert set(codes) == {"registration_approved", "registration_retried"}


def test_rule_for_future_recordings(as_aurora, aurora):
    url = reverse("wagtail_zoom_recordings:rule", args=[aurora.recording_item.pk])
    assert as_aurora.post(url, {"series": "publish"}).status_code == 404  # no series
    aurora.recording.meeting_zoom_id = "77"
    aurora.recording.save()
    assert b"Make this the rule" in as_aurora.get(edit(aurora, aurora.recording_item)[0]).content
    as_aurora.post(url, {"series": "publish"})
    assert RecordingRule.objects.get(settings=aurora.site_settings).meeting_zoom_id == "77"
    as_aurora.post(url, {"series": "none", "host": "hide"})
    rule = RecordingRule.objects.get(settings=aurora.site_settings)
    assert (rule.host_zoom_id, rule.meeting_zoom_id, rule.action) == ("host-aurora", "", "hide")
    for wrong in ({}, {"series": "nonsense"}, {"rule": "publish"}):
        assert as_aurora.post(url, wrong).status_code == 404


def test_rules_are_listed_and_ended_on_the_panel(as_aurora, aurora, borealis):
    own, foreign = (
        RecordingRule.objects.create(
            settings=tenant.site_settings, host_zoom_id=tenant.host.zoom_id, action="publish"
        )
        for tenant in (aurora, borealis)
    )
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Recordings of Host host-aurora" in body and "are published automatically" in body
    end = f"/admin/zoom/{aurora.site.pk}/rules/{{}}/end/"
    assert as_aurora.post(end.format(foreign.pk)).status_code == 404
    assert as_aurora.post(end.format(own.pk)).status_code == 302
    assert list(RecordingRule.objects.all()) == [foreign]
    assert "Recordings of Host" not in as_aurora.get(aurora.panel).content.decode()


def test_a_recording_can_be_watched_before_it_is_published(as_aurora, aurora, settings):
    url = reverse("wagtail_zoom_recordings:watch", args=[aurora.recording_item.pk])
    assert as_aurora.get(url).status_code == 404  # no link
    recording = aurora.recording
    recording.share_url, recording.passcode = "https://zoom.us/rec/share/abc", "hush"
    recording.save()
    assert url in as_aurora.get(edit(aurora, aurora.recording_item)[0]).content.decode()
    page = as_aurora.get(url)
    assert 'value="hush"' in page.content.decode() and "rec/share" not in page.content.decode()
    redirect = as_aurora.get(f"{url}?go=1")
    assert redirect["Location"] == "https://zoom.us/rec/share/abc"
    for response in (page, redirect):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"
    recording.passcode = "a-long-one-that-nobody-types"
    recording.save()
    assert as_aurora.get(url)["Location"].endswith("?pwd=a-long-one-that-nobody-types")
    recording.share_url = "https://zoom.us.evil.example/rec"
    recording.save()
    assert as_aurora.get(url).status_code == 404


def test_a_recording_outside_the_sites_own_grant_cannot_be_watched(as_aurora, aurora):
    """Two personal grants of one account do not see each other's recordings."""
    from wagtail_zoom.models import Grant

    aurora.recording.share_url = "https://zoom.us/rec/share/abc"
    aurora.recording.save()
    url = reverse("wagtail_zoom_recordings:watch", args=[aurora.recording_item.pk])
    assert as_aurora.get(url).status_code == 302
    Grant.objects.filter(pk=aurora.grant.pk).update(account_level=False, zoom_user_id="other")
    assert as_aurora.get(url).status_code == 404


def test_used_on_counts_pages(aurora):
    from wagtail.models import ReferenceIndex

    from wagtail_zoom.admin import usage

    page = aurora.site.root_page
    from django.contrib.contenttypes.models import ContentType
    from wagtail.models import Page

    own, base = ContentType.objects.get_for_model(page), ContentType.objects.get_for_model(Page)
    for model, key in ((SiteItem, str(aurora.meeting_item.pk)), (BlockUsage, "meeting-list")):
        ReferenceIndex.objects.create(
            base_content_type=base,
            content_type=own,
            object_id=str(page.pk),
            to_content_type=ContentType.objects.get_for_model(model),
            to_object_id=key,
            model_path="body",
            content_path="body",
            content_path_hash=uuid.uuid4(),
        )
    assert usage.page_counts([aurora.meeting_item, aurora.recording_item]) == {
        aurora.meeting_item.pk: 1
    }
    assert list(usage.pages_using_zoom(aurora.site)) == [page]
    assert list(usage.pages_using_item(aurora.meeting_item)) == [page]


# Activity


def test_activity_is_described(as_aurora, aurora):
    start = timezone.now().isoformat()
    for code, data in (
        ("date_moved", {"topic": "<b>Board</b>", "start": start, "before": start}),
        ("run_done", {"counts": {"meeting": {"seen": 43, "created": 1}}}),
        ("exposure_changed", {"kinds": ["meeting"], "hosts": 2, "registration": True}),
        ("grant_needs_reconnect", {"reason": "invalid_grant"}),
        ("something_new", {}),
    ):
        Activity.log([aurora.site.pk], "sync", code, data=data, user=aurora.owner)
    body = as_aurora.get(index_url("activity")).content.decode()
    assert "<strong>&lt;b&gt;Board&lt;/b&gt;</strong> moved to" in body
    assert "43 meetings, 1 new." in body
    assert "aurora changed what visitors see." in body and "of 2 hosts" in body
    assert "Something new" in body


def test_every_code_has_a_text(aurora):
    """Every code that is logged has a text, otherwise the list shows the raw code."""
    import re
    from pathlib import Path

    import wagtail_zoom
    from wagtail_zoom.admin import activity

    root = Path(wagtail_zoom.__file__).parent
    categories = "connection|sync|event|registration|curation"
    call = re.compile(rf'Activity\.log\(.{{0,200}}?"(?:{categories})",\s*"([a-z_]+)"', re.DOTALL)
    codes = {code for path in root.rglob("*.py") for code in call.findall(path.read_text())}
    assert len(codes) > 10
    codes_with_text = set(activity._BUILDERS)
    assert not {
        code for code in codes if code not in codes_with_text and not code.startswith("grant_")
    }


def test_payloads_are_masked_and_only_of_selected_hosts(as_aurora, aurora):
    event = aurora.event
    event.payload["payload"]["object"]["host_email"] = "host@aurora.example"
    event.payload["payload"]["object"]["note"] = "ask host@aurora.example"
    event.save()
    body = as_aurora.get(index_url("activity")).content.decode()
    assert "Secret of aurora" in body and "host@aurora.example" not in body
    other = WebhookEvent.objects.create(
        content_key="other",
        account_zoom_id=aurora.account.zoom_id,
        event="meeting.updated",
        state="dead",
        payload={"payload": {"object": {"uuid": "Unticked", "host_id": "somebody-else"}}},
    )
    Activity.objects.create(site=aurora.site, category="event", code="event_failed", event=other)
    assert "Unticked" not in as_aurora.get(index_url("activity")).content.decode()


def test_failed_events_of_other_sites_are_not_counted(as_aurora, aurora, borealis):
    """Also those of the same account: here one about a host whom only the other Site shows."""
    values = WebhookEvent.objects.filter(pk=aurora.event.pk).values().get()
    del values["id"]
    other = WebhookEvent.objects.create(**values | {"content_key": "other", "request_id": None})
    Activity.objects.create(site=borealis.site, category="sync", code="event", event=other)
    body = as_aurora.get(index_url("activity", site=aurora.site.pk)).content.decode()
    assert "1 webhook event from Zoom could not be processed." in body
    as_aurora.post(reverse("wagtail_zoom_admin:replay", args=[aurora.site.pk]))
    assert WebhookEvent.objects.get(pk=aurora.event.pk).state == "pending"
    assert WebhookEvent.objects.get(pk=other.pk).state == "dead"


def test_an_event_that_crashed_the_worker_is_shown_and_can_be_replayed(as_aurora, aurora):
    values = {"state": "dead", "error_class": "WorkerLost", "error_code": None, "attempts": 10}
    WebhookEvent.objects.filter(pk=aurora.event.pk).update(**values)
    body = as_aurora.get(index_url("activity", site=aurora.site.pk)).content.decode()
    assert "the worker failed each time it processed it." in body
    assert "Nothing is lost. Tried 10 times." in body
    as_aurora.post(reverse("wagtail_zoom_activity:replay", args=[aurora.activity.pk]))
    assert WebhookEvent.objects.get(pk=aurora.event.pk).state == "pending"


def test_replay_a_failed_event(as_aurora, aurora):
    url = reverse("wagtail_zoom_activity:replay", args=[aurora.activity.pk])
    assert url in as_aurora.get(index_url("activity")).content.decode()
    assert as_aurora.post(url).status_code == 302
    assert WebhookEvent.objects.get(pk=aurora.event.pk).state == "pending"
    assert as_aurora.post(url).status_code == 404


def test_replay_all_failed_events(as_aurora, aurora, borealis):
    """W27"""
    url = reverse("wagtail_zoom_admin:replay", args=[aurora.site.pk])
    assert url in as_aurora.get(index_url("activity")).content.decode()
    assert as_aurora.post(url)["Location"].startswith(reverse("wagtail_zoom_activity:index"))
    assert WebhookEvent.objects.get(pk=aurora.event.pk).state == "pending"
    assert WebhookEvent.objects.get(pk=borealis.event.pk).state == "dead"
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.replay").count() == 1


def test_activity_filters(as_aurora, aurora):
    old = Activity.objects.create(
        site=aurora.site,
        category="curation",
        code="item_hidden",
        data={"topic": "Ancient"},
        created_at=timezone.now() - timedelta(days=20),
    )
    assert old.pk and "Ancient" not in as_aurora.get(index_url("activity")).content.decode()
    assert "Ancient" in as_aurora.get(index_url("activity", when="30")).content.decode()
    assert "Ancient" in as_aurora.get(index_url("activity", when="", q="ancient")).content.decode()
    assert "Ancient" not in as_aurora.get(index_url("activity", when="", q="zzz")).content.decode()
    assert "Ancient" in as_aurora.get(index_url("activity", when="")).content.decode()


def test_an_empty_list_of_registrations_gives_the_reason(as_aurora, aurora):
    """The button of an occurrence leads to a form too: only a site without blocks has no form."""
    Registration.objects.all().delete()
    ZoomSettings.objects.filter(site=aurora.site).update(show_registration=True)
    no_form_text = "No page has a registration form."
    assert no_form_text in as_aurora.get(index_url("registrations")).content.decode()
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {})])
    aurora.site.root_page.add_child(instance=page)
    text = as_aurora.get(index_url("registrations")).content.decode()
    assert no_form_text not in text and "Nobody has registered yet." in text


def test_an_operator_of_many_sites_finds_one_by_a_part_of_its_hostname(as_root, aurora, borealis):
    lists = "/admin/zoom/meetings/"
    assert '<select name="site"' in as_root.get(lists).content.decode()
    root = Page.objects.get(depth=1)
    sites = [Site(hostname=f"site{number:03}.example", root_page=root) for number in range(60)]
    Site.objects.bulk_create(sites)
    body = as_root.get(lists).content.decode()
    assert '<select name="site"' not in body and 'name="hostname"' in body
    body = as_root.get(f"{lists}?hostname=boreal").content.decode()
    assert "Meeting of borealis" in body and "Meeting of aurora" not in body
    assert "No site is called" in as_root.get(f"{lists}?hostname=nowhere%00").content.decode()


def test_the_hostname_of_another_tenant_shows_nothing_of_it(as_aurora, aurora, borealis):
    body = as_aurora.get("/admin/zoom/meetings/?hostname=borealis.example").content.decode()
    assert "Meeting of aurora" in body and "Meeting of borealis" not in body


@pytest.mark.parametrize("name", ["edit", "forget", "cancel"])
def test_a_form_of_a_registration_asks_first_whether_the_login_has_ended(as_aurora, aurora, name):
    """What was entered is not lost, as in the forms of the panel and of a meeting."""
    Registration.objects.filter(pk=aurora.registration.pk).update(
        state="approved" if name == "cancel" else "failed", zoom_registrant_id="r-1"
    )
    url = reverse(f"wagtail_zoom_registrations:{name}", args=[aurora.registration.pk])
    body = as_aurora.get(url).content.decode()
    session_url = reverse("wagtail_zoom_admin:session", args=[aurora.site.pk])
    assert f'data-wza-session="{session_url}"' in body and "admin/session.js" in body


def test_so_does_the_page_that_asks_before_something_is_deleted(as_aurora, aurora):
    """It holds the whole form of the panel."""
    session_url = reverse("wagtail_zoom_admin:session", args=[aurora.site.pk])
    url = reverse("wagtail_zoom_admin:disconnect", args=[aurora.site.pk])
    assert f'data-wza-session="{session_url}"' in as_aurora.get(url).content.decode()


def test_the_page_of_an_item_lists_what_has_happened_with_it(as_aurora, aurora, borealis):
    """Newest first, and nothing of other items or Sites."""
    url = reverse("wagtail_zoom_meetings:edit", args=[aurora.meeting_item.pk])
    assert as_aurora.get(url).context["history"] == []
    for title in ("An evening", "A long evening"):
        values = {"title": title, "summary": "", "tags": "", "action-save": "1"}
        as_aurora.post(url, values)
    as_aurora.post(url, {**values, "action-hide": "1"})
    for item in (aurora.recording_item, borealis.meeting_item):
        Activity.log([item.site_id], "curation", "item_edited", items={item.site_id: item})
    history = as_aurora.get(url).context["history"]
    texts = [str(row["line"].text) for row in history]
    assert len(texts) == 3 and "A long evening" in texts[1] and "An evening" in texts[2]
    assert all("aurora" in text for text in texts) and "hid" in texts[0]
