"""Many, lost, poison, repeated and false webhook events: few reads, one result (W22, W26, W29, W30,
X11, X12)."""

from __future__ import annotations

import itertools
import json
import random
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom import tasks
from wagtail_zoom.models import (
    Activity,
    Grant,
    Host,
    Meeting,
    ObjectLock,
    Occurrence,
    Recording,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.sync import handlers, inbox, runs, settings_changes
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db
SECRET = "simulator-webhook-secret"
sequence = itertools.count(1)


def store_events(account, events):
    """Store events, as the endpoint does; ``events`` are (name, object, time)."""
    rows = []
    for name, item, event_ts in events:
        family = name.partition(".")[0]
        key = item.get("uuid") if family == "recording" else item.get("id")
        rows.append(
            WebhookEvent(
                content_key=f"burst-{next(sequence)}",
                account_zoom_id=account.zoom_id,
                event=name,
                event_ts=event_ts,
                lock_key=f"{account.zoom_id}:{family}:{key}",
                payload={"account_id": account.zoom_id, "object": item},
            )
        )
    WebhookEvent.objects.bulk_create(rows)


def post(body, **options):
    """Post to the endpoint, signed as Zoom signs."""
    raw = json.dumps(body).encode()
    headers = sign(raw, SECRET, **options)
    headers.pop("content-type")
    url = reverse("wagtail_zoom:webhook")
    return Client().post(url, raw, content_type="application/json", headers=headers)


def event_object(meeting):
    return {"id": int(meeting.zoom_id), "host_id": meeting.host_zoom_id}


def now_ms():
    return int(time.time() * 1000)


def end_waits():
    """End the pauses between reads and between attempts."""
    now = timezone.now()
    ObjectLock.objects.update(not_before=now)
    WebhookEvent.objects.filter(state="pending").update(run_after=now)


def process_all():
    """Until nothing is due."""
    for _pass in range(300):
        end_waits()
        if not inbox.process_due_events(timezone.now()):
            return
    pytest.fail("There is always something due.")


@pytest.mark.parametrize(
    ("objects", "repeats", "max_reads"),
    [(12, 25, 30), pytest.param(100, 100, 300, marks=pytest.mark.slow)],
)
def test_w22_a_burst_costs_few_reads(connect, zoom_app, settings, objects, repeats, max_reads):
    """Ten thousand events about a hundred meetings, shuffled, while the worker runs."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=objects)
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 30}
    rows = list(Meeting.objects.filter(topic__startswith="Meeting ")[:objects])
    assert len(rows) == objects
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic=f"Renamed as {row.pk}")
    burst = [("meeting.updated", event_object(row), now_ms()) for row in rows] * repeats
    random.Random(7).shuffle(burst)
    zoom_app.clear_calls()
    part = len(burst) // 5
    for begin in range(0, len(burst), part):
        store_events(site_settings.account, burst[begin : begin + part])
        inbox.process_due_events(timezone.now())
    process_all()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    reads = [call for call in zoom_app.calls() if "/v2/meetings/" in call["path"]]
    details = [call for call in reads if call["path"].count("/") == 3]
    assert objects <= len(details) <= max_reads
    assert len(reads) <= 2 * max_reads
    assert Meeting.objects.filter(topic__startswith="Renamed as ").count() == objects


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wrong_type"},
        {"kind": "status", "status": 400, "code": 300, "message": "no"},
        {"kind": "status", "status": 200, "body": {"id": None, "topic": 7}},
    ],
    ids=["wrong type", "refused", "without identity"],
)
def test_w26_a_poison_event_is_dead_with_a_reason_and_others_are_processed(
    connect, zoom_app, fault
):
    """Dead after ten attempts, reported once; events of other objects do not wait for it."""
    site_settings = connect("aurora-0")
    poison, other = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:2]
    zoom_app.fault(**fault, path=f"/(meetings|webinars)/{poison.zoom_id}$")
    for row in (poison, other):
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        store_events(site_settings.account, [("meeting.updated", event_object(row), now_ms())])
    inbox.process_due_events(timezone.now())
    other.refresh_from_db()
    assert other.topic == "Changed"
    process_all()
    dead = WebhookEvent.objects.get(lock_key__endswith=poison.zoom_id)
    assert (dead.state, dead.attempts) == ("dead", 10)
    assert dead.error_class.startswith(("Zoom", "InvalidItem"))
    assert Activity.objects.filter(code="event_failed", event=dead).count() == 1
    # When Zoom is available again, a replay succeeds.
    zoom_app.clear_faults()
    inbox.replay(dead)
    process_all()
    dead.refresh_from_db()
    poison.refresh_from_db()
    assert (dead.state, poison.topic) == ("done", "Changed")


@pytest.mark.parametrize("hours", [-2, -0.05, 0.05, 2])
def test_w23_zooms_clock_may_be_wrong(connect, zoom_app, hours):
    """Two hours behind or ahead of ours: changes, removals and restores still arrive."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    item, skew = event_object(row), int(hours * 3_600_000)
    zoom_app.change_meeting(int(row.zoom_id), topic="By a wrong clock")
    store_events(site_settings.account, [("meeting.updated", item, now_ms() + skew)])
    process_all()
    row.refresh_from_db()
    assert row.topic == "By a wrong clock"
    zoom_app.delete_meeting(int(row.zoom_id))
    store_events(site_settings.account, [("meeting.deleted", item, now_ms() + skew)])
    process_all()
    row.refresh_from_db()
    assert row.removed_at is not None
    zoom_app.recover_meeting(int(row.zoom_id))
    store_events(site_settings.account, [("meeting.recovered", item, now_ms() + skew)])
    process_all()
    row.refresh_from_db()
    assert row.removed_at is None
    assert row.occurrences.get().state in ("scheduled", "moved")


STABLE = ("kind", "topic", "agenda", "start", "duration", "timezone", "approval_type")


def visible_data():
    """What visitors can see, by Zoom's own keys."""
    meetings = {
        row.zoom_id: tuple(getattr(row, name) for name in STABLE)
        for row in Meeting.objects.filter(removed_at=None, expired_at=None)
    }
    occurrences = {
        (
            occurrence.meeting.zoom_id,
            occurrence.start,
            occurrence.duration,
            occurrence.state == "cancelled",
        )
        for occurrence in Occurrence.objects.filter(
            meeting__removed_at=None, meeting__expired_at=None, end__gt=timezone.now()
        ).select_related("meeting")
    }
    recordings = set(
        Recording.objects.filter(removed_at=None, trashed_at=None).values_list("uuid", "topic")
    )
    return meetings, occurrences, recordings


def change_at_random(zoom_app, account, count):
    """What owners do in Zoom; returns the events that Zoom would send about it."""
    rng = random.Random(29)
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).order_by("pk"))
    events, deleted_pks = [], set()
    for number in range(count):
        row = rows[number % len(rows)]
        action = rng.choice(["topic", "move", "delete", "create"])
        if action == "create":
            fields = {"topic": f"New {number}", "start_time": "+4d 09:00"}
            meeting = zoom_app.create_meeting("aurora-0", **fields)
            events.append(("meeting.created", {"id": meeting["id"], "host_id": meeting["host_id"]}))
        elif row.pk in deleted_pks:
            continue
        elif action == "delete" and len(deleted_pks) < len(rows) // 2:
            zoom_app.delete_meeting(int(row.zoom_id))
            deleted_pks.add(row.pk)
            events.append(("meeting.deleted", event_object(row)))
        else:
            changes = {"start_time": f"+{5 + number % 9}d 11:00"}
            zoom_app.change_meeting(
                int(row.zoom_id), **(changes if action == "move" else {"topic": f"Now {number}"})
            )
            events.append(("meeting.updated", event_object(row)))
    recording = zoom_app.create_recording("aurora-0", topic="Overheard", start_time="-3h")
    item = {"uuid": recording["id"], "host_id": recording["host_id"]}
    return [(event, item, now_ms()) for event, item in [*events, ("recording.completed", item)]]


