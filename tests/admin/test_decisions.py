"""Decisions about registrations, and forms that two people have open at the same time."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.urls import reverse

from wagtail_zoom.models import Activity, ExposedHost, Host, Registration, SiteItem, ZoomSettings
from wagtail_zoom.registration import moderation

pytestmark = pytest.mark.django_db


def url_of(name, row):
    return reverse(f"wagtail_zoom_registrations:{name}", args=[row.pk])


@pytest.fixture
def pending(aurora):
    Registration.objects.filter(pk=aurora.registration.pk).update(state="pending", task="")
    return Registration.objects.get(pk=aurora.registration.pk)


@pytest.mark.parametrize("name", ["deny", "cancel"])
def test_what_cannot_be_undone_asks_first(as_aurora, pending, name):
    """The list and the page of a registration lead to a question; the safe answer is filled."""
    index = f"{reverse('wagtail_zoom_registrations:index')}?site={pending.site_id}"
    detail = as_aurora.get(url_of("view", pending)).content.decode()
    assert f'<a href="{url_of(name, pending)}"' in detail
    assert f'formaction="{url_of(name, pending)}"' not in detail
    if name == "deny":
        assert f'<a href="{url_of(name, pending)}"' in as_aurora.get(index).content.decode()
    question = as_aurora.get(url_of(name, pending)).content.decode()
    assert "Zoom emails" in question
    assert re.search(r'class="button"[^>]*>\s*Back to the list', question)
    pending.refresh_from_db()
    assert (pending.state, pending.task) == ("pending", "")
    as_aurora.post(url_of(name, pending))
    pending.refresh_from_db()
    assert (pending.state, pending.task) != ("pending", "")


@pytest.mark.parametrize("name", ["approve", "retry"])
def test_a_link_decides_nothing(as_aurora, pending, name):
    assert as_aurora.get(url_of(name, pending)).status_code == 405
    pending.refresh_from_db()
    assert pending.task == ""


def test_a_decision_on_its_way_is_not_offered_again(as_aurora, pending):
    index = f"{reverse('wagtail_zoom_registrations:index')}?site={pending.site_id}"
    as_aurora.post(url_of("approve", pending))
    page = as_aurora.get(index).content.decode()
    assert "approved here, on its way to Zoom" in page
    assert url_of("approve", pending) not in page
    assert url_of("deny", pending) in page  # it may still be changed
    as_aurora.post(url_of("approve", pending))
    assert Activity.objects.filter(code="registration_approved").count() == 1


def test_the_question_of_another_site_is_not_answered(as_aurora, borealis):
    row = borealis.registration
    Registration.objects.filter(pk=row.pk).update(state="pending", task="")
    assert as_aurora.get(url_of("deny", row)).status_code == 404


def test_who_was_mailed_and_when(as_aurora, pending):
    assert "This site has not sent one yet." in as_aurora.get(url_of("view", pending)).text
    pending.mails = {
        "received": "2026-11-20T09:40:00+00:00", "tries": 2, "approved": "2026-11-21T09:40:00+00:00"
    }  # fmt: skip
    pending.save()
    page = as_aurora.get(url_of("view", pending)).text
    first, second = "We have your registration: Meeting of", "You are registered: Meeting of"
    assert page.index(first) < page.index(second)
    assert "20 November 2026" in page


# Two tabs


def opened(client, url):
    """The values of the form as a browser would post them."""
    page = client.get(url).content.decode()
    seen = re.search(r'name="seen_values" value="([^"]*)"', page)
    assert seen is not None
    return html.unescape(seen[1])


def item_values(item, **values):
    return {"title": item.title, "summary": item.summary, "tags": "", "action-save": "1", **values}


def test_the_second_tab_does_not_overwrite_the_first(as_aurora, aurora):
    item = aurora.meeting_item
    url = reverse("wagtail_zoom_meetings:edit", args=[item.pk])
    seen = opened(as_aurora, url)
    as_aurora.post(url, item_values(item, seen_values=seen, title="Evening of the first tab"))
    response = as_aurora.post(
        url, item_values(item, seen_values=seen, title="Evening of the second tab")
    )
    item.refresh_from_db()
    assert item.title == "Evening of the first tab"
    page = html.unescape(response.content.decode())
    assert "Title on the site (now “Evening of the first tab”)" in page
    assert 'value="Evening of the second tab"' in page
    # Saving again is a decision.
    again = html.unescape(re.search(r'name="seen_values" value="([^"]*)"', response.text)[1])
    as_aurora.post(url, item_values(item, seen_values=again, title="Evening of the second tab"))
    item.refresh_from_db()
    assert item.title == "Evening of the second tab"


def test_what_the_second_tab_left_alone_is_overwritten_neither(as_aurora, aurora):
    """It posts the old summary and tags without having touched them, also after a warning."""
    item = aurora.meeting_item
    url = reverse("wagtail_zoom_meetings:edit", args=[item.pk])
    seen = opened(as_aurora, url)
    first = {"title": "First title", "summary": "New words", "tags": "new"}
    as_aurora.post(url, item_values(item, seen_values=seen, **first))
    response = as_aurora.post(url, item_values(item, seen_values=seen, title="Second title"))
    assert "(now “First title”)" in html.unescape(response.text)
    assert "Summary (now" not in response.text
    form = response.context["form"]
    shown = {name: form[name].value() for name in ("title", "summary", "tags")}
    assert shown == {"title": "Second title", "summary": "New words", "tags": "new"}
    as_aurora.post(url, item_values(item, seen_values=form["seen_values"].value(), **shown))
    item = SiteItem.objects.get(pk=item.pk)
    assert (item.title, item.summary) == ("Second title", "New words")
    assert list(item.tags.values_list("name", flat=True)) == ["new"]


def test_different_fields_in_two_tabs(as_aurora, aurora):
    """Both are saved, without a question."""
    item = aurora.meeting_item
    url = reverse("wagtail_zoom_meetings:edit", args=[item.pk])
    seen = opened(as_aurora, url)
    as_aurora.post(url, item_values(item, seen_values=seen, summary="New words", tags="new"))
    response = as_aurora.post(url, item_values(item, seen_values=seen, title="New title"))
    assert response.status_code == 302
    item = SiteItem.objects.get(pk=item.pk)
    assert (item.title, item.summary) == ("New title", "New words")
    assert list(item.tags.values_list("name", flat=True)) == ["new"]


def test_the_choices_of_two_tabs(as_aurora, aurora):
    """Also where the other change was one button of the panel."""
    host = aurora.host.pk
    values = {
        "show_meetings": "on", "show_recordings": "on", "show_registration": "on", "hosts": host,
        "item_rule": "all", "join_policy": "public", "join_minutes": "15",
        "passcode_policy": "never", "review_recordings": "True", "recording_days": "",
        "registration_days": "30", "plan": "",
    }  # fmt: skip
    page = as_aurora.get(aurora.panel)
    form = page.context["form"]
    values = {name: value for name, value in values.items() if name in form.fields}
    for name in ("join_policy", "passcode_policy", "join_minutes", "registration_days"):
        values[name] = form[name].value()
    seen = opened(as_aurora, aurora.panel)
    stored = ZoomSettings.objects.filter(site=aurora.site)
    stored.update(show_registration=False, join_minutes=20)
    response = as_aurora.post(aurora.panel, {**values, "join_minutes": "25", "seen_values": seen})
    assert response.status_code == 200
    assert "(now “20”)" in html.unescape(response.text)
    assert "(now “off”)" not in html.unescape(response.text)
    form = response.context["form"]
    assert (form["join_minutes"].value(), form["show_registration"].value()) == ("25", False)
    # Saving again overwrites only what this tab has changed.
    del values["show_registration"]
    values |= {"join_minutes": "25", "seen_values": form["seen_values"].value()}
    assert as_aurora.post(aurora.panel, values).status_code == 302
    assert stored.values_list("join_minutes", "show_registration").get() == (25, False)


def test_other_choices_of_two_tabs(as_aurora, aurora):
    """What only the other tab has changed stays, hosts too."""
    other_host = Host.objects.create(account=aurora.account, zoom_id="second", display_name="B")
    form = as_aurora.get(aurora.panel).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    stored = ZoomSettings.objects.filter(site=aurora.site)
    stored.update(show_registration=not stored.get().show_registration)
    ExposedHost.objects.create(settings=stored.get(), host=other_host)
    before = stored.values("show_registration").get()
    hosts = set(ExposedHost.objects.values_list("host", flat=True))
    response = as_aurora.post(aurora.panel, {**values, "join_minutes": "25"})
    assert response.status_code == 302
    assert stored.values("show_registration").get() == before
    assert stored.get().join_minutes == 25
    assert set(ExposedHost.objects.values_list("host", flat=True)) == hosts


def pressed(page, label):
    """The path of a button of a list or page, as a browser would post to it."""
    button = re.search(rf'formaction="([^"]*)"[^>]*>\s*{label}', page)
    assert button is not None
    return html.unescape(button[1])


def test_a_decision_in_two_tabs(as_aurora, pending):
    """*Approve* in a list from before the denial does not turn it over without a word."""
    index = f"{reverse('wagtail_zoom_registrations:index')}?site={pending.site_id}"
    approve = pressed(as_aurora.get(index).content.decode(), "Approve")
    question = as_aurora.get(url_of("deny", pending)).content.decode()
    seen = seen_values(question)
    as_aurora.post(url_of("deny", pending), {"seen_values": seen})
    pending.refresh_from_db()
    assert pending.task == "deny"
    page = as_aurora.post(approve, follow=True).content.decode()
    assert "Nothing was changed: the registration of Visitor aurora is no longer" in page
    assert "denied here, on its way to Zoom" in page
    pending.refresh_from_db()
    assert pending.task == "deny"
    # The list that says so offers the way back.
    as_aurora.post(pressed(page, "Approve"))
    pending.refresh_from_db()
    assert pending.task == "approve"


def test_a_question_about_what_has_been_decided(as_aurora, pending):
    """The question was open when Zoom, or somebody else, approved."""
    question = as_aurora.get(url_of("deny", pending)).content.decode()
    seen = seen_values(question)
    Registration.objects.filter(pk=pending.pk).update(state="approved")
    page = as_aurora.post(url_of("deny", pending), {"seen_values": seen}, follow=True)
    assert "It is now: Registered." in page.content.decode()
    pending.refresh_from_db()
    assert (pending.state, pending.task) == ("approved", "")


def bulk(name, ids):
    """The path of a bulk action, as Wagtail's script makes it from the ticked boxes."""
    path = reverse("wagtail_bulk_action", args=["wagtail_zoom", "registration", name])
    query = {"id": ids, "next": reverse("wagtail_zoom_registrations:index")}
    return f"{path}?{urlencode(query, doseq=True)}"


