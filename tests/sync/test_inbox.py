"""Webhook events: processed, coalesced, in any order, never lost (W10, W14, W17-W26, W30)."""

import itertools
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import (
    Activity,
    Meeting,
    ObjectLock,
    Occurrence,
    Recording,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync import inbox
from wagtail_zoom.testing import factories
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db
SECRET = "simulator-webhook-secret"


@pytest.fixture
def post(client):
    """Post a signed event the way Zoom does."""
    number = itertools.count(1)

    def send(account, event, item=None, *, ts=None, **payload):
        body = {"event": event, "event_ts": ts or 1_700_000_000_000 + next(number)}
        body["payload"] = {"account_id": account.zoom_id, **payload}
        if item is not None:
            body["payload"]["object"] = item
        raw = json.dumps(body).encode()
        headers = sign(raw, SECRET)
        return client.post(
            reverse("wagtail_zoom:webhook"), raw, content_type="application/json",
            headers={name: value for name, value in headers.items() if name != "content-type"},
        )  # fmt: skip

    return send


def test_a_new_meeting_is_stored_after_its_event(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    meeting = zoom_app.create_meeting("aurora-0", topic="Brand new", start_time="+2d 10:00")
    assert (
        post(
            site_settings.account,
            "meeting.created",
            {"id": meeting["id"], "host_id": meeting["host_id"]},
        ).status_code
        == 200
    )
    zoom_worker.run()
    assert Meeting.objects.get(zoom_id=str(meeting["id"])).topic == "Brand new"
    assert WebhookEvent.objects.get().state == "done"
    activity = Activity.objects.get(code="meeting_new")
    assert activity.data["topic"] == "Brand new"
    assert activity.item.last_title == "Brand new"


def test_a_link_that_leads_elsewhere_is_dropped_and_the_owner_reads_it_once(
    connect, zoom_app, zoom_worker, post, client, admin_user
):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    elsewhere = {"join_url": "https://zoom.example/j/1"}
    zoom_app.fault("change_body", method="GET", path=f"/meetings/{row.zoom_id}$", set=elsewhere)
    for topic in ("Once", "Twice"):
        zoom_app.change_meeting(int(row.zoom_id), topic=topic)
        post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id)})
        ObjectLock.objects.update(not_before=timezone.now())
        zoom_worker.run()
    row.refresh_from_db()
    assert (row.topic, row.has_join_link, row.join_url.reveal()) == ("Twice", False, "")
    activity = Activity.objects.get(code="link_dropped")
    client.force_login(admin_user)
    pages = [
        reverse("wagtail_zoom_activity:index"),
        reverse("wagtail_zoom_meetings:index"),
        reverse("wagtail_zoom_meetings:edit", args=[activity.item.pk]),
    ]
    for page in pages:
        assert "unknown domain" in client.get(page).content.decode(), page


def test_w21_a_false_event_only_causes_a_read(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id), "topic": "False"})
    zoom_worker.run()
    row.refresh_from_db()
    assert row.topic != "False"


def test_moved_and_cancelled(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    zoom_app.change_meeting(int(row.zoom_id), start_time="+9d 07:00")
    post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id)})
    zoom_worker.run()
    occurrence = Occurrence.objects.get(meeting=row)
    assert occurrence.state == "moved"
    assert occurrence.previous_start is not None
    assert Activity.objects.filter(code="date_moved").count() == 1
    zoom_app.delete_meeting(int(row.zoom_id))
    post(
        site_settings.account,
        "meeting.deleted",
        {"id": int(row.zoom_id), "host_id": row.host_zoom_id},
    )
    zoom_worker.run()
    occurrence.refresh_from_db()
    row.refresh_from_db()
    assert occurrence.state == "cancelled"
    assert row.removed_at is not None


def test_a_false_deletion_is_undone_by_the_refetch(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    post(
        site_settings.account,
        "meeting.deleted",
        {"id": int(row.zoom_id), "host_id": row.host_zoom_id},
    )
    zoom_worker.run()
    row.refresh_from_db()
    assert row.removed_at is None
    assert Occurrence.objects.get(meeting=row).state in ("scheduled", "moved")


def test_one_occurrence_of_a_series_is_cancelled(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    row = Meeting.objects.get(topic__endswith="weekly")
    occurrence = row.occurrences.filter(state="scheduled").order_by("-start").first()
    zoom_app.delete_meeting(int(row.zoom_id), occurrence_id=occurrence.zoom_id)
    item = {"id": int(row.zoom_id), "host_id": row.host_zoom_id}
    item["occurrences"] = [{"occurrence_id": occurrence.zoom_id}]
    post(site_settings.account, "meeting.deleted", item, operation="single")
    zoom_worker.run()
    occurrence.refresh_from_db()
    assert occurrence.state == "cancelled"
    assert row.occurrences.filter(state="cancelled").count() == 1


def test_w22_five_hundred_events_cost_few_reads(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    for _ in range(500):
        assert (
            post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id)}).status_code
            == 200
        )
    zoom_app.clear_calls()
    zoom_worker.run()
    assert len(zoom_app.calls(f"path=/v2/meetings/{row.zoom_id}")) <= 3
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}


