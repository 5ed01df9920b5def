"""What a Site may still do with its registrations after it has left, or shows less than before.

Two Sites of different owners share one Zoom account. What counts is what the simulator was asked.
"""

import time
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    GrantReason,
    GrantState,
    Host,
    Meeting,
    Occurrence,
    Registration,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.oauth import disconnect, grant_state
from wagtail_zoom.registration import events, forget, moderation, reconcile, tokens
from wagtail_zoom.sync.settings_changes import SettingsSnapshot, apply_settings_changes
from wagtail_zoom.testing.connect import (
    authorize_as,
    connect_site,
    consent_url,
    follow,
)
from wagtail_zoom.testing.factories import make_site

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db
SHOW = ["meetings", "webinars", "registration"]
NO_LONGER_CONNECTED = "no longer connected with the Zoom account"


@pytest.fixture
def shared(connect_site, import_once_in_a_while, zoom_worker):
    """The Site of ``connect_site`` and another one, with grants of two users of one account."""
    scenario = connect_site(registration="manual")
    other = make_site("other.example.org")
    import_once_in_a_while(other, "borealis-1", show=SHOW, host="testserver")
    assert Grant.objects.filter(account=scenario.tenant.account).usable().count() == 2
    scenario.admin = Client()
    scenario.admin.force_login(scenario.tenant.user)
    scenario.worker, scenario.other = zoom_worker, other
    scenario.zoom.clear_calls()
    return scenario


def settings_of(scenario):
    return ZoomSettings.objects.get(site=scenario.tenant.site)


def save_choices(scenario, change):
    """Change the choices as the panel does."""
    site_settings = settings_of(scenario)
    before = SettingsSnapshot.of(site_settings)
    change(site_settings)
    site_settings.save()
    apply_settings_changes(site_settings, scenario.tenant.user, before)


def keep(scenario):
    disconnect.disconnect(settings_of(scenario), keep=True, user=scenario.tenant.user)


def remove(scenario):
    disconnect.disconnect(settings_of(scenario), keep=False, user=scenario.tenant.user)


def switch(scenario):
    """Connect with another account, and confirm that it is another one."""
    client = Client()
    client.force_login(scenario.tenant.user)
    url = reverse("wagtail_zoom:oauth_connect", args=[scenario.tenant.site.pk])
    response = client.post(url, headers={"host": "testserver"})
    response = follow(client, authorize_as(consent_url(response), "aurora-0"), "testserver")
    response = follow(client, response["Location"], "testserver")
    if settings_of(scenario).account.pk == scenario.tenant.account.pk:
        remove(scenario)
        connect_site(client, scenario.tenant.site, "aurora-0", host="testserver")
    assert settings_of(scenario).account.pk != scenario.tenant.account.pk


def lose_grant(scenario):
    grant = settings_of(scenario).grant
    grant_state.transition(grant, GrantState.NEEDS_RECONNECT, GrantReason.INVALID_GRANT)


def narrow(scenario):
    Grant.objects.filter(pk=settings_of(scenario).grant_id).update(
        account_level=False, zoom_user_id="somebody-else"
    )


def kind_off(scenario):
    save_choices(scenario, lambda site_settings: setattr(site_settings, "show_meetings", False))


def untick(scenario):
    def change(site_settings):
        ExposedHost.objects.filter(
            settings=site_settings, host__zoom_id=scenario.meeting.host_zoom_id
        ).delete()

    save_choices(scenario, change)


def reconnect(scenario):
    """Connect with the first account again, and show everything."""
    if settings_of(scenario).account_id not in (None, scenario.tenant.account.pk):
        remove(scenario)
    client = Client()
    client.force_login(scenario.tenant.user)
    connect_site(client, scenario.tenant.site, "borealis-0", host="testserver")
    scenario.worker.run()

    def show_all(site_settings):
        site_settings.show_meetings = True
        for host in Host.objects.filter(account=scenario.tenant.account):
            ExposedHost.objects.get_or_create(settings=site_settings, host=host)

    save_choices(scenario, show_all)
    scenario.worker.run()


WAYS = (keep, remove, switch, lose_grant, narrow, kind_off, untick)
LEFT = (keep, remove, switch)


def writes(scenario):
    """What was added, changed or deleted at Zoom."""
    calls = scenario.zoom.calls()
    return [
        (call["method"], call["path"])
        for call in calls
        if call["method"] != "GET" and "/registrants" in call["path"]
    ]


def run_worker(scenario):
    scenario.worker.run()
    make_all_due()
    process_due()


