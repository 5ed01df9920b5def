"""Delivery to Zoom with faults: in the end exactly one registrant, with the same state."""

import base64
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from wagtail_zoom.frontend import links
from wagtail_zoom.models import Activity, Grant, Registration, WebhookEvent
from wagtail_zoom.registration import events, moderation, outbox, reconcile, tokens
from wagtail_zoom.registration.service import RegistrationClosed, register

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db
ADD = {"method": "POST", "path": "/registrants$"}


def zoom_registrants(scenario):
    return scenario.zoom.registrants(scenario.number)


def add_calls(scenario):
    posts = scenario.zoom.calls("method=POST")
    return [call for call in posts if call["path"].endswith("/registrants")]


def get_registration():
    return Registration.objects.get()


def test_delivered_within_the_request(client, connect_site):
    scenario = connect_site()
    response = post(client, scenario.url)
    assert response.url.endswith("/received/")
    registration = get_registration()
    assert (registration.state, registration.task, len(zoom_registrants(scenario))) == (
        "approved",
        "",
        1,
    )
    assert "tk=" in registration.join_url.reveal()
    process_due()
    text = mail.outbox[0].body
    assert "You are registered" in text
    assert "tk=" not in text
    assert len(mail.outbox) == 1


def test_an_unknown_path_is_no_refusal(client, connect_site, settings):
    """404 with code 2300 is about the call, not about the meeting: it is tried again."""
    scenario = connect_site()
    right = settings.WAGTAIL_ZOOM
    Grant.objects.update(api_url="")
    settings.WAGTAIL_ZOOM = {**right, "API_URL": f"{right['API_URL']}/elsewhere"}
    post(client, scenario.url)
    row = get_registration()
    assert (row.state, row.task, row.error_class) == ("waiting", "add", "unreachable")
    settings.WAGTAIL_ZOOM = right
    make_all_due()
    process_due()
    assert get_registration().state == "approved" and len(zoom_registrants(scenario)) == 1


def test_repeated_registration_makes_one_call(client, connect_site):
    """S21: Zoom's limit is three a day and person; registering again uses none of them."""
    scenario = connect_site()
    for _n in range(4):
        assert post(client, scenario.url).url.endswith("/received/")
    assert len(add_calls(scenario)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "cut_before"},
        {"kind": "cut_after"},
        {"kind": "truncate"},
        {"kind": "broken_json"},
        {"kind": "wrong_type"},
        {"kind": "status", "status": 429, "code": 429, "message": "per-second rate limit"},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_fault_on_the_way(client, connect_site, fault):
    """S21: after a lost response the person is looked up by email, never sent again blindly."""
    scenario = connect_site()
    scenario.zoom.fault(**ADD, **fault, count=1)
    began = time.monotonic()
    response = post(client, scenario.url)
    assert time.monotonic() - began < 5
    page = client.get(response.url).content.decode()
    # A per-second limit is not shown to visitors.
    busy = fault.get("status") == 429
    assert response.url.endswith("?late") is not busy
    assert ("We have saved your registration" if busy else "Your registration is saved") in page
    assert get_registration().state == "waiting"
    process_due()
    assert mail.outbox == [], "the only email, with the outcome, comes within a minute"
    type(scenario.tenant.account).objects.update(throttled_until=None)
    make_all_due()
    process_due()
    registration = get_registration()
    assert registration.state == "approved"
    assert "tk=" in registration.join_url.reveal()
    assert len(zoom_registrants(scenario)) == 1
    is_registered_there = fault["kind"] in ("cut_after", "truncate", "broken_json", "wrong_type")
    if fault["kind"] != "cut_before":
        # The simulator may count a call that it cut more than once.
        assert len(add_calls(scenario)) == (1 if is_registered_there else 2)
    assert [email.subject.split(":")[0] for email in mail.outbox] == ["You are registered"]


def test_slow_zoom(client, connect_site):
    """Zoom hangs: the page comes soon, the registration arrives once."""
    scenario = connect_site()
    scenario.zoom.fault("slow", **ADD, seconds=10, count=1)
    began = time.monotonic()
    assert post(client, scenario.url).url.endswith("?late")
    assert time.monotonic() - began < 5
    registration = get_registration()
    assert (registration.state, registration.maybe_sent) == ("waiting", True)
    time.sleep(8)
    make_all_due()
    process_due()
    assert get_registration().state == "approved"
    assert len(zoom_registrants(scenario)) == 1