@pytest.fixture
def both(as_aurora, pending):
    """Two registrations, and the ids of their boxes in the list."""
    other = Registration.objects.get(pk=pending.pk)
    other.pk, other.public_id, other.idempotency_key = None, uuid4(), "other"
    other.email, other.answers = "", '{"first_name": "Second"}'
    other.save()
    index = f"{reverse('wagtail_zoom_registrations:index')}?site={pending.site_id}"
    ids = re.findall(r'data-object-id="([^"]+)"', as_aurora.get(index).content.decode())
    assert len(ids) == 2
    return pending, other, ids


def seen_values(page):
    return html.unescape(re.search(r'name="seen_values" value="([^"]*)"', page)[1])


def tasks(*rows):
    return [Registration.objects.get(pk=row.pk).task for row in rows]


def test_many_decisions_from_an_older_list(as_aurora, both):
    """*Approve* for the ticked ones leaves out who has been denied since."""
    denied, other, ids = both
    as_aurora.post(url_of("deny", denied))
    question = as_aurora.get(bulk("zoom_approve", ids)).content.decode()
    assert "Approve 1 person?" in question and "Second" in question
    assert "No longer as you saw them in the list, so they are left out:" in question
    assert re.search(r"Visitor aurora: [^<]*denied here, on its way to Zoom", question)
    values = {"seen_values": seen_values(question)}
    page = as_aurora.post(bulk("zoom_approve", ids), values, follow=True).content.decode()
    assert "1 registration is being sent to Zoom." in page
    assert tasks(denied, other) == ["deny", "approve"]
    # A list that shows the denial turns it over.
    index = f"{reverse('wagtail_zoom_registrations:index')}?site={denied.site_id}"
    ids = re.findall(r'data-object-id="([^"]+)"', as_aurora.get(index).content.decode())
    question = as_aurora.get(bulk("zoom_approve", ids)).content.decode()
    as_aurora.post(bulk("zoom_approve", ids), {"seen_values": seen_values(question)})
    assert tasks(denied, other) == ["approve", "approve"]


