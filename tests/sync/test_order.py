"""Events in any order, any number of times: one result (W14, W19, W20, W23)."""

import itertools
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wagtail_zoom.client import SiteClient, client_for_reading
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.models import (
    Grant,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    WebhookEvent,
    fetch_scope,
)
from wagtail_zoom.oauth.http import TransactionOpen
from wagtail_zoom.sync import event_effects, handlers, inbox, persist, refetch_meetings, upsert

pytestmark = pytest.mark.django_db
VOLATILE = {
    "id", "content_hash", "provider_ts", "fetched_at", "detail_at", "questions_at", "seen_run",
    "created_at", "updated_at", "state_since", "public_id", "sequence", "ended_at",
}  # fmt: skip


@pytest.fixture
def deliver():
    """Store events in this order; the test processes them."""
    sequence = itertools.count(1)

    def put(account, event, item, ts=None, **payload):
        family = event.partition(".")[0]
        key = item.get("uuid") if family == "recording" else item.get("id")
        return WebhookEvent.objects.create(
            content_key=f"key-{next(sequence)}",
            account_zoom_id=account.zoom_id,
            event=event,
            event_ts=ts or int(time.time() * 1000),
            lock_key=f"{account.zoom_id}:{family}:{key}",
            payload={"account_id": account.zoom_id, "object": item, **payload},
        )

    return put


def dump(*models):
    """The tables without sync columns, in a fixed order."""
    tables = {}
    for model in models:
        rows = model.objects.values()
        tables[model.__name__] = sorted(
            str({name: value for name, value in row.items() if name not in VOLATILE})
            for row in rows
        )
    return tables


@pytest.mark.parametrize(
    ("ahead", "every"), [(0, 17), (60, 23), pytest.param(0, 1, marks=pytest.mark.slow)]
)
def test_w23_every_order_of_events_gives_one_end_state(connect, zoom_app, deliver, ahead, every):
    """Also when Zoom's clock is a minute ahead. All 120 orders in the slow run."""
    host = zoom_app.state()["users"][0]["id"]
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    meeting = zoom_app.create_meeting(host, topic="The end", start_time="+3d 10:00")
    names = ("created", "updated", "updated", "deleted", "recovered")
    base = int(time.time() * 1000) + ahead * 1000 - 5000
    steps = [(name, base + 1000 * position) for position, name in enumerate(names)]
    orders = list(itertools.permutations(steps))[::every]
    ends = set()
    for order in orders:
        Meeting.objects.filter(zoom_id=str(meeting["id"])).delete()
        WebhookEvent.objects.all().delete()
        for name, ts in order:
            deliver(
                site_settings.account, f"meeting.{name}", {"id": meeting["id"], "host_id": host}, ts
            )
            inbox.process_due_events(timezone.now())
        row = Meeting.objects.get(zoom_id=str(meeting["id"]))
        occurrence = row.occurrences.get()
        ends.add((row.topic, row.removed_at, row.missing_since, occurrence.state, occurrence.start))
        assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    assert ends == {("The end", None, None, "scheduled", occurrence.start)}


LIVE_EVENTS = [("started", 0, 0), ("ended", 0, 300), ("started", 360, 360)]


@pytest.mark.parametrize("order", list(itertools.permutations(LIVE_EVENTS)))
def test_w23_a_late_end_does_not_end_a_meeting_started_again(zoom_rows, deliver, order):
    """Measured at Zoom: ``ended`` has arrived after the next ``started``."""
    begun = timezone.now().replace(microsecond=0) - timedelta(minutes=10)
    meeting = zoom_rows.meeting(start=begun)
    for action, start, seconds in order:
        end = {"end_time": _zoom_time(begun, seconds)} if action == "ended" else {}
        item = {"id": meeting.zoom_id, "start_time": _zoom_time(begun, start), **end}
        deliver(meeting.account, f"meeting.{action}", item, int(begun.timestamp() + seconds) * 1000)
        for event in WebhookEvent.objects.filter(state="pending"):
            handlers.apply_event(meeting.account, event)
        WebhookEvent.objects.update(state="done")
    occurrence = meeting.occurrences.get()
    meeting.refresh_from_db()
    assert (occurrence.state, occurrence.state_since) == ("live", begun + timedelta(minutes=6))
    assert meeting.live_since == occurrence.state_since
    event_effects.mark_ended(meeting.account, meeting.zoom_id, None, occurrence.end)
    occurrence.refresh_from_db()
    assert occurrence.state == "over"


