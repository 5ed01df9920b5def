"""Any order, any number of times, one end (W14, W19, W20, W23)."""

import itertools
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wagtail_zoom.client import client_for
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
    """Put messages into the inbox in this order; the drain is up to the test."""
    number = itertools.count(1)

    def put(account, event, thing, ts=None, **payload):
        family = event.partition(".")[0]
        key = thing.get("uuid") if family == "recording" else thing.get("id")
        return WebhookEvent.objects.create(
            content_key=f"key-{next(number)}",
            account_zoom_id=account.zoom_id,
            event=event,
            event_ts=ts or int(time.time() * 1000),
            lane=f"{account.zoom_id}:{family}:{key}",
            payload={"account_id": account.zoom_id, "object": thing, **payload},
        )

    return put


def dump(*models):
    """The tables without bookkeeping, in a fixed order."""
    found = {}
    for model in models:
        rows = model.objects.values()
        found[model.__name__] = sorted(
            str({name: value for name, value in row.items() if name not in VOLATILE})
            for row in rows
        )
    return found


@pytest.mark.parametrize(
    ("ahead", "every"), [(0, 17), (60, 23), pytest.param(0, 1, marks=pytest.mark.slow)]
)
def test_w23_every_order_of_messages_gives_one_end_state(connect, zoom_app, deliver, ahead, every):
    """Also when Zoom's clock is a minute ahead of ours. All 120 orders in the slow run."""
    host = zoom_app.state()["users"][0]["id"]
    choice = connect("aurora-0", hosts=[host], kinds=("meetings",))
    made = zoom_app.create_meeting(host, topic="The end", start_time="+3d 10:00")
    names = ("created", "updated", "updated", "deleted", "recovered")
    base = int(time.time() * 1000) + ahead * 1000 - 5000
    steps = [(name, base + 1000 * place) for place, name in enumerate(names)]
    orders = list(itertools.permutations(steps))[::every]
    ends = set()
    for order in orders:
        Meeting.objects.filter(zoom_id=str(made["id"])).delete()
        WebhookEvent.objects.all().delete()
        for name, ts in order:
            deliver(choice.account, f"meeting.{name}", {"id": made["id"], "host_id": host}, ts)
            inbox.work_off(timezone.now())
        row = Meeting.objects.get(zoom_id=str(made["id"]))
        date = row.occurrences.get()
        ends.add((row.topic, row.removed_at, row.missing_since, date.state, date.start))
        assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    assert ends == {("The end", None, None, "scheduled", date.start)}


STEPS = [("started", 0, 0), ("ended", 0, 300), ("started", 360, 360)]


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)))
def test_w23_an_end_that_comes_late_does_not_end_what_has_begun_anew(zoom_rows, deliver, order):
    """Measured at Zoom: ``ended`` has arrived after the next ``started``."""
    begun = timezone.now().replace(microsecond=0) - timedelta(minutes=10)
    meeting = zoom_rows.meeting(start=begun)
    for what, start, at in order:
        end = {"end_time": _iso(begun, at)} if what == "ended" else {}
        thing = {"id": meeting.zoom_id, "start_time": _iso(begun, start), **end}
        deliver(meeting.account, f"meeting.{what}", thing, int(begun.timestamp() + at) * 1000)
        for event in WebhookEvent.objects.filter(state="pending"):
            handlers.apply_facts(meeting.account, event)
        WebhookEvent.objects.update(state="done")
    date = meeting.occurrences.get()
    meeting.refresh_from_db()
    assert (date.state, date.state_since) == ("live", begun + timedelta(minutes=6))
    assert meeting.live_since == date.state_since
    event_effects.mark_ended(meeting.account, meeting.zoom_id, None, timezone.now())
    date.refresh_from_db()
    assert date.state == "over"


