"""The endpoint: genuine events are stored once and answered; all other requests run no SQL."""

import hashlib
import io
import json
import re
import time
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from wagtail_zoom.models import WebhookEvent
from wagtail_zoom.testing.signing import challenge_answer, sign
from wagtail_zoom.utils.redaction import content_key
from wagtail_zoom.webhooks import webhook

SECRET = "simulator-webhook-secret"
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.webhooks.urls")]


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


def event_body(**changes):
    base = {
        "event": "meeting.updated",
        "event_ts": 1_700_000_000_123,
        "payload": {"account_id": "acc", "object": {"id": 123, "topic": "Yoga"}},
    }
    return {**base, **changes}


def post(client, body, *, secret=SECRET, path="/zoom/webhook/", headers=None, **kwargs):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = {**sign(raw, secret, **kwargs), **(headers or {})}
    signed.pop("content-type")
    signed = {name: value for name, value in signed.items() if value is not None}
    return client.post(path, raw, content_type="application/json", headers=signed)


def test_genuine_event_is_stored_and_wakes_the_worker(client):
    """W7, W12."""
    assert post(client, event_body(), request_id="r1").status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.event, event.account_zoom_id, event.request_id) == (
        "meeting.updated",
        "acc",
        "r1",
    )
    assert (event.lock_key, event.state) == ("acc:meeting:123", "pending")


@pytest.mark.django_db(transaction=True)
def test_one_wake_up_for_many_events(client):
    """W17: the task is only a wake-up, after the commit."""
    for number in range(5):
        post(client, event_body(event_ts=number))
    assert WebhookEvent.objects.count() == 5
    assert OrmQ.objects.count() in (1, 2)  # one for each second that it took


@pytest.mark.parametrize(
    "raw",
    [
        '{"event":"meeting.updated","payload":{"account_id":"a","object":{"topic":"Käse 王"}}}',
        '{"event":"meeting.updated","payload":{"account_id":"a","object":{"topic":"K\\u00e4se"}}}',
        '{ "payload" : {"account_id":"a", "object":{"x":1.0}},\n"event":"meeting.updated" }',
    ],
)
def test_signature_covers_the_raw_bytes(client, raw):
    """W1: white space, escapes and the order of keys are the sender's."""
    assert post(client, raw.encode()).status_code == 200


REJECTED = {
    "unsigned": {"headers": {"x-zm-signature": None}},
    "wrong secret": {"secret": "other"},
    "upper case": {"headers": {"x-zm-signature": "V0=" + "A" * 64}},
    "twice": {"headers": {"x-zm-signature": "v0=v0=" + "a" * 64}},
    "non-ascii": {"headers": {"x-zm-signature": "v0=é"}},
    "no timestamp": {"headers": {"x-zm-request-timestamp": None}},
    "milliseconds": {"timestamp": int(time.time() * 1000)},
    "too old": {"timestamp": int(time.time()) - 95 * 60 - 5},
    "too new": {"timestamp": int(time.time()) + 7200},
    "arabic digits": {"headers": {"x-zm-request-timestamp": "١٢٣"}},
}


@pytest.mark.parametrize("case", REJECTED)
def test_refused_without_sql(client, case, django_assert_num_queries):
    """W2, W4, W5, X9: nothing runs in the database for what is not genuine."""
    with django_assert_num_queries(0):
        assert post(client, event_body(), **REJECTED[case]).status_code in (400, 401)


@pytest.mark.parametrize(
    ("offset", "status"), [(-95 * 60 + 5, 200), (295, 200), (-95 * 60 - 5, 400), (305, 400)]
)
def test_age_covers_the_whole_retry_schedule(client, offset, status):
    """W5."""
    assert post(client, event_body(), timestamp=int(time.time()) + offset).status_code == status


def test_changed_body_is_refused(client):
    headers = sign(json.dumps(event_body()).encode(), SECRET)
    headers.pop("content-type")
    other = json.dumps(event_body(event="meeting.deleted"))
    response = client.post(
        "/zoom/webhook/", other, content_type="application/json", headers=headers
    )
    assert response.status_code == 401


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b"[]", b'"text"', b"{", b'{"event": 5}', b"[" * 10_000]
)
def test_signed_nonsense_is_400_and_not_stored(client, raw, django_assert_num_queries):
    """W1, X29: also deep nesting, without a 500."""
    with django_assert_num_queries(0):
        assert post(client, raw).status_code == 400


