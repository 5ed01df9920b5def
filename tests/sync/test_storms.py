"""Many messages, lost ones, poisoned ones, false ones: few reads, one truth (W22, W26, W29, W30,
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
from wagtail_zoom.oauth import marketplace
from wagtail_zoom.sync import inbox, runs, settings_changes
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db
SECRET = "simulator-webhook-secret"
numbers = itertools.count(1)


def messages(account, events):
    """Put messages into the inbox, as the door does; ``events`` are (name, object, time)."""
    made = []
    for event, thing, ts in events:
        family = event.partition(".")[0]
        key = thing.get("uuid") if family == "recording" else thing.get("id")
        made.append(
            WebhookEvent(
                content_key=f"storm-{next(numbers)}",
                account_zoom_id=account.zoom_id,
                event=event,
                event_ts=ts,
                lock_key=f"{account.zoom_id}:{family}:{key}",
                payload={"account_id": account.zoom_id, "object": thing},
            )
        )
    WebhookEvent.objects.bulk_create(made)


def post(body, **options):
    """Through the door, signed as Zoom signs."""
    raw = json.dumps(body).encode()
    headers = sign(raw, SECRET, **options)
    headers.pop("content-type")
    address = reverse("wagtail_zoom:webhook")
    return Client().post(address, raw, content_type="application/json", headers=headers)


def thing_of(row):
    return {"id": int(row.zoom_id), "host_id": row.host_zoom_id}


def now_ms():
    return int(time.time() * 1000)


def hurry():
    """Let the pauses between reads and between tries be over."""
    now = timezone.now()
    ObjectLock.objects.update(not_before=now)
    WebhookEvent.objects.filter(state="pending").update(run_after=now)


def work_off():
    """Until nothing is due."""
    for _pass in range(300):
        hurry()
        if not inbox.work_off(timezone.now()):
            return
    pytest.fail("There is always something due.")


@pytest.mark.parametrize(
    ("objects", "each", "most"), [(12, 25, 30), pytest.param(100, 100, 300, marks=pytest.mark.slow)]
)
def test_w22_a_storm_costs_few_reads(connect, zoom_app, settings, objects, each, most):
    """Ten thousand messages about a hundred meetings, shuffled, while the worker is at it."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=objects)
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 30}
    rows = list(Meeting.objects.filter(topic__startswith="Meeting ")[:objects])
    assert len(rows) == objects
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic=f"Stormy {row.zoom_id}")
    storm = [("meeting.updated", thing_of(row), now_ms()) for row in rows] * each
    random.Random(7).shuffle(storm)
    zoom_app.forget_calls()
    part = len(storm) // 5
    for begin in range(0, len(storm), part):
        messages(site_settings.account, storm[begin : begin + part])
        inbox.work_off(timezone.now())
    work_off()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    reads = [call for call in zoom_app.calls() if "/v2/meetings/" in call["path"]]
    details = [call for call in reads if call["path"].count("/") == 3]
    assert objects <= len(details) <= most
    assert len(reads) <= 2 * most
    assert Meeting.objects.filter(topic__startswith="Stormy ").count() == objects


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wrong_type"},
        {"kind": "status", "status": 400, "code": 300, "message": "no"},
        {"kind": "status", "status": 200, "body": {"id": None, "topic": 7}},
    ],
    ids=["wrong type", "refused", "without identity"],
)
def test_w26_a_poisoned_message_is_dead_with_a_reason_and_the_others_go_on(
    connect, zoom_app, fault
):
    """After ten tries for a person to look at, told once; its neighbours have not waited for it."""
    site_settings = connect("aurora-0")
    bad, good = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:2]
    zoom_app.fault(**fault, path=f"/(meetings|webinars)/{bad.zoom_id}$")
    for row in (bad, good):
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        messages(site_settings.account, [("meeting.updated", thing_of(row), now_ms())])
    inbox.work_off(timezone.now())
    good.refresh_from_db()
    assert good.topic == "Changed"
    work_off()
    dead = WebhookEvent.objects.get(lock_key__endswith=bad.zoom_id)
    assert (dead.state, dead.attempts) == ("dead", inbox_most())
    assert dead.error_class.startswith(("Zoom", "BadItem"))
    assert Activity.objects.filter(code="event_failed", event=dead).count() == 1
    # When Zoom is itself again, a press on the button mends it.
    zoom_app.clear_faults()
    inbox.replay(dead)
    work_off()
    dead.refresh_from_db()
    bad.refresh_from_db()
    assert (dead.state, bad.topic) == ("done", "Changed")


def inbox_most():
    """The number of tries, wherever the room keeps it."""
    return 10


