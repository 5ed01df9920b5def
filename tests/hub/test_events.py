"""Which deployment receives which event, and how it is sent."""

import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from wagtail_zoom.hub import delivery, deployments, http, routing, status, tasks
from wagtail_zoom.hub.models import Binding, Delivery, Deployment
from wagtail_zoom.models import WebhookEvent
from wagtail_zoom.testing.signing import challenge_answer, signature
from wagtail_zoom.utils.webhook_requests import SignedEvent

from .conftest import ZOOM_SECRET, Member, post_event

pytestmark = pytest.mark.django_db


def bind(member, account="acct", user="user", *, account_level=True):
    return Binding.objects.create(
        deployment=member.row,
        client_id="simulator-client",
        account_zoom_id=account,
        user_zoom_id=user,
        active_key=Binding.key_of(account, user),
        account_level=account_level,
    )


def event(name="meeting.updated", account="acct", number=1, **item):
    return {
        "event": name,
        "event_ts": int(time.time() * 1000),
        "payload": {"account_id": account, "object": {"id": number, **item}},
    }


def recipients(body):
    """Names of the deployments to which an event is routed."""
    assert post_event(body, request_id=str(uuid4())).status_code == 200
    rows = Delivery.objects.order_by("deployment__name").values_list("deployment__name", flat=True)
    names = list(rows)
    Delivery.objects.all().delete()
    return names


@pytest.fixture
def harbour(recorder, allow_local, settings, hub):
    settings.DEBUG = True
    member = Member("Harbour", webhook_url=f"{recorder.url}/harbour/")
    settings.DEBUG = False
    return member


@pytest.fixture
def hill(recorder, allow_local, settings, hub):
    settings.DEBUG = True
    member = Member("Hill", webhook_url=f"{recorder.url}/hill/")
    settings.DEBUG = False
    return member


def test_matrix_of_accounts_levels_and_events(harbour, hill):
    """Account-level: all of the account. User-level: its own user's. Others: nothing."""
    bind(harbour, "acct-1", "anna")
    bind(hill, "acct-1", "ben", account_level=False)
    cases = [
        (event("meeting.updated", "acct-1", host_id="anna"), ["Harbour"]),
        (event("meeting.updated", "acct-1", host_id="ben"), ["Harbour", "Hill"]),
        (event("webinar.created", "acct-1", host_id="ben"), ["Harbour", "Hill"]),
        (event("recording.completed", "acct-1", host_id="ben"), ["Harbour", "Hill"]),
        (event("meeting.summary_completed", "acct-1", meeting_host_id="ben"), ["Harbour", "Hill"]),
        (event("meeting.summary_completed", "acct-1", meeting_host_id="cara"), ["Harbour"]),
        (event("recording.batch_trashed", "acct-1"), ["Harbour"]),
        (event("meeting.registration_created", "acct-1", host_id="cara"), ["Harbour"]),
        (event("user.updated", "acct-1", number="ben"), ["Harbour", "Hill"]),
        (event("user.updated", "acct-1", number="cara"), ["Harbour"]),
        (event("meeting.updated", "acct-1", number="ben"), ["Harbour"]),
        (event("meeting.updated", "acct-2", host_id="anna"), []),
        (event("meeting.updated", "ACCT-1", host_id="anna"), []),
        (event("something.new", "acct-1"), ["Harbour"]),
    ]
    for body, expected in cases:
        assert recipients(body) == expected, body


def test_ended_and_removed_bindings_receive_nothing(harbour, hill):
    bind(harbour, user="anna")
    bind(hill, user="ben")
    assert recipients(event()) == ["Harbour", "Hill"]
    Binding.objects.filter(deployment=hill.row).update(ended_at=timezone.now(), active_key=None)
    assert recipients(event()) == ["Harbour"]
    deployments.remove(harbour.row)
    assert recipients(event()) == []


def test_bindings_of_another_zoom_app_receive_nothing(harbour, settings):
    bind(harbour)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_ID": "another-app"}
    assert recipients(event()) == []


def test_own_sites_receive_the_event_as_well(harbour):
    bind(harbour)
    post_event(event())
    assert WebhookEvent.objects.count() == Delivery.objects.count() == 1
    post_event(event(account="unknown"))
    assert (WebhookEvent.objects.count(), Delivery.objects.count()) == (2, 1)


@pytest.mark.parametrize("headers", [{"x-zm-signature": "v0=" + "0" * 64}, {"x-zm-signature": ""}])
def test_forged_event_is_refused(harbour, headers):
    bind(harbour)
    assert post_event(event(), **headers).status_code in (400, 401)
    assert not Delivery.objects.exists()


