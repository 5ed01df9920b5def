"""A mail server that refuses or is away; the owner's one mail; the signal for the project."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.utils import timezone

from wagtail_zoom.models import Registration, ZoomSettings
from wagtail_zoom.registration import mails, outbox, tokens
from wagtail_zoom.signals import registration_changed

from .conftest import hurry, post, url_of, work

pytestmark = pytest.mark.django_db


class Server:
    """Django's mail server: raises what it is told to, else keeps the mail."""

    trouble: Exception | None = None

    def __init__(self, *args, **kwargs):
        pass

    def send_messages(self, messages):
        if Server.trouble is not None:
            raise Server.trouble
        mail.outbox.extend(messages)
        return len(messages)


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Server"
    Server.trouble = None
    mail.outbox = []
    yield Server
    Server.trouble = None


@pytest.fixture
def signed_up(client, place, meeting):
    """A sign-up that Zoom has taken, with its mail due; nothing else waits."""
    post(client, url_of(place, meeting))
    Registration.objects.update(
        state="approved", task="", task_at=None, mail_due="approved", mail_at=timezone.now(),
        next_try_at=timezone.now(), mails={}, error_class="",
    )  # fmt: skip
    return Registration.objects.get()


def again(row):
    row.refresh_from_db()
    return row


def test_an_address_that_is_refused_is_told_to_the_owner_and_not_tried_again(server, signed_up):
    server.trouble = smtplib.SMTPRecipientsRefused({"mika@example.org": (550, b"no such user")})
    work()
    row = again(signed_up)
    assert (row.error_class, row.mail_due, row.mails) == ("mail", "", {})
    assert row.state == "approved"


def test_a_mail_server_that_is_away_delays_a_mail_and_loses_none(server, signed_up, caplog):
    """Ever longer pauses; what was sent in the end is noted once."""
    server.trouble = ConnectionRefusedError("mika@example.org")
    waits = []
    for _n in range(3):
        work()
        row = again(signed_up)
        waits.append((row.mail_at - timezone.now()).total_seconds() / 60)
        hurry()
    assert [round(one) for one in waits] == [5, 10, 20]
    assert "mika@example.org" not in caplog.text
    server.trouble = None
    work()
    row = again(signed_up)
    assert (row.mail_due, row.error_class, list(row.mails)) == ("", "", ["approved"])
    assert len(mail.outbox) == 1


def test_after_twelve_tries_the_owner_is_told(server, signed_up):
    server.trouble = smtplib.SMTPServerDisconnected("gone")
    for _n in range(mails.MOST_TRIES):
        work()
        hurry()
    row = again(signed_up)
    assert (row.error_class, row.mail_due, row.next_try_at) == ("mail", "", None)


def test_a_copy_of_the_database_mails_nobody(server, signed_up, place):
    type(place.account).objects.update(fingerprint="another installation")
    work()
    assert mail.outbox == []
    assert again(signed_up).mail_at > timezone.now() + timedelta(minutes=50)


def test_the_owner_gets_one_mail_about_one_trouble(server, signed_up, place):
    """And not a word about the person."""
    ZoomSettings.objects.update(contact_email="owner@example.org")
    for _n in range(2):
        with outbox.locked(signed_up.pk) as row:
            row.state, row.error_class = "failed", "refused"
            outbox.post(row, "failed")
            row.save()
        work()
    to_owner = [one for one in mail.outbox if one.to == ["owner@example.org"]]
    assert len(to_owner) == 1
    assert "Heat pumps" in to_owner[0].subject
    for secret in ("Mika", "Tanaka", "mika@"):
        assert secret not in to_owner[0].subject + to_owner[0].body


@pytest.mark.parametrize(("zoom_notifies", "ours"), [(True, ""), (False, "denied")])
def test_zooms_own_mails_are_not_repeated(signed_up, meeting, zoom_notifies, ours):
    type(meeting).objects.update(zoom_notifies=zoom_notifies)
    assert mails.after_change(Registration.objects.get(), "denied") == ours


def test_one_sign_up_that_breaks_holds_up_no_other(client, place, meeting, caplog):
    """Its lease keeps it aside for a while."""
    post(client, url_of(place, meeting))
    post(client, url_of(place, meeting), {"email": "ines@example.org"})
    hurry()
    first = Registration.objects.order_by("next_try_at", "pk").first()
    done = []

    def broken(pk, lease):
        if pk == first.pk:
            raise RuntimeError("boom")
        done.append(pk)
        with outbox.locked(pk) as row:
            outbox.plan(row, "")
            outbox.post(row, "")
            outbox.release(row, lease)
            row.save()

    outbox.run(broken, seconds=0.3)
    assert done == [Registration.objects.exclude(pk=first.pk).get().pk]
    assert "A sign-up could not be worked on." in caplog.text
    assert Registration.objects.get(pk=first.pk).lease_until > timezone.now()


