"""Calls to Zoom within a web request: one short call, and none that must not be interrupted."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.client import client_for_reading
from wagtail_zoom.exceptions import ZoomTransient
from wagtail_zoom.models import Grant, Registration
from wagtail_zoom.registration import tokens

from .conftest import make_all_due, post, process_due, stored_answers
from .test_delivery import add_calls, get_registration, zoom_registrants

pytestmark = pytest.mark.django_db


def test_one_call_for_a_registration(client, connect_site):
    """The response takes as long as one call to Zoom; old questions are read afterwards."""
    scenario = connect_site()
    type(scenario.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    post(client, scenario.url)
    assert [call["method"] for call in scenario.zoom.calls()] == ["POST"]
    assert get_registration().state == "approved"


def test_old_questions_are_read_by_the_worker(client, connect_site, zoom_worker):
    scenario = connect_site()
    scenario.zoom.change_meeting(
        scenario.number, custom_questions=[{"title": "Why?", "type": "short", "required": False}]
    )
    type(scenario.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    zoom_worker.clear()
    post(client, scenario.url)
    assert get_registration().state == "approved"
    zoom_worker.run()
    assert b"Why?" in client.get(scenario.url).content


def test_token_refresh_is_left_to_the_worker(client, connect_site):
    """A hanging Zoom does not delay the visitor. An interrupted refresh would lose the grant."""
    scenario = connect_site()
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    scenario.zoom.fault("slow", path="/oauth/token", seconds=9)
    began = time.monotonic()
    response = post(client, scenario.url)
    assert time.monotonic() - began < 3
    assert response.url.endswith("/received/")
    assert scenario.zoom.calls() == []
    assert (
        get_registration().task,
        get_registration().maybe_sent,
        get_registration().lease_until,
    ) == ("add", False, None)
    scenario.zoom.clear_faults()
    process_due()
    assert get_registration().state == "approved"
    assert len(zoom_registrants(scenario)) == 1


@pytest.mark.parametrize("head", [False, True], ids=["body", "headers"])
def test_dripping_response_does_not_delay_the_visitor(client, connect_site, head):
    """Each byte is in time, but the whole would take minutes. The page comes within 5 seconds, and
    in the end there is one registrant."""
    scenario = connect_site()
    scenario.zoom.fault("drip", method="POST", path="/registrants$", seconds=0.3, head=head)
    began = time.monotonic()
    response = post(client, scenario.url)
    assert time.monotonic() - began < 5
    assert response.url.endswith("?late")
    assert b"Your registration is saved" in client.get(response.url).content
    assert (
        get_registration().state,
        get_registration().maybe_sent,
        get_registration().lease_until,
    ) == ("waiting", True, None)
    scenario.zoom.clear_faults()
    make_all_due()
    process_due()
    assert get_registration().state == "approved"
    assert len(zoom_registrants(scenario)) == len(add_calls(scenario)) == 1


def test_dripping_response_does_not_block_the_worker(connect_site, settings):
    """In the worker, too, the whole response has a time limit, not only each byte."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "READ_TIMEOUT": 0.5}
    scenario = connect_site()
    scenario.zoom.fault("drip", path="/questions$", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(ZoomTransient):
        client_for_reading(scenario.tenant.account).questions(
            scenario.meeting.zoom_id, scenario.meeting.kind
        )
    assert time.monotonic() - began < 4


def test_refused_token_is_left_to_the_worker(client, connect_site):
    scenario = connect_site()
    scenario.zoom.fault("status", path="/registrants$", status=401, code=124, message="x", count=1)
    assert post(client, scenario.url).url.endswith("/received/")
    assert [call["path"] for call in scenario.zoom.calls() if "oauth" in call["path"]] == []
    process_due()
    assert get_registration().state == "approved"


def test_removed_question_is_dropped(client, connect_site):
    """Zoom refuses answers to removed questions: the others are sent without asking again."""
    scenario = connect_site(
        custom_questions=[{"title": "Why?", "type": "short", "required": False}]
    )
    name = client.get(scenario.url).context["form"].questions.custom[0].name
    scenario.zoom.change_meeting(scenario.number, custom_questions=[])
    assert post(client, scenario.url, {name: "Because"}).status_code == 303
    process_due()
    assert get_registration().state == "approved"
    assert stored_answers(get_registration())["custom"] == []
    assert len(zoom_registrants(scenario)) == 1


def test_new_question_for_a_known_person(client, connect_site):
    """Cancelled, then registered again with a new question: the form returns, the row stays."""
    scenario = connect_site()
    post(client, scenario.url)
    client.post(tokens.status_path(get_registration()) + "cancel/")
    scenario.zoom.change_meeting(
        scenario.number, custom_questions=[{"title": "Why?", "type": "short", "required": True}]
    )
    response = post(client, scenario.url)
    assert response.status_code == 422
    name = response.context["form"].questions.custom[0].name
    assert post(client, scenario.url, {name: "Because"}).status_code == 303
    process_due()
    assert get_registration().state == "approved"
    assert [call["status"] for call in zoom_registrants(scenario)] == ["approved"]


def test_unexplained_refusal_of_answers(client, connect_site):
    """The questions have not changed: the worker's second refusal is final."""
    scenario = connect_site()
    fault = {"method": "POST", "path": "/registrants$", "status": 400, "code": 300}
    scenario.zoom.fault("status", **fault, message="Validation Failed.")
    post(client, scenario.url)
    assert get_registration().state == "waiting"
    make_all_due()
    process_due()
    assert (get_registration().state, get_registration().error_class) == ("failed", "answers")
    assert not Registration.objects.exclude(mails={}).filter(mails__received__isnull=False).exists()


def test_cancelling_several_dates_has_a_time_limit(client, connect_site):
    """One call for each date, all within the time of one request; the worker does the rest."""
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 4}
    scenario = connect_site(recurrence=weekly, settings={"registration_type": 3})
    post(client, scenario.url, {"dates": ["all"]})
    scenario.zoom.fault("slow", method="PUT", path="/registrants/status", seconds=4)
    began = time.monotonic()
    client.post(tokens.status_path(get_registration()) + "cancel/")
    assert time.monotonic() - began < 4
    assert (get_registration().state, get_registration().task) == ("cancelled", "cancel")
    scenario.zoom.clear_faults()
    make_all_due()
    process_due()
    assert (get_registration().task, zoom_registrants(scenario)[0]["status"]) == ("", "cancelled")
    assert len(add_calls(scenario)) == 1
