"""Mail server errors, the owner's email, and the signal for projects."""

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
from wagtail_zoom.registration.fields import greetable
from wagtail_zoom.signals import registration_changed

from .conftest import form_url, make_all_due, post, process_due

pytestmark = pytest.mark.django_db


class FakeEmailBackend:
    """An email backend that raises ``error`` or stores the email."""

    error: Exception | None = None

    def __init__(self, *args, **kwargs):
        pass

    def send_messages(self, messages):
        if FakeEmailBackend.error is not None:
            raise FakeEmailBackend.error
        mail.outbox.extend(messages)
        return len(messages)


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.FakeEmailBackend"
    FakeEmailBackend.error = None
    mail.outbox = []
    yield FakeEmailBackend
    FakeEmailBackend.error = None


@pytest.fixture
def registration(client, tenant, meeting):
    """A registration that Zoom has accepted, with only its email due."""
    post(client, form_url(tenant, meeting))
    Registration.objects.update(
        state="approved", task="", task_at=None, mail_due="approved", mail_at=timezone.now(),
        next_try_at=timezone.now(), mails={}, error_class="",
    )  # fmt: skip
    return Registration.objects.get()


def refreshed(row):
    row.refresh_from_db()
    return row


def test_refused_recipient_is_not_retried(server, registration):
    server.error = smtplib.SMTPRecipientsRefused({"mika@example.org": (550, b"no such user")})
    process_due()
    row = refreshed(registration)
    assert (row.error_class, row.mail_due, row.mails) == ("mail", "", {})
    assert row.state == "approved"


def test_unreachable_mail_server_delays_emails(server, registration, caplog):
    """With growing delays; the email is recorded once."""
    server.error = ConnectionRefusedError("mika@example.org")
    waits = []
    for _n in range(3):
        process_due()
        row = refreshed(registration)
        waits.append((row.mail_at - timezone.now()).total_seconds() / 60)
        make_all_due()
    assert [round(minutes) for minutes in waits] == [5, 10, 20]
    assert "mika@example.org" not in caplog.text
    server.error = None
    process_due()
    row = refreshed(registration)
    assert (row.mail_due, row.error_class, list(row.mails)) == ("", "", ["approved"])
    assert len(mail.outbox) == 1


def test_final_failure_after_twelve_attempts(server, registration):
    server.error = smtplib.SMTPServerDisconnected("gone")
    for _n in range(mails.MAX_ATTEMPTS):
        process_due()
        make_all_due()
    row = refreshed(registration)
    assert (row.error_class, row.mail_due, row.next_try_at) == ("mail", "", None)


class FakeConnection:
    """A connection to a mail server that accepts everything."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return lambda *args, **kwargs: (250, b"")


def run_all():
    """The worker, and what it would do again after the lease."""
    for _n in range(3):
        process_due()
        Registration.objects.update(lease_owner="", lease_until=None)


@pytest.mark.parametrize("email", ["=?utf-8?q?a=0Ab?=@target.org", "=?utf-8?q?a=0D=0Ab?=@x.org"])
def test_unsendable_address_ends_with_one_error(registration, settings, monkeypatch, caplog, email):
    """Such an address may be stored, from before it was refused or by a project's own code."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr(smtplib, "SMTP", FakeConnection)
    registration.email = email
    registration.save()
    run_all()
    row = refreshed(registration)
    assert (row.error_class, row.mail_due, row.next_try_at, row.lease_owner) == (
        "mail",
        "",
        None,
        "",
    )
    assert row.state == "approved"
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1 and email not in caplog.text


@pytest.mark.parametrize(
    "error", [ValueError("mika@example.org"), UnicodeError("mika@example.org")]
)
def test_email_that_cannot_be_built_is_not_retried(server, registration, caplog, error):
    server.error = error
    process_due()
    row = refreshed(registration)
    assert (row.error_class, row.mail_due, row.next_try_at, row.lease_owner) == (
        "mail",
        "",
        None,
        "",
    )
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1 and type(error).__name__ in errors[0].getMessage()
    assert "mika@example.org" not in caplog.text


