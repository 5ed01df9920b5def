"""The pages on which meetings are scheduled, changed and cancelled."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupPagePermission, GroupSitePermission, Site

from wagtail_zoom.admin.scheduling.forms import ChangeForm
from wagtail_zoom.models import (
    Activity,
    Grant,
    Host,
    MeetingChange,
    Occurrence,
    Registration,
    SiteItem,
    ZoomSettings,
)
from wagtail_zoom.scheduling import MeetingValues, RecurrenceRule, service

from .conftest import START, process_due, stored_meeting

pytestmark = pytest.mark.django_db
NOVEMBER = datetime(2026, 11, 30, 12, tzinfo=ZoneInfo("UTC"))


def user_with(name, *permissions):
    user = User.objects.create_user(name, password="x")
    group = Group.objects.create(name=name)
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    for permission in permissions:
        permission.group = group
        permission.save()
    user.groups.add(group)
    return user


def site_permission(site):
    permission = Permission.objects.get(codename="change_zoomsettings")
    return GroupSitePermission(site=site, permission=permission)


def page_permission(page):
    permission = Permission.objects.get(
        codename="change_page", content_type__app_label="wagtailcore"
    )
    return GroupPagePermission(page=page, permission=permission)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner(connected):
    return client_of(user_with("owner", site_permission(connected.site)))


@pytest.fixture
def editor(connected):
    return client_of(user_with("editor", page_permission(connected.site.root_page)))


def url(name, site, *arguments):
    return reverse(f"wagtail_zoom_admin:{name}", args=[site.pk, *arguments])


def values_of(connected, **values):
    """A whole form of a new meeting."""
    start = START.astimezone(ZoneInfo(connected.host.timezone or "UTC"))
    return {
        "key": "k1", "kind": "meeting", "topic": "Open evening", "agenda": "", "zone": "",
        "host": connected.host.pk, "day": f"{start:%Y-%m-%d}", "time": f"{start:%H:%M}",
        "duration": 60, "repeats": "never", "registration": "none", "security": "host",
        "passcode": "", "recording": "", "show": "on", **values,
    }  # fmt: skip


def schedule(client, connected, **values):
    return client.post(url("schedule", connected.site), values_of(connected, **values))


def form_of(response):
    """The fields of the form on a page, as a browser would send them."""
    form = response.context["form"]
    values = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, bool):
            values |= {bound.html_name: "on"} if value else {}
        elif value is not None:
            shown = f"{value:%H:%M}" if hasattr(value, "hour") else value
            values[bound.html_name] = shown
    return values | {"seen": response.context["signed"]}


def hidden_of(response):
    """The hidden fields of a page that asks once more."""
    values = {}
    for name, value in response.context["fields"]:
        values.setdefault(name, []).append(value)
    return values


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def scheduled(owner, connected):
    """A meeting that was scheduled here, with its item."""
    assert schedule(owner, connected).status_code == 302
    return SiteItem.objects.get(meeting=stored_meeting(MeetingChange.objects.get()))


def test_it_is_on_the_site_as_the_form_said(owner, connected):
    for key, show, visibility in (("a", "on", "published"), ("b", "", "hidden")):
        response = schedule(owner, connected, key=key, topic=f"Evening {key}", show=show)
        item = SiteItem.objects.get(last_title=f"Evening {key}")
        assert item.visibility == visibility
        page = owner.get(response["Location"])
        sentence = "Visitors see it now." if show else "Visitors do not see it:"
        assert sentence in messages_of(page)[0]
    assert Activity.objects.filter(code="meeting_scheduled").count() == 2


def test_a_form_that_is_sent_twice_is_one_meeting(owner, connected):
    first, second = schedule(owner, connected), schedule(owner, connected)
    assert first["Location"] == second["Location"]
    assert len(connected.at_zoom()) == 1


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"topic": ""}, "topic", "Enter a topic."),
        ({"day": "2026-11-29"}, "day", "in the past"),
        ({"day": "2026-11-30", "time": "11:59", "zone": "UTC"}, "time", "has passed"),
        ({"day": "2027-03-28", "time": "02:30", "zone": "Europe/Berlin"}, "time", "not exist"),
        ({"day": "2027-10-31", "time": "02:30", "zone": "Europe/Berlin"}, "time", "twice"),
        ({"duration": "1441"}, "duration", ""),
        ({"repeats": "weekly", "ends": "count", "count": "3"}, "weekdays", "at least one"),
        ({"repeats": "daily", "ends": "until"}, "until", "Enter the last day."),
        ({"repeats": "daily", "ends": "until", "until": "2026-12-01"}, "until", "before the first"),
        ({"repeats": "daily", "ends": "until", "until": "2027-12-01"}, "until", "Zoom allows 60"),
        ({"repeats": "daily", "ends": "count", "count": "61"}, "count", ""),
        ({"repeats": "daily", "ends": "count"}, "count", "Enter a number of dates."),
        ({"security": "own", "passcode": "with space"}, "passcode", ""),
        ({"kind": "recording"}, "kind", ""),
        ({"host": "999999"}, "host", ""),
    ],
)
def test_errors_stand_at_their_field(owner, connected, values, field, text):
    with time_machine.travel(NOVEMBER, tick=False):
        day = {"day": "2026-12-20", "time": "18:00"}
        response = schedule(owner, connected, **(day | values))
    assert list(response.context["form"].errors) == [field]
    assert text in html.unescape(response.content.decode())
    assert not MeetingChange.objects.exists() and not connected.calls("POST")


def test_registration_needs_a_licensed_host(owner, connected):
    Host.objects.filter(pk=connected.host.pk).update(user_type=1)
    response = schedule(owner, connected, registration="approval")
    assert list(response.context["form"].errors) == ["registration"]
    assert not MeetingChange.objects.exists()


def test_the_rule_is_said_in_words(owner, connected):
    values = {
        "kind": "meeting", "day": "2027-03-02", "time": "18:30", "duration": "60",
        "repeats": "weekly", "weekdays": ["3", "5"], "ends": "until", "until": "2027-04-29",
        "host": connected.host.pk, "zone": "Europe/Berlin",
    }  # fmt: skip
    with time_machine.travel(NOVEMBER, tick=False):
        text = html.unescape(owner.get(url("rule_text", connected.site), values).content.decode())
    assert "Every week on Tuesday and Thursday." in text
    assert "18 dates at 18:30 (Berlin time), from Tue 2 March 2027 to Thu 29 April 2027." in text
    assert "Clocks change on Sun 28 March 2027. The meeting stays at 18:30, Berlin time." in text
    for broken in ({"day": "x"}, {"until": "9999-12-31"}, {"interval": "10" * 9}, {"zone": "x/y"}):
        assert owner.get(url("rule_text", connected.site), values | broken).status_code == 200


def test_without_scopes_it_says_what_is_missing(owner, connected, scheduled):
    grant = Grant.objects.get()
    scopes = [name for name in grant.scopes if ":write:" not in name and ":update:" not in name]
    grant.scope = " ".join(name for name in scopes if ":delete:" not in name)
    grant.save()
    connected.zoom.clear_calls()
    page = owner.get(url("schedule", connected.site))
    assert page.context["problem"]["title"] == "Scheduling needs more Zoom access."
    assert page.context["problem"]["actions"][0]["label"] == "Update Zoom access"
    schedule(owner, connected, key="k2")
    item_page = owner.get(reverse("wagtail_zoom_meetings:edit", args=[scheduled.pk]))
    text = html.unescape(item_page.content.decode())
    assert "Zoom has not allowed this site to change meetings." in text
    for name in ("change_meeting", "cancel_meeting"):
        address = url(name, connected.site, scheduled.pk)
        assert address not in text
        assert owner.get(address).status_code == 302
        assert owner.post(address, {"adopt": "yes", "confirmed": "1"}).status_code == 302
    assert MeetingChange.objects.count() == 1
    assert not [c for method in ("POST", "PATCH", "DELETE") for c in connected.calls(method)]


@pytest.fixture
def other_site(connected):
    """Another Site of the same account."""
    home = connected.site.root_page
    root = home.add_sibling("right", instance=type(home)(title="Other", slug="other"))
    site = Site.objects.create(hostname="other.localhost", root_page=root)
    values = ZoomSettings.objects.filter(site=connected.site).values().get()
    for name in ("id", "site_id"):
        del values[name]
    ZoomSettings.objects.create(site=site, **values)
    return site


def test_an_owner_of_another_site_changes_nothing(connected, scheduled, other_site):
    """With the id of the Site, and with that of one's own and the ids of its rows."""
    stranger = client_of(user_with("stranger", site_permission(other_site)))
    change = MeetingChange.objects.get()
    connected.zoom.clear_calls()
    for site in (connected.site, other_site):
        for name, pk in (
            ("edit_change", change.pk), ("retry_change", change.pk), ("discard_change", change.pk),
            ("change_meeting", scheduled.pk), ("cancel_meeting", scheduled.pk),
        ):  # fmt: skip
            for method in (stranger.get, stranger.post):
                status = method(url(name, site, pk)).status_code
                assert status == 404 or (status == 405 and name == "retry_change"), (name, status)
    for name in ("schedule", "rule_text"):
        assert stranger.get(url(name, connected.site)).status_code == 404
    assert schedule(stranger, connected, key="k9").status_code == 404
    change.refresh_from_db()
    assert change.state == "done" and MeetingChange.objects.count() == 1
    assert not connected.zoom.calls("path=/v2/")


