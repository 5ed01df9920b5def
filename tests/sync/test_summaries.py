"""Summaries of meetings: read, reviewed, withdrawn with Zoom, deleted when unused."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from wagtail_zoom.models import (
    SUMMARY,
    Activity,
    FetchScope,
    Grant,
    Meeting,
    SiteItem,
    Summary,
    SummaryReview,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.sync import retention, runs, settings_changes, summaries
from wagtail_zoom.testing.webhooks import post_event

pytestmark = pytest.mark.django_db
numbers = count(1)
SLASHES = ("/ajXp112QmuoKj4854875==", "ab//cd12QmuoKj48548==")


@pytest.fixture
def connected(connect):
    """A Site that shows summaries of the first host's meetings."""
    return connect("aurora-0", kinds=("meetings", "recordings"), show_summaries=True)


@pytest.fixture
def evening(zoom_app):
    """A meeting of the past three days, at Zoom."""
    return next(row for row in zoom_app.meetings("aurora") if row["topic"] == "Past evening")


def write(zoom_app, evening, **fields):
    return zoom_app.create_summary(meeting=evening["id"], **{"uuid": evening["uuid"], **fields})


def publish(uuid, text="Reviewed."):
    item = SiteItem.objects.get(kind=SUMMARY, key=uuid)
    row = Summary.objects.get(uuid=uuid)
    review = SummaryReview(item=item, zoom_version=row.version)
    review.set_text(text)
    review.save()
    item.visibility = "published"
    item.decided_at = timezone.now()
    item.save()
    return item