def people_in_every_state(scenario, client):
    """One registration in each state that an owner may act on; all of them pending at Zoom."""
    states = ("pending", "approved", "denied", "waiting", "failed")
    for state in states:
        post(client, scenario.url, {"email": f"{state}@example.org"})
    process_due()
    rows = dict(zip(states, Registration.objects.order_by("pk"), strict=True))
    for state, row in rows.items():
        Registration.objects.filter(pk=row.pk).update(state=state)
    Registration.objects.filter(state="waiting").update(task="add", next_try_at=None)
    scenario.zoom.clear_calls()
    return rows


def post_every_action(scenario, rows):
    """What the buttons post, and the bulk actions, whether they are offered or not."""
    for row in rows.values():
        for name in ("approve", "deny", "cancel", "retry"):
            url = reverse(f"wagtail_zoom_registrations:{name}", args=[row.pk])
            assert scenario.admin.post(url).status_code == 302
        url = reverse("wagtail_zoom_registrations:edit", args=[row.pk])
        data = {"email": "changed@example.org", "first_name": "A", "last_name": "B"}
        scenario.admin.post(url, data)
    for action in ("zoom_approve", "zoom_deny", "zoom_retry"):
        bulk = reverse("wagtail_bulk_action", args=["wagtail_zoom", "registration", action])
        query = "&".join(f"id={row.pk}" for row in rows.values())
        assert scenario.admin.post(f"{bulk}?{query}&next=/admin/").status_code in (200, 302)


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
def test_who_has_left_changes_nothing_at_zoom(client, shared, leave):
    """The former owner posts every action; the other Site's grant would still work."""
    rows = people_in_every_state(shared, client)
    leave(shared)
    shared.worker.run()
    before = shared.zoom.registrants(shared.number)
    post_every_action(shared, rows)
    run_worker(shared)
    assert writes(shared) == []
    assert shared.zoom.registrants(shared.number) == before
    for state, row in rows.items():
        if leave not in (kind_off, untick) or state == "pending":  # these may still be read
            assert Registration.objects.get(pk=row.pk).state == state, "nothing is claimed either"


def test_who_is_connected_changes_it_with_the_same_requests(client, shared):
    """The positive case of the attack above."""
    rows = people_in_every_state(shared, client)
    url = reverse("wagtail_zoom_registrations:approve", args=[rows["pending"].pk])
    shared.admin.post(url)
    run_worker(shared)
    assert ("PUT", f"/v2/meetings/{shared.number}/registrants/status") in writes(shared)
    assert Registration.objects.get(pk=rows["pending"].pk).state == "approved"


@pytest.mark.parametrize("leave", [remove, narrow, untick])
def test_actions_are_not_offered_and_the_reason_is_said(client, shared, leave):
    post(client, shared.url)
    process_due()
    row = Registration.objects.get()
    detail = reverse("wagtail_zoom_registrations:view", args=[row.pk])
    approve = reverse("wagtail_zoom_registrations:approve", args=[row.pk])
    assert approve in shared.admin.get(detail).content.decode()
    leave(shared)
    row.refresh_from_db()
    page = shared.admin.get(detail).content.decode()
    assert approve not in page
    reason = str(moderation.reason(row))
    assert reason and reason in page
    index = reverse("wagtail_zoom_registrations:index")
    listing = shared.admin.get(f"{index}?site={shared.tenant.site.pk}").content.decode()
    assert approve not in listing
    assert reason in listing
    texts = [str(message) for message in get_messages(shared.admin.post(approve).wsgi_request)]
    assert texts == [reason]
    if leave in LEFT:
        assert NO_LONGER_CONNECTED in reason


@pytest.mark.parametrize("leave", [remove, lose_grant, untick])
def test_what_waits_is_neither_lost_nor_sent_and_goes_on(client, shared, leave):
    """A registration on its way when the Site leaves; it is sent at once when the Site is back."""
    shared.zoom.fault(kind="cut_before", method="POST", path="/registrants$", count=1)
    post(client, shared.url)
    leave(shared)
    shared.worker.run()
    shared.zoom.clear_calls()
    make_all_due()
    process_due()
    row = Registration.objects.get()
    assert (row.state, row.task) == ("waiting", "add")
    assert writes(shared) == []
    page = client.get(tokens.status_path(row)).content.decode()
    assert "We have your registration" in page
    reconnect(shared)
    for _send_then_read_back in range(3):
        process_due()
    row.refresh_from_db()
    assert (row.state, row.error_class) == ("pending", "")
    assert len(shared.zoom.registrants(shared.number)) == 1


def test_what_failed_for_want_of_a_connection_is_sent_after_reconnecting(client, shared):
    shared.zoom.fault(kind="cut_before", method="POST", path="/registrants$", count=1)
    post(client, shared.url)
    remove(shared)
    Registration.objects.update(state="failed", error_class="left", task="", next_try_at=None)
    reconnect(shared)
    process_due()
    assert Registration.objects.get().state == "pending"