def test_editors_schedule_if_the_owner_allows_it(connected, editor, scheduled, other_site):
    names = [
        ("schedule", ()),
        ("change_meeting", (scheduled.pk,)),
        ("cancel_meeting", (scheduled.pk,)),
    ]
    for name, arguments in names:
        assert editor.get(url(name, connected.site, *arguments)).status_code == 404
    assert schedule(editor, connected, key="e1").status_code == 404
    ZoomSettings.objects.update(editors_may_schedule=True)
    elsewhere = client_of(user_with("elsewhere", page_permission(other_site.root_page)))
    for name, arguments in names:
        assert editor.get(url(name, connected.site, *arguments)).status_code == 200
        assert elsewhere.get(url(name, connected.site, *arguments)).status_code == 404
    assert schedule(editor, connected, key="e2", topic="By an editor").status_code == 302
    assert len(connected.at_zoom("By an editor")) == 1
    # What visitors do not see, editors cannot read and not change.
    SiteItem.objects.update(visibility="hidden")
    for name, arguments in names[1:]:
        assert editor.get(url(name, connected.site, *arguments)).status_code == 404
    assert editor.get(reverse("wagtail_zoom_meetings:index")).status_code == 404


def test_only_what_was_changed_is_sent(owner, connected, scheduled):
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    connected.zoom.clear_calls()
    unchanged = owner.post(address, form, follow=True)
    assert messages_of(unchanged)[-1:] == ["Nothing is different. Nothing was sent to Zoom."]
    assert not connected.calls("PATCH")
    connected.zoom.call("GET", "exchanges")
    owner.post(address, form | {"duration": 75})
    exchanges = connected.zoom.call("GET", "exchanges")["exchanges"]
    [sent] = [row["sent"] for row in exchanges if row["method"] == "PATCH"]
    assert sent == {"duration": 75}


