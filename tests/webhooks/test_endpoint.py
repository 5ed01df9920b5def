"""The door: what is genuine is stored once and answered at once, everything else costs no SQL."""

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


def message(**changes):
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


def test_genuine_message_is_stored_and_wakes_the_worker(client):
    """W7, W12."""
    assert post(client, message(), request_id="r1").status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.event, event.account_zoom_id, event.request_id) == (
        "meeting.updated",
        "acc",
        "r1",
    )
    assert (event.lane, event.state) == ("acc:meeting:123", "pending")


@pytest.mark.django_db(transaction=True)
def test_one_wake_up_for_many_messages(client):
    """W17: the task is only a wake-up, after the commit."""
    for number in range(5):
        post(client, message(event_ts=number))
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
    """W1: white space, escapes and the order of members are the sender's."""
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
        assert post(client, message(), **REJECTED[case]).status_code in (400, 401)


@pytest.mark.parametrize(
    ("offset", "status"), [(-95 * 60 + 5, 200), (295, 200), (-95 * 60 - 5, 400), (305, 400)]
)
def test_age_covers_the_whole_retry_schedule(client, offset, status):
    """W5."""
    assert post(client, message(), timestamp=int(time.time()) + offset).status_code == status


def test_changed_body_is_refused(client):
    headers = sign(json.dumps(message()).encode(), SECRET)
    headers.pop("content-type")
    other = json.dumps(message(event="meeting.deleted"))
    answer = client.post("/zoom/webhook/", other, content_type="application/json", headers=headers)
    assert answer.status_code == 401


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
        assert post(client, message(padding="x" * 200)).status_code == 413
    assert post(client, message()).status_code == 200


def stream(body, **headers):
    """A request whose body comes without a declared length, as over HTTP/2 or in chunks."""
    raw = json.dumps(body).encode()
    sent = {**sign(raw, SECRET), **headers}
    names = [(name.encode(), value.encode()) for name, value in sent.items()]
    scope = {"type": "http", "method": "POST", "path": "/zoom/webhook/", "headers": names}
    return ASGIRequest(scope, io.BytesIO(raw))