def test_w17_the_tick_replaces_lost_wakeups(connect, zoom_app, zoom_worker, post):
    from wagtail_zoom import tasks

    site_settings = connect("aurora-0")
    meeting = zoom_app.create_meeting("aurora-0", topic="Lost call", start_time="+2d 10:00")
    post(
        site_settings.account,
        "meeting.created",
        {"id": meeting["id"], "host_id": meeting["host_id"]},
    )
    zoom_worker.clear()
    tasks.tick()
    zoom_worker.run()
    assert Meeting.objects.filter(topic="Lost call").exists()


def test_w10_unknown_account_is_parked_and_applied_after_connecting(
    connect, zoom_app, zoom_worker, post, db
):
    from types import SimpleNamespace

    account = next(row for row in zoom_app.state()["accounts"] if row["key"] == "borealis")
    meeting = zoom_app.create_meeting("borealis-0", topic="Before us", start_time="+2d 10:00")
    post(
        SimpleNamespace(zoom_id=account["id"]),
        "meeting.created",
        {"id": meeting["id"], "host_id": meeting["host_id"]},
    )
    zoom_worker.run()
    assert WebhookEvent.objects.get().state == "parked"
    connect("borealis-0")
    assert WebhookEvent.objects.get().state in ("pending", "done", "ignored")


@pytest.mark.parametrize("status", [500, 503])
def test_w26_outage_waits_and_then_succeeds(connect, zoom_app, zoom_worker, post, status):
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow").get()
    zoom_app.change_meeting(int(row.zoom_id), topic="Evening flow")
    zoom_app.fault("status", status=status, path="/v2/meetings/", count=1)
    post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id)})
    zoom_worker.run()
    event = WebhookEvent.objects.get()
    assert event.state == "pending"
    assert event.attempts == 1
    assert event.error_class == "ZoomTransient"
    WebhookEvent.objects.update(run_after=event.received_at)
    from wagtail_zoom.sync import inbox

    inbox.process_events()
    row.refresh_from_db()
    assert row.topic == "Evening flow"


def test_deauthorisation_unlinks_and_purges(connect, zoom_app, zoom_worker, post):
    from django.utils import timezone

    site_settings = connect("aurora-0")
    removed_at = timezone.now().isoformat()
    post(
        site_settings.account, "app_deauthorized", None,
        user_id=site_settings.grant.zoom_user_id, client_id="simulator-client",
        deauthorization_time=removed_at,
    )  # fmt: skip
    zoom_worker.run()
    site_settings.refresh_from_db()
    assert site_settings.grant is None
    assert site_settings.account is None
    assert not Meeting.objects.exists()
    assert not Recording.objects.exists()
    assert Activity.objects.filter(code="deauthorized").count() == 1


