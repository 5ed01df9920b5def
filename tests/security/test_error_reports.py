"""Error mails to ADMINS, failures of the worker and logs say where, never who.

Every view that gets data of people fails once, deep in its work, while frames hold the person. The
mail is read as Django's ``AdminEmailHandler`` sends it, with its HTML part.
"""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.log import AdminEmailHandler

from tests.registration.conftest import PERSON, SAME_ORIGIN
from tests.security.tenant_data import make_tenants
from tests.webhooks.test_endpoint import SECRET
from wagtail_zoom import tasks, webhooks
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Registration, ZoomAccount
from wagtail_zoom.oauth import views as oauth_views
from wagtail_zoom.registration import (
    delivery,
    forget,
    inline,
    mails,
    moderation,
    outbox,
    self_service,
    service,
    tokens,
)
from wagtail_zoom.registration.form import RegistrationForm
from wagtail_zoom.testing.signing import sign
from wagtail_zoom.utils import leases
from wagtail_zoom.utils.logging import JsonFormatter

pytestmark = pytest.mark.django_db

NAMES = ("Tanaka", "mika@example.org", "Kioto", "visitor@northwind.example", "northwind visitor")
"""What no report may hold."""


class InjectedError(Exception):
    """Raised by the test, with a person in its frames."""


@pytest.fixture
def reports(settings):
    """Error mails to ADMINS: text and HTML."""
    settings.ADMINS = [("Root", "root@example.org")]
    handler = AdminEmailHandler(include_html=True)
    handler.setLevel(logging.ERROR)
    logger = logging.getLogger()
    logger.addHandler(handler)
    quiet = logging.getLogger("django").handlers
    logging.getLogger("django").handlers = []

    def read():
        texts = []
        for message in mail.outbox:
            if message.to == ["root@example.org"]:
                html = [part.content for part in message.alternatives]
                texts.append("\n".join([message.subject, message.body, *html]))
        mail.outbox.clear()
        return texts

    yield read
    logger.removeHandler(handler)
    logging.getLogger("django").handlers = quiet


@pytest.fixture
def north(db, reports):
    return make_tenants().north


def fail(monkeypatch, owner, name):
    """Let a function fail while it holds a person."""

    def failing(*args, **kwargs):
        person = {**PERSON, "city": "Kioto", "given": [str(value) for value in args]}
        raise InjectedError(len(person))

    monkeypatch.setattr(owner, name, failing)


def check_reports(texts, place):
    """At least one mail, which names the place of the error and no person."""
    assert texts, place
    text = "\n".join(texts)
    assert "InjectedError" in text and "failing" in text, place
    for name in NAMES:
        position = text.find(name)
        assert position < 0, (place, text[max(0, position - 300) : position + 60])


FORM = [
    (RegistrationForm, "clean"),
    (service, "save"),
    (service, "submission_of"),
    (inline, "enqueue_old_questions"),
    (leases, "new_owner"),
]


@pytest.mark.parametrize(("owner", "name"), FORM, ids=[name for _owner, name in FORM])
def test_the_form(north, reports, monkeypatch, owner, name):
    url = FormLink(north.site.pk, north.page.pk, north.meeting.pk, "en").url
    fail(monkeypatch, owner, name)
    client = Client(raise_request_exception=False, headers={"host": north.hostname})
    response = client.post(url, {**PERSON, "consent": "on", "city": "Kioto"}, headers=SAME_ORIGIN)
    assert response.status_code == 500
    check_reports(reports(), name)


def test_the_first_attempt_in_the_request(north, reports, monkeypatch):
    """It is caught and logged: the mail of the log record is read."""
    url = FormLink(north.site.pk, north.page.pk, north.meeting.pk, "en").url
    fail(monkeypatch, delivery, "is_task_due")
    client = Client(headers={"host": north.hostname})
    response = client.post(url, {**PERSON, "consent": "on"}, headers=SAME_ORIGIN)
    assert response.status_code == 303
    check_reports(reports(), "is_task_due")


