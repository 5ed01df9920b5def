"""On the way to Zoom, with faults: in the end exactly one registrant, and the states agree."""

import base64
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from wagtail_zoom.frontend import links
from wagtail_zoom.models import Activity, Registration, WebhookEvent
from wagtail_zoom.registration import events, moderation, outbox, reconcile, tokens
from wagtail_zoom.registration.service import RegistrationClosed, register

from .conftest import hurry, post, work

pytestmark = pytest.mark.django_db
ADD = {"method": "POST", "path": "/registrants$"}


def at_zoom(case):
    return case.zoom.registrants(case.number)


def adds(case):
    found = case.zoom.calls("method=POST")
    return [one for one in found if one["path"].endswith("/registrants")]


def row():
    return Registration.objects.get()


def test_within_the_request(client, connected):
    case = connected()
    answer = post(client, case.url)
    assert answer.url.endswith("/received/")
    made = row()
    assert (made.state, made.task, len(at_zoom(case))) == ("approved", "", 1)
    assert "tk=" in made.join_url.reveal()
    work()
    text = mail.outbox[0].body
    assert "You are registered" in text
    assert "tk=" not in text
    assert len(mail.outbox) == 1


def test_known_person_costs_no_second_try(client, connected):
    """S21: three a day and person are Zoom's limit; a repetition uses none of them."""
    case = connected()
    for _n in range(4):
        assert post(client, case.url).url.endswith("/received/")
    assert len(adds(case)) == 1


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
def test_fault_on_the_way(client, connected, fault):
    """Issue, shows 2; S21: a lost answer is looked up by address, never repeated blindly."""
    case = connected()
    case.zoom.fault(**ADD, **fault, count=1)
    began = time.monotonic()
    answer = post(client, case.url)
    assert time.monotonic() - began < 5
    page = client.get(answer.url).content.decode()
    # A busy second is nothing that a visitor has to hear of.
    busy = fault.get("status") == 429
    assert answer.url.endswith("?late") is not busy
    assert ("We have saved your registration" if busy else "Your registration is saved") in page
    assert row().state == "waiting"
    work()
    assert mail.outbox == [], "the one mail with the outcome comes within a minute"
    type(case.place.account).objects.update(throttled_until=None)
    hurry()
    work()
    made = row()
    assert made.state == "approved"
    assert "tk=" in made.join_url.reveal()
    assert len(at_zoom(case)) == 1
    done_there = fault["kind"] in ("cut_after", "truncate", "broken_json", "wrong_type")
    if fault["kind"] != "cut_before":
        # How often the simulator counts a call that it cut itself is its own affair.
        assert len(adds(case)) == (1 if done_there else 2)
    assert [one.subject.split(":")[0] for one in mail.outbox] == ["You are registered"]


def test_slow_zoom(client, connected):
    """A hanging Zoom: the page comes soon, the sign-up arrives once."""
    case = connected()
    case.zoom.fault("slow", **ADD, seconds=10, count=1)
    began = time.monotonic()
    assert post(client, case.url).url.endswith("?late")
    assert time.monotonic() - began < 5
    made = row()
    assert (made.state, made.maybe_sent) == ("waiting", True)
    time.sleep(8)
    hurry()
    work()
    assert row().state == "approved"
    assert len(at_zoom(case)) == 1


def test_limit_of_the_day_waits_for_midnight(client, connected):
    case = connected()
    text = "You have exceeded the daily rate limit (3000) for this API."
    case.zoom.fault("status", **ADD, status=429, code=429, message=text, count=1)
    assert post(client, case.url).url.endswith("?late")
    made = row()
    assert (made.error_class, made.attempts) == ("daily_limit", 0)
    assert made.task_at > timezone.now()
    assert made.task_at.hour == 0
    with time_machine.travel(made.task_at + timedelta(seconds=1)):
        # The token has run out by then, too.
        work()
        assert row().state == "approved"
    assert len(at_zoom(case)) == 1


@pytest.mark.parametrize("reason", ["daily_limit", "personal_limit", "busy"])
def test_waiting_for_our_turn_is_no_failed_try(client, connected, reason):
    """W26: days full of other calls do not use up the patience with a Zoom that does not answer."""
    case = connected()
    case.zoom.fault("status", **ADD, status=500, count=1)
    post(client, case.url)
    days = timezone.now() - timedelta(days=4)
    Registration.objects.update(state_since=days, error_class=reason, attempts=5)
    type(case.place.account).objects.update(throttled_until=timezone.now() + timedelta(hours=1))
    hurry()
    work()
    assert (row().state, row().attempts) == ("waiting", 5)
    type(case.place.account).objects.update(throttled_until=None)
    case.place.choice.grant.__class__.objects.update(retry_at=None)
    hurry()
    work()
    assert row().state == "approved"