def test_daily_limit_waits_for_midnight(client, connect_site):
    scenario = connect_site()
    text = "You have exceeded the daily rate limit (3000) for this API."
    scenario.zoom.fault("status", **ADD, status=429, code=429, message=text, count=1)
    assert post(client, scenario.url).url.endswith("?late")
    registration = get_registration()
    assert (registration.error_class, registration.attempts) == ("daily_limit", 0)
    assert registration.task_at > timezone.now()
    assert registration.task_at.hour == 0
    with time_machine.travel(registration.task_at + timedelta(seconds=1)):
        # The token has expired by then, too.
        process_due()
        assert get_registration().state == "approved"
    assert len(zoom_registrants(scenario)) == 1


@pytest.mark.parametrize("reason", ["daily_limit", "personal_limit", "busy"])
def test_waiting_for_a_rate_limit_is_no_failed_attempt(client, connect_site, reason):
    """W26: days of waiting for a rate limit do not count as days of an unreachable Zoom."""
    scenario = connect_site()
    scenario.zoom.fault("status", **ADD, status=500, count=1)
    post(client, scenario.url)
    days = timezone.now() - timedelta(days=4)
    Registration.objects.update(state_since=days, error_class=reason, attempts=5)
    type(scenario.tenant.account).objects.update(
        throttled_until=timezone.now() + timedelta(hours=1)
    )
    make_all_due()
    process_due()
    assert (get_registration().state, get_registration().attempts) == ("waiting", 5)
    type(scenario.tenant.account).objects.update(throttled_until=None)
    scenario.tenant.site_settings.grant.__class__.objects.update(retry_at=None)
    make_all_due()
    process_due()
    assert get_registration().state == "approved"


def test_worker_killed_during_delivery(client, connect_site):
    """Claimed and sent, but not recorded: after the lease it is looked up, not sent again."""
    scenario = connect_site()
    post(client, scenario.url)
    past = timezone.now() - timedelta(minutes=1)
    Registration.objects.update(
        state="waiting", task="add", zoom_registrant_id="", maybe_sent=True, join_url="",
        task_at=past, next_try_at=past, lease_owner="dead", lease_until=past,
    )  # fmt: skip
    process_due()
    assert get_registration().state == "approved"
    assert len(add_calls(scenario)) == 1


def test_leased_row_is_not_processed(client, connect_site):
    scenario = connect_site()
    scenario.zoom.fault("status", **ADD, status=500, count=1)
    post(client, scenario.url)
    make_all_due()
    Registration.objects.update(lease_owner="other", lease_until=timezone.now() + WAIT)
    process_due()
    assert len(add_calls(scenario)) == 1


WAIT = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "state", "error"),
    [
        ({"capacity": 0.5}, "failed", "full"),
        ({"settings": {"approval_type": 2}}, "failed", "gone"),
    ],
)
def test_final_refusal(client, connect_site, change, state, error):
    """Visitor and owner are notified of a final failure that the visitor has not read at once."""
    scenario = connect_site()
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    scenario.tenant.site_settings.contact_email = "owner@example.org"
    scenario.tenant.site_settings.save()
    if error == "full":
        scenario.zoom.fault(
            "status", **ADD, status=400, code=3043, message="Meeting has reached the maximum"
        )
    else:
        scenario.zoom.change_meeting(scenario.number, **change)
    post(client, scenario.url)
    assert get_registration().state == "waiting"
    process_due()
    registration = get_registration()
    assert (registration.state, registration.error_class, registration.task) == (state, error, "")
    assert sorted(email.to[0] for email in mail.outbox) == ["mika@example.org", "owner@example.org"]
    owner_email = next(email for email in mail.outbox if email.to == ["owner@example.org"])
    assert "mika" not in owner_email.body.lower()
    page = client.get(tokens.status_path(registration)).content.decode()
    assert "We could not register you" in page
    assert Activity.objects.filter(code="registration_failed").exists()
    if error == "full":
        assert "All places are taken" in client.get(scenario.url).content.decode()


