"""After ``zoom_forget`` a dump of the database and the files contains no trace of the person."""

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from demo_site.apps import _delete_emails
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import moderation
from wagtail_zoom.signals import person_forgotten
from wagtail_zoom.testing.signing import sign

from .conftest import SAME_ORIGIN, make_all_due, process_due
from .test_delivery import ADD, get_registration, zoom_registrants

pytestmark = pytest.mark.django_db
EMAIL, TYPED = "quillfeather@example.org", "QuillFeather@Example.org"
PERSON = {"first_name": "Zebulon", "last_name": "Quillfeather", "email": TYPED}


def dump(*folders):
    """Every table, the cache and every file, as one text in lower case."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute("SELECT * FROM " + connection.ops.quote_name(table))  # noqa: S608
            parts += [f"{table}: {values!r}" for values in cursor.fetchall()]
    # Tasks in the queue are signed packages: search them unpacked as well.
    parts += [repr(SignedPackage.loads(task.payload)) for task in OrmQ.objects.all()]
    parts += [f"cache: {key} {value!r}" for key, value in cache._cache.items()]
    for folder in folders:
        files = [file for file in Path(folder).rglob("*") if file.is_file()]
        parts += [f"{file}: {file.read_bytes()!r}" for file in files]
    return "\n".join(parts).lower()


def traces(text, *extra):
    """Traces of the person in a dump: the words, and digests without a key."""
    shapes = {EMAIL, TYPED, EMAIL.upper()}
    shapes |= {f"{front}:{shape}" for front in range(30) for shape in set(shapes)}
    needles = {"quillfeather", "zebulon", quote(EMAIL).lower(), *extra}
    for shape in shapes:
        raw = shape.encode()
        needles.add(base64.b64encode(raw).decode().rstrip("=").lower())
        for name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(name, raw)
            needles.add(digest.hexdigest()[:12])
            needles.add(base64.b64encode(digest.digest()).decode()[:16].lower())
    return sorted(needle for needle in needles if needle.lower() in text)


def deliver_event(client, scenario, event, registrant):
    """Deliver a webhook event about the person."""
    meeting_data = {"id": scenario.number, "uuid": "u==", "host_id": "h", "topic": "Heat pumps"}
    meeting_data["registrant"] = {
        "id": registrant,
        "status": "approved",
        "join_url": "https://x/w?tk=t",
    }
    meeting_data["registrant"] |= PERSON
    body = {"event": event, "event_ts": 1_790_000_000_000}
    body["payload"] = {"account_id": scenario.tenant.account.zoom_id, "object": meeting_data}
    raw = json.dumps(body).encode()
    headers = sign(raw, "simulator-webhook-secret")
    kind = headers.pop("content-type", "application/json")
    response = client.post(reverse("wagtail_zoom:webhook"), raw, content_type=kind, headers=headers)
    assert response.status_code == 200


@pytest.fixture
def demo_mailbox(settings, tmp_path):
    """Emails are files. A project that stores them deletes them too, as the demo does."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    person_forgotten.connect(_delete_emails)
    yield tmp_path / "mails"
    person_forgotten.disconnect(_delete_emails)


def test_no_trace_is_left(client, connect_site, settings, demo_mailbox, caplog, capsys):
    caplog.set_level("DEBUG")
    scenario = connect_site(custom_questions=[{"title": "Why?", "type": "short", "required": True}])
    scenario.tenant.site_settings.contact_email = "owner@example.org"
    scenario.tenant.site_settings.save()
    name = client.get(scenario.url).context["form"].questions.custom[0].name
    entered = {**PERSON, name: "Because zebulon asked"}
    # Refused first, corrected by the owner, then registered again by the person.
    scenario.zoom.fault("status", **ADD, status=400, code=3000, message=f"No {EMAIL}", count=1)
    client.post(scenario.url, entered, headers=SAME_ORIGIN)
    process_due()
    form = moderation.edit_form(get_registration(), entered)
    assert form.is_valid(), form.errors
    moderation.save_edit(get_registration(), form, scenario.tenant.user)
    process_due()
    client.post(scenario.url, entered, headers=SAME_ORIGIN)
    process_due()
    make_all_due()
    process_due()
    registration = get_registration()
    assert registration.state == "approved"
    deliver_event(client, scenario, "meeting.registration_created", registration.zoom_registrant_id)
    client.force_login(scenario.tenant.user)
    for text in (TYPED, "Quillfeather", ""):
        client.get(reverse("wagtail_zoom_registrations:index"), {"q": text})
    client.get(reverse("wagtail_zoom_registrations:view", args=[registration.pk]))
    client.logout()
    call_command("zoom_forget", EMAIL, "--export")
    before = dump(settings.MEDIA_ROOT, demo_mailbox)
    registrant_id = registration.zoom_registrant_id.lower()
    digests = [registration.email_index, registration.idempotency_key]
    assert {"quillfeather", registrant_id, *digests} <= set(traces(before, registrant_id, *digests))
    assert "zebulon" in capsys.readouterr().out.lower()

    call_command("zoom_forget", TYPED)
    # Zoom sends an event about our cancellation, with an unknown registrant id.
    deliver_event(client, scenario, "meeting.registration_cancelled", "somebody-else")
    assert not Registration.objects.exists()
    assert zoom_registrants(scenario)[0]["status"] == "cancelled"
    after = dump(settings.MEDIA_ROOT, demo_mailbox)
    assert traces(after, registrant_id, *digests, "tk=") == []
    assert "owner@example.org" in after, "the email to the owner stays"
    assert traces(caplog.text.lower()) == []


def test_the_search_would_find_a_digest():
    """Proves that the test above can fail: an email hashed without a key is found."""
    digest = hashlib.sha256(f"7:{EMAIL}".encode()).hexdigest()
    cache.set(f"wagtail-zoom:limit:{digest[:32]}", 1)
    assert len(traces(dump())) == 1


def test_failing_receiver_is_reported(client, connect_site, capsys):
    """The command must not report success while copies are left."""

    def broken(**kwargs):
        raise OSError

    scenario = connect_site()
    client.post(scenario.url, PERSON, headers=SAME_ORIGIN)
    person_forgotten.connect(broken)
    try:
        with pytest.raises(SystemExit) as ended:
            call_command("zoom_forget", EMAIL)
    finally:
        person_forgotten.disconnect(broken)
    assert ended.value.code == 1
    assert "1 receivers" in capsys.readouterr().err
    assert not Registration.objects.exists()
