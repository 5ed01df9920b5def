"""No Zoom account and no visitor writes a link into an email that the installation sends (X56).

Anybody can enter any address into a form, and the topic of the meeting is the Zoom account's; an
invited person has any name at Zoom. Emails are read here as an email program reads them: every part
and the calendar file, each with the links that the program would make.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone
from icalendar import Calendar

from tests.oauth.test_invitations import accept
from tests.registration.conftest import (  # noqa: F401
    form_url,
    make_all_due,
    make_meeting,
    post,
    process_due,
    tenant,
)
from wagtail_zoom.models import Grant, Registration, SiteItem, ZoomAccount, ZoomSettings
from wagtail_zoom.oauth import invitations, notifications
from wagtail_zoom.registration import mail_content
from wagtail_zoom.utils.text import unlinked_line

pytestmark = pytest.mark.django_db

LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\bmailto:\S+|\S+@\S+|\\\\\w+"
    r"|\b[\w-]+(?:[.\uff0e][\w-]+)*[.\uff0e][^\W\d_]{2,}\b|\b\d+\.\d+\.\d+\.\d+\b",
    re.IGNORECASE,
)
"""Everything that one email program or another makes a link of."""

HOSTILE = {
    "Your account is locked: https://evil.example/login": "Your account is locked",
    "Locked (http://evil.example)": "Locked",
    "https://evil.example/login": "",
    "Click evil.example/login now": "Click evil example/login now",
    "EVIL.EXAMPLE": "EVIL EXAMPLE",
    "Go to www.evil.example": "Go to",
    "Write to help@evil.example": "Write to",
    "Write to mailto:help@evil.example": "Write to",
    "Locked:javascript://evil": "Locked",
    "Call tel:+491234567": "Call",
    "Line\nbreak\r\nhttps://evil.example\u2028end": "Line break end",
    "пример.рф": "пример рф",
    "evil．example": "evil example",
    "evil-.example, b.evil.co.uk": "evil- example, b evil co uk",
    "192.0.2.7/login": "192 0 2 7/login",
    "\\\\evil\\share": "evil\\share",
    "elpmaxe.live \u202eelpmaxe.live": "elpmaxe live elpmaxe live",
    "NUL\x00and\x07bell": "NUL and bell",
    "👋 https://evil.example": "",
}
HARMLESS = [
    "Yoga 2.0", "U.S. and J.R.R. Tolkien", "Verein e. V.", "12.30 – 14.00", "Q&A @ lunch", "👋👋",
    "Bread & <b>butter</b>", "24. Dezember", "会議。東京", "and/or", "Ratio 3:1", "Teil 1.", "…",
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), HOSTILE.items())
def test_a_line_for_an_email(text, line):
    assert unlinked_line(text) == line
    assert not LINK.search(unlinked_line(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_words_that_are_no_link_stay(text):
    assert unlinked_line(text) == text


def test_a_long_line_takes_no_time():
    for part in ("a.", "a", "://", "a@", "1.", "www.", "\\", ".", "a://"):
        unlinked_line(part * 20_000)


def links_of(email):
    """The links of an email, except those to the installation itself and the owner's address."""
    texts = [
        email.subject,
        email.body,
        *(content for content, _kind in getattr(email, "alternatives", ())),
    ]
    for _name, content, _kind in email.attachments:
        for event in Calendar.from_ical(content).walk("VEVENT"):
            texts += [str(event.get(key, "")) for key in ("summary", "description", "location")]
    links = {match[0].strip("\"'<>()") for text in texts for match in LINK.finditer(text)}
    return {
        link for link in links if not link.startswith(("https://localhost/", "https://testserv"))
    }