def test_what_was_made_in_zoom_is_changed_and_cancelled_after_a_yes(owner, connected, scheduled):
    MeetingChange.objects.all().delete()
    address = url("change_meeting", connected.site, scheduled.pk)
    page = owner.get(address)
    assert "This meeting was created in Zoom" in page.content.decode()
    form = form_of(page) | {"topic": "Mine"}
    assert "Tick that you may change it" in owner.post(address, form).content.decode()
    cancelling = url("cancel_meeting", connected.site, scheduled.pk)
    question = owner.get(cancelling)
    answer = {"seen": question.context["seen"], "key": "c"}
    assert "Tick that you may cancel it" in owner.post(cancelling, answer).content.decode()
    assert not MeetingChange.objects.exists()
    assert [doc["topic"] for doc in connected.at_zoom()] == ["Open evening"]
    owner.post(address, form | {"adopt": "yes"})
    assert len(connected.at_zoom("Mine")) == 1
    assert "This meeting was created in Zoom" not in owner.get(address).content.decode()
    owner.post(cancelling, answer)
    assert not [doc for doc in connected.at_zoom("Mine") if doc["state"] == "active"]


def test_a_foreign_or_old_form_is_refused(owner, connected, scheduled):
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address)) | {"topic": "Mine"}
    forged = owner.post(address, form | {"seen": form["seen"][:-2] + "xx"}, follow=True)
    assert messages_of(forged)[-1:] == ["The page was open for too long. Check it, send again."]
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=True):
        owner.post(address, form)
    assert not connected.at_zoom("Mine")


