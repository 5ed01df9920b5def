"""What opens a meeting is pasted everywhere in Zoom, in twelve languages: nobody reads it here.

Topic, agenda, topic of the recording, transcript and questions hold the passcode, the number, the
link and a personal link. Searched are public pages, feeds, both APIs, structured data, the form,
emails, the admin, the choosers and the database.
"""

from __future__ import annotations

import html
import json
import re
from urllib.parse import unquote

import pytest
from django.core import mail
from django.test import Client, override_settings
from django.urls import include, path, reverse
from django.utils import timezone
from wagtail.api.v2.router import WagtailAPIRouter

from tests import urls as project
from tests.security import canaries
from tests.security.tenant_data import all_blocks
from tests.security.test_tenants import admin_patterns
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom import tasks
from wagtail_zoom.api.v2 import ZoomDatesAPIViewSet, ZoomRecordingsAPIViewSet
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import (
    Activity,
    Meeting,
    Occurrence,
    Registration,
    SiteItem,
    Transcript,
    WebhookEvent,
)
from wagtail_zoom.registration import tokens
from wagtail_zoom.sync import settings_changes
from wagtail_zoom.sync.refetch import RefetchTarget
from wagtail_zoom.sync.refetch_meetings import refetch_all
from wagtail_zoom.sync.staleness import is_due, stored_meetings
from wagtail_zoom.testing.signing import sign

pytestmark = [pytest.mark.django_db, pytest.mark.full_import]

PASSCODE, NUMBER, RECORDING_PASSCODE, PERSONAL = "Zq4x8w", 86412345678, "Film7code", "AbCpersonal9"
SPACED = "864 1234 5678"
WORDS = (
    "Passcode", "Kenncode", "Mot de passe", "Contraseña", "Senha", "Codice", "Wachtwoord", "Hasło",
    "Пароль", "パスコード", "密码", "كلمة المرور",
)  # fmt: skip
LINKS = (
    f"https://us02web.zoom.us/j/{NUMBER}?pwd=abcTOKEN12345",
    f"https://uni.zoom-x.de/w/{NUMBER}?tk={PERSONAL}",
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F1%3Fpwd%3Dabc",
)
AGENDA = "\n".join(
    [
        "Bring a mat.",
        *(f"{word} {PASSCODE}, {SPACED}" for word in WORDS),
        "All evenings have the same one: Zq4x8w.",
        *(f"Come here: {link}" for link in LINKS),
        f"+49 69 7104 9922,,{NUMBER}#,,,,*834512# Deutschland",
        "See you soon.",
    ]
)
QUESTIONS = {
    "questions": [{"field_name": "last_name", "required": False}],
    "custom_questions": [
        {"title": f"Did {PASSCODE} work last time?", "type": "short", "required": True},
        {"title": "Plain question?", "type": "short", "required": False},
    ],
}
router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)
router.register_endpoint("zoom_recordings", ZoomRecordingsAPIViewSet)
urlpatterns = [path("api/", include((router.get_urlpatterns(), "api"))), *project.urlpatterns]


def secrets_in(text: str) -> list[str]:
    """Which of the planted secrets a text holds, also encoded."""
    plain = unquote(html.unescape(unquote(html.unescape(text))))
    digits = re.sub(r"[\s\-.]", "", plain)
    planted_words = (PASSCODE, RECORDING_PASSCODE, PERSONAL, "abcTOKEN12345")
    result = [word for word in planted_words if word in plain]
    result += [word for word in ("zoom.us/", "zoom-x.de/", "safelinks") if word in plain]
    return result + ([SPACED] if str(NUMBER) in digits else [])