def send(name):
    """Send this email to the person who has registered."""
    row = Registration.objects.get()
    row.state = "approved" if name == "approved" else "waiting"
    row.mail_due, row.task, row.task_at = name, "", None
    row.join_url = "https://us02web.zoom.us/w/1?tk=x"
    row.save()
    make_all_due()
    process_due()


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\x00" not in text])
def test_a_topic_puts_no_link_into_the_mails_of_a_stranger(client, tenant, text):  # noqa: F811
    """The stranger's address is entered, and the meeting approves everybody."""
    meeting = make_meeting(tenant, topic=text, agenda=f"Welcome.\n{text}\nBye.")
    ZoomSettings.objects.update(passcode_policy="registrants")
    meeting.passcode = "evil.example"
    meeting.zoom_confirms = meeting.zoom_notifies = False
    meeting.save()
    post(client, form_url(tenant, meeting), {"email": "stranger@example.org"})
    row = Registration.objects.get()
    for name in ("received", "approved"):
        send(name)
    first, second = mail.outbox
    assert {first.to[0], second.to[0]} == {"stranger@example.org"}
    assert second.attachments
    for email in mail.outbox:
        assert links_of(email) == set()
        assert "evil.example" not in str(email.message())
    title = unlinked_line(text) or "Zoom meeting"
    assert second.subject == f"You are registered: {title}"
    assert mail_content.subject_of("approved", row) == second.subject


def test_a_title_of_the_owner_is_cut_in_mails_as_well(client, tenant):  # noqa: F811
    meeting = make_meeting(tenant)
    SiteItem.objects.update_or_create(
        site=tenant.site, account=tenant.account, kind="meeting", key=meeting.zoom_id,
        defaults={"title": "Course: https://evil.example/x"},
    )  # fmt: skip
    post(client, form_url(tenant, meeting))
    send("approved")
    for email in mail.outbox:
        assert links_of(email) == set()
    assert mail.outbox[0].subject.endswith(": Course")


@pytest.fixture
def _reset(zoom_app):
    yield
    zoom_app.reset()


@pytest.mark.usefixtures("_reset")
def test_a_name_at_zoom_writes_nothing_into_the_mail_to_the_owner(
    client, site, owner, zoom_app, zoom_worker
):
    """An invited person's name has paragraphs and a link."""
    name = "Zoom\n\nYour website was attacked.\x00 Log in: https://evil.example/admin\n\nThe team"
    zoom_app.change_user("borealis-3", display_name=name)
    path = invitations.create(site, owner)[1].removeprefix("https://testserver")
    assert accept(client, path, "borealis-3").status_code == 200
    assert (
        Grant.objects.get().user_name.count("\n") == Grant.objects.get().user_name.count("\0") == 0
    )
    (email,) = mail.outbox
    assert email.to == [owner.email]
    assert links_of(email) == set()
    first_paragraph = email.body.split("\n\n")[0]
    assert "Your website was attacked." in first_paragraph
    assert first_paragraph.endswith("."), "the name makes no paragraph of its own"


@pytest.mark.parametrize("kind", ["needs_reconnect", "app_removed", "renewed", "invited", "status"])
def test_no_mail_to_an_owner_has_a_link_from_zoom(tenant, kind):  # noqa: F811
    """Names that were stored before they were cleaned."""
    text = "Locked.\n\nhttps://evil.example/x evil.example"
    owner = User.objects.create_superuser("boss", "boss@example.org", "pw")
    account, grant = tenant.account, tenant.grant
    ZoomAccount.objects.update(name=text)
    Grant.objects.update(user_name=text, state="needs_reconnect", reason="invalid_grant")
    ZoomSettings.objects.update(linked_by=owner)
    site_settings = ZoomSettings.objects.get()
    grant.refresh_from_db()
    account.refresh_from_db()
    if kind == "needs_reconnect":
        notifications.send_due_notifications(timezone.now() + timedelta(seconds=1))
    elif kind == "app_removed":
        notifications.send_app_removed(site_settings, owner.email, account, timezone.now())
    elif kind == "renewed":
        notifications.send_renewed(grant, ZoomSettings.objects.all())
    elif kind == "invited":
        row, _url = invitations.create(tenant.site, owner)
        notifications.send_invited_connected(site_settings, row)
    else:
        notifications.send_status_email(site_settings, owner.email, text, f"Of {text}")
    (email,) = mail.outbox
    assert links_of(email) == set()
    assert "evil.example" not in email.subject + email.body