def test_owner_retries(client, connect_site):
    scenario = connect_site()
    scenario.zoom.fault("status", **ADD, status=400, code=3000, message="No", count=1)
    post(client, scenario.url)
    registration = get_registration()
    assert moderation.actions(registration) == ["retry", "edit"]
    form = moderation.edit_form(
        registration, {"first_name": "Miko", "last_name": "T", "email": "m@example.org"}
    )
    assert form.is_valid(), form.errors
    moderation.save_edit(registration, form, scenario.tenant.user)
    process_due()
    assert get_registration().state == "approved"
    assert [registrant["email"] for registrant in zoom_registrants(scenario)] == ["m@example.org"]
    assert tokens.email_index("M@example.org") == get_registration().email_index


def test_changed_questions_show_the_form_again(client, connect_site):
    """When the questions have changed at Zoom, the form returns with the entries."""
    scenario = connect_site()
    question = {"title": "Why?", "type": "short", "required": True}
    scenario.zoom.change_meeting(scenario.number, custom_questions=[question])
    type(scenario.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    response = post(client, scenario.url)
    assert response.status_code == 422
    assert b"Why?" in response.content and b'value="Mika"' in response.content
    assert not Registration.objects.exists()
    name = next(iter(response.context["form"].questions.custom)).name
    assert post(client, scenario.url, {name: "Because"}).status_code == 303
    assert get_registration().state == "approved"


def test_approval_by_the_owner(client, connect_site):
    scenario = connect_site(registration="manual")
    post(client, scenario.url)
    assert get_registration().state == "waiting", "Zoom has named no state: it is read back"
    process_due()
    registration = get_registration()
    assert (registration.state, bool(registration.join_url)) == ("pending", False)
    page = client.get(tokens.status_path(registration)).content.decode()
    assert "Thank you, Mika" in page
    moderation.approve(registration, scenario.tenant.user)
    process_due()
    registration = get_registration()
    assert registration.state == "approved"
    assert "tk=" in registration.join_url.reveal()
    assert zoom_registrants(scenario)[0]["status"] == "approved"
    page = client.get(tokens.status_path(registration)).content.decode()
    assert "See you on" in page
    assert "tk=" not in page


@pytest.mark.parametrize(("decide", "state"), [("deny", "denied"), ("cancel", "cancelled")])
def test_refusal_by_the_owner(client, connect_site, decide, state):
    """It is sent to Zoom, the person gets one email, and it cannot be done twice."""
    scenario = connect_site(registration="manual")
    post(client, scenario.url)
    process_due()
    mail.outbox.clear()
    registration = get_registration()
    getattr(moderation, decide)(registration, scenario.tenant.user)
    process_due()
    assert get_registration().state == state
    assert {registrant["status"] for registrant in zoom_registrants(scenario)} <= {state}
    assert len(mail.outbox) <= 1
    with pytest.raises(moderation.ActionNotAllowed):
        getattr(moderation, decide)(get_registration(), scenario.tenant.user)
    with pytest.raises(moderation.ActionNotAllowed):
        moderation.retry(get_registration(), scenario.tenant.user)
    codes = Activity.objects.filter(category="registration").values_list("code", flat=True)
    assert f"registration_{state}" in codes


@pytest.mark.parametrize("action", ["approve", "deny", "cancel"])
def test_decided_at_zoom(client, connect_site, action):
    """An event only means a change; the status is read from Zoom."""
    scenario = connect_site(registration="manual" if action != "cancel" else "auto")
    post(client, scenario.url)
    registration = get_registration()
    scenario.zoom.decide(scenario.number, registration.zoom_registrant_id, action)
    what = {"approve": "approved", "deny": "denied", "cancel": "cancelled"}[action]
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000) + 1000,
        received_at=timezone.now() + timedelta(seconds=1),
        payload={
            "object": {"id": scenario.number, "registrant": {"id": registration.zoom_registrant_id}}
        },
    )
    for _twice in range(2):
        events.on_registration_event(scenario.tenant.account, event)
        process_due()
    assert get_registration().state == what


def test_missed_events_are_reconciled(client, connect_site):
    scenario = connect_site(registration="manual")
    for name in ("a", "b", "c"):
        post(client, scenario.url, {"email": f"{name}@example.org"})
    process_due()
    first, second, third = Registration.objects.order_by("pk")
    scenario.zoom.decide(scenario.number, first.zoom_registrant_id, "approve")
    scenario.zoom.decide(scenario.number, second.zoom_registrant_id, "deny")
    scenario.zoom.decide(scenario.number, third.zoom_registrant_id, "cancel")
    reconcile.reconcile_registrants(scenario.meeting)
    process_due()
    states = Registration.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["approved", "denied", "cancelled"]
    scenario.meeting.refresh_from_db()
    assert scenario.meeting.registrant_count == 1