@pytest.mark.parametrize("leave", [remove, switch])
def test_own_cancellation_says_what_is_true(client, shared, leave):
    post(client, shared.url)
    process_due()
    mail.outbox.clear()
    shared.zoom.clear_calls()
    leave(shared)
    shared.worker.run()
    row = Registration.objects.get()
    path = tokens.status_path(row)
    assert "no longer receives updates of this meeting" in client.get(path).content.decode()
    question = client.get(f"{path}cancel/").content.decode()
    assert "Zoom keeps you on its list" in question
    assert "becomes available" not in question
    client.post(f"{path}cancel/")
    process_due()
    page = client.get(path).content.decode()
    assert "Zoom still has you on its list" in page
    assert "is free again" not in page
    assert "register once more" not in page
    assert all("no longer works" not in email.body for email in mail.outbox)
    row.refresh_from_db()
    assert (row.state, row.task) == ("cancelled", "cancel")
    assert writes(shared) == []
    if leave is not switch:
        reconnect(shared)
        process_due()
        assert [entry["status"] for entry in shared.zoom.registrants(shared.number)] == [
            "cancelled"
        ]
        assert "is free again" in client.get(path).content.decode()


@pytest.mark.parametrize("leave", [untick])
def test_own_cancellation_reaches_zoom_while_the_host_is_not_shown(client, shared, leave):
    post(client, shared.url)
    process_due()
    leave(shared)
    shared.worker.run()
    shared.zoom.clear_calls()
    path = tokens.status_path(Registration.objects.get())
    assert "becomes available" in client.get(f"{path}cancel/").content.decode()
    client.post(f"{path}cancel/")
    process_due()
    assert len(writes(shared)) == 1
    assert [row["status"] for row in shared.zoom.registrants(shared.number)] == ["cancelled"]
    assert "is free again" in client.get(path).content.decode()


@pytest.mark.parametrize(("leave", "calls"), [(remove, 0), (untick, 1)])
def test_forgetting_when_disconnected(client, shared, leave, calls):
    """Deleted here in any case; at Zoom only where the Site's own grant reaches."""
    post(client, shared.url)
    process_due()
    leave(shared)
    shared.worker.run()
    shared.zoom.clear_calls()
    result = forget.forget("mika@example.org", shared.tenant.site, shared.tenant.user)
    assert (result.deleted, result.not_at_zoom, len(writes(shared))) == (1, 1 - calls, calls)
    assert not Registration.objects.exists()


@pytest.mark.parametrize("leave", [keep, switch])
def test_what_happens_at_zoom_later_is_not_learnt(client, shared, leave):
    """Neither by the reconciliation, which uses the other Site's grant, nor by an event."""
    post(client, shared.url)
    process_due()
    row = Registration.objects.get()
    leave(shared)
    shared.worker.run()
    shared.zoom.decide(shared.number, row.zoom_registrant_id, "deny")
    reconcile.reconcile_registrants(shared.meeting)
    event = WebhookEvent(
        event="meeting.registration_denied",
        event_ts=int(time.time() * 1000) + 1000,
        received_at=timezone.now() + timedelta(seconds=1),
        payload={
            "object": {
                "id": shared.number,
                "host_id": shared.meeting.host_zoom_id,
                "registrant": {"id": row.zoom_registrant_id},
            }
        },
    )
    events.on_registration_event(shared.tenant.account, event)
    row.refresh_from_db()
    assert (row.state, row.task) == ("pending", "")


def approved(client, scenario):
    """The registration of a person whom the host has approved at Zoom."""
    post(client, scenario.url)
    process_due()
    row = Registration.objects.get()
    scenario.zoom.decide(scenario.number, row.zoom_registrant_id, "approve")
    reconcile.reconcile_registrants(scenario.meeting)
    return row


def test_archive_has_no_personal_link_while_a_date_takes_place(client, shared):
    row = approved(client, shared)
    now = timezone.now()
    Occurrence.objects.update(start=now - timedelta(minutes=10), end=now + timedelta(minutes=50))
    Meeting.objects.update(start=now - timedelta(minutes=10))
    path = tokens.status_path(row)
    assert "/j/" in client.get(tokens.join_path(row)).url
    assert "Join on Zoom" in client.get(path).content.decode()
    keep(shared)
    assert client.get(tokens.join_path(row)).url == path
    assert "Join on Zoom" not in client.get(path).content.decode()


def test_archive_has_no_personal_link(client, shared):
    row = approved(client, shared)
    ZoomSettings.objects.update(join_policy="public")
    path = tokens.status_path(row)
    assert "Join on Zoom" in client.get(path).content.decode()
    assert client.get(tokens.join_path(row)).headers.get("Location") != path
    keep(shared)
    page = client.get(path).content.decode()
    assert "Join on Zoom" not in page
    assert "no longer receives updates" in page
    assert client.get(tokens.join_path(row)).url == path