def test_unknown_error_of_an_email_backend_is_retried_a_limited_number_of_times(
    server, registration
):
    """Backends for the APIs of providers raise exceptions of their own, also when throttled."""
    server.error = RuntimeError("throttled")
    process_due()
    row = refreshed(registration)
    assert (row.mail_due, row.error_class, row.lease_owner) == ("approved", "", "")
    for _n in range(mails.MAX_ATTEMPTS):
        make_all_due()
        process_due()
    row = refreshed(registration)
    assert (row.error_class, row.mail_due, row.next_try_at) == ("mail", "", None)


def test_unsendable_email_to_the_owner_does_not_hold_the_row(server, registration, caplog):
    ZoomSettings.objects.update(contact_email="owner@example.org")
    server.error = ValueError("owner@example.org")
    with outbox.edit_row(registration.pk) as row:
        row.state, row.error_class = "failed", "refused"
        outbox.queue_mail(row, "failed")
    process_due()
    row = refreshed(registration)
    assert (row.mail_due, row.lease_owner) == ("", "")
    assert "An email to an owner could not be sent (ValueError)." in caplog.text


def test_copied_database_sends_no_email(server, registration, tenant):
    type(tenant.account).objects.update(fingerprint="another installation")
    process_due()
    assert mail.outbox == []
    assert refreshed(registration).mail_at > timezone.now() + timedelta(minutes=50)


def test_owner_gets_one_email_per_error(server, registration, tenant):
    """Without personal data."""
    ZoomSettings.objects.update(contact_email="owner@example.org")
    for _n in range(2):
        with outbox.edit_row(registration.pk) as row:
            row.state, row.error_class = "failed", "refused"
            outbox.queue_mail(row, "failed")
        process_due()
    to_owner = [email for email in mail.outbox if email.to == ["owner@example.org"]]
    assert len(to_owner) == 1
    assert "Heat pumps" in to_owner[0].subject
    for secret in ("Mika", "Tanaka", "mika@"):
        assert secret not in to_owner[0].subject + to_owner[0].body


@pytest.mark.parametrize(("zoom_notifies", "expected"), [(True, ""), (False, "denied")])
def test_zooms_own_emails_are_not_repeated(registration, meeting, zoom_notifies, expected):
    type(meeting).objects.update(zoom_notifies=zoom_notifies)
    assert mails.mail_after_change(Registration.objects.get(), "denied") == expected


def test_failing_registration_does_not_block_others(client, tenant, meeting, caplog):
    """It is skipped until its lease expires."""
    post(client, form_url(tenant, meeting))
    post(client, form_url(tenant, meeting), {"email": "ines@example.org"})
    make_all_due()
    first = Registration.objects.order_by("next_try_at", "pk").first()
    processed = []

    def broken(pk, lease):
        if pk == first.pk:
            raise RuntimeError("boom")
        processed.append(pk)
        with outbox.edit_row(pk, lease) as row:
            outbox.queue_task(row, "")
            outbox.queue_mail(row, "")

    outbox.run(broken, seconds=0.3)
    assert processed == [Registration.objects.exclude(pk=first.pk).get().pk]
    assert "A Registration could not be processed." in caplog.text
    assert Registration.objects.get(pk=first.pk).lease_until > timezone.now()


def test_registration_changed_is_sent_after_the_commit(
    registration, django_capture_on_commit_callbacks
):
    """Once for a new state, not for the same one. A failing receiver breaks nothing."""
    received = []

    def listen(registration, previous, **kwargs):
        received.append((previous, registration.state))
        raise RuntimeError("a project's mistake")

    registration_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            for state in ("denied", "denied"):
                with outbox.edit_row(registration.pk) as row:
                    outbox.set_state(row, state)
            assert received == []
    finally:
        registration_changed.disconnect(listen)
    assert received == [("approved", "denied")]


KINDS = (
    "again", "approved", "cancelled", "confirm", "denied", "failed", "moved", "pending", "received",
)  # fmt: skip