@pytest.fixture
def planted(connect, zoom_app, zoom_worker, admin_user):
    """A Site after the import of a meeting and a recording full of secrets."""
    host = zoom_app.state()["users"][0]["id"]
    created = zoom_app.create_meeting(
        host, id=NUMBER, topic=f"Yoga (passcode {PASSCODE}) {SPACED}", agenda=AGENDA,
        password=PASSCODE, start_time="+2d 10:00", registration="auto", **QUESTIONS,
    )  # fmt: skip
    zoom_app.create_recording(
        host, meeting=NUMBER, topic=f"Yoga film {PASSCODE} {RECORDING_PASSCODE}", start_time="-2h",
        passcode=RECORDING_PASSCODE, transcript_lines=[
            f"Ines: Welcome. The code is {PASSCODE}, and the film has {RECORDING_PASSCODE}.",
            f"Ines: The number is {SPACED}, or {LINKS[0]} instead.",
        ],
    )  # fmt: skip
    site_settings = connect("aurora-0", hosts=[host])
    zoom_app.change_user(host, display_name=f"Ines {PASSCODE} Novak")
    before = settings_changes.SettingsSnapshot.of(site_settings)
    for name, value in {
        "show_transcripts": True, "show_registration": True, "show_host_names": True,
        "passcode_policy": "never", "join_policy": "registrants", "contact_email": "o@site.example",
    }.items():  # fmt: skip
        setattr(site_settings, name, value)
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, admin_user, before)
    zoom_worker.run()
    zoom_app.change_meeting(created["id"], topic=f"Yoga {PASSCODE} anew")
    visitor = Client()
    for delivery in zoom_app.deliveries():
        raw = json.dumps(delivery["body"]).encode()
        headers = sign(raw, "simulator-webhook-secret", request_id=delivery["event_id"])
        headers.pop("content-type")
        url = reverse("wagtail_zoom:webhook")
        visitor.post(url, raw, content_type="application/json", headers=headers)
    zoom_worker.run()
    SiteItem.objects.filter(kind="recording").update(
        visibility="published", decided_at=timezone.now()
    )
    return site_settings


def public_texts(site_settings, row) -> dict[str, str]:
    site, client = site_settings.site, Client()
    item = SiteItem.objects.get(key=str(NUMBER), site=site)
    recording = SiteItem.objects.filter(kind="recording", recording__meeting=item.meeting).get()
    page = DatesPage(title="All", slug="all", body=all_blocks(item, recording))
    site.root_page.add_child(instance=page)
    site.root_page.add_child(instance=EventPage(title="E", slug="event", zoom_item=item))
    token = tokens.token_of(row)
    urls = [
        "/all/", "/event/", links.site_calendar_url(), links.series_calendar_url(item),
        links.transcript_url(recording), "/api/zoom_dates/", "/api/zoom_recordings/",
        "/api/zoom_recordings/?search=welcome",
        reverse("wagtail_zoom:registration", args=[token]),
        reverse("wagtail_zoom:registration_calendar", args=[token]),
        FormLink(site.pk, page.pk, row.meeting_id).url,
    ]  # fmt: skip
    for occurrence in Occurrence.objects.filter(meeting=item.meeting):
        urls += [links.join_url(site.pk, occurrence), links.calendar_url(site.pk, occurrence)]
    texts = {}
    for url in urls:
        response = client.get(url)
        assert response.status_code == 200, url
        texts[url] = canaries.text_of(response)
    return texts


def admin_texts(client, site, row) -> dict[str, str]:
    texts = {}
    item = SiteItem.objects.get(key=str(NUMBER), site=site).pk
    keys = {
        "registrations": row.pk,
        "activity": Activity.objects.filter(event__isnull=False).values_list("pk", flat=True)[0],
        "recordings": SiteItem.objects.filter(kind="recording").values_list("pk", flat=True)[0],
    }
    for name, arguments in admin_patterns():
        if name == "wagtail_zoom_recordings:watch":
            continue  # leads to Zoom with the passcode, for whoever decides about the recording
        kind = name.removeprefix("wagtail_zoom_").partition(":")[0]
        values = {"site_pk": site.pk, "pk": keys.get(kind, item)}
        url = reverse(name, kwargs={key: values[key] for key in arguments})
        texts[url] = canaries.text_of(client.get(url))
    return texts