@pytest.mark.parametrize("share", [0.3, pytest.param(1.0, marks=pytest.mark.slow)])
def test_w29_one_reconcile_run_repairs_lost_events(connect, zoom_app, zoom_worker, share):
    """There is no replay at Zoom: a reconcile run finds what no event has reported."""
    site_settings = connect("aurora-0")
    events = change_at_random(zoom_app, site_settings.account, 40)
    rng = random.Random(3)
    store_events(site_settings.account, [event for event in events if rng.random() >= share])
    process_all()
    # Hours later, when the details of series are due as well.
    Meeting.objects.update(detail_at=timezone.now() - timedelta(hours=25))
    run = runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    run.refresh_from_db()
    assert run.state == "done"
    repaired = visible_data()
    assert "Overheard" in {topic for _uuid, topic in repaired[2]}
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert visible_data() == repaired


def test_w30_a_pause_loses_no_event(connect, zoom_app, zoom_worker, admin_user):
    """A hundred events while the owner has paused: stored, not read, then caught up."""
    site_settings = connect("aurora-0")
    settings_changes.pause(site_settings, admin_user)
    events = change_at_random(zoom_app, site_settings.account, 100)
    before = visible_data()[2]
    zoom_app.clear_calls()
    for event, item, ts in events:
        body = {"event": event, "event_ts": ts}
        body["payload"] = {"account_id": site_settings.account.zoom_id, "object": item}
        assert post(body).status_code == 200
    zoom_worker.run()
    process_all()
    assert [call for call in zoom_app.calls() if "/v2/" in call["path"]] == []
    assert visible_data()[2] == before
    settings_changes.resume(ZoomSettings.for_site(site_settings.site), admin_user)
    zoom_worker.run()
    resumed = visible_data()
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert visible_data() == resumed