def test_too_large(client, settings, django_assert_num_queries):
    """W3."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_MAX_BYTES": 200}
    with django_assert_num_queries(0):
        assert post(client, event_body(padding="x" * 200)).status_code == 413
    assert post(client, event_body()).status_code == 200


def stream(body, **headers):
    """A request whose body comes without a declared length, as over HTTP/2 or in chunks."""
    raw = json.dumps(body).encode()
    sent = {**sign(raw, SECRET), **headers}
    names = [(name.encode(), value.encode()) for name, value in sent.items()]
    scope = {"type": "http", "method": "POST", "path": "/zoom/webhook/", "headers": names}
    return ASGIRequest(scope, io.BytesIO(raw))


def test_x29_a_declared_length_is_enough_to_refuse(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_MAX_BYTES": 200}
    request = stream(event_body(padding="x" * 500), **{"content-length": "560"})
    body = request._stream
    assert webhook(request).status_code == 413
    assert not body.closed and body.tell() == 0


def test_x29_without_a_length_it_is_counted(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_MAX_BYTES": 200}
    request = stream(event_body(padding="x" * 500))
    assert webhook(request).status_code == 413
    assert request._stream.tell() == 201
    assert webhook(stream(event_body())).status_code == 200


def test_get_and_forms_are_refused(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/zoom/webhook/").status_code == 405
        assert client.post("/zoom/webhook/", {"a": 1}).status_code == 415


def test_missing_slash_is_404_not_a_redirect(client):
    """W8: Zoom never repeats after a 3xx."""
    assert post(client, event_body(), path="/zoom/webhook").status_code == 404


def test_no_secret_refuses_everything(client, settings):
    """W4: an empty list never means "accept"; Zoom repeats after a 503."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": []}
    assert post(client, event_body(), secret="").status_code == 503


def test_rotation_of_the_secret(client, settings):
    """W32: [old] → [new, old] → [new], with events and challenge at each step."""
    challenge = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc-123_X"}}
    for secrets, old, new in (
        (["old"], 200, 401),
        (["new", "old"], 200, 200),
        (["new"], 401, 200),
    ):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": secrets}
        assert post(client, event_body(), secret="old").status_code == old
        assert post(client, event_body(), secret="new").status_code == new
        response = post(client, challenge, secret=secrets[0])
        assert response.json()["encryptedToken"] == challenge_answer("abc-123_X", secrets[0])


@pytest.mark.parametrize("token", ["v0:1:{}", "", None, 5, "a b", "x" * 129, "é"])
def test_endpoint_is_no_signing_oracle(client, token, django_assert_num_queries):
    """W6, X10."""
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    with django_assert_num_queries(0):
        assert post(client, body).status_code == 400


def test_unsigned_challenge_is_not_answered(client):
    """W6: the challenge is signed like any event."""
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}
    response = client.post("/zoom/webhook/", json.dumps(body), content_type="application/json")
    assert response.status_code == 400


def test_same_request_id_is_one_event(client):
    """W13: Zoom's retries carry a new signature and the same id."""
    post(client, event_body(), request_id="r", timestamp=int(time.time()) - 300)
    post(client, event_body(), request_id="r")
    assert WebhookEvent.objects.count() == 1


def test_duplicates_with_other_tokens_are_one_event(client):
    """W13: the id is not signed; the content is compared too."""
    for number in range(2):
        files = [{"id": "f", "download_url": f"https://zoom.us/{number}"}]
        body = event_body(
            event="recording.completed",
            download_token=f"t{number}",
            payload={"account_id": "acc", "object": {"uuid": "u", "recording_files": files}},
        )
        assert post(client, body, request_id=f"r{number}").status_code == 200
    assert WebhookEvent.objects.get().lock_key == "acc:recording:u"


def test_two_registrants_in_one_millisecond_are_two_events(client):
    """W13."""
    for person in ("p1", "p2"):
        registrant = {"id": person, "email": f"{person}@example.org"}
        item = {"id": 1, "registrant": registrant}
        body = event_body(
            event="meeting.registration_created", payload={"account_id": "acc", "object": item}
        )
        post(client, body)
    assert WebhookEvent.objects.count() == 2