@pytest.mark.parametrize("zoom_sends", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_english_text_after_the_greeting_starts_with_a_capital(kind, zoom_sends):
    context = {"name": "Mika", "organiser": "Aurora", "reason": "", "title": "Evening"}
    text = render_to_string(
        f"wagtail_zoom/registration/mail/{kind}.txt", {**context, "zoom_sends": zoom_sends}
    )
    greeting, _empty, words = text.splitlines()[:3]
    assert greeting == "Hello Mika," and words[0].isupper(), words


ZOOM_SENDS_DETAILS = "Zoom will also email you the joining details."
PERSONAL_LINK = "Your personal link."
JOIN_ON_PAGE = "You can also join from the page below."
ASK_ORGANISER = "The organiser gives out the link."


@pytest.mark.parametrize(
    ("zoom", "policy", "in_mail", "on_page"),
    [
        (True, "window", {ZOOM_SENDS_DETAILS, JOIN_ON_PAGE}, {ZOOM_SENDS_DETAILS, "Join on Zoom"}),
        (True, "never", {ZOOM_SENDS_DETAILS}, {ZOOM_SENDS_DETAILS}),
        (False, "window", {PERSONAL_LINK}, {"Join on Zoom"}),
        (False, "never", {ASK_ORGANISER}, {ASK_ORGANISER}),
    ],
)
def test_email_and_status_page_agree_on_joining_details(
    client, tenant, meeting, registration, zoom, policy, in_mail, on_page
):
    type(meeting).objects.update(zoom_confirms=zoom)
    ZoomSettings.objects.update(join_policy=policy)
    make_all_due()
    process_due()
    texts = {ZOOM_SENDS_DETAILS, PERSONAL_LINK, JOIN_ON_PAGE, ASK_ORGANISER, "Join on Zoom"}
    body = " ".join(mail.outbox[-1].body.split())
    page = client.get(tokens.status_path(registration)).content.decode()
    assert {text for text in texts if text in body} == in_mail
    assert {text for text in texts if text in page} == on_page


@pytest.mark.parametrize("zoom", [True, False])
@pytest.mark.parametrize("policy", ["window", "never"])
def test_form_promises_only_what_every_email_contains(client, tenant, meeting, zoom, policy):
    """Form and confirmation page announce an email that explains how to join, not who sends the
    link."""
    type(meeting).objects.update(zoom_confirms=zoom)
    ZoomSettings.objects.update(join_policy=policy)
    url = form_url(tenant, meeting)
    form = client.get(url).content.decode()
    assert "explains how to join and how to cancel" in form
    assert "link" not in form.partition("<form")[2].partition("</form>")[0]
    type(tenant.account).objects.update(throttled_until=None)
    response = client.get(url + "received/").content.decode()
    assert "An email with its status and the joining details is on its way." in response


@pytest.mark.parametrize(
    ("approval", "confirms", "notifies", "sends"),
    [
        (0, True, False, True),
        (0, False, True, False),
        (1, True, False, False),
        (1, False, True, True),
    ],
)
def test_zoom_sends_details_after_manual_approval(meeting, approval, confirms, notifies, sends):
    meeting.approval_type = approval
    meeting.zoom_confirms, meeting.zoom_notifies = confirms, notifies
    assert meeting.zoom_sends_details is sends


@pytest.mark.parametrize(
    "name",
    [
        "https://spam.example", "spam.example", "www.spam.example", "spam。example", "a@b.example",
        "spam.example/x", "Call 0900 123", "x" * 41, "You have won a lot of money", "t.me/spam",
        "<b>Mika</b>", "spam\u2024example",
    ],
)  # fmt: skip
def test_names_that_are_not_greeted(client, tenant, meeting, name):
    """The first email goes to an address that anybody may have entered, with any name."""
    post(client, form_url(tenant, meeting), {"first_name": name})
    assert Registration.objects.count() == 1
    Registration.objects.update(mail_due="received", mail_at=timezone.now())
    make_all_due()
    process_due()
    make_all_due()
    process_due()
    (email,) = mail.outbox
    assert email.body.startswith("Hello,\n")
    assert name not in email.body + email.subject
    page = client.get(tokens.status_path(Registration.objects.get())).content.decode()
    assert name not in page


@pytest.mark.parametrize(
    "name",
    ["Mika", "Anne-Marie", "J. R.", "Dr. Ines", "O’Neil", "D'Arcy", "मीना", "Łukasz"],
)
def test_names_that_are_greeted(name):
    assert greetable(name) == name


def test_every_email_is_tested():
    folder = Path(mails.__file__).parent.parent / "templates/wagtail_zoom/registration/mail"
    assert {path.stem for path in folder.glob("[!_]*.txt")} == {*KINDS, "owner"}