def test_a_difference_is_shown_and_chosen(owner, connected, scheduled):
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address)) | {"topic": "Mine", "agenda": "A mat"}
    [doc] = connected.at_zoom()
    connected.zoom.change_meeting(doc["id"], topic="Theirs", duration=90)
    page = owner.post(address, form)
    rows = {row["name"]: row for row in page.context["rows"]}
    assert set(rows) == {"topic", "agenda", "duration"}
    assert rows["topic"]["is_conflict"] and rows["duration"]["is_only_zoom"]
    assert len(connected.at_zoom("Theirs")) == 1
    hidden = hidden_of(page) | {"conflicts": "topic"}
    again = owner.post(address, hidden)
    assert "Choose one version of each value." in again.content.decode()
    owner.post(address, hidden | {"keep-topic": "zoom"})
    [doc] = connected.at_zoom("Theirs")
    assert (doc["agenda"], doc["duration"]) == ("A mat", 90)
    assert MeetingChange.objects.filter(state="failed").count() == 0


@pytest.fixture
def series(owner, connected):
    """A weekly series of ten dates."""
    schedule(
        owner, connected, repeats="weekly", weekdays=[str(START.isoweekday() % 7 + 1)],
        ends="count", count="10", zone="UTC", time="17:00", day=f"{START:%Y-%m-%d}",
    )  # fmt: skip
    return SiteItem.objects.get(last_title="Open evening")


def test_new_dates_need_a_confirmation(owner, connected, series):
    address = url("change_meeting", connected.site, series.pk)
    form = form_of(owner.get(address))
    page = owner.post(address, form | {"time": "18:15"})
    assert "Zoom will create all dates of this series again." in page.content.decode()
    starts = {date.start for date in Occurrence.objects.filter(meeting=series.meeting)}
    assert {start.hour for start in starts} == {17}
    owner.post(address, hidden_of(page) | {"confirmed": "1"})
    dates = Occurrence.objects.filter(meeting=series.meeting, start__hour=18, start__minute=15)
    assert dates.count() == 10


def test_a_running_series_keeps_its_number_of_dates(owner, connected, series):
    """Three of ten dates are over: a new hour makes seven more, not ten."""
    connected.zoom.advance("45d")
    with time_machine.travel(timezone.now() + timedelta(days=45), tick=True):
        owner.force_login(User.objects.get(username="owner"))
        address = url("change_meeting", connected.site, series.pk)
        form = form_of(owner.get(address))
        page = owner.post(address, form | {"time": "18:15"})
        text = html.unescape(page.content.decode())
        assert text.count("7 dates at") == 2 and form["count"] == 7
        owner.post(address, hidden_of(page) | {"confirmed": "1"})
        process_due()  # the token has expired; only the worker refreshes it
    rule = connected.at_zoom()[0]["recurrence"]
    assert rule["end_times"] == 7


def test_one_date_moves_and_is_cancelled(owner, connected, series):
    dates = list(Occurrence.objects.filter(meeting=series.meeting).order_by("start"))
    address = f"{url('change_meeting', connected.site, series.pk)}?date={dates[1].public_id}"
    page = owner.get(address)
    assert "topic" not in page.context["form"].fields
    owner.post(address, form_of(page) | {"time": "19:00"})
    cancelling = f"{url('cancel_meeting', connected.site, series.pk)}?date={dates[2].public_id}"
    question = owner.get(cancelling)
    assert "9 other dates stay" in question.content.decode()
    owner.post(cancelling, {"seen": question.context["seen"], "key": "c"})
    [doc] = connected.at_zoom()
    states = [date["status"] for date in doc["occurrences"]]
    assert states == ["available", "available", "deleted", *["available"] * 7]
    assert doc["occurrences"][1]["start_time"].endswith("T19:00:00Z")
    for text in ("x", "00000000-0000-0000-0000-000000000000"):
        page = f"{url('cancel_meeting', connected.site, series.pk)}?date={text}"
        assert owner.get(page).status_code == 404