def test_w11_an_event_costs_one_insert_the_first_time_and_the_second(client):
    """W11: savepoints are the test's own transaction, there are none without it."""
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert post(client, event_body(), request_id="r").status_code == 200
        # MariaDB does not report the SQL of a refused statement.
        statements = [query["sql"] or "INSERT" for query in queries]
        statements = [sql.replace("None", "INSERT") for sql in statements if "SAVEPOINT" not in sql]
        assert [sql.split()[0] for sql in statements] == ["INSERT"]
    assert WebhookEvent.objects.count() == 1


def registration_body(email):
    registrant = {"id": "r1", "email": email}
    item = {"id": 1, "registrant": registrant}
    return event_body(
        event="meeting.registration_created", payload={"account_id": "acc", "object": item}
    )


def test_an_email_cannot_be_guessed_from_the_key_of_a_stored_event(client, settings):
    """The row holds everything else of the event: an unkeyed digest would confirm a guess."""
    post(client, registration_body("person@example.org"))
    stored = WebhookEvent.objects.get().content_key
    text = json.dumps(
        registration_body("person@example.org"), sort_keys=True, separators=(",", ":")
    )
    assert stored != hashlib.sha256(text.encode()).hexdigest()
    assert stored == content_key(registration_body("person@example.org"))
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **keys}
    assert stored != content_key(registration_body("person@example.org"))