@pytest.mark.parametrize("hours", [-2, -0.05, 0.05, 2])
def test_w23_zooms_clock_may_be_wrong(connect, zoom_app, hours):
    """Two hours behind or ahead of ours: changes, removals and returns arrive all the same."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    thing, skew = thing_of(row), int(hours * 3_600_000)
    zoom_app.change_meeting(int(row.zoom_id), topic="By a wrong clock")
    messages(site_settings.account, [("meeting.updated", thing, now_ms() + skew)])
    work_off()
    row.refresh_from_db()
    assert row.topic == "By a wrong clock"
    zoom_app.delete_meeting(int(row.zoom_id))
    messages(site_settings.account, [("meeting.deleted", thing, now_ms() + skew)])
    work_off()
    row.refresh_from_db()
    assert row.removed_at is not None
    zoom_app.recover_meeting(int(row.zoom_id))
    messages(site_settings.account, [("meeting.recovered", thing, now_ms() + skew)])
    work_off()
    row.refresh_from_db()
    assert row.removed_at is None
    assert row.occurrences.get().state in ("scheduled", "moved")


STABLE = ("kind", "topic", "agenda", "start", "duration", "timezone", "approval_type")


def mirror():
    """What visitors can see of the mirror, by Zoom's own keys."""
    meetings = {
        row.zoom_id: tuple(getattr(row, name) for name in STABLE)
        for row in Meeting.objects.filter(removed_at=None, expired_at=None)
    }
    dates = {
        (date.meeting.zoom_id, date.start, date.duration, date.state == "cancelled")
        for date in Occurrence.objects.filter(
            meeting__removed_at=None, meeting__expired_at=None, end__gt=timezone.now()
        ).select_related("meeting")
    }
    recordings = set(
        Recording.objects.filter(removed_at=None, trashed_at=None).values_list("uuid", "topic")
    )
    return meetings, dates, recordings


def change_at_random(zoom_app, account, many):
    """What owners do in Zoom; the messages that Zoom would send about it."""
    dice = random.Random(29)
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).order_by("pk"))
    told, gone = [], set()
    for number in range(many):
        row = rows[number % len(rows)]
        what = dice.choice(["topic", "move", "delete", "create"])
        if what == "create":
            facts = {"topic": f"New {number}", "start_time": "+4d 09:00"}
            made = zoom_app.create_meeting("aurora-0", **facts)
            told.append(("meeting.created", {"id": made["id"], "host_id": made["host_id"]}))
        elif row.pk in gone:
            continue
        elif what == "delete" and len(gone) < len(rows) // 2:
            zoom_app.delete_meeting(int(row.zoom_id))
            gone.add(row.pk)
            told.append(("meeting.deleted", thing_of(row)))
        else:
            move = {"start_time": f"+{5 + number % 9}d 11:00"}
            zoom_app.change_meeting(
                int(row.zoom_id), **(move if what == "move" else {"topic": f"Now {number}"})
            )
            told.append(("meeting.updated", thing_of(row)))
    recording = zoom_app.create_recording("aurora-0", topic="Overheard", start_time="-3h")
    thing = {"uuid": recording["id"], "host_id": recording["host_id"]}
    return [(event, thing, now_ms()) for event, thing in [*told, ("recording.completed", thing)]]


@pytest.mark.parametrize("share", [0.3, pytest.param(1.0, marks=pytest.mark.slow)])
def test_w29_one_comparison_mends_what_lost_messages_left(connect, zoom_app, zoom_worker, share):
    """There is no replay at Zoom: a comparison finds what no message has told."""
    site_settings = connect("aurora-0")
    told = change_at_random(zoom_app, site_settings.account, 40)
    dice = random.Random(3)
    messages(site_settings.account, [one for one in told if dice.random() >= share])
    work_off()
    # Hours later, when the details of series are due as well.
    Meeting.objects.update(detail_at=timezone.now() - timedelta(hours=25))
    run = runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    run.refresh_from_db()
    assert run.state == "done"
    mended = mirror()
    assert "Overheard" in {topic for _uuid, topic in mended[2]}
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert mirror() == mended


def test_w30_a_pause_stores_and_loses_nothing(connect, zoom_app, zoom_worker, admin_user):
    """A hundred messages while the owner has paused: taken in, read by nobody, then caught up."""
    site_settings = connect("aurora-0")
    settings_changes.pause(site_settings, admin_user)
    told = change_at_random(zoom_app, site_settings.account, 100)
    before = mirror()[2]
    zoom_app.forget_calls()
    for event, thing, ts in told:
        body = {"event": event, "event_ts": ts}
        body["payload"] = {"account_id": site_settings.account.zoom_id, "object": thing}
        assert post(body).status_code == 200
    zoom_worker.run()
    work_off()
    assert [call for call in zoom_app.calls() if "/v2/" in call["path"]] == []
    assert mirror()[2] == before
    settings_changes.resume(ZoomSettings.for_site(site_settings.site), admin_user)
    zoom_worker.run()
    resumed = mirror()
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert mirror() == resumed