def test_who_registered_meanwhile_is_counted_again(owner, connected, scheduled):
    cancelling = url("cancel_meeting", connected.site, scheduled.pk)
    seen = owner.get(cancelling).context["seen"]
    Registration.objects.create(
        site=connected.site, account=connected.account, meeting=scheduled.meeting, state="approved"
    )
    page = owner.post(cancelling, {"seen": seen, "key": "c"})
    text = page.content.decode()
    assert (
        "Something changed while this page was open." in text and "1 person is registered" in text
    )
    assert [doc["state"] for doc in connected.at_zoom()] == ["active"]
    owner.post(cancelling, {"seen": page.context["seen"], "key": "c", "notify": "no"})
    [call] = connected.calls("DELETE")
    assert "cancel_meeting_reminder=false" in call["query"]


def test_zoom_cannot_be_read(owner, connected, scheduled):
    """Nothing is sent, and the sentence says why."""
    connected.zoom.fault("status", status=503, path="/v2/meetings/")
    page = owner.get(url("change_meeting", connected.site, scheduled.pk), follow=True)
    assert "The meeting could not be read from Zoom." in messages_of(page)[-1]
    assert MeetingChange.objects.count() == 1


def test_what_failed_stands_above_the_list(owner, connected):
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=1)
    page = owner.get(schedule(owner, connected)["Location"])
    assert "Zoom did not accept the new meeting" in messages_of(page)[0]
    home = html.unescape(owner.get(reverse("wagtailadmin_home")).content.decode())
    assert "1 change of a meeting did not reach Zoom" in home
    [line] = page.context["changes"]
    assert [action["label"] for action in line.actions] == [
        "Edit and try again", "Try again", "Discard…",
    ]  # fmt: skip
    change = MeetingChange.objects.get()
    editing = url("edit_change", connected.site, change.pk)
    form = owner.get(editing).context["form"]
    assert (form["topic"].value(), form["host"].value()) == ("Open evening", connected.host.pk)
    owner.post(editing, values_of(connected, topic="Shorter", duration=30, security="own"))
    [doc] = connected.at_zoom("Shorter")
    assert (doc["duration"], doc["settings"]["waiting_room"]) == (30, False)
    assert owner.get(editing).status_code == 302


def test_a_failed_change_is_corrected_with_its_values(owner, connected, scheduled):
    connected.zoom.fault("status", method="PATCH", path="/meetings/", status=400, code=300, count=1)
    address = url("change_meeting", connected.site, scheduled.pk)
    owner.post(address, form_of(owner.get(address)) | {"topic": "Mine", "duration": 45})
    change = MeetingChange.objects.get(action="update")
    assert change.state == "failed"
    page = owner.get(url("edit_change", connected.site, change.pk), follow=True)
    form = page.context["form"]
    assert (form["topic"].value(), form["duration"].value()) == ("Mine", 45)
    values = form_of(page) | {"former": page.context["former"], "key": "new"}
    assert owner.post(address, values).status_code == 302
    [doc] = connected.at_zoom("Mine")
    change.refresh_from_db()
    assert (doc["duration"], change.state) == (45, "given_up")


def test_retry_and_discard(owner, connected):
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=2)
    for key in ("a", "b"):
        schedule(owner, connected, key=key, topic=f"Evening {key}")
    first, second = MeetingChange.objects.order_by("pk")
    owner.post(url("retry_change", connected.site, first.pk))
    question = owner.get(url("discard_change", connected.site, second.pk)).content.decode()
    assert "is not created" in question
    owner.post(url("discard_change", connected.site, second.pk))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, bool(second.payload)) == ("done", "given_up", False)


def test_a_slow_zoom_loses_nothing(owner, connected):
    connected.zoom.fault("status", method="POST", path="/users/", status=503, count=1)
    page = owner.get(schedule(owner, connected)["Location"])
    assert "is saved, but not yet in Zoom." in messages_of(page)[0]
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=True):
        process_due()
        process_due()
    assert len(connected.at_zoom()) == 1


