"""Genuine signatures over bodies that nobody expects: never a 5xx, which Zoom would repeat."""

import json

import pytest
from django.core.cache import cache

from tests.webhooks.test_endpoint import event_body, post
from wagtail_zoom.models import WebhookEvent
from wagtail_zoom.sync import inbox

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.webhooks.urls")]


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


def nested(depth, opening, closing, inner="1"):
    return opening * depth + inner + closing * depth


def with_object(text):
    return (
        '{"event":"meeting.updated","event_ts":1,"payload":{"account_id":"a","object":'
        + text
        + "}}"
    ).encode()


REFUSED = {
    "lists 30 deep": with_object(nested(30, "[", "]")),
    "lists 500 deep": with_object(nested(500, "[", "]")),
    "objects 500 deep": with_object(nested(500, '{"a":', "}")),
    "objects 20,000 deep": with_object(nested(20_000, '{"a":', "}")),
    "the body is 100,000 deep": nested(100_000, "[", "]").encode(),
    "NaN": with_object('{"id": NaN}'),
    "Infinity": with_object('{"duration": Infinity}'),
    "-Infinity": with_object('{"duration": [-Infinity]}'),
    "a number beyond every float": with_object('{"duration": 1e400}'),
    "a negative one": with_object('{"duration": -1e400}'),
    "5,000 digits": with_object('{"id": ' + "9" * 5000 + "}"),
    "no object": b'["meeting.updated"]',
    "null": b"null",
    "a text": b'"meeting.updated"',
    "an event that is a list": b'{"event":["meeting.updated"],"payload":{}}',
    "an event that is an object": b'{"event":{"a":1},"payload":{}}',
    "no event": b'{"payload":{"account_id":"a"}}',
    "latin-1": '{"event":"meeting.updated","x":"ä"}'.encode("latin-1"),
    "utf-16": '{"event":"meeting.updated"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(event_body()).encode(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_database_stores_is_refused_for_good(client, name):
    response = post(client, REFUSED[name])
    assert response.status_code == 400
    assert not WebhookEvent.objects.exists()


STORED = {
    "19 deep": (with_object(nested(17, '{"a":', "}")), "pending"),
    "a long number": (with_object('{"id": ' + "9" * 4000 + "}"), "pending"),
    "a tiny number": (with_object('{"id": 1e-400}'), "pending"),
    "duplicate keys": (
        b'{"event":"x y","event":"meeting.updated","payload":{"account_id":"a","account_id":"b"}}',
        "pending",
    ),
    "lone surrogates": (
        with_object('{"\\ud800": "\\udfff", "id": "\\u0000", "topic": "a\\ud83d"}'),
        "pending",
    ),
    "a payload that is a list": (b'{"event":"meeting.updated","payload":[1]}', "dead"),
    "a payload that is a number": (b'{"event":"meeting.updated","payload":1}', "dead"),
    "an empty event": (b'{"event":"","payload":{"account_id":"a"}}', "dead"),
    "an object that is a text": (with_object('"x"'), "pending"),
    "ids of wrong types": (with_object('{"id": {}, "uuid": [], "host_id": true}'), "pending"),
    "an account that is a list": (
        b'{"event":"meeting.updated","payload":{"account_id":["a"],"object":null}}',
        "pending",
    ),
    "a time that is a number with a fraction": (
        b'{"event":"meeting.updated","event_ts":1.5,"payload":{"account_id":"a"}}',
        "pending",
    ),
    "a time of 30 digits": (
        b'{"event":"meeting.updated","event_ts":1%s,"payload":{"account_id":"a"}}' % (b"0" * 30),
        "pending",
    ),
    "a time that is true": (
        b'{"event":"meeting.updated","event_ts":true,"payload":{"account_id":"a"}}',
        "pending",
    ),
}


@pytest.mark.parametrize("name", STORED)
def test_odd_but_storable_events_are_stored_with_their_outcome(client, name):
    body, state = STORED[name]
    assert post(client, body).status_code == 200
    event = WebhookEvent.objects.get()
    event.refresh_from_db()
    assert (event.state, event.error_class) == (state, "shape" if state == "dead" else "")
    assert event.event_ts < 10**15


@pytest.mark.parametrize(
    "event", ["Meeting.Updated", "meeting updated", "meeting.updated\n", "a" * 65, "<b>", "=1+1"]
)
def test_an_event_of_another_form_is_never_processed(client, event):
    """The name of an event stands in lists and log lines, and selects what is done."""
    assert post(client, event_body(event=event)).status_code == 200
    row = WebhookEvent.objects.get()
    assert (row.state, row.error_class) == ("dead", "shape")
    inbox.process_events()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("dead", 0)