def test_killed_in_the_middle(client, connected):
    """Claimed, sent, never settled: after the lease it is looked up, not sent again."""
    case = connected()
    post(client, case.url)
    past = timezone.now() - timedelta(minutes=1)
    Registration.objects.update(
        state="waiting", task="add", zoom_registrant_id="", maybe_sent=True, join_url="",
        task_at=past, next_try_at=past, lease_owner="dead", lease_until=past,
    )  # fmt: skip
    work()
    assert row().state == "approved"
    assert len(adds(case)) == 1


def test_lease_keeps_others_away(client, connected):
    case = connected()
    case.zoom.fault("status", **ADD, status=500, count=1)
    post(client, case.url)
    hurry()
    Registration.objects.update(lease_owner="other", lease_until=timezone.now() + WAIT)
    work()
    assert len(adds(case)) == 1


WAIT = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "state", "error"),
    [
        ({"capacity": 0.5}, "failed", "full"),
        ({"settings": {"approval_type": 2}}, "failed", "gone"),
    ],
)
def test_refused_for_good(client, connected, change, state, error):
    """Final failure reaches visitor and owner."""
    case = connected()
    case.place.choice.contact_email = "owner@example.org"
    case.place.choice.save()
    if error == "full":
        case.zoom.fault(
            "status", **ADD, status=400, code=3043, message="Meeting has reached the maximum"
        )
    else:
        case.zoom.change_meeting(case.number, **change)
    post(client, case.url)
    made = row()
    assert (made.state, made.error_class, made.task) == (state, error, "")
    work()
    assert sorted(one.to[0] for one in mail.outbox) == ["mika@example.org", "owner@example.org"]
    told = next(one for one in mail.outbox if one.to == ["owner@example.org"])
    assert "mika" not in told.body.lower()
    page = client.get(tokens.status_path(made)).content.decode()
    assert "We could not register you" in page
    assert Activity.objects.filter(code="signup_failed").exists()
    if error == "full":
        assert "All places are taken" in client.get(case.url).content.decode()


def test_owner_retries(client, connected):
    case = connected()
    case.zoom.fault("status", **ADD, status=400, code=3000, message="No", count=1)
    post(client, case.url)
    made = row()
    assert moderation.actions(made) == ["retry", "edit"]
    form = moderation.edit_form(
        made, {"first_name": "Miko", "last_name": "T", "email": "m@example.org"}
    )
    assert form.is_valid(), form.errors
    moderation.save_edit(made, form, case.place.user)
    work()
    assert row().state == "approved"
    assert [one["email"] for one in at_zoom(case)] == ["m@example.org"]
    assert tokens.email_index("M@example.org") == row().email_index


def test_changed_questions_show_the_form_again(client, connected):
    """A form whose questions changed at Zoom comes back with what was entered."""
    case = connected()
    question = {"title": "Why?", "type": "short", "required": True}
    case.zoom.change_meeting(case.number, custom_questions=[question])
    type(case.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    answer = post(client, case.url)
    assert answer.status_code == 422
    assert b"Why?" in answer.content and b'value="Mika"' in answer.content
    assert not Registration.objects.exists()
    name = next(iter(answer.context["form"].questions.custom)).name
    assert post(client, case.url, {name: "Because"}).status_code == 303
    assert row().state == "approved"


def test_approval_by_the_owner(client, connected):
    case = connected(registration="manual")
    post(client, case.url)
    made = row()
    assert (made.state, bool(made.join_url)) == ("pending", False)
    page = client.get(tokens.status_path(made)).content.decode()
    assert "Thank you, Mika" in page
    moderation.approve(made, case.place.user)
    work()
    made = row()
    assert made.state == "approved"
    assert "tk=" in made.join_url.reveal()
    assert at_zoom(case)[0]["status"] == "approved"
    page = client.get(tokens.status_path(made)).content.decode()
    assert "See you on" in page
    assert "tk=" not in page


@pytest.mark.parametrize(("decide", "state"), [("deny", "denied"), ("cancel", "cancelled")])
def test_refusal_by_the_owner(client, connected, decide, state):
    """Zoom hears of it, the person gets one mail, and it cannot be done twice."""
    case = connected(registration="manual")
    post(client, case.url)
    work()
    mail.outbox.clear()
    made = row()
    getattr(moderation, decide)(made, case.place.user)
    work()
    assert row().state == state
    assert {one["status"] for one in at_zoom(case)} <= {state}
    assert len(mail.outbox) <= 1
    with pytest.raises(moderation.NotPossible):
        getattr(moderation, decide)(row(), case.place.user)
    with pytest.raises(moderation.NotPossible):
        moderation.retry(row(), case.place.user)
    said = Activity.objects.filter(category="registration").values_list("code", flat=True)
    assert f"signup_{state}" in said


@pytest.mark.parametrize("action", ["approve", "deny", "cancel"])
def test_decided_at_zoom(client, connected, action):
    """Messages say that something changed; how things stand is read."""
    case = connected(registration="manual" if action != "cancel" else "auto")
    post(client, case.url)
    made = row()
    case.zoom.decide(case.number, made.zoom_registrant_id, action)
    what = {"approve": "approved", "deny": "denied", "cancel": "cancelled"}[action]
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000) + 1000,
        received_at=timezone.now() + timedelta(seconds=1),
        payload={"object": {"id": case.number, "registrant": {"id": made.zoom_registrant_id}}},
    )
    for _twice in range(2):
        events.apply(case.place.account, event)
        work()
    assert row().state == what