def test_x29_a_declared_length_is_enough_to_refuse(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_MAX_BYTES": 200}
    request = stream(message(padding="x" * 500), **{"content-length": "560"})
    body = request._stream
    assert webhook(request).status_code == 413
    assert not body.closed and body.tell() == 0


def test_x29_without_a_length_it_is_counted(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_MAX_BYTES": 200}
    request = stream(message(padding="x" * 500))
    assert webhook(request).status_code == 413
    assert request._stream.tell() == 201
    assert webhook(stream(message())).status_code == 200


def test_get_and_forms_are_refused(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/zoom/webhook/").status_code == 405
        assert client.post("/zoom/webhook/", {"a": 1}).status_code == 415


def test_missing_slash_is_404_not_a_redirect(client):
    """W8: Zoom never repeats after a 3xx."""
    assert post(client, message(), path="/zoom/webhook").status_code == 404


def test_no_secret_refuses_everything(client, settings):
    """W4: an empty list never means "accept"; Zoom repeats after a 503."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": []}
    assert post(client, message(), secret="").status_code == 503


def test_rotation_of_the_secret(client, settings):
    """W32: [old] → [new, old] → [new], with messages and challenge at each step."""
    challenge = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc-123_X"}}
    for secrets, old, new in (
        (["old"], 200, 401),
        (["new", "old"], 200, 200),
        (["new"], 401, 200),
    ):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": secrets}
        assert post(client, message(), secret="old").status_code == old
        assert post(client, message(), secret="new").status_code == new
        answer = post(client, challenge, secret=secrets[0])
        assert answer.json()["encryptedToken"] == challenge_answer("abc-123_X", secrets[0])


@pytest.mark.parametrize("token", ["v0:1:{}", "", None, 5, "a b", "x" * 129, "é"])
def test_endpoint_is_no_signing_oracle(client, token, django_assert_num_queries):
    """W6, X10."""
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    with django_assert_num_queries(0):
        assert post(client, body).status_code == 400


def test_unsigned_challenge_is_not_answered(client):
    """W6: the challenge is signed like any message."""
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}
    answer = client.post("/zoom/webhook/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400


def test_same_request_id_is_one_event(client):
    """W13: Zoom's retries carry a new signature and the same id."""
    post(client, message(), request_id="r", timestamp=int(time.time()) - 300)
    post(client, message(), request_id="r")
    assert WebhookEvent.objects.count() == 1


def test_twins_with_other_tokens_are_one_event(client):
    """W13: the id is not signed; what was said decides too."""
    for number in range(2):
        files = [{"id": "f", "download_url": f"https://zoom.us/{number}"}]
        body = message(
            event="recording.completed",
            download_token=f"t{number}",
            payload={"account_id": "acc", "object": {"uuid": "u", "recording_files": files}},
        )
        assert post(client, body, request_id=f"r{number}").status_code == 200
    assert WebhookEvent.objects.get().lane == "acc:recording:u"


def test_two_registrants_in_one_millisecond_are_two_events(client):
    """W13."""
    for person in ("p1", "p2"):
        registrant = {"id": person, "email": f"{person}@example.org"}
        thing = {"id": 1, "registrant": registrant}
        body = message(
            event="meeting.registration_created", payload={"account_id": "acc", "object": thing}
        )
        post(client, body)
    assert WebhookEvent.objects.count() == 2


def test_w11_a_message_costs_one_insert_the_first_time_and_the_second(client):
    """W11, P3: savepoints are the test's own transaction, there are none without it."""
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert post(client, message(), request_id="r").status_code == 200
        # MariaDB does not say what a statement was that it refused.
        statements = [one["sql"] or "INSERT" for one in seen]
        statements = [sql.replace("None", "INSERT") for sql in statements if "SAVEPOINT" not in sql]
        assert [sql.split()[0] for sql in statements] == ["INSERT"]
    assert WebhookEvent.objects.count() == 1


def registered(address):
    person = {"id": "r1", "email": address}
    thing = {"id": 1, "registrant": person}
    return message(
        event="meeting.registration_created", payload={"account_id": "acc", "object": thing}
    )


def test_an_address_cannot_be_guessed_from_the_key_of_a_stored_message(client, settings):
    """All else of the message stands in the row: a digest without a key would confirm a guess."""
    post(client, registered("somebody@example.org"))
    stored = WebhookEvent.objects.get().content_key
    text = json.dumps(registered("somebody@example.org"), sort_keys=True, separators=(",", ":"))
    assert stored != hashlib.sha256(text.encode()).hexdigest()
    assert stored == content_key(registered("somebody@example.org"))
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **keys}
    assert stored != content_key(registered("somebody@example.org"))


def test_a_new_encryption_key_makes_no_second_event_of_one(client, settings):
    post(client, message(), request_id="first")
    keys = [Fernet.generate_key().decode(), *settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"]]
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": keys}
    post(client, message(), request_id="second")
    assert WebhookEvent.objects.count() == 1


def test_nothing_personal_or_secret_is_stored(client):
    """W12, S22: redacted at receipt, before anything can read it."""
    thing = {
        "id": 1, "topic": "Yoga", "host_email": "canary@host", "password": "canary-pass",
        "join_url": "https://zoom.us/j/1?pwd=canary", "start_url": "canary-start",
        "registrant": {"id": "keep-me", "status": "approved", "email": "canary@mail",
                       "first_name": "canary-name", "join_url": "canary-join",
                       "custom_questions": [{"title": "t", "value": "canary-answer"}]},
        "recording_files": [{"id": "f", "download_url": "canary-down", "play_url": "canary-play"}],
        "participant_audio_files": [{"file_name": "canary-file"}],
    }  # fmt: skip
    payload = {"account_id": "acc", "operator": "canary@operator", "object": thing}
    post(client, message(payload=payload, download_token="canary-token"))
    stored = json.dumps(WebhookEvent.objects.values()[0], default=str)
    assert "canary" not in stored and "keep-me" in stored


def test_unstorable_characters(client):
    """W16: on PostgreSQL they would fail for ever."""
    raw = json.dumps(message()).replace("Yoga", "a\\u0000b\\ud800c").encode()
    assert post(client, raw).status_code == 200
    assert WebhookEvent.objects.get().payload["object"]["topic"] == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("payload", [None, [], "text", {}])
def test_malformed_payload_is_kept_as_dead(client, payload):
    """W10: 200, so that Zoom stops, and a row that says why."""
    assert post(client, message(payload=payload)).status_code == 200
    assert WebhookEvent.objects.get().error_class == "shape"


@pytest.mark.parametrize(
    "thing", [None, [], {"id": None}, {"id": True}, {"id": {}}, {"id": 10**40}]
)
def test_strange_objects_never_fail(client, thing):
    """W10."""
    payload = {"account_id": "acc", "object": thing}
    assert post(client, message(payload=payload, event_ts="x")).status_code == 200


def test_database_away_asks_zoom_to_repeat(client):
    """W7: 503 exactly when a genuine message could not be stored."""

    def away(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            raise DatabaseError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        assert post(client, message()).status_code == 503
    assert not WebhookEvent.objects.exists()
    assert post(client, message()).status_code == 200


def test_the_prepared_insert_fills_every_column(client):
    """As the model itself would: a column that it left out could have no value."""
    assert post(client, message(), request_id="r").status_code == 200
    stored = WebhookEvent.objects.get()
    made = WebhookEvent(request_id="m", content_key="m", payload=stored.payload)
    made.save()
    made.refresh_from_db()
    for column in WebhookEvent._meta.concrete_fields:
        ours, model = (getattr(row, column.attname) for row in (stored, made))
        assert type(ours) is type(model), column.name
    assert (stored.attempts, stored.error_class, stored.error_code) == (0, "", None)
    assert stored.run_after <= stored.received_at + timedelta(seconds=5)


def test_host_name_does_not_choose_the_tenant(client):
    """W9, X8: the account stands in the signed body only."""
    answer = post(client, message(), headers={"host": "other-site.example"})
    assert answer.status_code == 200
    assert WebhookEvent.objects.get().account_zoom_id == "acc"


def test_refusal_tells_nothing_and_logs_no_content(client, caplog):
    """W31: no topic, name or secret in a log line, no reason to the sender."""
    answer = post(client, message(), secret="wrong")
    assert answer.content == b""
    assert "signature" in caplog.text and "Yoga" not in caplog.text and "v0=" not in caplog.text


def test_without_an_encryption_key_a_message_is_repeated_by_zoom(client, settings):
    """503, as for whatever keeps a genuine message from being stored; never a bare 500."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": []}
    assert post(client, message()).status_code == 503
    assert not WebhookEvent.objects.exists()


def test_a_row_that_the_database_refuses_is_no_repeated_message(client, monkeypatch):
    """Only what is there already may be answered as stored."""
    monkeypatch.setattr("wagtail_zoom.webhooks._lane", lambda event, payload: None)
    assert post(client, message()).status_code == 503
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "refusal",
    [
        'null value in column "lane" violates not-null constraint\n'
        'DETAIL:  Failing row contains (1, null, {"topic": "Unique: content_key, duplicate"}).',
        'duplicate key value violates unique constraint "wagtail_zoom_webhookevent_pkey"\n'
        "DETAIL:  Key (id)=(1) already exists.",
        "(1062, \"Duplicate entry '1' for key 'PRIMARY'\")",
        "UNIQUE constraint failed: wagtail_zoom_webhookevent.id",
    ],
)
def test_only_its_own_keys_make_a_message_a_repeated_one(client, refusal):
    """PostgreSQL shows the row that it refuses; a restored database may hand out old numbers."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT") and WebhookEvent._meta.db_table in sql:
            raise IntegrityError(refusal)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert post(client, message()).status_code == 503
    assert not WebhookEvent.objects.exists()


def test_a_database_that_speaks_no_english_is_asked_again(client, monkeypatch):
    """PostgreSQL words its refusals in the language of its server."""
    event = message()
    assert post(client, event).status_code == 200
    monkeypatch.setattr("wagtail_zoom.webhooks.REPEATED", re.compile("(?!)"))
    assert post(client, event).status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_a_host_hears_once_of_a_forged_message_and_by_mail_of_one_that_could_not_be_taken(
    client, settings, caplog
):
    """Django mails its line to ADMINS where the answer is 500 or more; else ours is all."""
    post(client, message(), secret="wrong")
    assert [(each.name, each.levelname) for each in caplog.records] == [
        ("wagtail_zoom.webhooks", "WARNING")
    ]
    caplog.clear()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": []}
    post(client, message())
    assert {(each.name, each.levelname) for each in caplog.records} == {
        ("wagtail_zoom.webhooks", "ERROR"),
        ("django.request", "ERROR"),
    }