def test_event_signed_with_a_deployments_secret_is_refused(harbour):
    """A hostile deployment knows its own secret, not Zoom's."""
    bind(harbour)
    answer = post_event(event(), secret=harbour.credentials.webhook_secret)
    assert answer.status_code == 401
    assert not Delivery.objects.exists()


def test_replayed_event_is_one_delivery(harbour):
    bind(harbour)
    body, request_id = event(), str(uuid4())
    for other_id in (request_id, request_id, str(uuid4())):
        assert post_event(body, request_id=other_id).status_code == 200
    assert Delivery.objects.count() == 1


def test_old_event_is_refused(harbour):
    bind(harbour)
    raw = json.dumps(event()).encode()
    stamp = int(time.time()) - 96 * 60
    headers = {
        "x-zm-signature": signature(raw, ZOOM_SECRET, stamp),
        "x-zm-request-timestamp": str(stamp),
    }
    answer = Client().post(
        "/zoom/hub/webhook/", raw, content_type="application/json", headers=headers
    )
    assert answer.status_code == 400
    assert not Delivery.objects.exists()


def test_url_validation_is_answered_with_zooms_secret(hub):
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}
    assert post_event(body).json() == {
        "plainToken": "abc",
        "encryptedToken": challenge_answer("abc", ZOOM_SECRET),
    }


def test_event_that_could_not_be_stored_is_repeated_by_zoom(harbour, monkeypatch):
    bind(harbour)

    def fail(*args, **kwargs):
        raise DatabaseError

    body, request_id = event(), str(uuid4())
    with monkeypatch.context() as patch:
        patch.setattr(Delivery.objects, "bulk_create", fail)
        assert post_event(body, request_id=request_id).status_code == 503
    assert post_event(body, request_id=request_id).status_code == 200
    assert WebhookEvent.objects.count() == Delivery.objects.count() == 1


def test_body_is_encrypted_until_it_is_delivered_and_then_deleted(harbour):
    bind(harbour)
    post_event(event(topic="Choir practice"))
    stored = Delivery.objects.values().get()
    assert "Choir" not in repr(stored)
    tasks.deliver()
    assert Delivery.objects.values().get()["body"] == ""


def test_delivery_is_what_the_deployments_own_endpoint_accepts(harbour, recorder, settings):
    bind(harbour)
    request_id = str(uuid4())
    post_event(event(topic="Chorprobe ü ☃"), request_id=request_id)
    tasks.deliver()
    [(path, headers, body)] = recorder.requests
    assert path == "/harbour/"
    assert headers["x-zm-request-id"] == request_id
    WebhookEvent.objects.all().delete()
    names = ("x-zm-signature", "x-zm-request-timestamp", "x-zm-request-id")

    def send(secret):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": [secret]}
        return Client().post(
            "/zoom/webhook/", body, content_type=headers["Content-Type"],
            headers={name: headers[name] for name in names},
        )  # fmt: skip

    assert send(ZOOM_SECRET).status_code == 401
    assert send("another-deployment").status_code == 401
    assert send(harbour.credentials.webhook_secret).status_code == 200
    assert WebhookEvent.objects.get().request_id == request_id
    row = Delivery.objects.get()
    assert (row.state, row.last_status) == (Delivery.State.DELIVERED, 200)


def test_removal_of_the_app_ends_the_binding_and_is_delivered(hub, harbour, hill, recorder):
    bind(harbour, user="anna")
    bind(hill, user="ben")
    body = {
        "event": "app_deauthorized",
        "event_ts": int(time.time() * 1000),
        "payload": {
            "account_id": "acct",
            "user_id": "anna",
            "client_id": "simulator-client",
            "deauthorization_time": (timezone.now() + timedelta(seconds=1)).isoformat(),
        },
    }
    post_event(body)
    tasks.deliver()
    [(path, _headers, raw)] = recorder.requests
    assert path == "/harbour/"
    assert json.loads(raw)["payload"]["user_id"] == "anna"
    assert "simulator-client" not in raw.decode()
    assert Binding.objects.active().get().deployment == hill.row
    assert Binding.objects.get(deployment=harbour.row).end_reason == Binding.End.DEAUTHORIZED


def test_removal_from_before_the_connection_ends_nothing(harbour):
    bind(harbour, user="anna")
    body = event("app_deauthorized")
    body["payload"] |= {"user_id": "anna", "deauthorization_time": "2020-01-01T00:00:00Z"}
    post_event(body)
    assert Binding.objects.active().exists()


