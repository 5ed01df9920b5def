"""The HTML part and the calendar file of the emails to a registered person."""

from __future__ import annotations

import html
import re
import time
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.core import mail
from django.test import override_settings
from django.utils import timezone
from django.utils.html import strip_tags
from icalendar import Calendar

from tests.ical_readers import read_with_vobject
from wagtail_zoom.models import Occurrence, Registration, WebhookEvent, ZoomSettings
from wagtail_zoom.registration import events as registration_events
from wagtail_zoom.registration import mail_content, mails, outbox, tokens
from wagtail_zoom.testing import factories

from .conftest import form_url, make_all_due, make_meeting, post, process_due

pytestmark = pytest.mark.django_db
OWN = "https://us02web.zoom.us/w/8?tk=own"
HOUR = timedelta(hours=1)
STATES = {
    "confirm": "unconfirmed", "received": "waiting", "pending": "pending", "approved": "approved",
    "denied": "denied", "cancelled": "cancelled", "failed": "failed", "again": "approved",
    "moved": "approved",
}  # fmt: skip


@pytest.fixture
def person(tenant, meeting):
    meeting.zoom_confirms = meeting.zoom_notifies = False
    meeting.save()
    row = factories.make_registration(tenant.site, meeting, "mika@example.org", locale="en")
    row.join_url = OWN
    row.save()
    return row


def message_of(row, name, **values):
    Registration.objects.filter(pk=row.pk).update(
        **{"state": STATES[name], "state_since": timezone.now(), **values}
    )
    return mail_content.message(Registration.objects.get(pk=row.pk), name)


def html_of(message):
    ((content, mimetype),) = message.alternatives
    assert mimetype == "text/html"
    return content


def words(text):
    return text.replace("----------", " ").split()


def words_of_html(content):
    """What is read of a page."""
    body = content.partition("<body>")[2]
    return words(html.unescape(strip_tags(body.replace("<br>", " ").replace("</p>", " "))))


def events_of(message):
    """The events of the attached file, by both parsers."""
    if not message.attachments:
        return []
    (attachment,) = message.attachments
    name, content, mimetype = attachment
    assert (name, mimetype) == ("registration.ics", "text/calendar")
    events = list(Calendar.from_ical(content).walk("VEVENT"))
    assert len(read_with_vobject(content).vevent_list) == len(events)
    return events


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
@pytest.mark.parametrize("name", STATES)
def test_both_parts_say_the_same(person, name, locale):
    """In every email and language, also where the topic has markup."""
    topic = 'Bread & <b>butter</b> "at" https://evil.example'
    snapshot = {**person.snapshot, "title": topic}
    ZoomSettings.objects.update(contact_email="owner@example.org", passcode_policy="registrants")
    message = message_of(person, name, locale=locale, snapshot=snapshot)
    content = html_of(message)
    assert words_of_html(content) == words(message.body)
    assert f'<html lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}">' in content
    assert "<strong>Bread &amp; &lt;b&gt;butter&lt;/b&gt;" in content
    urls = re.findall(r'<a href="([^"]+)">', content)
    expected = {tokens.status_url(person, ZoomSettings.objects.get())}
    if name == "approved":
        expected.add(f"https://localhost{tokens.join_path(person)}")
    assert set(urls) == expected, "and no link that somebody else wrote"
    assert "style=" not in content and "<script" not in content and "src=" not in content


def test_a_message_as_it_is_sent(client, person, settings):
    message = message_of(person, "approved")
    sent = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    assert sent.get_content_type() == "multipart/mixed"
    alternative, attachment = sent.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain", "text/html",
    ]  # fmt: skip
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_filename() == "registration.ics"
    assert attachment.get_content_charset() == "utf-8"
    (event,) = Calendar.from_ical(attachment.get_content()).walk("VEVENT")
    assert str(event["location"]).endswith(tokens.join_path(person))
    assert sent["Auto-Submitted"] == "auto-generated"


def test_the_attached_file_is_that_of_the_status_page(client, person):
    (event,) = events_of(message_of(person, "approved"))
    row = person.meeting.occurrences.get()
    assert event["uid"] == f"{row.public_id}@wagtail-zoom"
    assert event["dtstart"].dt == row.start.replace(microsecond=0)
    assert event["status"] == "CONFIRMED"
    for field in ("location", "url", "description"):
        assert tokens.join_path(person) in event[field]
    page = client.get(tokens.calendar_path(person))
    assert page.content.decode() == message_of_file(person)


def message_of_file(person):
    (attachment,) = mail_content.message(
        Registration.objects.get(pk=person.pk), "approved"
    ).attachments
    return attachment[1]


@pytest.mark.parametrize("name", STATES)
def test_which_emails_have_a_file(person, name):
    message = message_of(person, name)
    is_attached = name in ("approved", "moved", "again", "cancelled")
    assert bool(events_of(message)) is is_attached
    assert ("attached file" in message.body) is is_attached
    if name == "denied":
        was_told = message_of(person, name, mails={"approved": "2026-11-24T10:00:00+00:00"})
        assert events_of(was_told)[0]["status"] == "CANCELLED"


def test_a_state_that_has_changed_meanwhile_has_no_file(person):
    """The email was queued before."""
    for name, state in (("approved", "cancelled"), ("cancelled", "approved"), ("moved", "pending")):
        assert events_of(message_of(person, name, state=state)) == []