@override_settings(ROOT_URLCONF="tests.security.test_secrets_in_text")
def test_no_secret_in_a_text_reaches_anybody(planted, admin_user, zoom_app):
    site = planted.site
    meeting = Meeting.objects.get(zoom_id=str(NUMBER))
    form_url = FormLink(site.pk, None, meeting.pk).url
    form = Client().get(form_url).content.decode()
    names = re.findall(r'name="(q_[0-9a-f]+)"', form)
    assert len(set(names)) == 2 and "Plain question?" in form and "work last time?" in form
    person = {"first_name": "Ana", "email": "ana@visitor.example"}
    person |= dict.fromkeys(names, "My answer")
    response = Client().post(form_url, person, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303
    tasks.deliver_registrations()
    row = Registration.objects.get()
    assert row.state == "approved"
    # Zoom knows the question by its own title.
    answers = zoom_app.registrants(NUMBER)[0]["custom_questions"]
    titles = {answer["title"] for answer in answers}
    assert titles == {question["title"] for question in QUESTIONS["custom_questions"]}

    public = public_texts(planted, row)
    assert "Bring a mat." in public["/all/"] and "See you soon." in public["/all/"]
    assert "Yoga" in public["/all/"] and "Ines" in public["/all/"]
    assert "Welcome" in Transcript.objects.get(recording__meeting=meeting).text
    for url, text in public.items():
        assert secrets_in(text) == [], url
    for email in mail.outbox:
        own_link = row.join_url.reveal()
        assert secrets_in(email.body.replace(own_link, "")) == []
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    for url, text in admin_texts(client, site, row).items():
        # The number is the key of the meeting in the owner's own URLs.
        assert [word for word in secrets_in(text) if word != SPACED] == [], url
    stored = canaries.dump_database()
    assert [word for word in secrets_in(stored) if word != SPACED] == []
    assert WebhookEvent.objects.exists()


def test_texts_are_cut_again_when_the_passcode_changes(planted, zoom_app, zoom_worker):
    """A recording and its transcript were read while another passcode applied."""
    host = zoom_app.state()["users"][0]["id"]
    meeting = Meeting.objects.get(zoom_id=str(NUMBER))
    recording = meeting.recordings.get()
    Transcript.objects.filter(recording=recording).update(text="Say Neu5word and come in.")
    type(recording).objects.filter(pk=recording.pk).update(topic="Film Neu5word")
    zoom_app.change_meeting(NUMBER, password="Neu5word")
    refetch_all(planted.account, [RefetchTarget(planted.account, "meeting", str(NUMBER), host)])
    recording.refresh_from_db()
    assert recording.topic == "Film"
    assert Transcript.objects.get(recording=recording).text == "Say and come in."


def test_a_meeting_with_cut_texts_is_not_read_again_and_again(planted, zoom_app, zoom_worker):
    """The listing has the raw text, which is not stored: it is compared by its digest."""
    client_item = next(item for item in zoom_app.meetings() if str(item["id"]) == str(NUMBER))
    row = stored_meetings(planted.account, [str(NUMBER)])[str(NUMBER)]
    item = {**client_item, "agenda": client_item["agenda"][:250]}
    assert row.cut_digest
    assert not is_due(row, item, timezone.now())
    assert is_due(row, {**item, "topic": "Yoga passcode"}, timezone.now())
    assert is_due(row, {**item, "agenda": "New"}, timezone.now())


def test_owners_are_refused_to_write_what_opens_the_meeting(planted, admin_user):
    item = SiteItem.objects.get(key=str(NUMBER), site=planted.site)
    client = Client()
    client.force_login(admin_user)
    url = reverse("wagtail_zoom_meetings:edit", args=[item.pk])
    for words in (f"Yoga {PASSCODE}", f"Call {SPACED}", f"See {LINKS[2]}"):
        response = client.post(url, {"title": words, "summary": "", "tags": "", "expires_on": ""})
        assert response.status_code == 200 and "Please take it out" in response.content.decode()
    item.refresh_from_db()
    assert item.title == ""
    client.post(url, {"title": "My yoga", "summary": "", "tags": "", "expires_on": ""})
    item.refresh_from_db()
    assert item.title == "My yoga"


def test_transcripts_hold_nothing_that_opens_a_meeting(planted):
    text = Transcript.objects.get(recording__meeting__zoom_id=str(NUMBER)).text
    assert text.startswith("Welcome.") and secrets_in(text) == []


def test_questions_hold_nothing_that_opens_a_meeting(planted):
    questions = Meeting.objects.get(zoom_id=str(NUMBER)).questions["custom_questions"]
    assert [question["title"] for question in questions] == [
        "Did work last time?", "Plain question?"
    ]  # fmt: skip
    assert secrets_in(json.dumps(questions)) == []
