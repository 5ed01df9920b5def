"""The tick, every minute: heartbeat and retention (W15, Q7, Q8)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.module_loading import import_string
from wagtail.models import Site

from wagtail_zoom.models import (
    Activity,
    Heartbeat,
    Invitation,
    MeetingChange,
    OAuthState,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync.retention import delete_outdated
from wagtail_zoom.utils.queue import SCHEDULE_FUNCTION

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def event(key, state, age):
    return WebhookEvent.objects.create(
        content_key=key, event="meeting.updated", state=state, payload={"topic": "T"},
        received_at=NOW - timedelta(days=age),
    )  # fmt: skip


def test_the_scheduled_path_exists_and_stores_a_heartbeat():
    """Q8: the worker's heartbeat is a row, independent of cache and broker."""
    import_string(SCHEDULE_FUNCTION)()
    assert Heartbeat.objects.filter(name="tick").exists()


def test_payloads_are_deleted_before_keys():
    """W15."""
    young, old, ancient = (event(f"k{age}", "done", age) for age in (1, 8, 31))
    counts = delete_outdated(NOW)
    assert (counts["payloads"], counts["events"]) == (1, 1)
    young.refresh_from_db()
    old.refresh_from_db()
    assert young.payload and not old.payload
    assert not WebhookEvent.objects.filter(pk=ancient.pk).exists()


def test_pending_events_are_never_pruned():
    """No pending event is lost, however old; parked ones are deleted after a day."""
    pending, parked = event("a", "pending", 400), event("b", "parked", 2)
    delete_outdated(NOW)
    assert WebhookEvent.objects.get().pk == pending.pk != parked.pk
    assert WebhookEvent.objects.get().payload


def test_open_runs_stay_and_finished_ones_are_deleted():
    account = ZoomAccount.objects.create(zoom_id="acc")
    long_ago = NOW - timedelta(days=400)
    open_run = SyncRun.objects.create(account=account, mode="reconcile", requested_at=long_ago)
    SyncRun.objects.create(account=account, mode="reconcile", state="done", finished_at=long_ago)
    assert delete_outdated(NOW)["runs"] == 1
    assert SyncRun.objects.get() == open_run


def test_what_began_a_connection_is_deleted_when_it_has_expired(admin_user):
    """A state holds the code and the verifier of an authorisation, an invitation its digest."""
    site = Site.objects.get(is_default_site=True)
    for name, age in (("old", timedelta(days=31)), ("new", -timedelta(minutes=1))):
        OAuthState.objects.create(
            state_hash=name, session_hash=name, site=site, client_id="c", issuer="i",
            redirect_uri="r", origin="o", expires_at=NOW - age,
        )  # fmt: skip
        Invitation.objects.create(
            site=site, token_hash=name, created_by=admin_user, expires_at=NOW - age
        )
    counts = delete_outdated(NOW)
    assert (counts["states"], counts["invitations"]) == (1, 1)
    assert OAuthState.objects.get().state_hash == Invitation.objects.get().token_hash == "new"


def test_log_of_a_site_has_its_own_retention():
    site = Site.objects.get(is_default_site=True)
    Activity.log([site.pk], "sync", "young")
    Activity.log([site.pk], "sync", "old")
    Activity.objects.filter(code="old").update(created_at=NOW - timedelta(days=181))
    assert delete_outdated(NOW)["activity"] == 1
    assert Activity.objects.get().code == "young"


def test_finished_changes_go_and_the_one_that_created_a_meeting_stays_with_it(zoom_rows):
    meeting, old = zoom_rows.meeting(), NOW - timedelta(days=181)
    for action in MeetingChange.Action:
        for key, finished_at, row in (
            ("waiting", None, None),
            ("finished", old, None),
            ("of-a-meeting", old, meeting),
            ("new", NOW, None),
        ):
            MeetingChange.objects.create(
                site=zoom_rows.site, account=meeting.account, kind="meeting", host_zoom_id="h1",
                key=f"{action}-{key}", action=action, meeting=row, finished_at=finished_at,
            )  # fmt: skip
    assert delete_outdated(NOW)["changes"] == 7
    stored = {key.split("-", 1)[1] for key in MeetingChange.objects.values_list("key", flat=True)}
    assert stored == {"waiting", "new", "of-a-meeting"}
    assert MeetingChange.objects.get(meeting=meeting).action == "create"


def test_a_second_tick_deletes_nothing():
    """Q7."""
    event("k", "done", 31)
    delete_outdated(NOW)
    assert not any(delete_outdated(NOW).values())