def test_each_file_replaces_the_one_before(person):
    """Registered, moved, cancelled, registered again: one UID, and a higher SEQUENCE each time."""
    events, now = [], person.state_since
    for number, name in enumerate(["approved", "moved", "cancelled", "approved"]):
        if name == "moved":
            Occurrence.objects.update(
                start=now + 30 * HOUR, end=now + 31 * HOUR, sequence=1, updated_at=now
            )
        since = now if name == "moved" else now + number * HOUR
        events += events_of(message_of(person, name, state_since=since))
    assert len({str(event["uid"]) for event in events}) == 1
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences)) and sequences[-1] < 2**31
    stamps = [event["dtstamp"].dt for event in events]
    assert stamps == sorted(stamps)
    assert [event["status"] for event in events] == [
        "CONFIRMED", "CONFIRMED", "CANCELLED", "CONFIRMED",
    ]  # fmt: skip
    cancelled = events[2]
    assert cancelled["dtstart"].dt == events[1]["dtstart"].dt
    assert "/zoom/join/" not in cancelled.to_ical().decode().replace("\r\n ", "")


def test_no_dates_no_file(person):
    Occurrence.objects.all().delete()
    message = message_of(person, "approved")
    assert message.attachments == [] and "attached" not in message.body


@pytest.mark.parametrize("policy", ["public", "window", "registrants", "never"])
def test_the_file_has_no_other_link(person, policy):
    ZoomSettings.objects.update(join_policy=policy, passcode_policy="registrants")
    message = message_of(person, "approved")
    content = message.attachments[0][1].replace("\r\n ", "")
    linked_tokens = set(re.findall(r"/zoom/join/([\w=-]+)/", content))
    assert linked_tokens == (set() if policy == "never" else {tokens.token_of(person)})
    for secret in ("zoom.us", "tk=own", "pwd"):
        assert secret not in content and secret not in html_of(message)


def test_from_registering_to_cancelling(client, connect_site):
    """Over the outbox, with the simulator."""
    scenario = connect_site(settings={"registrants_email_notification": False})
    assert post(client, scenario.url).status_code == 303
    make_all_due()
    process_due()
    registered = mail.outbox[-1]
    assert registered.subject.startswith("You are registered")
    (event,) = events_of(registered)
    row = Registration.objects.get()
    scenario.zoom.decide(scenario.number, row.zoom_registrant_id, "cancel")
    event_of_zoom = WebhookEvent(
        event="meeting.registration_cancelled",
        event_ts=int(time.time() * 1000) + 1000,
        received_at=timezone.now() + timedelta(seconds=1),
        payload={"object": {"id": scenario.number, "registrant": {"id": row.zoom_registrant_id}}},
    )
    registration_events.on_registration_event(scenario.tenant.account, event_of_zoom)
    process_due()
    make_all_due()
    process_due()
    (cancelled,) = events_of(mail.outbox[-1])
    assert (cancelled["uid"], cancelled["status"]) == (event["uid"], "CANCELLED")
    assert cancelled["sequence"] > event["sequence"] or (
        cancelled["dtstamp"].dt >= event["dtstamp"].dt
        and cancelled["sequence"] == event["sequence"]
    )
    assert words_of_html(html_of(mail.outbox[-1])) == words(mail.outbox[-1].body)


def test_one_email_about_several_registrations(client, tenant, meeting):
    other_meeting = make_meeting(tenant, topic="Second", zoom_id="8123456790")
    for registered in (meeting, other_meeting):
        post(client, form_url(tenant, registered))
    first, second = Registration.objects.order_by("pk")
    Registration.objects.update(state="approved", task="", task_at=None, mail_due="approved")
    Registration.objects.filter(pk=second.pk).update(state="cancelled", mail_due="cancelled")
    first, second = Registration.objects.order_by("pk")
    message = mail_content.message(first, "approved", [second])
    assert message.subject == "Your registrations"
    content = html_of(message)
    assert words_of_html(content) == words(message.body) and content.count("<hr>") == 3
    assert {event["status"] for event in events_of(message)} == {"CONFIRMED", "CANCELLED"}
    assert content.count("<strong>") == 4, "subject and title of each"


def test_a_project_overrides_the_text_or_the_html(person, settings, tmp_path):
    """The HTML follows the text; one email, or all of them, may have a template of their own."""
    folder = tmp_path / "wagtail_zoom/registration/mail"
    folder.mkdir(parents=True)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    (folder / "approved.txt").write_text(
        "{% autoescape off %}Welcome to {{ title }} & more: {{ join_url }} now.{% endautoescape %}"
    )
    message = message_of(person, "approved")
    assert message.body.startswith("Welcome to Heat pumps & more: https://localhost/zoom/join/")
    content = html_of(message)
    assert words_of_html(content) == words(message.body)
    url = f"https://localhost{tokens.join_path(person)}"
    assert f'more: <a href="{url}">{url}</a> now.' in content
    settings.TEMPLATES = [*settings.TEMPLATES]  # forgets which templates were not there
    (folder / "approved.html").write_text("<h1>{{ title }}</h1>{{ dates.0 }} {{ join_url }}")
    assert html_of(message_of(person, "approved")).startswith("<h1>Heat pumps</h1>")
    assert "<main>" in html_of(message_of(person, "moved"))


def test_the_stylesheet_is_in_the_head_only():
    source = (
        Path(mail_content.__file__)
        .parents[1]
        .joinpath("templates", mail_content.TEMPLATES, "_base.html")
    )
    assert source.read_text().count("<style>") == 1


def test_owners_mails_stay_plain(person):
    ZoomSettings.objects.update(contact_email="owner@example.org")
    with outbox.edit_row(person.pk) as row:
        row.error_class = "refused"
    with override_settings(DEFAULT_FROM_EMAIL="cms@example.org"):
        mails.notify_owner(row)
    (message,) = mail.outbox
    assert not getattr(message, "alternatives", []) and message.attachments == []
