"""Each state of a Site: its classification, message and actions."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from wagtail.models import GroupSitePermission

from tests.admin.conftest import hours_ago, make_site, make_tenant
from tests.blocks import rows
from wagtail_zoom.admin import connection_card, installation, overview, status_rules
from wagtail_zoom.admin.checklist import Checklist
from wagtail_zoom.admin.health_checks import Health, run_checks
from wagtail_zoom.admin.installation import InstallationStatus
from wagtail_zoom.admin.site_state import SiteState
from wagtail_zoom.admin.site_status import get_site_status, get_site_statuses
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Heartbeat,
    Host,
    Invitation,
    Meeting,
    Occurrence,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import disconnect, notifications

pytestmark = pytest.mark.django_db


def update_grant(tenant, **values):
    Grant.objects.filter(pk=tenant.grant.pk).update(**values)


def update_settings(tenant, **values):
    ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(**values)


def update_account(tenant, **values):
    ZoomAccount.objects.filter(pk=tenant.account.pk).update(**values)


def create_run(tenant, **values):
    return SyncRun.objects.create(account=tenant.account, **{"mode": "reconcile", **values})


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
    (SiteState.GOOD, lambda w: None),
]


def test_cancelled_occurrences_are_not_counted(aurora):
    site_status = get_site_status(aurora.site)
    assert (site_status.occurrences_shown, site_status.meetings_with_registration) == (1, 1)
    Occurrence.objects.update(state="cancelled")
    site_status = get_site_status(aurora.site)
    assert (site_status.occurrences_shown, site_status.meetings_with_registration) == (0, 0)


@pytest.mark.parametrize(("state", "break_it"), CASES)
def test_every_state_has_a_panel(as_aurora, aurora, state, break_it):
    if state is not SiteState.REGISTRATIONS_FAILED:
        Registration.objects.all().delete()
    break_it(aurora)
    site_status = get_site_status(aurora.site)
    assert status_rules.classify(site_status) is state
    status = status_rules.describe(site_status)
    response = as_aurora.get(aurora.panel)
    assert response.status_code == 200
    if state is SiteState.CHOOSE:  # a step of the checklist says so, once
        assert response.context["problems"] == []
        assert "Choose what to show" in [row.title for row in response.context["checklist"].steps]
    elif status.tone:
        assert status.title == response.context["problems"][0].title
        assert len([action for action in status.actions if action.primary]) <= 1
        for action in status.actions:
            assert action.url and action.label
    for word in ("token", " API", "scope", "sync error"):
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
    assert b"Zoom is checked every 15 minutes." in as_aurora.get(aurora.panel).content


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
    assert "1 registration failed" in body
    assert "borealis" not in body


def test_homepage_is_empty_when_nothing_needs_attention(as_aurora, aurora):
    Registration.objects.all().delete()
    aurora.recording_item.visibility = "hidden"
    aurora.recording_item.save()
    assert "Your tasks" not in as_aurora.get("/admin/").content.decode()


# Email to the owner


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
    assert "office@aurora.example was emailed on" in card_text(aurora)


def card_text(tenant):
    return connection_card.build_card(get_site_status(tenant.site)).text


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
    with notifications.owners_locale(get_site_status(aurora.site).site_settings):
        assert get_language() == "de"
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
    assert "Reconnect Zoom to keep your pages up to date." in capsys.readouterr().out


def test_doctor_reports_unknown_sites_and_wrong_settings(aurora, settings):
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "nowhere.example")
    assert failure.value.returncode == 2
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_ID": "", "ENCRYPTION_KEYS": []}
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor")
    assert failure.value.returncode == 2 and "CLIENT_ID, ENCRYPTION_KEYS" in str(failure.value)


def test_doctor_gives_one_screen_for_many_sites_and_json(aurora, capsys):
    for number in range(30):
        make_tenant(f"site{number:02}")
    Registration.objects.exclude(site=aurora.site).delete()
    update_grant(aurora, state="needs_reconnect", reason="invalid_grant")
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor")
    lines = capsys.readouterr().out.splitlines()
    assert failure.value.returncode == 1 and len(lines) < 20
    assert any("Sites: " in line and "Owner must reconnect: 1" in line for line in lines)
    assert any("aurora.example: Owner must reconnect" in line for line in lines)
    assert not any("site01.example" in line for line in lines)

    with pytest.raises(CommandError):
        call_command("zoom_doctor", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["installation"]["worker"]["health"] == "good"
    states = {site["hostname"]: site["state"] for site in report["sites"]}
    assert states["aurora.example"] == "needs_reconnect" and states["site01.example"] == "good"


def test_doctor_says_once_that_the_worker_is_down(aurora, capsys):
    Registration.objects.all().delete()
    Heartbeat.objects.update(beat_at=hours_ago(3))
    with pytest.raises(CommandError) as failure:
        call_command("zoom_doctor", "--trouble")
    text = capsys.readouterr().out
    assert failure.value.returncode == 1 and "worker is not running" in str(failure.value)
    assert text.count("worker is not running") == 1 and "aurora.example" not in text


# Several problems at once


def problem_states(tenant):
    return [row.state for row in status_rules.problems(get_site_status(tenant.site))]


def test_all_problems_are_listed_worst_first_each_with_its_action(as_aurora, aurora):
    create_run(aurora, state="done", counts={"meeting": {"withheld": 400}})
    update_grant(aurora, missing_kinds=["recording"])
    update_account(aurora, throttled_until=hours_ago(-1))
    assert problem_states(aurora) == [
        SiteState.WITHHELD,
        SiteState.MISSING,
        SiteState.REGISTRATIONS_FAILED,
        SiteState.THROTTLED,
    ]
    body = as_aurora.get(aurora.panel).content.decode()
    assert "4 problems, the most urgent first" in body
    positions = [
        body.index(text)
        for text in ("400 items are no longer in Zoom", "Recordings: one more", "is limiting")
    ]
    assert positions == sorted(positions)
    for name in ("approve-removals", "turn-off-missing", "sync"):
        assert f'formaction="/admin/zoom/{aurora.site.pk}/{name}/"' in body
    problem_block = body[
        body.index("wza-problems") : body.index("</ol>", body.index("wza-problems"))
    ]
    assert problem_block.count("Nothing to do") == 1
    filled = [part for part in problem_block.split("<") if 'class="button button-small"' in part]
    assert len(filled) == 1


@pytest.mark.parametrize(
    ("worse", "implied"),
    [
        (lambda t: update_grant(t, state="needs_reconnect"), {"missing_kinds": ["recording"]}),
        (lambda t: update_account(t, fingerprint="another"), {"state": "needs_reconnect"}),
    ],
)
def test_what_follows_from_a_problem_is_not_listed_beside_it(aurora, worse, implied):
    Registration.objects.all().delete()
    update_grant(aurora, **implied)
    before = problem_states(aurora)
    worse(aurora)
    assert len(before) == 1 and len(problem_states(aurora)) == 1
    assert problem_states(aurora) != before


def test_nothing_is_called_good_that_the_stopped_worker_would_have_to_check(aurora):
    Grant.objects.update(last_ok_at=hours_ago(3))
    create_run(aurora, state="done", finished_at=hours_ago(3))
    healths = {check.title: check.health for check in run_checks(get_site_status(aurora.site))}
    assert healths["Zoom answers"] is Health.GOOD
    assert healths["Everything was synced with Zoom"] is Health.GOOD
    Heartbeat.objects.update(beat_at=hours_ago(2))
    healths = {check.title: check.health for check in run_checks(get_site_status(aurora.site))}
    assert "Zoom answers" not in healths
    assert healths["Nothing was compared with Zoom since the last sync"] is Health.UNKNOWN
    assert healths["The background worker is not running"] is Health.FAILED


def test_health_says_that_zoom_does_not_answer(aurora):
    update_grant(aurora, state="degraded", last_ok_at=hours_ago(1))
    first = run_checks(get_site_status(aurora.site))[0]
    assert (first.title, first.health) == ("Zoom does not answer", Health.FAILED)
    update_grant(aurora, state="connected")
    update_account(aurora, throttled_until=hours_ago(-1))
    checks = {check.title: check.health for check in run_checks(get_site_status(aurora.site))}
    assert checks["Zoom answers slowly"] is Health.WAITING


def test_kinds_without_permission_are_turned_off_after_a_question(as_aurora, aurora):
    update_grant(aurora, missing_kinds=["recording"])
    url = f"/admin/zoom/{aurora.site.pk}/turn-off-missing/"
    response = as_aurora.post(url)
    assert response.status_code == 200 and b"deleted here: 1 recording." in response.content
    assert ZoomSettings.objects.get(site=aurora.site).show_recordings
    assert url in response.content.decode()
    assert as_aurora.post(url, {"confirmed": "1"}).status_code == 302
    after = ZoomSettings.objects.get(site=aurora.site)
    assert not after.show_recordings and after.show_meetings
    assert SiteState.MISSING not in problem_states(aurora)
    assert as_aurora.post(url, {"confirmed": "1"}).status_code == 404


def test_the_operator_is_emailed_only_at_a_known_address(as_aurora, aurora, settings):
    Heartbeat.objects.update(beat_at=hours_ago(1))
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Ask your site operator to start it." in body and "mailto:?" not in body
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OPERATOR_EMAIL": "ops@agency.example"}
    body = as_aurora.get(aurora.panel).content.decode()
    assert 'href="mailto:ops%40agency.example?subject=' in body


def test_the_card_says_that_nothing_is_shown(aurora):
    Registration.objects.all().delete()
    ExposedHost.objects.filter(settings=aurora.site_settings).delete()
    card = connection_card.build_card(get_site_status(aurora.site))
    assert card.title == "Connected. Nothing is shown."


# The operator's homepage


def test_a_dead_worker_is_the_first_line_of_an_operators_homepage(as_root, aurora, borealis):
    Heartbeat.objects.update(beat_at=hours_ago(3))
    Registration.objects.filter(site=borealis.site).delete()
    update_grant(borealis, state="needs_reconnect")
    Registration.objects.filter(site=aurora.site).update(state="waiting")
    body = as_root.get("/admin/").content.decode()
    worker, zoom = (
        body.index("The background worker is not running"),
        body.index("Zoom has not been"),
    )
    assert worker < zoom < body.index("borealis.example needs its owner")
    assert f'href="{borealis.panel}"' in body
    assert "2 sites are not synced. Waiting: 1 registration." in body
    assert "1 must reconnect" in body


def test_chores_are_shown_to_owners_and_not_to_the_operator(client, as_root, aurora):
    make_site("other.example")
    body = as_root.get("/admin/").content.decode()
    assert "waits for your review" not in body and "1 registration failed" not in body
    assert "1 with failed registrations" in body
    client.force_login(aurora.owner)
    body = client.get("/admin/").content.decode()
    assert "waits for your review" in body and "1 registration failed" in body
    assert "needs its owner" not in body


def test_many_sites_that_need_their_owners_are_counted(aurora, borealis, monkeypatch):
    assert InstallationStatus().owners.title == (
        "aurora.example and borealis.example need their owners"
    )
    monkeypatch.setattr(installation, "MAX_NAMED", 1)
    line = InstallationStatus().owners
    assert line.title == "2 sites need their owner"
    assert line.action.label == "Show sites"


def backlog_after(seconds, beat_ago=0):
    """The line about the backlog when an event has been due for so long."""
    Registration.objects.all().delete()
    WebhookEvent.objects.update(
        state="pending", run_after=timezone.now() - timedelta(seconds=seconds)
    )
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=beat_ago))
    return InstallationStatus().backlog


def test_events_that_wait_are_a_backlog_before_they_are_late(aurora):
    line = backlog_after(20)
    assert (line.health, line.title) == (Health.WAITING, "Work is waiting for the worker")
    assert line.text.startswith("1 webhook event, the oldest due for less than a minute")
    assert backlog_after(20, beat_ago=600).health is Health.FAILED
    assert backlog_after(600).health is Health.FAILED
    WebhookEvent.objects.update(state="done")
    assert InstallationStatus().backlog.title == "No backlog"


@pytest.mark.parametrize(
    ("age", "health"), [(75, Health.GOOD), (130, Health.WAITING), (200, Health.FAILED)]
)
def test_a_late_worker_is_said_before_it_counts_as_stopped(as_root, aurora, borealis, age, health):
    Registration.objects.all().delete()
    WebhookEvent.objects.all().delete()
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=age))
    line = InstallationStatus().worker
    [check] = [
        check
        for check in run_checks(get_site_status(aurora.site))
        if "background worker" in check.title
    ]
    assert line.health is check.health is health
    body = as_root.get("/admin/").content.decode()
    assert ("The background worker is late" in body) is (health is Health.WAITING)
    if health is Health.GOOD:
        assert line.text == "Last seen 1 minute ago."
    if health is Health.WAITING:
        assert line.text.startswith("Last seen about 2 minutes ago.")
        assert "for 3 minutes it is considered stopped" in line.text and line.text == check.text


def test_a_superuser_without_owners_is_the_owner(as_root, aurora):
    GroupSitePermission.objects.all().delete()
    assert "waits for your review" in as_root.get("/admin/").content.decode()


def test_an_operators_homepage_says_in_one_line_that_all_is_well(as_root, aurora):
    Registration.objects.all().delete()
    make_site("other.example")
    Grant.objects.update(last_ok_at=timezone.now())
    body = as_root.get("/admin/").content.decode()
    assert "no owner has to act" in body and "The background worker is running" not in body
    assert f'<a href="{reverse("wagtail_zoom_admin:overview")}" class="button' in body


def test_the_items_that_are_no_longer_in_zoom_can_be_looked_at(as_aurora, aurora):
    """Before the owner decides about their removal."""
    run = create_run(aurora, state="done", counts={"meeting": {"withheld": 400}})
    message = status_rules.describe(get_site_status(aurora.site), SiteState.WITHHELD)
    assert message.title == "400 items are no longer in Zoom."
    other = rows.occurrence(aurora.host, topic="Still in Zoom")
    rows.item(aurora.site, other.meeting, "auto", meeting=other.meeting, last_title="Still in Zoom")
    Meeting.objects.filter(pk=aurora.date.meeting_id).update(
        missing_since=hours_ago(7), missed_run=run.pk
    )
    message = status_rules.describe(get_site_status(aurora.site), SiteState.WITHHELD)
    assert message.title == "1 item is no longer in Zoom."
    body = as_aurora.get(message.actions[0].url).content.decode()
    assert "Meeting of aurora" in body and "Still in Zoom" not in body


# One word, one button, the right number


@pytest.mark.parametrize(("count", "text"), [(1, "1 webinar."), (2, "2 webinars.")])
def test_what_zoom_has_is_counted_in_the_right_number(aurora, count, text):
    update_settings(aurora, configured_at=None)
    Host.objects.filter(pk=aurora.host.pk).update(totals={"webinar": count})
    [step] = [
        step
        for step in Checklist(get_site_status(aurora.site)).steps
        if step.title.startswith("Ch")
    ]
    assert f"Zoom has {text}" in step.text


def test_the_groups_of_the_overview_are_counted_in_the_right_number():
    assert overview.group_label("permission", 1) == "lacks a permission"
    assert overview.group_label("permission", 2) == "lack a permission"
    assert overview.group_label("copy", 1) == "copy, turned off"


def test_a_removed_site_has_one_button_to_connect(as_aurora, aurora):
    """And a Site that was never connected has it, too."""
    url = reverse("wagtail_zoom:oauth_connect", args=[aurora.site.pk])
    disconnect.deauthorize(aurora.account.zoom_id, aurora.grant.zoom_user_id, timezone.now())
    body = as_aurora.get(aurora.panel).content.decode()
    assert "The app was removed in Zoom." in body and body.count(f'formaction="{url}"') == 1
    Activity.objects.all().delete()
    body = as_aurora.get(aurora.panel).content.decode()
    assert "The app was removed in Zoom." not in body and body.count(f'formaction="{url}"') == 1