def _iso(begun, seconds):
    return (begun + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_s15_dates_of_an_older_read_do_not_undo_those_written_since_it_looked(connect, monkeypatch):
    """Two workers have read one meeting; the one that read earlier writes later."""
    account = connect("aurora-0", kinds=("meetings",)).account
    date = Occurrence.objects.filter(meeting__zoom_type=2, start__gt=timezone.now()).first()
    client = client_for(account, date.meeting.host_zoom_id)
    older = map_meeting(client.meeting(date.meeting.zoom_id, "meeting"))
    (was,) = older.dates
    newer = replace(
        older,
        fields={**older.fields, "topic": "Newer"},
        dates=(replace(was, start=was.start + timedelta(hours=1)),),
    )
    scope, now, judge = fetch_scope(account), timezone.now(), upsert.Page.judge

    def overtaken(page):
        judge(page)
        monkeypatch.setattr(upsert.Page, "judge", judge)
        later = persist.Occasion(now + timedelta(seconds=1))
        persist.store_meetings(account, scope, [newer], later)

    monkeypatch.setattr(upsert.Page, "judge", overtaken)
    late = persist.Occasion(now)
    done = persist.store_meetings(account, scope, [older], late)
    date.refresh_from_db()
    assert (date.meeting.topic, date.start) == ("Newer", was.start + timedelta(hours=1))
    assert (done.changed, done.unchanged, done.meetings) == (0, 0, set())


def test_a_moved_date_that_somebody_looked_into_is_still_moved(zoom_rows):
    start = timezone.now() + timedelta(hours=3)
    meeting = zoom_rows.meeting(start=start, state="moved")
    meeting.occurrences.update(previous_start=start - timedelta(days=1))
    now = timezone.now()
    event_effects.mark_live(meeting.account, meeting.zoom_id, now)
    event_effects.mark_ended(meeting.account, meeting.zoom_id, now, now)
    assert meeting.occurrences.get().state == "moved"


def test_w14_the_whole_corpus_twice_gives_the_same_rows(connect, zoom_app, zoom_worker, deliver):
    choice = connect("aurora-0")
    account = choice.account
    changed = Meeting.objects.get(topic="Morning flow")
    zoom_app.change_meeting(int(changed.zoom_id), topic="Evening flow", start_time="+9d 07:00")
    deleted = Meeting.objects.get(topic="Yin and rest")
    zoom_app.delete_meeting(int(deleted.zoom_id))
    fresh = zoom_app.create_meeting("aurora-0", topic="Fresh", start_time="+1m", duration=30)
    film = zoom_app.create_recording("aurora-0", topic="Film", start_time="-2h")
    trashed = Recording.objects.get(topic="Slash first")
    zoom_app.delete_recordings(trashed.uuid)

    def thing(row):
        return {"id": int(row.zoom_id), "host_id": row.host_zoom_id}

    new = {"id": fresh["id"], "host_id": fresh["host_id"], "start_time": fresh["start_time"]}
    reel = {"uuid": film["id"], "id": film["meeting_id"], "host_id": film["host_id"]}
    corpus = [
        ("meeting.created", new), ("meeting.updated", thing(changed)),
        ("meeting.deleted", thing(deleted)), ("meeting.started", new),
        ("recording.completed", reel), ("recording.transcript_completed", reel),
        ("recording.trashed", {"uuid": trashed.uuid, "host_id": trashed.host_zoom_id}),
        ("user.updated", {"id": film["host_id"]}), ("meeting.invented", new),
        ("meeting.updated", {"id": None}), ("meeting.updated", {}), ("recording.completed", {}),
        ("meeting.updated", {"id": 999_999_999, "host_id": film["host_id"]}),
    ]  # fmt: skip
    base = int(time.time() * 1000) - 50
    stamped = [(event, payload, base + place) for place, (event, payload) in enumerate(corpus)]
    for event, payload, ts in stamped:
        deliver(account, event, payload, ts)
    zoom_worker.run()
    inbox.drain()
    tables = (Meeting, Occurrence, Recording, SiteItem)
    first = dump(*tables)
    assert "Fresh" in str(first["Meeting"])
    assert "Evening flow" in str(first["Meeting"])
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"done", "ignored"}
    for event in WebhookEvent.objects.all():
        inbox.replay(event)
    zoom_worker.run()
    assert dump(*tables) == first
    # And once more backwards, as messages whose key was pruned.
    WebhookEvent.objects.all().delete()
    for event, payload, ts in reversed(stamped):
        deliver(account, event, payload, ts)
    inbox.drain()
    assert dump(*tables) == first