def test_cancel_from_the_status_page(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    path = tokens.status_path(get_registration())
    assert b"Cancel your registration?" in client.get(f"{path}cancel/").content
    assert get_registration().state == "approved"
    assert client.post(f"{path}cancel/").url == path
    assert get_registration().state == "cancelled"
    assert zoom_registrants(scenario)[0]["status"] == "cancelled"
    assert post(client, scenario.url).status_code == 303
    process_due()
    assert get_registration().state == "approved"
    assert zoom_registrants(scenario)[0]["status"] == "approved"


def test_cancel_while_zoom_is_unavailable(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    scenario.zoom.fault("status", method="PUT", path="/registrants/status", status=500, count=1)
    client.post(tokens.status_path(get_registration()) + "cancel/")
    registration = get_registration()
    assert (registration.state, registration.task) == ("cancelled", "cancel")
    make_all_due()
    process_due()
    assert get_registration().task == ""
    assert zoom_registrants(scenario)[0]["status"] == "cancelled"


def test_two_dates_of_a_series(client, connect_site):
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 5}
    scenario = connect_site(recurrence=weekly, settings={"registration_type": 3})
    dates = list(scenario.meeting.occurrences.order_by("start"))[:2]
    chosen = [str(date.public_id) for date in dates]
    assert post(client, scenario.url, {"dates": chosen}).status_code == 303
    assert get_registration().state == "approved"
    assert sorted(zoom_registrants(scenario)[0]["occurrences"]) == sorted(
        date.zoom_id for date in dates
    )
    client.post(tokens.status_path(get_registration()) + "cancel/")
    assert zoom_registrants(scenario)[0]["status"] == "cancelled"


def test_webinar_with_custom_questions(client, connect_site):
    required = {"required": True}
    zoom_questions = [
        {"title": "Own or rent?", "type": "single_radio", "answers": ["Own", "Rent"], **required},
        {"title": "Fuel", "type": "multiple", "answers": ["Gas", "Oil"], **required},
    ]
    scenario = connect_site(kind="webinar", custom_questions=zoom_questions)
    page = client.get(scenario.url)
    names = {question.title: question.name for question in page.context["form"].questions.custom}
    data = {names["Own or rent?"]: "Own", names["Fuel"]: ["Gas", "Oil"]}
    assert post(client, scenario.url, data).status_code == 303
    assert get_registration().state == "approved", get_registration().error_class
    assert {"title": "Fuel", "value": "Gas;Oil"} in zoom_registrants(scenario)[0][
        "custom_questions"
    ]


def test_from_a_projects_own_code(connect_site):
    """The same guarantees, for instance after a payment."""
    scenario = connect_site()
    values = {
        "site": scenario.tenant.site, "meeting": scenario.meeting, "email": "m@example.org",
        "first_name": "Mika", "last_name": "T", "key": "order-7",
    }  # fmt: skip
    first = register(**values)
    assert register(**values).pk == first.pk
    process_due()
    assert get_registration().state == "approved"
    assert len(zoom_registrants(scenario)) == 1
    scenario.tenant.site_settings.show_registration = False
    scenario.tenant.site_settings.save()
    with pytest.raises(RegistrationClosed):
        register(**values)


def test_personal_join_link(client, connect_site):
    """The link in our email follows the join policy; once cancelled it leads to the status page."""
    scenario = connect_site(start_time="+5m")
    scenario.tenant.site_settings.join_policy = "registrants"
    scenario.tenant.site_settings.save()
    post(client, scenario.url)
    response = client.get(tokens.join_path(get_registration()))
    assert response.status_code in (200, 302)
    assert "no-store" in response["Cache-Control"]
    client.post(tokens.status_path(get_registration()) + "cancel/")
    assert client.get(tokens.join_path(get_registration())).url == tokens.status_path(
        get_registration()
    )


def test_personal_pages_can_post_the_forms_of_the_project(client, connect_site):
    """With ``no-referrer`` browsers send ``Origin: null`` and CSRF protection refuses the form."""
    post(client, connect_site(start_time="+5m").url)
    status_path = tokens.status_path(get_registration())
    for path in (status_path, f"{status_path}cancel/"):
        assert client.get(path)["Referrer-Policy"] == "same-origin"


def test_personal_url_is_bound_to_the_site(client, connect_site):
    """Neither the public id alone nor a token signed for another Site opens the page."""
    scenario = connect_site(start_time="+5m")
    post(client, scenario.url)
    registration = get_registration()
    token = tokens.token_of(registration)
    number = base64.b64decode(token, altchars=b"-_")[:16]
    unsigned = base64.b64encode(number + bytes(8), altchars=b"-_").decode()
    other_site = links.sign_id(registration.site_id + 1, registration.public_id)
    assert len({token, unsigned, other_site}) == 3
    assert len({len(token), len(unsigned), len(other_site)}) == 1
    for forged in (unsigned, other_site):
        assert tokens.find(forged) is None
        for path in (tokens.status_path(registration), tokens.join_path(registration)):
            assert client.get(path).status_code in (200, 302)
            assert client.get(path.replace(token, forged)).status_code == 404
        assert (
            client.post(
                tokens.status_path(registration).replace(token, forged) + "cancel/"
            ).status_code
            == 404
        )
    assert get_registration().state == "approved"


def test_forgetting_a_person(client, connect_site, capsys):
    """Nothing about the person is left here, and the registration is cancelled at Zoom."""
    scenario = connect_site()
    post(client, scenario.url)
    registration = get_registration()
    WebhookEvent.objects.create(
        content_key="k",
        account_zoom_id=scenario.tenant.account.zoom_id,
        event="meeting.registration_created",
        payload={
            "object": {"id": scenario.number, "registrant": {"id": registration.zoom_registrant_id}}
        },
    )
    call_command("zoom_forget", "mika@example.org", "--export")
    assert "Tanaka" in capsys.readouterr().out
    call_command("zoom_forget", "Mika@Example.org")
    assert not Registration.objects.exists()
    assert zoom_registrants(scenario)[0]["status"] == "cancelled"
    assert WebhookEvent.objects.get(content_key="k").payload == {}
    assert "mika" not in str(list(Activity.objects.values("data"))).lower()


def test_retention_follows_the_owner(client, connect_site):
    """``purge_on`` is the current last date plus the Site's retention."""
    scenario = connect_site()
    post(client, scenario.url)
    end = scenario.meeting.occurrences.get().end
    assert get_registration().purge_on == end.date() + timedelta(days=30)
    scenario.tenant.site_settings.registration_days = 5
    scenario.tenant.site_settings.save()
    outbox.apply_retention(scenario.tenant.site.pk)
    assert get_registration().purge_on == end.date() + timedelta(days=5)
    scenario.meeting.occurrences.update(end=end + timedelta(days=60))
    outbox.sweep(end + timedelta(days=5))
    assert get_registration().purge_on == end.date() + timedelta(days=65)


def test_calendar_of_a_person(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    response = client.get(tokens.status_path(get_registration()) + "calendar.ics")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/calendar")
    assert f"UID:{scenario.meeting.occurrences.get().public_id}" in text.replace("\r\n ", "")
    assert "/zoom/join/" in text.replace("\r\n ", "")
    assert "tk=" not in text


def test_registering_again_does_not_shorten_the_wait(client, connect_site):
    """Registering again does not use up Zoom's limit of three a day."""
    scenario = connect_site()
    text = "You have exceeded the daily rate limit of (3) for the registrant (m). GMT 00:00:00."
    scenario.zoom.fault("status", **ADD, status=429, code=429, message=text, count=1)
    for _n in range(3):
        post(client, scenario.url)
    process_due()
    assert get_registration().error_class == "personal_limit"
    assert len(add_calls(scenario)) == 1
    assert not type(scenario.tenant.account).objects.get(pk=scenario.tenant.account.pk).is_throttled


def test_past_registrations_are_not_changed(client, connect_site):
    """Zoom deletes past meetings; that cancels no registration."""
    scenario = connect_site()
    post(client, scenario.url)
    scenario.meeting.occurrences.update(
        start=timezone.now() - timedelta(hours=3), end=timezone.now() - timedelta(hours=2)
    )
    scenario.zoom.delete_meeting(scenario.number)
    Registration.objects.update(
        task="check", task_at=timezone.now(), next_try_at=timezone.now(), mail_due="", mail_at=None
    )
    process_due()
    assert (get_registration().state, get_registration().task, get_registration().error_class) == (
        "approved",
        "",
        "",
    )