def test_simulators_own_events_reach_the_deployment(hub, harbour, recorder, owner):
    """From a changed meeting at Zoom to the deployment's endpoint."""
    settings_row = harbour.row
    tokens = harbour.connect("aurora-0", owner)
    assert tokens
    hub.create_meeting("aurora-0", topic="Through the hub")
    for row in hub.deliveries(state="unsubscribed"):
        post_event(row["body"], request_id=row["request_id"])
    tasks.deliver()
    topics = [
        json.loads(body)["payload"]["object"].get("topic") for _p, _h, body in recorder.requests
    ]
    assert "Through the hub" in topics
    settings_row.refresh_from_db()
    assert settings_row.last_delivered_at is not None


# Deployments that are away, slow, or hostile


def test_failed_delivery_is_tried_again_and_nothing_is_lost(harbour, recorder):
    bind(harbour)
    recorder.status = 503
    for number in range(3):
        post_event(event(number=number))
    tasks.deliver()
    harbour.row.refresh_from_db()
    assert harbour.row.failing_since is not None
    assert Delivery.objects.filter(state=Delivery.State.PENDING).count() == 3
    recorder.status, recorder.requests = 200, []
    tasks.deliver()
    assert recorder.requests == [], "it is left alone for a while"
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        tasks.deliver()
    assert len(recorder.requests) == 3
    harbour.row.refresh_from_db()
    assert (harbour.row.failing_since, harbour.row.failures) == (None, 0)


def test_deployment_that_is_away_delays_no_other(harbour, hill, recorder):
    bind(harbour, user="anna")
    bind(hill, user="ben")
    recorder.status = 503
    post_event(event(number=1))
    tasks.deliver()
    recorder.requests = []
    recorder.status = lambda body: 200
    type(hill.row).objects.filter(pk=hill.row.pk).update(retry_at=None, failures=0)
    for number in range(2, 12):
        post_event(event(number=number))
    tasks.deliver()
    paths = [path for path, _headers, _body in recorder.requests]
    assert paths.count("/hill/") == 11
    assert "/harbour/" not in paths


@pytest.mark.parametrize("answer", [400, 413, 422])
def test_refused_event_does_not_hold_back_the_next_one(harbour, recorder, answer):
    bind(harbour)
    recorder.status = lambda body: answer if b'"id": 1' in body else 200
    post_event(event(number=1))
    tasks.deliver()
    post_event(event(number=2))
    tasks.deliver()
    states = Delivery.objects.order_by("pk").values_list("state", "last_status")
    assert list(states) == [("pending", answer), ("delivered", 200)]


def test_redirect_is_not_followed(harbour, recorder):
    bind(harbour)
    recorder.status = 307
    post_event(event())
    tasks.deliver()
    assert [path for path, _headers, _body in recorder.requests] == ["/harbour/"]
    assert Delivery.objects.get().state == Delivery.State.PENDING


def test_given_up_after_a_day_with_one_mail(harbour, recorder, mailoutbox):
    bind(harbour)
    recorder.status = 500
    for number in range(3):
        post_event(event(number=number))
    tasks.deliver()
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        tasks.tick()
        assert not Delivery.objects.filter(state=Delivery.State.DEAD).exists()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        for _ in range(3):
            tasks.tick()
    assert Delivery.objects.filter(state=Delivery.State.DEAD).count() == 3
    [mail] = mailoutbox
    assert mail.to == ["operator@harbour.example"]
    assert "3 changes" in mail.body
    recorder.status, recorder.requests = 200, []
    delivery.send_again(Delivery.objects.all())
    tasks.deliver()
    assert len(recorder.requests) == 3


def test_private_address_is_refused_before_anything_is_sent(harbour, recorder, settings):
    bind(harbour)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "HUB_PRIVATE_NETWORKS": []}
    type(harbour.row).objects.update(webhook_url=recorder.url.replace("127.0.0.1", "localhost"))
    post_event(event())
    tasks.deliver()
    assert recorder.requests == []
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.last_status) == (Delivery.State.PENDING, 1, None)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("not an address", False),
    ],
)
def test_allowed_ips(address, allowed, settings):
    assert http.is_allowed(address) is allowed


def test_hanging_deployment_is_ended_and_others_go_on(harbour, hill, recorder, monkeypatch):
    import socket

    monkeypatch.setattr(http, "MAX_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    type(harbour.row).objects.filter(pk=harbour.row.pk).update(
        webhook_url=f"http://127.0.0.1:{port}/"
    )
    bind(harbour, user="anna")
    bind(hill, user="ben")
    post_event(event())
    tasks.deliver()
    listener.close()
    assert [path for path, _headers, _body in recorder.requests] == ["/hill/"]
    row = Delivery.objects.get(deployment=harbour.row)
    assert (row.state, row.error) == (Delivery.State.PENDING, "Timeout")