@pytest.mark.parametrize("place", ["map_meeting", "store_meetings"])
def test_w19_a_lane_that_cannot_be_read_holds_up_no_other(
    connect, zoom_app, deliver, monkeypatch, caplog, place
):
    """Not even when the trouble is a mistake of ours, and though all are read in one go."""
    choice = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2)[:3])
    ill_key = rows[0].zoom_id
    work = getattr(refetch_meetings, place)

    def broken(*args):
        some = args[2] if place == "store_meetings" else [args[0]]
        if ill_key in {str(getattr(one, "zoom_id", None) or one["id"]) for one in some}:
            raise RuntimeError("a mistake")
        return work(*args)

    monkeypatch.setattr(refetch_meetings, place, broken)
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        thing = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
        deliver(choice.account, "meeting.updated", thing)
    inbox.drain()
    assert Meeting.objects.filter(topic="Changed").count() == 2
    ill, *well = WebhookEvent.objects.order_by("pk")
    assert (ill.state, ill.error_class, ill.attempts) == ("pending", "RuntimeError", 1)
    assert {event.state for event in well} == {"done"}
    assert "cannot be read" in caplog.text


def test_w22_many_objects_share_their_statements_and_are_read_once(connect, zoom_app, deliver):
    """Scope, hosts, rows, claims and fates are asked and written for all lanes together."""
    choice = connect("aurora-0", kinds=("meetings",))
    made = [
        zoom_app.create_meeting("aurora-0", topic=f"Evening {place}", start_time="+2d 10:00")
        for place in range(20)
    ]
    numbers, host = [one["id"] for one in made], made[0]["host_id"]
    for place in range(60):
        thing = {"id": numbers[place % 20], "host_id": host}
        deliver(choice.account, "meeting.updated", thing)
    zoom_app.forget_calls()
    with CaptureQueriesContext(connection) as seen:
        assert inbox.work_off(timezone.now()) == 20
    assert len(zoom_app.calls("path=/v2/meetings/")) <= 20
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    statements = [one for one in seen if "SAVEPOINT" not in one["sql"]]
    assert len(statements) <= 20 * 8


def test_a_wrong_client_secret_costs_no_attempt(connect, zoom_app, deliver, settings):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    Grant.objects.update(expires_at=timezone.now())
    thing = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    event = deliver(choice.account, "meeting.updated", thing)
    for _ in range(12):
        WebhookEvent.objects.update(run_after=timezone.now())
        inbox.work_off(timezone.now())
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("pending", 0)
    assert choice.grant.state == "connected"


@pytest.mark.parametrize("fault", ["busy", "wrong client secret"])
def test_w26_a_planned_delay_is_no_try(connect, zoom_app, deliver, settings, fault):
    """A message that failed nine times waits its turn once more: the tenth try is still to come."""
    choice = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    thing = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    event = deliver(choice.account, "meeting.updated", thing)
    WebhookEvent.objects.update(attempts=9, run_after=timezone.now())
    if fault == "busy":
        zoom_app.fault("status", path="/v2/", status=429, code=429, message="per-second rate limit")
    else:
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
        Grant.objects.update(expires_at=timezone.now())
    inbox.work_off(timezone.now())
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("pending", 9)
    assert event.run_after > timezone.now()
    zoom_app.clear_faults()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "simulator-secret"}
    type(choice.account).objects.update(throttled_until=None)
    WebhookEvent.objects.update(run_after=timezone.now())
    inbox.work_off(timezone.now())
    event.refresh_from_db()
    assert event.state == "done"


def test_w20_no_call_inside_a_transaction(connect, zoom_app):
    choice = connect("aurora-0")
    row = Meeting.objects.first()
    zoom_app.forget_calls()
    client = client_for(choice.account)
    for work in (
        client.me,
        lambda: list(client.users()),
        lambda: client.meeting(row.zoom_id, row.kind),
        lambda: client.add_registrant(row.zoom_id, row.kind, {}),
    ):
        with pytest.raises(TransactionOpen), transaction.atomic():
            work()
    assert zoom_app.calls() == []