def test_lost_messages_are_found_by_comparison(client, connected):
    case = connected(registration="manual")
    for name in ("a", "b", "c"):
        post(client, case.url, {"email": f"{name}@example.org"})
    one, two, three = Registration.objects.order_by("pk")
    case.zoom.decide(case.number, one.zoom_registrant_id, "approve")
    case.zoom.decide(case.number, two.zoom_registrant_id, "deny")
    case.zoom.decide(case.number, three.zoom_registrant_id, "cancel")
    reconcile.check(case.meeting)
    work()
    states = Registration.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["approved", "denied", "cancelled"]
    case.meeting.refresh_from_db()
    assert case.meeting.registrant_count == 1


def test_cancel_from_the_status_page(client, connected):
    case = connected()
    post(client, case.url)
    path = tokens.status_path(row())
    assert b"Cancel your registration?" in client.get(f"{path}cancel/").content
    assert row().state == "approved"
    assert client.post(f"{path}cancel/").url == path
    assert row().state == "cancelled"
    assert at_zoom(case)[0]["status"] == "cancelled"
    assert post(client, case.url).status_code == 303
    assert row().state == "approved"
    assert at_zoom(case)[0]["status"] == "approved"


def test_cancel_while_zoom_is_away(client, connected):
    case = connected()
    post(client, case.url)
    case.zoom.fault("status", method="PUT", path="/registrants/status", status=500, count=1)
    client.post(tokens.status_path(row()) + "cancel/")
    made = row()
    assert (made.state, made.task) == ("cancelled", "cancel")
    hurry()
    work()
    assert row().task == ""
    assert at_zoom(case)[0]["status"] == "cancelled"


def test_two_dates_of_a_series(client, connected):
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 5}
    case = connected(recurrence=weekly, settings={"registration_type": 3})
    dates = list(case.meeting.occurrences.order_by("start"))[:2]
    chosen = [str(date.public_id) for date in dates]
    assert post(client, case.url, {"dates": chosen}).status_code == 303
    assert row().state == "approved"
    assert sorted(at_zoom(case)[0]["occurrences"]) == sorted(date.zoom_id for date in dates)
    client.post(tokens.status_path(row()) + "cancel/")
    assert at_zoom(case)[0]["status"] == "cancelled"


def test_webinar_with_custom_questions(client, connected):
    required = {"required": True}
    asked = [
        {"title": "Own or rent?", "type": "single_radio", "answers": ["Own", "Rent"], **required},
        {"title": "Fuel", "type": "multiple", "answers": ["Gas", "Oil"], **required},
    ]
    case = connected(kind="webinar", custom_questions=asked)
    page = client.get(case.url)
    names = {one.title: one.name for one in page.context["form"].questions.custom}
    data = {names["Own or rent?"]: "Own", names["Fuel"]: ["Gas", "Oil"]}
    assert post(client, case.url, data).status_code == 303
    assert row().state == "approved", row().error_class
    assert {"title": "Fuel", "value": "Gas, Oil"} in at_zoom(case)[0]["custom_questions"]


def test_from_a_projects_own_code(connected):
    """The same guarantees, for instance after a payment."""
    case = connected()
    facts = {
        "site": case.place.site, "meeting": case.meeting, "email": "m@example.org",
        "first_name": "Mika", "last_name": "T", "key": "order-7",
    }  # fmt: skip
    first = register(**facts)
    assert register(**facts).pk == first.pk
    work()
    assert row().state == "approved"
    assert len(at_zoom(case)) == 1
    case.place.choice.show_registration = False
    case.place.choice.save()
    with pytest.raises(RegistrationClosed):
        register(**facts)