def test_killed_process_delays_a_delivery_by_its_lease_only(harbour, recorder):
    bind(harbour)
    post_event(event())
    Delivery.objects.update(
        lease_owner="killed", lease_until=timezone.now() + timedelta(seconds=30)
    )
    tasks.deliver()
    assert recorder.requests == []
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        tasks.deliver()
    assert len(recorder.requests) == 1


def test_after_a_rotation_both_webhook_secrets_work(harbour, recorder):
    bind(harbour)
    old = harbour.credentials.webhook_secret
    harbour.row.refresh_from_db()
    new = deployments.rotate(harbour.row).webhook_secret

    def answers(secret):
        def status_of(body):
            _path, headers, _body = recorder.requests[-1]
            expected = signature(body, secret, headers["x-zm-request-timestamp"])
            return 200 if headers["x-zm-signature"] == expected else 401

        return status_of

    for number, secret in enumerate((old, new)):
        recorder.status = answers(secret)
        post_event(event(number=number))
        tasks.deliver()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        recorder.status = answers(old)
        post_event(event(number=9))
        tasks.deliver()
        assert Delivery.objects.get(
            content_key=Delivery.objects.latest("pk").content_key
        ).state == (Delivery.State.PENDING)


def test_delivery_whose_task_was_lost_is_sent_by_the_next_tick(harbour, recorder, zoom_worker):
    bind(harbour)
    post_event(event())
    zoom_worker.clear()
    tasks.tick()
    zoom_worker.run()
    assert len(recorder.requests) == 1


def test_retention(harbour, recorder):
    bind(harbour)
    post_event(event())
    tasks.deliver()
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        tasks.tick()
    assert not Delivery.objects.exists()


def test_removed_deployment_is_deleted_after_a_while(harbour, hill):
    bind(harbour, user="anna")
    bind(hill, user="bert")
    deployments.remove(harbour.row)
    for days, names in ((89, ["Harbour", "Hill"]), (91, ["Hill"])):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            tasks.tick()
        assert list(Deployment.objects.values_list("name", flat=True)) == names
    assert Binding.objects.get().user_zoom_id == "bert"


def test_given_up_deliveries_are_sent_again_while_their_content_exists(harbour, hill, recorder):
    for member in (harbour, hill):
        bind(member, user=member.row.name)
        post_event(event(host_id=member.row.name), request_id=str(uuid4()))
    Delivery.objects.update(state=Delivery.State.DEAD)
    Delivery.objects.filter(deployment=hill.row).update(body="")
    assert delivery.send_again(Delivery.objects.all()) == 2
    assert set(Delivery.objects.filter(state=Delivery.State.DEAD)) == set(
        Delivery.objects.filter(deployment=hill.row)
    )
    deployments.remove(harbour.row)
    Delivery.objects.update(state=Delivery.State.DEAD)
    assert delivery.send_again(Delivery.objects.all()) == 0


def test_metrics_and_counts(harbour, hill, recorder, django_assert_num_queries):
    bind(harbour, "acct-1", "anna")
    bind(harbour, "acct-2", "anna")
    recorder.status = 500
    post_event(event(account="acct-1"))
    with django_assert_num_queries(3):
        rows = {row.deployment.name: row for row in status.deployments_with_counts()}
    assert (rows["Harbour"].account_count, rows["Harbour"].backlog) == (2, 1)
    assert (rows["Hill"].account_count, rows["Hill"].backlog) == (0, 0)
    assert status.metrics()["deliveries_pending"] == 1


def test_validation_of_a_deployments_endpoint(harbour, recorder):
    assert "Something else" in status.validate_webhook(harbour.row)
    recorder.status = 401
    assert "another webhook secret" in status.validate_webhook(harbour.row)
    recorder.stop()
    assert "does not answer" in status.validate_webhook(harbour.row)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["id", "host_id", "x"]), st.integers() | st.text(max_size=9)),
)  # fmt: skip


@examples(suppress_health_check=[HealthCheck.too_slow])
@given(payload=st.dictionaries(st.sampled_from(["account_id", "object", "user_id"]), VALUES))
def test_no_payload_makes_the_routing_fail(payload):
    for name in ("meeting.updated", "user.updated", "app_deauthorized"):
        fields = {"deauthorization_time": payload.get("user_id"), **payload}
        body = {"event": name, "payload": fields, "event_ts": payload.get("user_id")}
        signed = SignedEvent(body, json.dumps(body).encode())
        assert all(isinstance(user, str) for user in routing._users_of(signed))
        assert routing._removed_at(signed).tzinfo is not None
        assert json.loads(routing._body(signed))["event"] == name
