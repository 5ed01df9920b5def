"""The list of the chooser: order, search, marks, pages."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.blocks import rows
from wagtail_zoom.admin import formatting
from wagtail_zoom.blocks import MeetingBlock, RegistrationFormBlock
from wagtail_zoom.models import Host, ItemTag, Meeting, Occurrence
from wagtail_zoom.utils.text import fold

from .conftest import make_owner, make_site

pytestmark = pytest.mark.django_db
URL = "wagtail_zoom_items:choose_results"


@pytest.fixture
def site():
    return make_site("studio.example")


@pytest.fixture
def owner(site):
    return make_owner("owner", site)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host)
    return host


@pytest.fixture
def add(site, host):
    """Add a meeting that starts in so many days, and its item."""

    def add_meeting(title, days=1.0, *, visibility="published", tags=(), by=host, **values):
        start = timezone.now() + timedelta(days=days)
        state = values.pop("state", "scheduled")
        own_title = values.pop("own_title", title)
        meeting = rows.occurrence(by, start=start, topic=title, state=state, **values).meeting
        item = rows.item(
            site, meeting, visibility, meeting=meeting, title=own_title, last_title=title
        )
        ItemTag.objects.bulk_create(ItemTag(item=item, name=name) for name in tags)
        return item

    return add_meeting


def listed(client, owner, **query):
    """The results: the items of the page with their cells."""
    client.force_login(owner)
    response = client.get(reverse(URL), {"kind": "meeting", **query})
    assert response.status_code == 200
    return response


def titles(client, owner, **query):
    return [item.display_title for item in listed(client, owner, **query).context["results"]]


def cells(client, owner, **query):
    """What visitors see of each item, and the note below."""
    items = listed(client, owner, **query).context["results"]
    return {
        item.display_title: (item.visitors_cell.text, item.visitors_cell.note) for item in items
    }


def test_the_next_date_comes_first_then_undated_then_what_is_over(client, owner, add):
    add("Last year", -300)
    add("In a week", 7)
    undated = add("Drop in").meeting
    undated.occurrences.all().delete()
    Meeting.objects.filter(pk=undated.pk).update(zoom_type=3)
    add("Yesterday", -1)
    add("Tomorrow", 1)
    add("Cancelled", 0.5, state="cancelled")
    add("Going on", -0.01)
    assert titles(client, owner) == [
        "Going on", "Tomorrow", "In a week", "Drop in", "Cancelled", "Yesterday", "Last year",
    ]  # fmt: skip


def test_a_series_stands_at_its_next_date(client, owner, add):
    series = add("Series", -60).meeting
    add("Between", 3)
    for days in (2, 4, 5):
        start = timezone.now() + timedelta(days=days)
        Occurrence.objects.create(
            meeting=series, account=series.account, zoom_id=str(days), start=start,
            end=start + timedelta(hours=1), duration=60,
        )  # fmt: skip
    items = list(listed(client, owner).context["results"])
    assert [item.display_title for item in items] == ["Series", "Between"]
    assert items[0].when_cell.note == "2 more dates"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tomas", {"Drawing with Tomás", "Ink"}),
        ("TOMÁS", {"Drawing with Tomás", "Ink"}),
        ("tomas drawing", {"Drawing with Tomás"}),
        ("cafe", {"Portrait"}),
        ("strasse", {"Große Straße"}),
        ("ÓSLO ost", {"Oslo Øst"}),
        ("istanbul", {"İstanbul"}),
        ("course b", {"Drawing with Tomás"}),
        ("nothing like this", set()),
        ("%", set()),
        ("_", set()),
        ("", {"Drawing with Tomás", "Ink", "Portrait", "Große Straße", "Oslo Øst", "İstanbul"}),
    ],
)
def test_search_without_accents_in_titles_hosts_and_tags(
    client, owner, site, host, add, words, expected
):
    tomas = Host.objects.create(account=host.account, zoom_id="t", display_name="Tomás Rivera")
    site.zoomsettings.hosts.add(tomas)
    add("Tuesday course B", own_title="Drawing with Tomás")
    add("Ink", by=tomas)
    add("Portrait", tags=["Café", "evening"])
    add("Große Straße")
    add("Oslo Øst")
    add("İstanbul")
    assert set(titles(client, owner, q=words)) == expected


def test_accents_are_folded_on_both_sides():
    assert fold("Łódź, Ærø, Þingvellir, Crème brûlée") == "lodz, aero, thingvellir, creme brulee"
    assert fold("ＦＵＬＬ　width") == "full width"


def test_names_that_visitors_do_not_read_are_not_for_editors_either(client, owner, site, host, add):
    add("Portrait")
    site.zoomsettings.show_host_names = False
    site.zoomsettings.save()
    assert titles(client, owner, q="Host h1") == ["Portrait"]
    editor = make_owner("editor", make_site("other.example"))
    editor.groups.set(owner.groups.all())
    owner.groups.get().site_permissions.all().delete()
    assert titles(client, editor) == ["Portrait"]
    assert titles(client, editor, q="Host h1") == []
    assert "Host h1" not in listed(client, editor).content.decode()


def test_hidden_past_and_cancelled_are_marked(client, owner, host, add, site):
    add("Shown")
    add("Over", -3)
    add("Hidden", visibility="hidden")
    add("Private", is_private=True)
    add("Off", state="cancelled")
    assert cells(client, owner) == {
        "Shown": ("Shown", ""),
        "Private": ("Not shown", "It is marked as private in Zoom."),
        "Hidden": ("Hidden", ""),
        "Off": ("Cancelled", ""),
        "Over": ("Over", ""),
    }
    assert titles(client, owner, when="over") == ["Off", "Over"]
    assert titles(client, owner, visitors="no") == ["Hidden", "Private"]
    assert set(titles(client, owner, visitors="yes")) == {"Shown", "Off", "Over"}


def test_who_hid_it_is_named(client, owner, add):
    item = add("Hidden", visibility="hidden")
    item.decided_by = User.objects.create_user("ines", first_name="Ines", last_name="Krüger")
    item.decided_at = timezone.now()
    item.save()
    text, note = cells(client, owner)["Hidden"]
    assert text == "Hidden" and note.startswith("by Ines Krüger, ")


def test_pages_are_labelled_with_their_dates(client, owner, add):
    for number in range(45):
        add(f"Class {number:02}", number + 1)
    response = listed(client, owner)
    assert [item.display_title for item in response.context["results"]][::19] == [
        "Class 00",
        "Class 19",
    ]
    now = timezone.now()
    labels = [entry.day_label for _number, entry in response.context["page_links"]]
    assert labels == [formatting.short_day(now + timedelta(days=days)) for days in (1, 21, 41)]
    assert "45 of 45 meetings, next date first." in response.content.decode()
    assert titles(client, owner, p=3) == [f"Class {number}" for number in range(40, 45)]
    response = listed(client, owner, q="class 04")
    assert "1 of 45 meetings, next date first." in response.content.decode()


def test_recordings_are_listed_newest_first(client, owner, site, host):
    for days in (3, 1, 2):
        recording = rows.recording(
            host, topic=f"{days} days old", start=timezone.now() - timedelta(days=days)
        )
        rows.item(site, recording, recording=recording, last_title=recording.topic)
    waiting = rows.recording(host, topic="waits", start=timezone.now())
    rows.item(site, waiting, "auto", recording=waiting, last_title="waits")
    response = listed(client, owner, kind="recording")
    items = list(response.context["results"])
    assert [item.display_title for item in items] == [
        "waits",
        "1 days old",
        "2 days old",
        "3 days old",
    ]
    assert [item.visitors_cell.text for item in items] == ["Not shown", *["Shown"] * 3]


def test_the_number_of_meetings_does_not_change_the_queries(client, owner, add):
    counts = []
    for number in (2, 38):
        for _each in range(number):
            add("Class", tags=["a", "b"])
        listed(client, owner)
        with CaptureQueriesContext(connection) as queries:
            listed(client, owner, q="cláss")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


def test_meetings_that_take_registrations(client, owner, add):
    add("With", approval_type=0)
    add("Approved by hand", 2, approval_type=1)
    add("Without", approval_type=2)
    assert titles(client, owner, registration="yes") == ["With", "Approved by hand"]
    assert len(titles(client, owner)) == 3


def test_without_one_the_editor_reads_what_to_do(client, owner, add):
    add("Without", approval_type=2)
    text = listed(client, owner, registration="yes").content.decode()
    assert "No meeting takes registrations." in text
    assert "Nothing matches" in listed(client, owner, registration="yes", q="x").content.decode()


def test_where_search_and_filters_leave_nothing_all_are_offered(client, owner, add):
    """Each is named, since each leaves something out; without any meeting nothing is offered."""
    button = "data-wza-show-all"
    assert button not in listed(client, owner, q="x").content.decode()
    add("Without", approval_type=2)
    for query, text in (
        ({"q": "x"}, "Nothing matches “x”."),
        ({"q": "x", "when": "over"}, "Nothing matches “x” and the filters above."),
        ({"visitors": "no"}, "Nothing matches the filters above."),
        ({"visitors": "yes", "registration": "yes"}, "Nothing matches the filters above."),
        ({"registration": "yes"}, "No meeting takes registrations."),
    ):
        body = listed(client, owner, **query).content.decode()
        assert text in body and button in body, query
    assert button not in listed(client, owner).content.decode()


def test_the_chooser_of_a_registration_form_begins_with_them(client, owner, add):
    """And only that: a recording takes none, and other blocks show any meeting."""
    add("With", approval_type=0)
    add("Without", approval_type=2)
    blocks = {
        block: block().child_blocks["item"].widget.get_chooser_modal_url()
        for block in (RegistrationFormBlock, MeetingBlock)
    }
    assert "registration=" not in blocks[MeetingBlock]
    client.force_login(owner)
    opened = json.loads(client.get(blocks[RegistrationFormBlock]).content)["html"]
    assert '<option value="yes" selected>Takes registrations' in opened
    assert "With" in opened and "Without" not in opened
    recordings = json.loads(
        client.get(reverse("wagtail_zoom_items:choose"), {"kind": "recording"}).content
    )["html"]
    assert "Takes registrations" not in recordings