def _zoom_time(begun, seconds):
    return (begun + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_s15_occurrences_of_an_older_read_do_not_undo_concurrent_newer_ones(connect, monkeypatch):
    """Two workers have read one meeting; the one that read earlier writes later."""
    account = connect("aurora-0", kinds=("meetings",)).account
    occurrence = Occurrence.objects.filter(meeting__zoom_type=2, start__gt=timezone.now()).first()
    client = client_for_reading(account, occurrence.meeting.host_zoom_id)
    older = map_meeting(client.meeting(occurrence.meeting.zoom_id, "meeting"))
    (old_occurrence,) = older.occurrences
    newer = replace(
        older,
        fields={**older.fields, "topic": "Newer"},
        occurrences=(replace(old_occurrence, start=old_occurrence.start + timedelta(hours=1)),),
    )
    scope, now, classify = fetch_scope(account), timezone.now(), upsert.UpsertBatch.classify

    def classify_late(batch):
        classify(batch)
        monkeypatch.setattr(upsert.UpsertBatch, "classify", classify)
        later = persist.WriteContext(now + timedelta(seconds=1))
        persist.store_meetings(account, scope, [newer], later)

    monkeypatch.setattr(upsert.UpsertBatch, "classify", classify_late)
    context = persist.WriteContext(now)
    result = persist.store_meetings(account, scope, [older], context)
    occurrence.refresh_from_db()
    assert (occurrence.meeting.topic, occurrence.start) == (
        "Newer",
        old_occurrence.start + timedelta(hours=1),
    )
    assert (result.changed, result.unchanged, result.meetings) == (0, 0, set())


def test_a_moved_occurrence_that_was_opened_early_is_still_moved(zoom_rows):
    start = timezone.now() + timedelta(hours=3)
    meeting = zoom_rows.meeting(start=start, state="moved")
    meeting.occurrences.update(previous_start=start - timedelta(days=1))
    now = timezone.now()
    event_effects.mark_live(meeting.account, meeting.zoom_id, now)
    event_effects.mark_ended(meeting.account, meeting.zoom_id, now, now)
    assert meeting.occurrences.get().state == "moved"


def test_w14_all_events_twice_give_the_same_rows(connect, zoom_app, zoom_worker, deliver):
    site_settings = connect("aurora-0")
    account = site_settings.account
    changed = Meeting.objects.get(topic="Morning flow")
    zoom_app.change_meeting(int(changed.zoom_id), topic="Evening flow", start_time="+9d 07:00")
    deleted = Meeting.objects.get(topic="Yin and rest")
    zoom_app.delete_meeting(int(deleted.zoom_id))
    fresh = zoom_app.create_meeting("aurora-0", topic="Fresh", start_time="+1m", duration=30)
    recording = zoom_app.create_recording("aurora-0", topic="Film", start_time="-2h")
    trashed = Recording.objects.get(topic="Slash first")
    zoom_app.delete_recordings(trashed.uuid)

    def event_object(row):
        return {"id": int(row.zoom_id), "host_id": row.host_zoom_id}

    new_object = {"id": fresh["id"], "host_id": fresh["host_id"], "start_time": fresh["start_time"]}
    recording_object = {
        "uuid": recording["id"],
        "id": recording["meeting_id"],
        "host_id": recording["host_id"],
    }
    corpus = [
        ("meeting.created", new_object), ("meeting.updated", event_object(changed)),
        ("meeting.deleted", event_object(deleted)), ("meeting.started", new_object),
        ("recording.completed", recording_object),
        ("recording.transcript_completed", recording_object),
        ("recording.trashed", {"uuid": trashed.uuid, "host_id": trashed.host_zoom_id}),
        ("user.updated", {"id": recording["host_id"]}), ("meeting.invented", new_object),
        ("meeting.updated", {"id": None}), ("meeting.updated", {}), ("recording.completed", {}),
        ("meeting.updated", {"id": 999_999_999, "host_id": recording["host_id"]}),
    ]  # fmt: skip
    base = int(time.time() * 1000) - 50
    stamped = [
        (event, payload, base + position) for position, (event, payload) in enumerate(corpus)
    ]
    for event, payload, ts in stamped:
        deliver(account, event, payload, ts)
    zoom_worker.run()
    inbox.process_events()
    tables = (Meeting, Occurrence, Recording, SiteItem)
    first = dump(*tables)
    assert "Fresh" in str(first["Meeting"])
    assert "Evening flow" in str(first["Meeting"])
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"done", "ignored"}
    for event in WebhookEvent.objects.all():
        inbox.replay(event)
    zoom_worker.run()
    assert dump(*tables) == first
    # And again in reverse order, as events whose key was pruned.
    WebhookEvent.objects.all().delete()
    for event, payload, ts in reversed(stamped):
        deliver(account, event, payload, ts)
    inbox.process_events()
    assert dump(*tables) == first


