"""Each state of a Site: which one it is, its sentence and its one action (DESIGN §4.4, §4.7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.admin.conftest import hours_ago
from wagtail_zoom.admin import site_status, states
from wagtail_zoom.admin.site_state import State
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


def grant(world, **values):
    Grant.objects.filter(pk=world.grant.pk).update(**values)


def choice(world, **values):
    ZoomSettings.objects.filter(pk=world.choice.pk).update(**values)


def account(world, **values):
    ZoomAccount.objects.filter(pk=world.account.pk).update(**values)


def run(world, **values):
    SyncRun.objects.create(account=world.account, **{"mode": "reconcile", **values})


def invite(world):
    choice(world, grant=None, account=None, configured_at=None)
    Invitation.objects.create(
        site=world.site,
        token_hash="x",
        created_by=world.owner,
        expires_at=timezone.now() + timedelta(days=7),
    )


def removed(world):
    choice(world, grant=None, account=None, configured_at=None)
    Activity.log([world.site.pk], "connection", "connected")
    Activity.log([world.site.pk], "connection", "deauthorized")


CASES = [
    (State.QUARANTINED, lambda w: account(w, fingerprint="another")),
    (State.NEEDS_RECONNECT, lambda w: grant(w, state="needs_reconnect", reason="invalid_grant")),
    (State.NEEDS_RECONNECT, lambda w: grant(w, client_id="former")),
    (State.REVOKED, lambda w: grant(w, state="revoked")),
    (State.REVOKED, removed),
    (State.CONFIRM, lambda w: choice(w, needs_confirmation=True)),
    (State.WORKER_DOWN, lambda w: Heartbeat.objects.update(at=hours_ago(1))),
    (State.WORKER_DOWN, lambda w: Heartbeat.objects.all().delete()),
    (State.MISSING, lambda w: grant(w, missing_kinds=["recording"])),
    (State.WITHHELD, lambda w: run(w, state="done", counts={"meeting": {"withheld": 12}})),
    (State.LATE, lambda w: run(w, state="failed")),
    (State.LATE, lambda w: account(w, reconciled_at=hours_ago(30))),
    (State.NO_EVENTS, lambda w: run(w, state="done", counts={"meeting": {"changed": 1}})),
    (State.DEGRADED, lambda w: grant(w, state="degraded", last_ok_at=hours_ago(1))),
    (State.THROTTLED, lambda w: account(w, throttled_until=hours_ago(-1))),
    (State.PAUSED, lambda w: choice(w, paused_at=hours_ago(30))),
    (State.CHOOSE, lambda w: choice(w, configured_at=None)),
    (State.IMPORTING, lambda w: run(w, mode="backfill", state="running")),
    (State.SYNCING, lambda w: run(w, state="queued")),
    (State.INVITED, invite),
    (State.ARCHIVED, lambda w: choice(w, grant=None, archived_at=hours_ago(30))),
    (State.NOT_CONNECTED, lambda w: choice(w, grant=None, account=None)),
    (State.SIGNUPS_FAILED, lambda w: None),
    (State.GOOD, lambda w: Registration.objects.all().delete()),
]


def test_what_was_called_off_counts_neither_as_a_date_nor_as_taking_sign_ups(aurora):
    known = site_status.of(aurora.site)
    assert (known.dates_shown, known.taking_signups) == (1, 1)
    Occurrence.objects.update(state="cancelled")
    known = site_status.of(aurora.site)
    assert (known.dates_shown, known.taking_signups) == (0, 0)


@pytest.mark.parametrize(("state", "break_it"), CASES)
def test_every_state_has_a_panel(as_aurora, aurora, state, break_it):
    break_it(aurora)
    known = site_status.of(aurora.site)
    assert states.classify(known) is state
    status = states.describe(known)
    answer = as_aurora.get(aurora.panel)
    assert answer.status_code == 200
    if status.tone:
        assert status.title in answer.context["status"].title
        assert len([action for action in status.actions if action.filled]) <= 1
        for action in status.actions:
            assert action.url and action.label
    for word in ("token", "webhook", " API", "scope", "sync error"):
        assert word not in f"{status.title} {status.text}"


def test_the_worst_state_wins(aurora):
    grant(aurora, state="needs_reconnect", missing_kinds=["recording"])
    choice(aurora, paused_at=timezone.now())
    assert states.classify(site_status.of(aurora.site)) is State.NEEDS_RECONNECT
    account(aurora, fingerprint="another")
    assert states.classify(site_status.of(aurora.site)) is State.QUARANTINED


def test_a_missing_permission_of_an_unwanted_kind_is_no_trouble(aurora):
    Registration.objects.all().delete()
    grant(aurora, missing_kinds=["webinar"])
    assert states.classify(site_status.of(aurora.site)) is State.GOOD


def test_free_plan_is_told_how_often_we_look(as_aurora, aurora):
    account(aurora, plan="free", reconciled_at=timezone.now())
    assert b"We look every 15 minutes." in as_aurora.get(aurora.panel).content


def test_facts_of_many_sites_cost_as_much_as_of_one(
    aurora, borealis, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9) as captured:
        site_status.read([aurora.site])
    with django_assert_num_queries(len(captured.captured_queries)):
        site_status.read([aurora.site, borealis.site])


# The homepage


def test_homepage_names_what_waits(as_aurora, aurora, borealis):
    body = as_aurora.get("/admin/").content.decode()
    assert "1 new recording waits for your review" in body
    assert "1 sign-up has not reached Zoom" in body
    assert "borealis" not in body


def test_homepage_is_silent_when_nothing_waits(as_aurora, aurora):
    Registration.objects.all().delete()
    aurora.recording.visibility = "hidden"
    aurora.recording.save()
    assert "What waits for you" not in as_aurora.get("/admin/").content.decode()


# Mail to the owner


def test_one_mail_and_two_reminders(aurora):
    now = timezone.now()
    choice(aurora, contact_email="office@aurora.example")
    grant(aurora, state="needs_reconnect", reason="invalid_grant", state_since=now)
    sent = []
    for day in range(12):
        for _repeat in range(3):
            notifications.send_due_notices(now + timedelta(days=day))
        sent.append(len(mail.outbox))
    assert sent == [1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    first = mail.outbox[0]
    assert "aurora.example" in first.subject and first.to == ["office@aurora.example"]
    assert f"https://testserver{aurora.panel}" in first.body
    assert "We mailed office@aurora.example on" in states_card(aurora)


def states_card(world):
    from wagtail_zoom.admin import connection_card

    known = site_status.of(world.site)
    return connection_card.card(known, states.classify(known)).text


def test_no_mail_after_the_repair_nor_from_a_copy(aurora):
    now = timezone.now()
    grant(aurora, state="needs_reconnect", user_email="")
    choice(aurora, contact_email="office@aurora.example")
    account(aurora, fingerprint="another")
    assert notifications.send_due_notices(now) == 0
    account(aurora, fingerprint="")
    assert notifications.send_due_notices(now) == 1
    grant(aurora, state="connected", notices=[])
    assert notifications.send_due_notices(now + timedelta(days=4)) == 0


def test_the_mail_can_be_overridden_and_speaks_the_owners_language(aurora, settings):
    from wagtail.users.models import UserProfile

    UserProfile.objects.create(user=aurora.owner, preferred_language="de")
    grant(aurora, state="needs_reconnect", connected_by=aurora.owner)
    assert notifications.language_of(site_status.of(aurora.site).choice) == "de"
    assert notifications.send_due_notices(timezone.now()) == 1
    assert mail.outbox[0].to == [aurora.owner.email]


# zoom_doctor


def test_doctor_says_what_the_panel_says(aurora, capsys):
    Registration.objects.all().delete()
    call_command("zoom_doctor", "aurora.example")
    assert "aurora.example: Up to date [good]" in capsys.readouterr().out
    grant(aurora, state="needs_reconnect", reason="invalid_grant")
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "aurora.example")
    assert failure.value.returncode == 1
    assert "Zoom needs you: please connect again." in capsys.readouterr().out


def test_doctor_knows_wrong_names_and_wrong_settings(aurora, settings):
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "nowhere.example")
    assert failure.value.returncode == 2
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_ID": "", "ENCRYPTION_KEYS": []}
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor")
    assert failure.value.returncode == 2 and "CLIENT_ID, ENCRYPTION_KEYS" in str(failure.value)