def test_personal_pages(north, reports, monkeypatch):
    client = Client(raise_request_exception=False, headers={"host": north.hostname})
    token = tokens.token_of(north.registration)
    pages = [
        ("get", "registration", self_service, "first_name"),
        ("post", "registration_confirm", service, "confirm"),
        ("post", "registration_cancel", service, "cancel"),
        ("post", "registration_resend", service, "resend"),
        ("get", "registration_calendar", self_service, "calendar_of"),
        ("get", "join", self_service, "_current_occurrence"),
    ]
    for method, view, owner, name in pages:
        state = "unconfirmed" if name == "confirm" else "approved"
        Registration.objects.update(state=state)
        with monkeypatch.context() as patch:
            fail(patch, owner, name)
            url = reverse(f"wagtail_zoom:{view}", args=[token])
            assert (
                getattr(client, method)(
                    url, {"city": "Kioto"} if method == "post" else {}
                ).status_code
                == 500
            ), view
        check_reports(reports(), view)


def test_pages_of_owners(north, reports, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(north.owner)
    pages = [
        ("get", "view", moderation, "details"),
        ("post", "approve", moderation, "approve"),
        ("post", "edit", moderation, "edit_form"),
        ("post", "forget", forget, "forget"),
        ("post", "export", forget, "export"),
    ]
    for method, view, owner, name in pages:
        with monkeypatch.context() as patch:
            Registration.objects.update(state="failed" if view == "edit" else "pending")
            fail(patch, owner, name)
            url = reverse(f"wagtail_zoom_registrations:{view}", args=[north.registration.pk])
            data = {**PERSON, "city": "Kioto"} if method == "post" else {}
            response = getattr(client, method)(url, data)
            assert response.status_code == 500, (view, response.status_code)
        check_reports(reports(), view)


def test_the_webhook(north, reports, monkeypatch):
    """A registrant's event holds the person."""
    raw = json.dumps(
        {"event": "meeting.registration_created", "payload": {"object": {"registrant": PERSON}}}
    ).encode()
    fail(monkeypatch, webhooks, "redact")
    headers = sign(raw, SECRET)
    headers.pop("content-type")
    client = Client(raise_request_exception=False)
    url = reverse("wagtail_zoom:webhook")
    response = client.post(url, raw, content_type="application/json", headers=headers)
    assert response.status_code == 500
    check_reports(reports(), "webhook")


def test_the_person_who_connects(north, reports, monkeypatch):
    fail(monkeypatch, oauth_views.flow, "has_session")
    client = Client(raise_request_exception=False, headers={"host": north.hostname})
    assert client.get(reverse("wagtail_zoom:oauth_finish"), {"state": "x"}).status_code == 500
    check_reports(reports(), "finish")


def failing_with_text(*args, **kwargs):
    raise ValueError("Invalid address " + " ".join(PERSON.values()))


def test_the_worker_stores_no_text_of_an_exception(north, reports, monkeypatch):
    """django-q2 stores ``str(error)`` and the traceback of a task that fails."""
    monkeypatch.setattr(outbox, "run", failing_with_text)
    with pytest.raises(Exception) as caught:
        tasks.deliver_registrations()
    stored = f"{caught.value} : {traceback.format_exc()}" + "".join(
        traceback.format_exception(caught.value)
    )
    assert "ValueError" in stored and "failing_with_text" in stored
    assert not [name for name in NAMES if name in stored]


def test_logs_of_the_worker_hold_no_text(north, reports, monkeypatch, caplog, settings):
    ZoomAccount.objects.update(throttled_until=None)
    Registration.objects.update(mail_due="approved", state="approved")
    outbox.queue_mail(north.registration, "approved", None)
    north.registration.save()
    monkeypatch.setattr(mails, "_record", failing_with_text)
    monkeypatch.setattr(tasks.clock_skew, "check_clock", lambda: None)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0.5}
    tasks.deliver_registrations()
    text = "\n".join([*reports(), caplog.text])
    assert "ValueError" in text and "failing_with_text" in text
    assert not [name for name in NAMES if name in text]
    [record] = [record for record in caplog.records if record.exc_info]
    assert json.loads(JsonFormatter().format(record))["error"] == "ValueError"


def test_the_search_finds_a_person_in_an_unprotected_view(reports, rf):
    """The test can fail: without the decorator all of it is in the mail."""
    request = rf.post("/", PERSON)
    try:
        person = dict(PERSON)
        raise InjectedError(len(person))
    except InjectedError:
        logging.getLogger("django.request").error(
            "x", exc_info=True, extra={"request": request, "status_code": 500}
        )
    [text] = reports()
    assert text.count("Tanaka") >= 2
