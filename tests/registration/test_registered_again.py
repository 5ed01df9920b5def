"""Somebody registers once more: whose answers count, and what an older cancellation may change."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from wagtail_zoom.models import Registration, ZoomAccount, ZoomSettings
from wagtail_zoom.registration import outbox, service, tokens, views

from .conftest import form_url, make_all_due, post, process_due, stored_answers
from .test_delivery import ADD
from .test_refusals import FULL

pytestmark = pytest.mark.django_db
EMAIL = "vera@example.org"
STRANGER = {"email": EMAIL, "first_name": "Rude", "last_name": "<b>Word</b>"}
VERA = {"email": EMAIL, "first_name": "Vera", "last_name": "Vogel"}
WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}


def get_registration():
    return Registration.objects.get()


def set_double_opt_in(value=True):
    ZoomSettings.objects.update(double_opt_in=value)


def open_page(client):
    return client.get(tokens.status_path(get_registration())).content.decode()


def press_confirm(client, page=None):
    """Press the button of the page, or of one that was opened earlier."""
    page = page or open_page(client)
    inputs = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    path = tokens.status_path(get_registration()) + "confirm/"
    return client.post(path, inputs, follow=True).content.decode()


def run_worker(times=2):
    for _time in range(times):
        make_all_due()
        process_due()


def last_name():
    return stored_answers(get_registration())["standard"]["last_name"]


def last_names_at_zoom(scenario):
    return [row["last_name"] for row in scenario.zoom.registrants(scenario.number)]


def statuses_at_zoom(scenario):
    return [row["status"] for row in scenario.zoom.registrants(scenario.number)]


def test_confirmed_are_the_newest_answers(client, connect_site):
    """A stranger has entered her address first; she registers herself and confirms."""
    scenario = connect_site()
    set_double_opt_in()
    assert post(client, scenario.url, STRANGER).status_code == 303
    assert post(client, scenario.url, VERA).status_code == 303
    run_worker()
    assert scenario.zoom.registrants(scenario.number) == []
    assert mail.outbox[-1].body.startswith("Hello Vera,")
    page = open_page(client)
    assert "Vogel" in page
    assert "Word" not in page
    press_confirm(client, page)
    run_worker()
    assert (get_registration().state, last_name()) == ("approved", "Vogel")
    assert last_names_at_zoom(scenario) == ["Vogel"]


def test_the_newest_registration_brings_its_language_and_page(client, tenant, meeting):
    set_double_opt_in()
    post(client, form_url(tenant, meeting, locale="de"), STRANGER)
    first = get_registration()
    post(client, form_url(tenant, meeting), VERA)
    row = get_registration()
    assert (first.locale, row.locale, row.pk) == ("de", "en", first.pk)
    assert stored_answers(row)["language"] == "en-US"
    assert row.dates.count() == first.dates.count() == 1


def test_the_page_shows_what_is_confirmed(client, connect_site):
    """Also what somebody else has entered: then the person does not press the button."""
    scenario = connect_site()
    set_double_opt_in()
    post(client, scenario.url, STRANGER)
    page = open_page(client)
    assert "Rude" in page
    assert "&lt;b&gt;Word&lt;/b&gt;" in page
    assert "<b>Word" not in page
    press_confirm(client, page)
    page = open_page(client)
    assert "Word" not in page, "A confirmed registration shows no answers"


def test_nothing_is_confirmed_that_was_not_shown(client, connect_site):
    """Between opening the page and pressing the button somebody enters the address again."""
    scenario = connect_site()
    set_double_opt_in()
    post(client, scenario.url, VERA)
    page = open_page(client)
    post(client, scenario.url, STRANGER)
    page = press_confirm(client, page)
    assert get_registration().state == "unconfirmed"
    assert scenario.zoom.registrants(scenario.number) == []
    assert "The details have changed" in page
    assert "Rude" in page
    post(client, scenario.url, VERA)
    press_confirm(client)
    run_worker()
    assert last_names_at_zoom(scenario) == ["Vogel"]


def test_a_click_without_what_was_shown_confirms_nothing(client, tenant, meeting):
    set_double_opt_in()
    post(client, form_url(tenant, meeting), VERA)
    client.post(tokens.status_path(get_registration()) + "confirm/")
    assert get_registration().state == "unconfirmed"
    press_confirm(client)
    assert get_registration().state == "waiting"


def test_the_same_answers_again_need_no_second_click(client, tenant, meeting):
    set_double_opt_in()
    url = form_url(tenant, meeting)
    post(client, url, VERA)
    page = open_page(client)
    post(client, url, VERA)
    press_confirm(client, page)
    assert get_registration().state == "waiting"


def test_consent_is_that_of_the_newest_answers(client, tenant, meeting):
    ZoomSettings.objects.update(double_opt_in=True, consent_text="I agree")
    url = form_url(tenant, meeting)
    post(client, url, {**STRANGER, "consent": "on"})
    first = get_registration().consented_at
    post(client, url, {**VERA, "consent": "on"})
    assert get_registration().consented_at > first


def test_answers_not_sent_yet_are_replaced(client, tenant, meeting):
    """Zoom does not take it at the moment: who registers again corrects what waits."""
    url = form_url(tenant, meeting)
    post(client, url, STRANGER)
    assert post(client, url, VERA).status_code == 303
    row = get_registration()
    assert (row.state, row.task, last_name()) == ("waiting", "add", "Vogel")


def test_corrected_answers_reach_zoom(client, connect_site):
    scenario = connect_site()
    ZoomAccount.objects.update(throttled_until=timezone.now() + timedelta(hours=1))
    post(client, scenario.url, STRANGER)
    row = get_registration()
    assert (row.state, row.maybe_sent) == ("waiting", False)
    post(client, scenario.url, VERA)
    ZoomAccount.objects.update(throttled_until=None)
    run_worker()
    assert (get_registration().state, last_names_at_zoom(scenario)) == ("approved", ["Vogel"])


@pytest.mark.parametrize("changes", [{"maybe_sent": True}, {"state": "approved", "task": ""}])
def test_sent_answers_stand_and_the_email_says_so(client, tenant, meeting, changes):
    url = form_url(tenant, meeting)
    post(client, url, VERA)
    Registration.objects.update(**changes)
    post(client, url, STRANGER)
    run_worker()
    assert last_name() == "Vogel"
    assert "sent to Zoom stay as they are" in mail.outbox[-1].body


def test_answers_are_not_replaced_while_they_are_sent(client, tenant, meeting):
    url = form_url(tenant, meeting)
    post(client, url, VERA)
    until = timezone.now() + outbox.OUTBOX.lease
    Registration.objects.update(lease_owner="worker", lease_until=until)
    post(client, url, STRANGER)
    assert last_name() == "Vogel"


def test_confirmed_answers_are_not_replaced_by_unconfirmed_ones(client, tenant, meeting):
    """Zoom does not answer. Nobody else changes what she has confirmed meanwhile."""
    set_double_opt_in()
    url = form_url(tenant, meeting)
    post(client, url, VERA)
    press_confirm(client)
    assert get_registration().state == "waiting"
    post(client, url, STRANGER)
    assert (get_registration().state, last_name()) == ("waiting", "Vogel")


@pytest.fixture
def cancelled(client, connect_site):
    """Registered at Zoom, then cancelled here while Zoom does not answer; now double opt-in."""
    scenario = connect_site()
    post(client, scenario.url, VERA)
    assert statuses_at_zoom(scenario) == ["approved"]
    set_double_opt_in()
    service.cancel(get_registration().pk)
    assert (get_registration().state, get_registration().task) == ("cancelled", "cancel")
    return scenario


@pytest.mark.parametrize("listed", ["hidden", "denied"])
def test_an_older_cancellation_leaves_a_newer_registration(client, cancelled, listed):
    """Zoom gets the cancellation after she has registered again, and before she confirms."""
    cancelled.zoom.options(cancelled_registrants=listed)
    post(client, cancelled.url, VERA)
    run_worker()
    assert statuses_at_zoom(cancelled) == ["cancelled"]
    assert (get_registration().state, get_registration().task) == ("unconfirmed", "")
    press_confirm(client)
    run_worker()
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("approved", ["approved"])


def test_confirmed_before_zoom_has_the_older_cancellation(client, cancelled):
    post(client, cancelled.url, VERA)
    press_confirm(client)
    run_worker()
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("approved", ["approved"])


def test_a_lost_answer_to_the_older_cancellation_is_no_denial(client, cancelled):
    """Zoom has cancelled, its answer was lost: what it lists then is no decision of a host."""
    cancelled.zoom.options(cancelled_registrants="denied")
    cancelled.zoom.fault("cut_after", method="PUT", path="/registrants/status", count=1)
    run_worker(1)
    assert (get_registration().task, get_registration().attempts) == ("cancel", 1)
    post(client, cancelled.url, VERA)
    run_worker()
    press_confirm(client)
    run_worker(3)
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("approved", ["approved"])


def test_an_event_about_the_older_registration_leaves_a_newer_one(client, cancelled):
    """Zoom lists who has cancelled as denied, and an event makes us read it."""
    cancelled.zoom.options(cancelled_registrants="denied")
    run_worker()
    post(client, cancelled.url, VERA)
    Registration.objects.update(task="check")
    run_worker()
    assert get_registration().state == "unconfirmed"
    press_confirm(client)
    run_worker()
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("approved", ["approved"])


def test_cancelled_again_before_confirming_is_no_denial(client, cancelled):
    cancelled.zoom.options(cancelled_registrants="denied")
    run_worker()
    post(client, cancelled.url, VERA)
    service.cancel(get_registration().pk)
    run_worker()
    assert get_registration().state == "cancelled"
    post(client, cancelled.url, VERA)
    press_confirm(client)
    run_worker()
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("approved", ["approved"])


def test_who_was_denied_does_not_come_back_by_the_older_cancellation(client, cancelled):
    row = get_registration()
    cancelled.zoom.decide(cancelled.number, row.zoom_registrant_id, "deny")
    post(client, cancelled.url, VERA)
    run_worker()
    assert get_registration().state == "unconfirmed"
    press_confirm(client)
    run_worker()
    assert (get_registration().state, statuses_at_zoom(cancelled)) == ("denied", ["denied"])


def test_dates_cancelled_late_can_be_cancelled_once_more(client, connect_site):
    scenario = connect_site(
        recurrence=WEEKLY, settings={"registration_type": 3}, start_time="+3d 18:30"
    )
    chosen = [str(date.public_id) for date in scenario.meeting.occurrences.order_by("start")[:2]]
    post(client, scenario.url, {**VERA, "dates": chosen})
    set_double_opt_in()
    service.cancel(get_registration().pk)
    post(client, scenario.url, {**VERA, "dates": chosen})
    run_worker()
    press_confirm(client)
    run_worker()
    row = get_registration()
    assert row.state == "approved"
    assert not row.dates.exclude(cancelled_at=None).exists()
    service.cancel(row.pk)
    run_worker()
    assert statuses_at_zoom(scenario) == ["cancelled"]


@pytest.mark.parametrize("has_cancelled", [False, True])
@pytest.mark.parametrize("refusal", ["new question", "full"])
def test_what_another_request_has_thanked_for_stays(
    client, connect_site, monkeypatch, refusal, has_cancelled
):
    """Two requests of one person at once; Zoom refuses the registration."""
    scenario = connect_site()
    if has_cancelled:
        post(client, scenario.url, VERA)
        service.cancel(get_registration().pk)
        run_worker()
    if refusal == "new question":
        question = {"title": "Why?", "type": "short", "required": True}
        scenario.zoom.change_meeting(scenario.number, custom_questions=[question])
    else:
        scenario.zoom.fault("status", **ADD, **FULL)
    attempt, statuses = views.inline.attempt, []

    def attempt_after_the_other(*args, **kwargs):
        monkeypatch.setattr(views.inline, "attempt", attempt)
        statuses.append(post(Client(), scenario.url, VERA).status_code)
        return attempt(*args, **kwargs)

    monkeypatch.setattr(views.inline, "attempt", attempt_after_the_other)
    # It asks Zoom for the questions too, and the answer comes no sooner than the first's.
    monkeypatch.setattr(views.inline, "constant_time_noop", lambda *args: True)
    statuses.append(post(client, scenario.url, VERA).status_code)
    if has_cancelled:
        assert 303 not in statuses, "both read the refusal"
        return
    assert statuses in ([303, 409], [303, 422])
    assert Client().get(tokens.status_path(get_registration())).status_code == 200
    mail.outbox.clear()
    run_worker(4)
    assert get_registration().state == "failed"
    assert [EMAIL] in [message.to for message in mail.outbox]


def test_a_row_withdrawn_between_two_queries_is_created_anew(client, connect_site, monkeypatch):
    scenario = connect_site()
    post(client, scenario.url, VERA)
    edit_row = outbox.edit_row

    def edit_after_it_was_withdrawn(pk):
        monkeypatch.setattr(outbox, "edit_row", edit_row)
        Registration.objects.filter(pk=pk).delete()
        return edit_row(pk)

    monkeypatch.setattr(outbox, "edit_row", edit_after_it_was_withdrawn)
    assert post(client, scenario.url, VERA).status_code == 303
    assert get_registration().email.reveal() == EMAIL