@pytest.mark.parametrize("state", ["paused", "disconnected", "no host", "no kind"])
def test_why_nothing_can_be_scheduled(owner, connected, state):
    row = connected.settings
    titles = {
        "paused": "Zoom is paused on this site.",
        "disconnected": "Zoom is not connected.",
        "no host": "No host is selected for this site.",
        "no kind": "Meetings and webinars are switched off.",
    }
    if state == "paused":
        ZoomSettings.objects.filter(pk=row.pk).update(paused_at=timezone.now())
    elif state == "disconnected":
        ZoomSettings.objects.filter(pk=row.pk).update(grant=None, account=None)
    elif state == "no host":
        row.hosts.clear()
    else:
        ZoomSettings.objects.filter(pk=row.pk).update(show_meetings=False, show_webinars=False)
    page = owner.get(url("schedule", connected.site))
    assert page.context["problem"]["title"] == titles[state]
    assert schedule(owner, connected).status_code == 302
    assert not MeetingChange.objects.exists()


def test_preview_and_zoom_make_the_same_dates(connected):
    """Weekly and monthly rules, over a change of clocks."""
    rules = [
        {"frequency": "daily", "interval": 7, "count": 20},
        {"frequency": "weekly", "interval": 2, "weekdays": frozenset({2, 6}), "count": 20},
        {"frequency": "monthly", "month_day": 12, "count": 8},
        {"frequency": "monthly", "month_week": -1, "month_weekday": 3, "count": 8},
        {"frequency": "weekly", "weekdays": frozenset({1}), "until": START.date() + timedelta(99)},
    ]
    for number, values in enumerate(rules):
        frequency = service.Frequency(values.pop("frequency"))
        rule = RecurrenceRule(frequency, **values)
        topic = f"Rule {number}"
        connected.schedule(f"r{number}", topic=topic, rule=rule, zone="Europe/Berlin")
        process_due()
        [doc] = connected.at_zoom(topic)
        berlin = ZoneInfo("Europe/Berlin")
        scheduled = [
            datetime.fromisoformat(date["start_time"]).astimezone(berlin).date()
            for date in doc["occurrences"]
        ]
        assert scheduled == rule.preview_dates(START.astimezone(berlin).date()), topic


def test_no_passcode_stands_on_a_page(owner, connected, scheduled):
    connected.zoom.change_meeting(connected.at_zoom()[0]["id"], password="Sesame77")
    page = owner.get(url("change_meeting", connected.site, scheduled.pk)).content.decode()
    assert "Sesame77" not in page and re.search(r'name="passcode"', page)


def test_a_change_on_its_way_comes_first(owner, connected, scheduled):
    """A second change would be compared with what Zoom has before the first one."""
    connected.zoom.fault("status", method="PATCH", path="/meetings/", status=503, count=1)
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    owner.post(address, form | {"topic": "Mine"})
    for response in (
        owner.get(address, follow=True),
        owner.post(address, form | {"key": "other", "topic": "Other"}, follow=True),
    ):
        assert "The change of “Mine” is on its way to Zoom." in messages_of(response)[-1]
    assert MeetingChange.objects.filter(action="update").count() == 1


def test_the_templates_of_a_host_are_offered(owner, connected):
    """None without the scope, and none while Zoom does not answer; another host is not found."""
    address = url("templates", connected.site)
    templates = [["t-1", "Open evening"]]
    connected.zoom.change_user(connected.host.zoom_id, templates=[{
        "id": "t-1", "name": "Open evening", "type": 1, "settings": {"mute_upon_entry": True},
    }])  # fmt: skip
    query = {"host": connected.host.pk}
    assert owner.get(address, query).json() == {"templates": templates}
    schedule(owner, connected, template="t-1")
    [doc] = connected.at_zoom()
    assert doc["template_id"] == "t-1" and doc["settings"]["mute_upon_entry"]
    assert owner.get(address, {"host": 999999}).status_code == 404
    connected.zoom.fault("status", status=503, path="/meeting_templates", count=1)
    assert owner.get(address, query).json() == {"templates": []}
    grant = Grant.objects.get()
    grant.scope = " ".join(name for name in grant.scopes if "list_templates" not in name)
    grant.save()
    assert owner.get(address, query).json() == {"templates": []}
    assert "template" not in owner.get(url("schedule", connected.site)).context["form"].fields


def test_a_meeting_that_became_private_is_not_shown(owner, connected, scheduled):
    [doc] = connected.at_zoom()
    connected.zoom.change_meeting(doc["id"], topic="Diagnosis", settings={"private_meeting": True})
    page = owner.get(url("change_meeting", connected.site, scheduled.pk), follow=True)
    sentence = "It is private in Zoom now, so it can be changed only there."
    assert messages_of(page)[-1] == sentence and "Diagnosis" not in page.content.decode()