def test_personal_door(client, connected):
    """The link in our mail leads in by policy, with the personal link; nobody else's does."""
    case = connected(start_time="+5m")
    case.place.choice.join_policy = "registrants"
    case.place.choice.save()
    post(client, case.url)
    answer = client.get(tokens.join_path(row()))
    assert answer.status_code in (200, 302)
    assert "no-store" in answer["Cache-Control"]
    client.post(tokens.status_path(row()) + "cancel/")
    assert client.get(tokens.join_path(row())).url == tokens.status_path(row())


def test_the_address_of_a_person_is_bound_to_the_site(client, connected):
    """X: who knows the number of a sign-up cannot make its address; no other Site's opens it."""
    case = connected(start_time="+5m")
    post(client, case.url)
    made = row()
    mine = tokens.token_of(made)
    number = base64.b64decode(mine, altchars=b"-_")[:16]
    bare = base64.b64encode(number + bytes(8), altchars=b"-_").decode()
    others = links.opaque(made.site_id + 1, made.public_id)
    assert len({mine, bare, others}) == 3
    assert len({len(mine), len(bare), len(others)}) == 1
    for forged in (bare, others):
        assert tokens.find(forged) is None
        for path in (tokens.status_path(made), tokens.join_path(made)):
            assert client.get(path).status_code in (200, 302)
            assert client.get(path.replace(mine, forged)).status_code == 404
        assert (
            client.post(tokens.status_path(made).replace(mine, forged) + "cancel/").status_code
            == 404
        )
    assert row().state == "approved"


def test_forgetting_a_person(client, connected, capsys):
    """Issue, shows 5: nothing of the person is left, here or at Zoom."""
    case = connected()
    post(client, case.url)
    made = row()
    WebhookEvent.objects.create(
        content_key="k",
        account_zoom_id=case.place.account.zoom_id,
        event="meeting.registration_created",
        payload={"object": {"id": case.number, "registrant": {"id": made.zoom_registrant_id}}},
    )
    call_command("zoom_forget", "mika@example.org", "--export")
    assert "Tanaka" in capsys.readouterr().out
    call_command("zoom_forget", "Mika@Example.org")
    assert not Registration.objects.exists()
    assert at_zoom(case)[0]["status"] == "cancelled"
    assert WebhookEvent.objects.get(content_key="k").payload == {}
    assert "mika" not in str(list(Activity.objects.values("data"))).lower()


def test_retention_follows_the_owner(client, connected):
    """Deleted by its own retention, counted from the last date as it is now."""
    case = connected()
    post(client, case.url)
    end = case.meeting.occurrences.get().end
    assert row().purge_on == end.date() + timedelta(days=30)
    case.place.choice.registration_days = 5
    case.place.choice.save()
    outbox.date_anew(case.place.site.pk)
    assert row().purge_on == end.date() + timedelta(days=5)
    case.meeting.occurrences.update(end=end + timedelta(days=60))
    outbox.sweep(end + timedelta(days=5))
    assert row().purge_on == end.date() + timedelta(days=65)


def test_calendar_of_a_person(client, connected):
    case = connected()
    post(client, case.url)
    answer = client.get(tokens.status_path(row()) + "calendar.ics")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert f"UID:{case.meeting.occurrences.get().public_id}" in text.replace("\r\n ", "")
    assert "/zoom/join/" in text.replace("\r\n ", "")
    assert "tk=" not in text


def test_pressing_again_does_not_hurry_what_has_to_wait(client, connected):
    """Zoom's three a day are not used up by an impatient finger."""
    case = connected()
    text = "You have exceeded the daily rate limit of (3) for the registrant (m). GMT 00:00:00."
    case.zoom.fault("status", **ADD, status=429, code=429, message=text, count=1)
    for _n in range(3):
        post(client, case.url)
    work()
    assert row().error_class == "personal_limit"
    assert len(adds(case)) == 1
    assert not type(case.place.account).objects.get(pk=case.place.account.pk).is_throttled


def test_what_is_over_is_left_as_it_was(client, connected):
    """Zoom forgets meetings that are over; that cancels nobody."""
    case = connected()
    post(client, case.url)
    case.meeting.occurrences.update(
        start=timezone.now() - timedelta(hours=3), end=timezone.now() - timedelta(hours=2)
    )
    case.zoom.delete_meeting(case.number)
    Registration.objects.update(
        task="check", task_at=timezone.now(), next_try_at=timezone.now(), mail_due=""
    )
    work()
    assert (row().state, row().task, row().error_class) == ("approved", "", "")
