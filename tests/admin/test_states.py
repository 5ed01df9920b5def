"""Each state of a Site: its classification, message and actions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.admin.conftest import hours_ago
from wagtail_zoom.admin import status_rules
from wagtail_zoom.admin.site_state import SiteState
from wagtail_zoom.admin.site_status import get_site_status, get_site_statuses
from wagtail_zoom.models import (
    Activity,
    Grant,
    Heartbeat,
    Invitation,
    Occurrence,
    Registration,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import notifications

pytestmark = pytest.mark.django_db


def update_grant(tenant, **values):
    Grant.objects.filter(pk=tenant.grant.pk).update(**values)


def update_settings(tenant, **values):
    ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(**values)


def update_account(tenant, **values):
    ZoomAccount.objects.filter(pk=tenant.account.pk).update(**values)


def create_run(tenant, **values):
    SyncRun.objects.create(account=tenant.account, **{"mode": "reconcile", **values})


def invite(tenant):
    update_settings(tenant, grant=None, account=None, configured_at=None)
    Invitation.objects.create(
        site=tenant.site,
        token_hash="x",
        created_by=tenant.owner,
        expires_at=timezone.now() + timedelta(days=7),
    )


def remove_app(tenant):
    update_settings(tenant, grant=None, account=None, configured_at=None)
    Activity.log([tenant.site.pk], "connection", "connected")
    Activity.log([tenant.site.pk], "connection", "deauthorized")


CASES = [
    (SiteState.QUARANTINED, lambda w: update_account(w, fingerprint="another")),
    (
        SiteState.NEEDS_RECONNECT,
        lambda w: update_grant(w, state="needs_reconnect", reason="invalid_grant"),
    ),
    (SiteState.NEEDS_RECONNECT, lambda w: update_grant(w, client_id="former")),
    (SiteState.REVOKED, lambda w: update_grant(w, state="revoked")),
    (SiteState.REVOKED, remove_app),
    (SiteState.CONFIRM, lambda w: update_settings(w, needs_confirmation=True)),
    (SiteState.WORKER_DOWN, lambda w: Heartbeat.objects.update(beat_at=hours_ago(1))),
    (SiteState.WORKER_DOWN, lambda w: Heartbeat.objects.all().delete()),
    (SiteState.MISSING, lambda w: update_grant(w, missing_kinds=["recording"])),
    (
        SiteState.WITHHELD,
        lambda w: create_run(w, state="done", counts={"meeting": {"withheld": 12}}),
    ),
    (SiteState.LATE, lambda w: create_run(w, state="failed")),
    (SiteState.LATE, lambda w: update_account(w, reconciled_at=hours_ago(30))),
    (
        SiteState.NO_EVENTS,
        lambda w: create_run(w, state="done", counts={"meeting": {"changed": 1}}),
    ),
    (SiteState.DEGRADED, lambda w: update_grant(w, state="degraded", last_ok_at=hours_ago(1))),
    (SiteState.THROTTLED, lambda w: update_account(w, throttled_until=hours_ago(-1))),
    (SiteState.PAUSED, lambda w: update_settings(w, paused_at=hours_ago(30))),
    (SiteState.CHOOSE, lambda w: update_settings(w, configured_at=None)),
    (SiteState.IMPORTING, lambda w: create_run(w, mode="backfill", state="running")),
    (SiteState.SYNCING, lambda w: create_run(w, state="queued")),
    (SiteState.INVITED, invite),
    (SiteState.ARCHIVED, lambda w: update_settings(w, grant=None, archived_at=hours_ago(30))),
    (SiteState.NOT_CONNECTED, lambda w: update_settings(w, grant=None, account=None)),
    (SiteState.REGISTRATIONS_FAILED, lambda w: None),
    (SiteState.GOOD, lambda w: Registration.objects.all().delete()),
]


def test_cancelled_occurrences_are_not_counted(aurora):
    site_status = get_site_status(aurora.site)
    assert (site_status.occurrences_shown, site_status.meetings_with_registration) == (1, 1)
    Occurrence.objects.update(state="cancelled")
    site_status = get_site_status(aurora.site)
    assert (site_status.occurrences_shown, site_status.meetings_with_registration) == (0, 0)


@pytest.mark.parametrize(("state", "break_it"), CASES)
def test_every_state_has_a_panel(as_aurora, aurora, state, break_it):
    break_it(aurora)
    site_status = get_site_status(aurora.site)
    assert status_rules.classify(site_status) is state
    status = status_rules.describe(site_status)
    response = as_aurora.get(aurora.panel)
    assert response.status_code == 200
    if status.tone:
        assert status.title in response.context["status"].title
        assert len([action for action in status.actions if action.primary]) <= 1
        for action in status.actions:
            assert action.url and action.label
    for word in ("token", "webhook", " API", "scope", "sync error"):
        assert word not in f"{status.title} {status.text}"


def test_the_worst_state_wins(aurora):
    update_grant(aurora, state="needs_reconnect", missing_kinds=["recording"])
    update_settings(aurora, paused_at=timezone.now())
    assert status_rules.classify(get_site_status(aurora.site)) is SiteState.NEEDS_RECONNECT
    update_account(aurora, fingerprint="another")
    assert status_rules.classify(get_site_status(aurora.site)) is SiteState.QUARANTINED


def test_a_missing_permission_of_a_disabled_kind_is_no_problem(aurora):
    Registration.objects.all().delete()
    update_grant(aurora, missing_kinds=["webinar"])
    assert status_rules.classify(get_site_status(aurora.site)) is SiteState.GOOD


def test_the_free_plan_shows_the_polling_interval(as_aurora, aurora):
    update_account(aurora, plan="free", reconciled_at=timezone.now())
    assert b"We look every 15 minutes." in as_aurora.get(aurora.panel).content


def test_status_of_many_sites_takes_as_many_queries_as_of_one(
    aurora, borealis, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9) as captured:
        get_site_statuses([aurora.site])
    with django_assert_num_queries(len(captured.captured_queries)):
        get_site_statuses([aurora.site, borealis.site])


# The homepage


def test_homepage_lists_what_needs_attention(as_aurora, aurora, borealis):
    body = as_aurora.get("/admin/").content.decode()
    assert "1 new recording waits for your review" in body
    assert "1 sign-up has not reached Zoom" in body
    assert "borealis" not in body


def test_homepage_is_empty_when_nothing_needs_attention(as_aurora, aurora):
    Registration.objects.all().delete()
    aurora.recording_item.visibility = "hidden"
    aurora.recording_item.save()
    assert "What waits for you" not in as_aurora.get("/admin/").content.decode()


# Mail to the owner


def test_one_email_and_two_reminders(aurora):
    now = timezone.now()
    update_settings(aurora, contact_email="office@aurora.example")
    update_grant(aurora, state="needs_reconnect", reason="invalid_grant", state_since=now)
    mail_counts = []
    for day in range(12):
        for _repeat in range(3):
            notifications.send_due_notifications(now + timedelta(days=day))
        mail_counts.append(len(mail.outbox))
    assert mail_counts == [1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    first = mail.outbox[0]
    assert "aurora.example" in first.subject and first.to == ["office@aurora.example"]
    assert f"https://testserver{aurora.panel}" in first.body
    assert "We mailed office@aurora.example on" in card_text(aurora)


def card_text(tenant):
    from wagtail_zoom.admin import connection_card

    site_status = get_site_status(tenant.site)
    return connection_card.build_card(site_status, status_rules.classify(site_status)).text


def test_no_email_after_reconnecting_nor_from_a_copy(aurora):
    now = timezone.now()
    update_grant(aurora, state="needs_reconnect", user_email="")
    update_settings(aurora, contact_email="office@aurora.example")
    update_account(aurora, fingerprint="another")
    assert notifications.send_due_notifications(now) == 0
    update_account(aurora, fingerprint="")
    assert notifications.send_due_notifications(now) == 1
    update_grant(aurora, state="connected", reminders_sent=[])
    assert notifications.send_due_notifications(now + timedelta(days=4)) == 0


def test_the_email_is_in_the_owners_language(aurora, settings):
    from wagtail.users.models import UserProfile

    UserProfile.objects.create(user=aurora.owner, preferred_language="de")
    update_grant(aurora, state="needs_reconnect", connected_by=aurora.owner)
    assert notifications.language_of(get_site_status(aurora.site).site_settings) == "de"
    assert notifications.send_due_notifications(timezone.now()) == 1
    assert mail.outbox[0].to == [aurora.owner.email]


# zoom_doctor


def test_doctor_reports_the_state_of_the_panel(aurora, capsys):
    Registration.objects.all().delete()
    call_command("zoom_doctor", "aurora.example")
    assert "aurora.example: Up to date [good]" in capsys.readouterr().out
    update_grant(aurora, state="needs_reconnect", reason="invalid_grant")
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "aurora.example")
    assert failure.value.returncode == 1
    assert "Zoom needs you: please connect again." in capsys.readouterr().out


def test_doctor_reports_unknown_sites_and_wrong_settings(aurora, settings):
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "nowhere.example")
    assert failure.value.returncode == 2
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_ID": "", "ENCRYPTION_KEYS": []}
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor")
    assert failure.value.returncode == 2 and "CLIENT_ID, ENCRYPTION_KEYS" in str(failure.value)