@pytest.mark.parametrize("function_name", ["map_meeting", "store_meetings"])
def test_w19_an_object_that_cannot_be_read_delays_no_other(
    connect, zoom_app, deliver, monkeypatch, caplog, function_name
):
    """Not even when the error is a bug, and although all are read at once."""
    site_settings = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2)[:3])
    failing_number = rows[0].zoom_id
    original = getattr(refetch_meetings, function_name)

    def broken(*args):
        meetings = args[3] if function_name == "store_meetings" else [args[0]]
        if failing_number in {
            str(getattr(meeting, "zoom_id", None) or meeting["id"]) for meeting in meetings
        }:
            raise RuntimeError("a mistake")
        return original(*args)

    monkeypatch.setattr(refetch_meetings, function_name, broken)
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        item = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
        deliver(site_settings.account, "meeting.updated", item)
    inbox.process_events()
    assert Meeting.objects.filter(topic="Changed").count() == 2
    failed, *others = WebhookEvent.objects.order_by("pk")
    assert (failed.state, failed.error_class, failed.attempts) == ("pending", "RuntimeError", 1)
    assert {event.state for event in others} == {"done"}
    assert "cannot be read" in caplog.text


def test_w22_many_objects_share_their_statements_and_are_read_once(connect, zoom_app, deliver):
    """Scope, hosts, rows, locks and outcomes are read and written for all objects together."""
    site_settings = connect("aurora-0", kinds=("meetings",))
    meetings = [
        zoom_app.create_meeting("aurora-0", topic=f"Evening {position}", start_time="+2d 10:00")
        for position in range(20)
    ]
    numbers, host = [query["id"] for query in meetings], meetings[0]["host_id"]
    for position in range(60):
        item = {"id": numbers[position % 20], "host_id": host}
        deliver(site_settings.account, "meeting.updated", item)
    zoom_app.clear_calls()
    with CaptureQueriesContext(connection) as queries:
        assert inbox.process_due_events(timezone.now()) == 20
    assert len(zoom_app.calls("path=/v2/meetings/")) <= 20
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    statements = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 20 * 8


def test_a_wrong_client_secret_costs_no_attempt(connect, zoom_app, deliver, settings):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    Grant.objects.update(expires_at=timezone.now())
    item = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    event = deliver(site_settings.account, "meeting.updated", item)
    for _ in range(12):
        WebhookEvent.objects.update(run_after=timezone.now())
        inbox.process_due_events(timezone.now())
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("pending", 0)
    assert site_settings.grant.state == "connected"


@pytest.mark.parametrize("fault", ["busy", "wrong client secret"])
def test_w26_a_planned_delay_is_no_attempt(connect, zoom_app, deliver, settings, fault):
    """An event that failed nine times is delayed: the tenth attempt is still to come."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    item = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    event = deliver(site_settings.account, "meeting.updated", item)
    WebhookEvent.objects.update(attempts=9, run_after=timezone.now())
    if fault == "busy":
        zoom_app.fault("status", path="/v2/", status=429, code=429, message="per-second rate limit")
    else:
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
        Grant.objects.update(expires_at=timezone.now())
    inbox.process_due_events(timezone.now())
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("pending", 9)
    assert event.run_after > timezone.now()
    zoom_app.clear_faults()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "simulator-secret"}
    type(site_settings.account).objects.update(throttled_until=None)
    WebhookEvent.objects.update(run_after=timezone.now())
    inbox.process_due_events(timezone.now())
    event.refresh_from_db()
    assert event.state == "done"


def test_w20_no_call_inside_a_transaction(connect, zoom_app):
    site_settings = connect("aurora-0")
    row = Meeting.objects.first()
    zoom_app.clear_calls()
    client = SiteClient(site_settings.grant)
    for work in (
        client.me,
        lambda: list(client.users()),
        lambda: client.meeting(row.zoom_id, row.kind),
        lambda: client.add_registrant(row.zoom_id, row.kind, {}),
    ):
        with pytest.raises(TransactionOpen), transaction.atomic():
            work()
    assert zoom_app.calls() == []