def test_live_and_ended(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    meeting = zoom_app.create_meeting("aurora-0", topic="Soon", start_time="+1m", duration=30)
    post(
        site_settings.account,
        "meeting.created",
        {"id": meeting["id"], "host_id": meeting["host_id"]},
    )
    zoom_worker.run()
    item = {
        "id": str(meeting["id"]),
        "host_id": meeting["host_id"],
        "start_time": meeting["start_time"],
    }
    post(site_settings.account, "meeting.started", item)
    zoom_worker.run()
    occurrence = Occurrence.objects.get(meeting__zoom_id=str(meeting["id"]))
    assert occurrence.state == "live"
    planned_end = occurrence.end.strftime("%Y-%m-%dT%H:%M:%SZ")
    for end_time, state in ((meeting["start_time"], "scheduled"), (planned_end, "over")):
        post(site_settings.account, "meeting.ended", {**item, "end_time": end_time})
        zoom_worker.run()
        occurrence.refresh_from_db()
        assert occurrence.state == state


def test_recording_arrives_is_trashed_and_recovered(connect, zoom_app, zoom_worker, post):
    site_settings = connect("aurora-0")
    recording = zoom_app.create_recording("aurora-0", topic="Fresh recording", start_time="-2h")
    item = {"uuid": recording["id"], "id": recording["meeting_id"], "host_id": recording["host_id"]}
    post(site_settings.account, "recording.completed", item)
    zoom_worker.run()
    row = Recording.objects.get(uuid=recording["id"])
    assert row.is_ready
    post(site_settings.account, "recording.trashed", item, ts=4_000_000_000_000)
    zoom_worker.run()
    row.refresh_from_db()
    assert row.trashed_at is not None
    post(site_settings.account, "recording.recovered", item)
    zoom_worker.run()
    row.refresh_from_db()
    assert row.trashed_at is None


def test_a_deleted_meeting_is_shown_as_cancelled_until_its_end(
    connect, zoom_app, zoom_worker, post
):
    from django.utils import timezone

    from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility

    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(topic="Morning flow", zoom_type=2).first()
    row = row or Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()
    zoom_app.delete_meeting(int(row.zoom_id))
    post(
        site_settings.account,
        "meeting.deleted",
        {"id": int(row.zoom_id), "host_id": row.host_zoom_id},
    )
    zoom_worker.run()
    row.refresh_from_db()
    assert row.removed_at is not None
    visibility = SiteVisibility.for_site(site_settings.site)
    occurrences = visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(meeting=row)
    assert [occurrence.state for occurrence in occurrences] == ["cancelled"]
    row.occurrences.update(end=timezone.now())
    assert not visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(meeting=row).exists()


def test_w18_an_object_has_one_worker_at_a_time(connect, zoom_app, zoom_worker, post):
    """A lock that another worker holds is not acquired until its lease has ended."""
    site_settings = connect("aurora-0")
    row = Meeting.objects.filter(zoom_type=2).first()
    post(site_settings.account, "meeting.updated", {"id": int(row.zoom_id)})
    key = WebhookEvent.objects.get().lock_key
    soon = timezone.now() + timedelta(seconds=60)
    ObjectLock.objects.create(
        account=site_settings.account, key=key, not_before=timezone.now(),
        lease_owner="another", lease_until=soon,
    )  # fmt: skip
    zoom_app.clear_calls()
    assert not inbox.process_due_events(timezone.now())
    assert (zoom_app.calls(), WebhookEvent.objects.get().state) == ([], "pending")
    ObjectLock.objects.update(lease_until=timezone.now(), not_before=timezone.now())
    WebhookEvent.objects.update(run_after=timezone.now())
    assert inbox.process_due_events(timezone.now())
    assert WebhookEvent.objects.get().state == "done"


def test_x12_an_event_cannot_reach_a_meeting_of_another_account(
    connect, zoom_app, zoom_worker, post
):
    """Account A reports that one of its own hosts deleted a meeting of account B."""
    site_settings = connect("aurora-0")
    own = Meeting.objects.filter(account=site_settings.account).first()
    other = ZoomAccount.objects.create(zoom_id="other")
    victim = Meeting.objects.create(
        account=other, zoom_id="99999999999", host_zoom_id="h", kind="meeting", zoom_type=2,
        topic="Theirs", start=timezone.now() + timedelta(days=1), duration=60,
    )  # fmt: skip
    item = {"id": victim.zoom_id, "host_id": own.host_zoom_id}
    for event in ("meeting.updated", "meeting.deleted", "meeting.permanently_deleted"):
        post(site_settings.account, event, item)
    zoom_worker.run()
    victim.refresh_from_db()
    assert (victim.removed_at, victim.expired_at, victim.topic) == (None, None, "Theirs")


def test_a_burst_of_one_account_delays_no_other(site, monkeypatch):
    """More objects than one pass takes, all older than the event of the other account."""
    monkeypatch.setattr(inbox, "MAX_LOCKS", 10)
    accounts = [factories.make_account(zoom_id="stormy"), factories.make_account(zoom_id="calm")]
    other_site = Site.objects.create(hostname="calm.example", root_page=site.root_page)
    for account, own_site in zip(accounts, (site, other_site), strict=True):
        factories.make_settings(own_site, factories.make_grant(account))
    now = timezone.now()
    for number in range(31):
        zoom_id = "calm" if number == 30 else "stormy"
        WebhookEvent.objects.create(
            request_id=str(number), content_key=str(number), event="meeting.started",
            account_zoom_id=zoom_id, lock_key=f"{zoom_id}:meeting:{number}",
            received_at=now - timedelta(seconds=60 - number), payload={"object": {"id": number}},
        )  # fmt: skip
    taken = []
    monkeypatch.setattr(
        inbox, "_process_locks", lambda account, keys: taken.extend(keys) or len(keys)
    )
    assert inbox.process_due_events(timezone.now()) == 10
    assert "calm:meeting:30" in taken
    stormy = [key for key in taken if key.startswith("stormy")]
    assert stormy == [f"stormy:meeting:{number}" for number in range(9)], "the oldest come first"