@pytest.mark.parametrize("times", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_x11_a_thousand_repetitions_are_one_message(connect, zoom_app, zoom_worker, times):
    """The same request again and again, within the window and after its key was pruned."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    body = {"event": "meeting.deleted", "event_ts": now_ms(), "payload": {
        "account_id": site_settings.account.zoom_id, "object": thing_of(row)}}  # fmt: skip
    raw = json.dumps(body).encode()
    headers = sign(raw, SECRET)
    headers.pop("content-type")
    address, client = reverse("wagtail_zoom:webhook"), Client()

    def again(times):
        for _ in range(times):
            answer = client.post(address, raw, content_type="application/json", headers=headers)
            assert answer.status_code == 200

    zoom_app.forget_calls()
    again(times // 2)
    # The id is not signed: a thief who changes it sends the same message all the same.
    for number in range(times // 2):
        headers["x-zm-request-id"] = f"thief-{number}"
        again(1)
    assert WebhookEvent.objects.count() == 1
    zoom_worker.run()
    work_off()
    assert len([one for one in zoom_app.calls() if row.zoom_id in one["path"]]) <= 2
    row.refresh_from_db()
    assert row.removed_at is None
    before = mirror()
    WebhookEvent.objects.all().delete()
    again(20)
    assert WebhookEvent.objects.count() == 1
    work_off()
    assert mirror() == before
    old = sign(raw, SECRET, timestamp=int(time.time()) - 96 * 60)
    old.pop("content-type")
    answer = client.post(address, raw, content_type="application/json", headers=old)
    assert answer.status_code == 400


def state_of(account):
    """All that is stored of one account, bookkeeping of reads aside."""
    tables = (Host, Meeting, Occurrence, Recording, Grant, ZoomSettings, Registration)
    return {model.__name__: list(model.objects.filter(account=account).order_by("pk").values())
            for model in tables}  # fmt: skip


def test_x12_no_message_of_one_account_touches_another(connect, zoom_app, zoom_worker, site):
    """Every subscribed message, signed, in the name of account A, about what is B's."""
    from wagtail.models import Site

    second = Site.objects.create(hostname="b.example", root_page=site.root_page, port=81)
    theirs = connect("borealis-0", on=second)
    mine = connect("aurora-0")
    victim = Meeting.objects.filter(account=theirs.account, start__gt=timezone.now()).first()
    recording = Recording.objects.filter(account=theirs.account).first()
    row = Registration(
        site=second, account=theirs.account, meeting=victim, meeting_zoom_id=victim.zoom_id,
        email_index="x", idempotency_key="x", state="approved", zoom_registrant_id="reg",
    )  # fmt: skip
    row.email = "person@b.example"
    row.save()
    tasks.tick()  # what is over is over
    zoom_worker.run()
    before = state_of(theirs.account)
    assert before["Meeting"]
    names = [name for name, _feature, _why in marketplace.EVENTS] + ["app_deauthorized"]
    for number, name in enumerate(names):
        thing = {
            "id": int(victim.zoom_id), "uuid": recording.uuid, "host_id": victim.host_zoom_id,
            "account_id": theirs.account.zoom_id, "topic": "Taken over",
            "meeting_uuids": [recording.uuid], "meetings": [{"meeting_uuid": recording.uuid}],
            "registrant": {"id": "reg", "status": "denied", "email": "person@b.example"},
        }  # fmt: skip
        if name.startswith("user."):
            thing["id"] = theirs.grant.zoom_user_id
        body = {"event": name, "event_ts": now_ms() + number, "payload": {
            "account_id": mine.account.zoom_id, "object": thing, "operation": "all",
            "user_id": theirs.grant.zoom_user_id, "client_id": "simulator-client",
            "deauthorization_time": timezone.now().isoformat(), "target": theirs.account.zoom_id,
        }}  # fmt: skip
        assert post(body).status_code == 200
    zoom_worker.run()
    work_off()
    tasks.tick()
    zoom_worker.run()
    assert WebhookEvent.objects.count() == len(names)
    assert not Meeting.objects.filter(account=mine.account, zoom_id=victim.zoom_id).exists()
    assert state_of(theirs.account) == before
    # The same words from B itself do have an effect: the test can fail.
    zoom_app.delete_meeting(int(victim.zoom_id))
    body["event"], body["payload"]["account_id"] = "meeting.deleted", theirs.account.zoom_id
    assert post(body).status_code == 200
    work_off()
    assert state_of(theirs.account) != before