def test_a_new_encryption_key_makes_no_second_event_of_one(client, settings):
    post(client, event_body(), request_id="first")
    keys = [Fernet.generate_key().decode(), *settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"]]
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": keys}
    post(client, event_body(), request_id="second")
    assert WebhookEvent.objects.count() == 1


def test_nothing_personal_or_secret_is_stored(client):
    """W12, S22: redacted at receipt, before anything can read it."""
    item = {
        "id": 1, "topic": "canary-topic", "agenda": "canary-text",
        "host_email": "canary@host", "password": "canary-pass",
        "participant": {"user_name": "canary name", "phone_number": "canary phone"},
        "join_url": "https://zoom.us/j/1?pwd=canary", "start_url": "canary-start",
        "registrant": {"id": "keep-me", "status": "approved", "email": "canary@mail",
                       "first_name": "canary-name", "join_url": "canary-join",
                       "custom_questions": [{"title": "t", "value": "canary-answer"}]},
        "recording_files": [{"id": "f", "download_url": "canary-down", "play_url": "canary-play"}],
        "participant_audio_files": [{"file_name": "canary-file"}],
    }  # fmt: skip
    payload = {"account_id": "acc", "operator": "canary@operator", "object": item}
    post(client, event_body(payload=payload, download_token="canary-token"))
    stored = json.dumps(WebhookEvent.objects.values()[0], default=str)
    assert "canary" not in stored and "keep-me" in stored


def test_no_address_of_whomever_zoom_names_is_stored(client):
    """A summary names whom it was shared with, under members that differ from event to event."""
    item = {
        "meeting_uuid": "keep-me", "meeting_host_email": "canary@host",
        "share_with_users": [{"user_id": "u", "user_email": "canary@user"}],
        "summary_created_user_email": "canary@creator", "Shared_Emails": ["canary@list"],
    }  # fmt: skip
    payload = {"account_id": "acc", "object": item}
    post(client, event_body(event="meeting.summary_shared", payload=payload))
    stored = json.dumps(WebhookEvent.objects.values()[0], default=str)
    assert "canary" not in stored and "keep-me" in stored


def test_unstorable_characters(client):
    """W16: on PostgreSQL they would always fail."""
    raw = (
        json.dumps(event_body())
        .replace("Yoga", "a\\u0000b\\ud800c")
        .replace('"topic"', '"uuid"')
        .encode()
    )
    assert post(client, raw).status_code == 200
    assert WebhookEvent.objects.get().payload["object"]["uuid"] == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("payload", [None, [], "text", {}])
def test_malformed_payload_is_stored_as_dead(client, payload):
    """W10: 200, so that Zoom does not repeat it, and a row with the reason."""
    assert post(client, event_body(payload=payload)).status_code == 200
    assert WebhookEvent.objects.get().error_class == "shape"


@pytest.mark.parametrize("item", [None, [], {"id": None}, {"id": True}, {"id": {}}, {"id": 10**40}])
def test_strange_objects_never_fail(client, item):
    """W10."""
    payload = {"account_id": "acc", "object": item}
    assert post(client, event_body(payload=payload, event_ts="x")).status_code == 200


def test_database_away_asks_zoom_to_repeat(client):
    """W7: 503 exactly when a genuine event could not be stored."""

    def away(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            raise DatabaseError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        assert post(client, event_body()).status_code == 503
    assert not WebhookEvent.objects.exists()
    assert post(client, event_body()).status_code == 200


def test_the_prepared_insert_fills_every_column(client):
    """As the model would: no column is left out."""
    assert post(client, event_body(), request_id="r").status_code == 200
    stored = WebhookEvent.objects.get()
    saved = WebhookEvent(request_id="m", content_key="m", payload=stored.payload)
    saved.save()
    saved.refresh_from_db()
    for column in WebhookEvent._meta.concrete_fields:
        stored_value, saved_value = (getattr(row, column.attname) for row in (stored, saved))
        assert type(stored_value) is type(saved_value), column.name
    assert (stored.attempts, stored.error_class, stored.error_code) == (0, "", None)
    assert stored.run_after <= stored.received_at + timedelta(seconds=5)


def test_hostname_does_not_select_the_tenant(client):
    """W9, X8: the account is in the signed body only."""
    response = post(client, event_body(), headers={"host": "other-site.example"})
    assert response.status_code == 200
    assert WebhookEvent.objects.get().account_zoom_id == "acc"


def test_refusal_reveals_nothing_and_logs_no_content(client, caplog):
    """W31: no topic, name or secret in a log line, no reason to the sender."""
    response = post(client, event_body(), secret="wrong")
    assert response.content == b""
    assert "signature" in caplog.text and "Yoga" not in caplog.text and "v0=" not in caplog.text


def test_without_an_encryption_key_zoom_repeats_the_event(client, settings):
    """503, as whenever a genuine event cannot be stored; never a bare 500."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": []}
    assert post(client, event_body()).status_code == 503
    assert not WebhookEvent.objects.exists()


def test_a_row_that_the_database_refuses_is_no_duplicate(client, monkeypatch):
    """Only a stored event may be answered with 200."""
    monkeypatch.setattr("wagtail_zoom.webhooks._lock_key", lambda event, payload: None)
    assert post(client, event_body()).status_code == 503
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "error_text",
    [
        'null value in column "lane" violates not-null constraint\n'
        'DETAIL:  Failing row contains (1, null, {"topic": "Unique: content_key, duplicate"}).',
        'duplicate key value violates unique constraint "wagtail_zoom_webhookevent_pkey"\n'
        "DETAIL:  Key (id)=(1) already exists.",
        "(1062, \"Duplicate entry '1' for key 'PRIMARY'\")",
        "UNIQUE constraint failed: wagtail_zoom_webhookevent.id",
    ],
)
def test_only_its_own_keys_make_an_event_a_duplicate(client, error_text):
    """PostgreSQL shows the row that it refuses; a restored database may reuse old numbers."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT") and WebhookEvent._meta.db_table in sql:
            raise IntegrityError(error_text)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert post(client, event_body()).status_code == 503
    assert not WebhookEvent.objects.exists()


def test_duplicates_are_recognised_without_english_error_texts(client, monkeypatch):
    """PostgreSQL writes errors in the language of its server."""
    body = event_body()
    assert post(client, body).status_code == 200
    monkeypatch.setattr("wagtail_zoom.webhooks.DUPLICATE_ERROR", re.compile("(?!)"))
    assert post(client, body).status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_refusals_are_logged_once_and_failures_are_emailed_to_admins(client, settings, caplog):
    """Django emails its line to ADMINS if the status is 500 or more; otherwise only ours exists."""
    post(client, event_body(), secret="wrong")
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("wagtail_zoom.webhooks", "WARNING")
    ]
    caplog.clear()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": []}
    post(client, event_body())
    assert {(record.name, record.levelname) for record in caplog.records} == {
        ("wagtail_zoom.webhooks", "ERROR"),
        ("django.request", "ERROR"),
    }
