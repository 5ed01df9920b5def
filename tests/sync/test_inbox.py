"""Messages: drained, coalesced, in any order, never lost (W10, W14, W17-W26, W30)."""

import itertools
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom.models import (
    Activity,
    Lane,
    Meeting,
    Occurrence,
    Recording,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync import inbox
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db
SECRET = "simulator-webhook-secret"


@pytest.fixture
def post(client):
    """Post a signed message the way Zoom does."""
    number = itertools.count(1)

    def send(account, event, thing=None, *, ts=None, **payload):
        body = {"event": event, "event_ts": ts or 1_700_000_000_000 + next(number)}
        body["payload"] = {"account_id": account.zoom_id, **payload}
        if thing is not None:
            body["payload"]["object"] = thing
        raw = json.dumps(body).encode()
        headers = sign(raw, SECRET)
        return client.post(
            reverse("wagtail_zoom:webhook"), raw, content_type="application/json",
            headers={name: value for name, value in headers.items() if name != "content-type"},
        )  # fmt: skip

    return send


def test_a_new_meeting_is_on_the_mirror_after_its_message(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    made = zoom_app.create_meeting("aurora-0", topic="Brand new", start_time="+2d 10:00")
    assert (
        post(
            choice.account, "meeting.created", {"id": made["id"], "host_id": made["host_id"]}
        ).status_code
        == 200
    )
    zoom_worker.run()
    assert Meeting.objects.get(zoom_id=str(made["id"])).topic == "Brand new"
    assert WebhookEvent.objects.get().state == "done"
    line = Activity.objects.get(code="meeting_new")
    assert line.data["topic"] == "Brand new"
    assert line.item.last_title == "Brand new"


def test_w21_a_lying_message_leads_to_zooms_own_word(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    post(choice.account, "meeting.updated", {"id": int(row.zoom_id), "topic": "A lie"})
    zoom_worker.run()
    row.refresh_from_db()
    assert row.topic != "A lie"


def test_moved_and_cancelled(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    zoom_app.change_meeting(int(row.zoom_id), start_time="+9d 07:00")
    post(choice.account, "meeting.updated", {"id": int(row.zoom_id)})
    zoom_worker.run()
    date = Occurrence.objects.get(meeting=row)
    assert date.state == "moved"
    assert date.previous_start is not None
    assert Activity.objects.filter(code="date_moved").count() == 1
    zoom_app.delete_meeting(int(row.zoom_id))
    post(choice.account, "meeting.deleted", {"id": int(row.zoom_id), "host_id": row.host_zoom_id})
    zoom_worker.run()
    date.refresh_from_db()
    row.refresh_from_db()
    assert date.state == "cancelled"
    assert row.removed_at is not None


def test_a_forged_deletion_is_undone_by_the_reread(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    post(choice.account, "meeting.deleted", {"id": int(row.zoom_id), "host_id": row.host_zoom_id})
    zoom_worker.run()
    row.refresh_from_db()
    assert row.removed_at is None
    assert Occurrence.objects.get(meeting=row).state in ("scheduled", "moved")


def test_one_date_of_a_series_is_cancelled(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    row = Meeting.objects.get(topic__endswith="weekly")
    date = row.occurrences.filter(state="scheduled").order_by("-start").first()
    zoom_app.delete_meeting(int(row.zoom_id), occurrence_id=date.zoom_id)
    thing = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    thing["occurrences"] = [{"occurrence_id": date.zoom_id}]
    post(choice.account, "meeting.deleted", thing, operation="single")
    zoom_worker.run()
    date.refresh_from_db()
    assert date.state == "cancelled"
    assert row.occurrences.filter(state="cancelled").count() == 1


def test_w22_five_hundred_messages_cost_few_reads(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    for _ in range(500):
        assert post(choice.account, "meeting.updated", {"id": int(row.zoom_id)}).status_code == 200
    zoom_app.forget_calls()
    zoom_worker.run()
    assert len(zoom_app.calls(f"path=/v2/meetings/{row.zoom_id}")) <= 3
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}


def test_w17_lost_wakeups_are_found_by_the_tick(connect, zoom_app, zoom_worker, post):
    from wagtail_zoom import tasks

    choice = connect("aurora-0")
    made = zoom_app.create_meeting("aurora-0", topic="Lost call", start_time="+2d 10:00")
    post(choice.account, "meeting.created", {"id": made["id"], "host_id": made["host_id"]})
    zoom_worker.lose()
    tasks.tick()
    zoom_worker.run()
    assert Meeting.objects.filter(topic="Lost call").exists()


def test_w10_unknown_account_is_parked_and_applied_after_connecting(
    connect, zoom_app, zoom_worker, post, db
):
    from types import SimpleNamespace

    account = next(one for one in zoom_app.state()["accounts"] if one["key"] == "borealis")
    made = zoom_app.create_meeting("borealis-0", topic="Before us", start_time="+2d 10:00")
    post(
        SimpleNamespace(zoom_id=account["id"]),
        "meeting.created",
        {"id": made["id"], "host_id": made["host_id"]},
    )
    zoom_worker.run()
    assert WebhookEvent.objects.get().state == "parked"
    connect("borealis-0")
    assert WebhookEvent.objects.get().state in ("pending", "done", "ignored")


@pytest.mark.parametrize("status", [500, 503])
def test_w26_outage_waits_and_then_succeeds(connect, zoom_app, zoom_worker, post, status):
    choice = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    zoom_app.change_meeting(int(row.zoom_id), topic="Evening flow")
    zoom_app.fault("status", status=status, path="/v2/meetings/", count=1)
    post(choice.account, "meeting.updated", {"id": int(row.zoom_id)})
    zoom_worker.run()
    event = WebhookEvent.objects.get()
    assert event.state == "pending"
    assert event.attempts == 1
    assert event.error_class == "ZoomTransient"
    WebhookEvent.objects.update(run_after=event.received_at)
    from wagtail_zoom.sync import inbox

    inbox.drain()
    row.refresh_from_db()
    assert row.topic == "Evening flow"


def test_deauthorisation_unlinks_and_purges(connect, zoom_app, zoom_worker, post):
    from django.utils import timezone

    choice = connect("aurora-0")
    at = timezone.now().isoformat()
    post(
        choice.account, "app_deauthorized", None,
        user_id=choice.grant.zoom_user_id, client_id="simulator-client", deauthorization_time=at,
    )  # fmt: skip
    zoom_worker.run()
    choice.refresh_from_db()
    assert choice.grant is None
    assert choice.account is None
    assert not Meeting.objects.exists()
    assert not Recording.objects.exists()
    assert Activity.objects.filter(code="deauthorized").count() == 1


def test_live_and_ended(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    made = zoom_app.create_meeting("aurora-0", topic="Soon", start_time="+1m", duration=30)
    post(choice.account, "meeting.created", {"id": made["id"], "host_id": made["host_id"]})
    zoom_worker.run()
    thing = {"id": str(made["id"]), "host_id": made["host_id"], "start_time": made["start_time"]}
    post(choice.account, "meeting.started", thing)
    zoom_worker.run()
    date = Occurrence.objects.get(meeting__zoom_id=str(made["id"]))
    assert date.state == "live"
    post(choice.account, "meeting.ended", {**thing, "end_time": made["start_time"]})
    zoom_worker.run()
    date.refresh_from_db()
    assert date.state == "over"


def test_recording_arrives_is_trashed_and_recovered(connect, zoom_app, zoom_worker, post):
    choice = connect("aurora-0")
    made = zoom_app.create_recording("aurora-0", topic="Fresh film", start_time="-2h")
    thing = {"uuid": made["id"], "id": made["meeting_id"], "host_id": made["host_id"]}
    post(choice.account, "recording.completed", thing)
    zoom_worker.run()
    row = Recording.objects.get(uuid=made["id"])
    assert row.is_ready
    post(choice.account, "recording.trashed", thing, ts=4_000_000_000_000)
    zoom_worker.run()
    row.refresh_from_db()
    assert row.trashed_at is not None
    post(choice.account, "recording.recovered", thing)
    zoom_worker.run()
    row.refresh_from_db()
    assert row.trashed_at is None


def test_a_deleted_meeting_says_cancelled_until_its_end(connect, zoom_app, zoom_worker, post):
    from django.utils import timezone

    from wagtail_zoom.frontend.visibility import Audience, Exposure, Surface

    choice = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow", zoom_type=2).first()
    row = row or Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    zoom_app.delete_meeting(int(row.zoom_id))
    post(choice.account, "meeting.deleted", {"id": int(row.zoom_id), "host_id": row.host_zoom_id})
    zoom_worker.run()
    row.refresh_from_db()
    assert row.removed_at is not None
    gate = Exposure.for_site(choice.site)
    shown = gate.occurrences(Audience.VISITOR, Surface.PAGE).filter(meeting=row)
    assert [date.state for date in shown] == ["cancelled"]
    row.occurrences.update(end=timezone.now())
    assert not gate.occurrences(Audience.VISITOR, Surface.PAGE).filter(meeting=row).exists()


def test_w18_a_lane_has_one_worker_at_a_time(connect, zoom_app, zoom_worker, post):
    """What another worker holds is left alone until its lease has run out."""
    choice = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    post(choice.account, "meeting.updated", {"id": int(row.zoom_id)})
    key = WebhookEvent.objects.get().lane
    soon = timezone.now() + timedelta(seconds=60)
    Lane.objects.create(
        account=choice.account, key=key, not_before=timezone.now(),
        lease_owner="another", lease_until=soon,
    )  # fmt: skip
    zoom_app.forget_calls()
    assert not inbox.work_off(timezone.now())
    assert (zoom_app.calls(), WebhookEvent.objects.get().state) == ([], "pending")
    Lane.objects.update(lease_until=timezone.now(), not_before=timezone.now())
    WebhookEvent.objects.update(run_after=timezone.now())
    assert inbox.work_off(timezone.now())
    assert WebhookEvent.objects.get().state == "done"


def test_x12_a_number_of_another_account_is_not_found_by_it(connect, zoom_app, zoom_worker, post):
    """Account A says that one of its own hosts deleted what is account B's meeting."""
    choice = connect("aurora-0")
    own = Meeting.objects.filter(account=choice.account).first()
    other = ZoomAccount.objects.create(zoom_id="other")
    victim = Meeting.objects.create(
        account=other, zoom_id="99999999999", host_zoom_id="h", kind="meeting", zoom_type=2,
        topic="Theirs", start=timezone.now() + timedelta(days=1), duration=60,
    )  # fmt: skip
    thing = {"id": victim.zoom_id, "host_id": own.host_zoom_id}
    for event in ("meeting.updated", "meeting.deleted", "meeting.permanently_deleted"):
        post(choice.account, event, thing)
    zoom_worker.run()
    victim.refresh_from_db()
    assert (victim.removed_at, victim.expired_at, victim.topic) == (None, None, "Theirs")