def test_a_summary_is_stored_and_waits(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    assert zoom_deliver() == ["meeting.summary_completed"]
    row = Summary.objects.get()
    assert row.uuid == summary["id"] and row.topic == "Past evening"
    assert row.text.startswith("# Quick recap") and "Tom brings *tea*" in row.text
    assert row.meeting.zoom_id == str(evening["id"]) and row.occurrence is not None
    item = SiteItem.objects.get(kind=SUMMARY)
    assert (item.visibility, item.key, item.meeting_summary) == ("auto", row.uuid, row)
    assert Activity.objects.filter(code="summary_new", item=item).exists()


@pytest.mark.parametrize("uuid", SLASHES)
def test_a_uuid_with_slashes_is_read(connected, zoom_app, zoom_deliver, evening, uuid):
    write(zoom_app, evening, uuid=uuid)
    zoom_deliver()
    assert Summary.objects.get().uuid == uuid


def test_no_text_of_it_is_stored_with_the_event(connected, zoom_app, zoom_deliver, evening):
    write(zoom_app, evening, summary_content="Ana said so. canary@example.org")
    zoom_deliver()
    event = WebhookEvent.objects.get(event="meeting.summary_completed")
    stored = str(event.payload)
    for text in ("Ana", "canary", "example.org", "Past evening", "docs.zoom"):
        assert text not in stored
    assert event.lock_key.endswith(f":summary:{evening['uuid']}")


def test_only_the_text_is_stored(connected, zoom_app, zoom_deliver, evening):
    meeting = Meeting.objects.get(zoom_id=str(evening["id"]))
    content = (
        "Ana (ana@example.org) asked.\n\n"
        f"Join https://zoom.us/j/{evening['id']}?pwd=x or https://docs.zoom.us/doc/abc.\n\n"
        f"Number {evening['id']}, passcode {evening['password']}.\n\n"
        "![chart](https://evil.example/pixel.png) <mailto:tom@example.org>"
    )
    write(zoom_app, evening, summary_content=content)
    zoom_deliver()
    text = Summary.objects.get().text
    assert "Ana" in text and "chart" in text
    for secret in ("@", "zoom.us", meeting.zoom_id, evening["password"], "pixel"):
        assert secret not in text


def test_what_is_cut_may_be_escaped(connected, zoom_app, zoom_deliver, evening):
    """Markdown may have a backslash before each sign: the text is read without them."""
    content = rf"Join zoom\.us/j/{evening['id']}?pwd=x or write to ana\@example\.org today."
    write(zoom_app, evening, summary_content=content)
    zoom_deliver()
    text = Summary.objects.get().text
    assert "today" in text and "zoom" not in text and "example" not in text


def test_the_older_format_is_assembled(connected, zoom_app, zoom_deliver, evening):
    write(zoom_app, evening, parts=True)
    zoom_deliver()
    assert Summary.objects.get().text == (
        "Past evening: the group agreed on the next evening.\n\n"
        "## Plans\n\nThe next evening is planned.\n\n"
        "## Next steps\n\n- Ana sends the list."
    )


def test_what_was_edited_at_zoom_wins(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    edited = {
        "summary_overview": "Shorter.",
        "summary_details": "Only this.",
        "next_steps": ["Rest."],
    }
    zoom_app.change_summary(summary["id"], edited_summary=edited)
    assert zoom_deliver() == ["meeting.summary_completed", "meeting.summary_updated"]
    text = Summary.objects.get().text
    assert text == "Shorter.\n\nOnly this.\n\n## Next steps\n\n- Rest."


def test_an_update_keeps_what_was_reviewed(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    zoom_deliver()
    item = publish(summary["id"])
    zoom_app.change_summary(summary["id"], summary_content="Another text.")
    zoom_deliver()
    item.refresh_from_db()
    row = Summary.objects.get()
    assert item.visibility == "published" and item.review.text == "Reviewed."
    assert row.text == "Another text." and item.review.differs_from(row)
    assert Activity.objects.filter(code="summary_changed", item=item).count() == 1


def test_trashed_is_withdrawn_and_recovered_waits_again(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    zoom_deliver()
    item = publish(summary["id"])
    zoom_app.delete_summary(summary["id"])
    assert zoom_deliver() == ["meeting.summary_trashed"]
    item.refresh_from_db()
    assert Summary.objects.get().trashed_at and item.visibility == "auto"
    zoom_app.recover_summary(summary["id"])
    zoom_deliver()
    item.refresh_from_db()
    assert not Summary.objects.get().is_withdrawn and item.visibility == "auto"
    assert item.review.text == "Reviewed."


def test_deleted_loses_its_texts(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    zoom_deliver()
    item = publish(summary["id"])
    zoom_app.delete_summary(summary["id"], permanent=True)
    zoom_deliver()
    row = Summary.objects.get()
    assert row.removed_at and row.text == "" and not SummaryReview.objects.exists()
    item.refresh_from_db()
    assert item.visibility == "auto"


def test_a_hidden_summary_stays_hidden(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    zoom_deliver()
    SiteItem.objects.filter(kind=SUMMARY).update(visibility="hidden")
    zoom_app.delete_summary(summary["id"])
    zoom_app.recover_summary(summary["id"])
    zoom_deliver()
    assert SiteItem.objects.get(kind=SUMMARY).visibility == "hidden"


def test_an_old_trash_event_does_not_withdraw(connected, zoom_app, zoom_worker, evening):
    """It arrives after the summary was recovered, read and published."""
    summary = write(zoom_app, evening)
    zoom_app.delete_summary(summary["id"])
    zoom_app.recover_summary(summary["id"])
    rows = zoom_app.deliveries(state="unsubscribed")
    bodies = {row["event"]: row["body"] for row in rows}
    for name in ("completed", "recovered", "trashed"):
        if name == "trashed":
            item = publish(summary["id"])
        post_event(bodies[f"meeting.summary_{name}"])
        zoom_worker.run()
    item.refresh_from_db()
    assert not Summary.objects.get().is_withdrawn and item.visibility == "published"


def test_a_trash_event_of_a_slow_clock_is_confirmed(
    connected, zoom_app, zoom_deliver, zoom_worker, evening
):
    """By Zoom's clock it happened before we read: Zoom itself says that it is gone."""
    summary = write(zoom_app, evening)
    zoom_deliver()
    item = publish(summary["id"])
    Summary.objects.update(fetched_at=timezone.now() + timedelta(seconds=30))
    zoom_app.delete_summary(summary["id"])
    Summary.objects.update(fetched_at=timezone.now() + timedelta(seconds=5))
    zoom_deliver()
    assert Summary.objects.get().is_withdrawn
    item.refresh_from_db()
    assert item.visibility == "auto"


def test_nothing_is_read_before_the_owner_has_switched_it_on(
    connect, zoom_app, zoom_deliver, evening
):
    connect("aurora-0", kinds=("meetings",))
    zoom_app.clear_calls()
    write(zoom_app, evening)
    zoom_deliver()
    assert not Summary.objects.exists()
    assert not zoom_app.calls("path=meeting_summary")


def test_switching_on_reads_the_last_month_and_off_deletes(
    connect, zoom_app, zoom_worker, admin_user, evening
):
    site_settings = connect("aurora-0", kinds=("meetings",))
    write(zoom_app, evening)
    switch(site_settings, admin_user, zoom_worker, True)
    item = publish(Summary.objects.get().uuid)
    switch(site_settings, admin_user, zoom_worker, False)
    assert not Summary.objects.exists() and not SummaryReview.objects.exists()
    switch(site_settings, admin_user, zoom_worker, True)
    item.refresh_from_db()
    assert item.visibility == "auto" and item.meeting_summary is not None


def switch(site_settings, user, worker, on):
    before = settings_changes.SettingsSnapshot.of(site_settings)
    site_settings.show_summaries = on
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, user, before)
    worker.run()


def test_private_and_unknown_meetings_are_not_stored(connected, zoom_app, zoom_deliver):
    private = next(row for row in zoom_app.meetings("aurora") if row["topic"] == "Private talk")
    zoom_app.create_summary(meeting=private["id"])
    zoom_app.create_summary("aurora-0", topic="Instant")
    assert zoom_deliver() == ["meeting.summary_completed"] * 2
    assert not Summary.objects.exists()


def test_what_no_event_announced_is_reconciled(connected, zoom_app, zoom_worker, evening):
    summary = write(zoom_app, evening, event=False)
    reconcile(connected, zoom_worker)
    assert Summary.objects.get().uuid == summary["id"]


def test_a_missing_summary_is_withdrawn_by_the_second_run(
    connected, zoom_app, zoom_worker, zoom_deliver, evening
):
    summary = write(zoom_app, evening)
    zoom_deliver()
    publish(summary["id"])
    zoom_app.fault("drop", event="meeting.summary_trashed")
    zoom_app.delete_summary(summary["id"])
    reconcile(connected, zoom_worker)
    assert not Summary.objects.get().is_withdrawn
    reconcile(connected, zoom_worker)
    assert Summary.objects.get().is_withdrawn


def test_one_run_withdraws_nothing_twice(connected, zoom_app, zoom_deliver, evening):
    """A run that is repeated after an outage has seen it missing once."""
    write(zoom_app, evening)
    zoom_deliver()
    row = Summary.objects.get()
    for _slice in range(2):
        summaries._mark_missing(Summary.objects.get(), timezone.now(), run=7)
    assert not Summary.objects.get().is_withdrawn
    summaries._mark_missing(Summary.objects.get(), timezone.now(), run=8)
    assert Summary.objects.get().is_withdrawn and row.pk


def test_what_changed_while_it_was_read_is_not_stored(
    connected, zoom_app, zoom_deliver, evening, monkeypatch
):
    """The owner switches summaries off between the request and the answer."""
    write(zoom_app, evening)
    before = summaries.fetch_scope
    scopes = iter([before(connected.account), FetchScope()])
    monkeypatch.setattr(summaries, "fetch_scope", lambda account: next(scopes, FetchScope()))
    zoom_deliver()
    assert not Summary.objects.exists()


def reconcile(site_settings, worker):
    ZoomAccount.objects.update(summaries_at=None)
    runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    worker.run()


def test_a_missing_scope_is_noted(connect, zoom_app, zoom_worker, zoom_deliver, evening):
    scopes = [
        name
        for grant in [connect("aurora-0", kinds=("meetings",)).grant]
        for name in grant.scope.split()
    ]
    assert "meeting:read:summary:admin" in scopes
    zoom_app.fault(
        "status",
        path="meeting_summary",
        status=400,
        code=4711,
        message="Invalid access token, does not contain scopes:[meeting:read:summary:admin].",
    )
    ZoomSettings.objects.update(show_summaries=True)
    write(zoom_app, evening)
    zoom_deliver()
    grant = Grant.objects.get()
    assert grant.missing_kinds == ["summary"] and grant.is_usable
    assert Activity.objects.filter(code="scope_missing").exists()


def test_a_plan_without_summaries_is_noted(connected, zoom_app, zoom_worker, evening):
    zoom_app.change_account("aurora", ai_companion=False)
    reconcile(connected, zoom_worker)
    assert ZoomAccount.objects.get().summaries_refused_at
    assert SyncRun.objects.latest("pk").state == SyncRun.State.DONE
    zoom_app.change_account("aurora", ai_companion=True)
    write(zoom_app, evening)
    reconcile(connected, zoom_worker)
    assert not ZoomAccount.objects.get().summaries_refused_at


def test_what_stays_in_the_trash_is_deleted(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening)
    zoom_deliver()
    zoom_app.delete_summary(summary["id"])
    zoom_deliver()
    retention.delete_outdated(timezone.now() + timedelta(days=29))
    assert Summary.objects.exists()
    retention.delete_outdated(timezone.now() + timedelta(days=31))
    assert not Summary.objects.exists()


def test_a_later_passcode_is_cut_from_both_texts(connected, zoom_app, zoom_deliver, evening):
    summary = write(zoom_app, evening, summary_content="The word was garden42x, again.")
    zoom_deliver()
    item = publish(summary["id"], "They said garden42x twice.")
    zoom_app.change_meeting(evening["id"], password="garden42x")
    zoom_deliver()
    item.review.refresh_from_db()
    row = Summary.objects.get()
    for text in (row.text, item.review.text, item.review.plain_text):
        assert "garden42x" not in text
    assert not item.review.differs_from(row)


HISTORIES = (
    ("completed", "updated", "shared"),
    ("completed", "trashed"),
    ("completed", "updated", "trashed", "recovered"),
    ("completed", "trashed", "recovered", "updated", "trashed"),
    ("completed", "updated", "shared", "trashed", "recovered", "deleted"),
    ("completed", "trashed", "deleted"),
)
"""What happens at Zoom; the last entry decides how it ends."""


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=strategies.data())
def test_events_in_any_order_and_number_end_as_zoom_does(
    connected, zoom_app, zoom_deliver, zoom_worker, evening, data
):
    """Also when some arrive while the others are still to happen, twice, or not at all."""
    history = data.draw(strategies.sampled_from(HISTORIES))
    uuid = f"order{next(numbers)}=="
    bodies = []
    sent = {row["event_id"] for row in zoom_app.deliveries(state="unsubscribed", limit=5000)}
    for name in history:
        if name == "completed":
            write(zoom_app, evening, uuid=uuid)
        elif name == "updated":
            zoom_app.change_summary(uuid, summary_content=f"Text {len(bodies)}.")
        elif name == "shared":
            zoom_app.change_summary(uuid, share=True)
        elif name == "recovered":
            zoom_app.recover_summary(uuid)
        else:
            zoom_app.delete_summary(uuid, permanent=name == "deleted")
        rows = zoom_app.deliveries(state="unsubscribed", limit=5000)
        new = [row for row in rows if row["event_id"] not in sent]
        sent |= {row["event_id"] for row in new}
        bodies += [row["body"] for row in new]
        if data.draw(strategies.booleans()):
            post_event(data.draw(strategies.sampled_from(bodies)))
            zoom_worker.run()
    assert len(bodies) == len(history)
    published = data.draw(strategies.booleans())
    if published and Summary.objects.filter(uuid=uuid, removed_at=None, trashed_at=None).exists():
        publish(uuid)
    order = data.draw(strategies.permutations([*bodies, bodies[-1]]))
    for body in order:
        post_event(body, request_id=str(uuid4()))
        if data.draw(strategies.booleans()):
            zoom_worker.run()
    zoom_worker.run()
    is_there = history[-1] not in ("trashed", "deleted")
    row = Summary.objects.filter(uuid=uuid).first()
    at_zoom = next(row for row in zoom_app.summaries("aurora") if row["id"] == uuid)
    assert (row is not None and not row.is_withdrawn) is is_there
    item = SiteItem.objects.filter(kind=SUMMARY, key=uuid).first()
    if is_there:
        assert row.text == at_zoom["summary_content"].strip() and item is not None
    elif item is not None:
        assert item.visibility == "auto"
    if history[-1] == "deleted" and row is not None:
        assert row.text == "" and not SummaryReview.objects.filter(item=item).exists()