def test_a_project_hears_of_every_new_state_after_the_commit(
    signed_up, django_capture_on_commit_callbacks
):
    """``registration_changed``: once for a new state, not for the same one, and a receiver that
    fails breaks nothing."""
    heard = []

    def listen(registration, previous, **kwargs):
        heard.append((previous, registration.state))
        raise RuntimeError("a project's mistake")

    registration_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            for state in ("denied", "denied"):
                with outbox.locked(signed_up.pk) as row:
                    outbox.move(row, state)
                    row.save()
            assert heard == []
    finally:
        registration_changed.disconnect(listen)
    assert heard == [("approved", "denied")]


KINDS = ("again", "approved", "cancelled", "confirm", "denied", "failed", "pending", "received")


@pytest.mark.parametrize("zoom_sends", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_in_english_the_sentence_after_the_greeting_begins_with_a_capital(kind, zoom_sends):
    facts = {"name": "Mika", "organiser": "Aurora", "reason": "", "title": "Evening"}
    text = render_to_string(
        f"wagtail_zoom/registration/mail/{kind}.txt", {**facts, "zoom_sends": zoom_sends}
    )
    greeting, _empty, words = text.splitlines()[:3]
    assert greeting == "Hello Mika," and words[0].isupper(), words


ZOOM = "Zoom sends your joining details in an email of its own."
OURS = "Your personal link."
HERE = "You can also join from the page below."
ORGANISER = "The organiser gives out the link."


@pytest.mark.parametrize(
    ("zoom", "policy", "in_mail", "on_page"),
    [
        (True, "window", {ZOOM, HERE}, {ZOOM, "Join on Zoom"}),
        (True, "never", {ZOOM}, {ZOOM}),
        (False, "window", {OURS}, {"Join on Zoom"}),
        (False, "never", {ORGANISER}, {ORGANISER}),
    ],
)
def test_mail_and_status_page_say_alike_who_sends_the_joining_details(
    client, place, meeting, signed_up, zoom, policy, in_mail, on_page
):
    type(meeting).objects.update(zoom_confirms=zoom)
    ZoomSettings.objects.update(join_policy=policy)
    hurry()
    work()
    said = {ZOOM, OURS, HERE, ORGANISER, "Join on Zoom"}
    body = " ".join(mail.outbox[-1].body.split())
    page = client.get(tokens.status_path(signed_up)).content.decode()
    assert {words for words in said if words in body} == in_mail
    assert {words for words in said if words in page} == on_page


@pytest.mark.parametrize("zoom", [True, False])
@pytest.mark.parametrize("policy", ["window", "never"])
def test_form_and_answer_promise_only_what_every_mail_keeps(client, place, meeting, zoom, policy):
    """They say that the mail tells how to join, and not who sends the link."""
    type(meeting).objects.update(zoom_confirms=zoom)
    ZoomSettings.objects.update(join_policy=policy)
    url = url_of(place, meeting)
    form = client.get(url).content.decode()
    assert "It tells you how to join, and you can cancel with it." in form
    assert "link" not in form.partition("<form")[2].partition("</form>")[0]
    type(place.account).objects.update(throttled_until=None)
    answer = client.get(url + "received/").content.decode()
    assert "It tells you how things stand and how to join." in answer


@pytest.mark.parametrize(
    ("approval", "confirms", "notifies", "sends"),
    [
        (0, True, False, True),
        (0, False, True, False),
        (1, True, False, False),
        (1, False, True, True),
    ],
)
def test_after_an_approval_by_hand_the_details_come_with_zooms_mail_about_it(
    meeting, approval, confirms, notifies, sends
):
    meeting.approval_type = approval
    meeting.zoom_confirms, meeting.zoom_notifies = confirms, notifies
    assert meeting.zoom_sends_details is sends


def test_every_mail_to_a_visitor_is_looked_at():
    folder = Path(mails.__file__).parent.parent / "templates/wagtail_zoom/registration/mail"
    assert {path.stem for path in folder.glob("[!_]*.txt")} == {*KINDS, "owner"}