def test_what_zoom_does_not_give_is_no_change():
    """A meeting without duration and kind of registration, sent as the form shows it."""
    seen = MeetingValues(topic="Open evening", start=START, duration=0)
    shown = ChangeForm(seen=seen, access=None, is_webinar=False)
    data = QueryDict(mutable=True)
    for bound in shown:
        value = bound.value()
        if value not in (None, False, []):
            data[bound.html_name] = f"{value:%H:%M}" if hasattr(value, "hour") else str(value)
    form = ChangeForm(data, seen=seen, access=None, is_webinar=False)
    assert form.is_valid(), form.errors
    assert form.values().differences(seen) == []


def test_a_change_of_a_deleted_meeting_can_only_be_discarded(owner, connected, scheduled):
    """Neither other values nor another attempt can succeed."""
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    connected.zoom.delete_meeting(connected.at_zoom()[0]["id"])
    page = owner.get(owner.post(address, form | {"topic": "Mine"})["Location"])
    assert messages_of(page)[-1] == (
        "The change of “Mine” was not made in Zoom. Zoom no longer has this meeting or this date."
    )
    [line] = owner.get(reverse("wagtail_zoom_meetings:index")).context["changes"]
    assert [action["label"] for action in line.actions] == ["Discard…"]


def test_what_opens_a_meeting_is_left_out_of_its_texts(owner, connected, scheduled):
    """It is no difference either, and stays in Zoom as long as nobody changes the text."""
    [doc] = connected.at_zoom()
    link = f"https://zoom.us/j/{doc['id']}?pwd=Sesame77"
    agenda = f"Bring a mat. Passcode: Sesame77, {link}"
    connected.zoom.change_meeting(doc["id"], agenda=agenda, password="Sesame77")
    address = url("change_meeting", connected.site, scheduled.pk)
    page = owner.get(address)
    assert "Sesame77" not in page.content.decode() and link not in page.content.decode()
    assert "Bring a mat." in page.context["form"]["agenda"].value()
    owner.post(address, form_of(page) | {"duration": 75})
    [changed] = connected.at_zoom()
    assert (changed["agenda"], changed["duration"]) == (agenda, 75)


def test_who_registered_for_the_whole_series_is_registered_for_a_date(owner, connected, series):
    dates = list(Occurrence.objects.filter(meeting=series.meeting).order_by("start"))
    common = {"site": connected.site, "account": connected.account, "meeting": series.meeting}
    whole, first, other = (
        Registration.objects.create(state="approved", idempotency_key=name, **common)
        for name in ("whole", "first", "other")
    )
    first.dates.create(occurrence=dates[0], start=dates[0].start)
    other.dates.create(occurrence=dates[3], start=dates[3].start)
    address = url("cancel_meeting", connected.site, series.pk)
    page = owner.get(f"{address}?date={dates[0].public_id}").content.decode()
    assert "2 people are registered" in page
    page = owner.get(f"{address}?date={dates[1].public_id}").content.decode()
    assert "1 person is registered" in page
    assert "3 people are registered" in owner.get(address).content.decode()


def test_nothing_is_sent_to_a_meeting_that_became_private(owner, connected, scheduled):
    """Between the form and sending."""
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    connected.zoom.change_meeting(connected.at_zoom()[0]["id"], settings={"private_meeting": True})
    connected.zoom.clear_calls()
    page = owner.get(owner.post(address, form | {"topic": "Mine"})["Location"])
    assert "It is private in Zoom now" in messages_of(page)[-1]
    assert not connected.calls("PATCH")
    assert MeetingChange.objects.get(action="update").state == "failed"


def test_own_words_come_back_whole_when_they_are_corrected(owner, connected):
    """Also those that name the passcode: the person wrote them, and would lose them."""
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=1)
    agenda = "Bring a mat. Passcode: Sesame77"
    schedule(owner, connected, agenda=agenda, security="own", passcode="Sesame77")
    editing = url("edit_change", connected.site, MeetingChange.objects.get().pk)
    assert owner.get(editing).context["form"]["agenda"].value() == agenda