@pytest.mark.parametrize("times", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_x11_a_thousand_repetitions_are_one_event(connect, zoom_app, zoom_worker, times):
    """The same request again and again, within the window and after its key was pruned."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    body = {"event": "meeting.deleted", "event_ts": now_ms(), "payload": {
        "account_id": site_settings.account.zoom_id, "object": event_object(row)}}  # fmt: skip
    raw = json.dumps(body).encode()
    headers = sign(raw, SECRET)
    headers.pop("content-type")
    url, client = reverse("wagtail_zoom:webhook"), Client()

    def again(times):
        for _ in range(times):
            response = client.post(url, raw, content_type="application/json", headers=headers)
            assert response.status_code == 200

    zoom_app.clear_calls()
    again(times // 2)
    # The id is not signed: with another id it is still the same event.
    for number in range(times // 2):
        headers["x-zm-request-id"] = f"other-{number}"
        again(1)
    assert WebhookEvent.objects.count() == 1
    zoom_worker.run()
    process_all()
    assert len([call for call in zoom_app.calls() if row.zoom_id in call["path"]]) <= 2
    row.refresh_from_db()
    assert row.removed_at is None
    before = visible_data()
    WebhookEvent.objects.all().delete()
    again(20)
    assert WebhookEvent.objects.count() == 1
    process_all()
    assert visible_data() == before
    old = sign(raw, SECRET, timestamp=int(time.time()) - 96 * 60)
    old.pop("content-type")
    response = client.post(url, raw, content_type="application/json", headers=old)
    assert response.status_code == 400


def account_rows(account):
    """All rows of one account, except the sync columns of reads."""
    tables = (Host, Meeting, Occurrence, Recording, Grant, ZoomSettings, Registration)
    return {model.__name__: list(model.objects.filter(account=account).order_by("pk").values())
            for model in tables}  # fmt: skip


def test_x12_no_event_of_one_account_changes_another(connect, zoom_app, zoom_worker, site):
    """Every event, signed, in the name of account A, about objects of B."""
    from wagtail.models import Site

    second = Site.objects.create(hostname="b.example", root_page=site.root_page, port=81)
    theirs = connect("borealis-0", on=second)
    own = connect("aurora-0")
    victim = Meeting.objects.filter(account=theirs.account, start__gt=timezone.now()).first()
    recording = Recording.objects.filter(account=theirs.account).first()
    row = Registration(
        site=second, account=theirs.account, meeting=victim, meeting_zoom_id=victim.zoom_id,
        email_index="x", idempotency_key="x", state="approved", zoom_registrant_id="reg",
    )  # fmt: skip
    row.email = "person@b.example"
    row.save()
    tasks.tick()  # closes past occurrences
    zoom_worker.run()
    before = account_rows(theirs.account)
    assert before["Meeting"]
    names = list(handlers.EVENT_TYPES)
    for number, name in enumerate(names):
        item = {
            "id": int(victim.zoom_id), "uuid": recording.uuid, "host_id": victim.host_zoom_id,
            "account_id": theirs.account.zoom_id, "topic": "Taken over",
            "meeting_uuids": [recording.uuid], "meetings": [{"meeting_uuid": recording.uuid}],
            "registrant": {"id": "reg", "status": "denied", "email": "person@b.example"},
        }  # fmt: skip
        if name.startswith("user."):
            item["id"] = theirs.grant.zoom_user_id
        body = {"event": name, "event_ts": now_ms() + number, "payload": {
            "account_id": own.account.zoom_id, "object": item, "operation": "all",
            "user_id": theirs.grant.zoom_user_id, "client_id": "simulator-client",
            "deauthorization_time": timezone.now().isoformat(), "target": theirs.account.zoom_id,
        }}  # fmt: skip
        assert post(body).status_code == 200
    zoom_worker.run()
    process_all()
    tasks.tick()
    zoom_worker.run()
    assert WebhookEvent.objects.count() == len(names)
    assert not Meeting.objects.filter(account=own.account, zoom_id=victim.zoom_id).exists()
    assert account_rows(theirs.account) == before
    # The same event from B has an effect: the test can fail.
    zoom_app.delete_meeting(int(victim.zoom_id))
    body["event"], body["payload"]["account_id"] = "meeting.deleted", theirs.account.zoom_id
    assert post(body).status_code == 200
    process_all()
    assert account_rows(theirs.account) != before