@pytest.mark.parametrize("whole_list", [False, True])
def test_many_decisions_confirmed_after_a_newer_one(as_aurora, both, whole_list):
    """The question was open when one was denied; the message counts it."""
    denied, other, ids = both
    url = bulk("zoom_approve", ["all"] if whole_list else ids)
    question = as_aurora.get(url).content.decode()
    assert "Approve 2 people?" in question
    as_aurora.post(url_of("deny", denied))
    values = {"seen_values": seen_values(question)}
    page = as_aurora.post(url, values, follow=True).content.decode()
    assert "1 registration is being sent to Zoom." in page
    assert "1 registration was left out: it is no longer as you saw it." in page
    assert tasks(denied, other) == ["deny", "approve"]
    # The same form once more: nobody is as they were.
    page = as_aurora.post(url, values, follow=True).content.decode()
    assert "2 registrations were left out: they are no longer as you saw them." in page
    assert "being sent to Zoom." not in page
    assert tasks(denied, other) == ["deny", "approve"]


def test_a_correction_of_a_registration_in_two_tabs(as_aurora, aurora, monkeypatch):
    row = aurora.registration
    Registration.objects.filter(pk=row.pk).update(state="failed", task="", error_class="email")
    row.refresh_from_db()
    page = as_aurora.get(url_of("edit", row))
    assert page.status_code == 200
    seen = opened(as_aurora, url_of("edit", row))
    monkeypatch.setattr(
        moderation, "save_edit", lambda *args: pytest.fail("the first correction is overwritten")
    )
    row.email = "corrected@example.org"
    row.save()
    response = as_aurora.post(
        url_of("edit", row),
        {"seen_values": seen, "email": "other@example.org", "first_name": "A", "last_name": "B"},
    )
    assert "Somebody else corrected this registration" in response.content.decode()
    assert "other@example.org" in response.content.decode()
