"""What a web request asks of Zoom: one short call, and nothing that must not be cut short."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.client import client_for
from wagtail_zoom.exceptions import ZoomTransient
from wagtail_zoom.models import Grant, Registration
from wagtail_zoom.registration import tokens

from .conftest import answers, hurry, post, work
from .test_delivery import adds, at_zoom, row

pytestmark = pytest.mark.django_db


def test_one_call_for_a_sign_up(client, connected):
    """Issue 7: the answer takes what Zoom takes; old questions are read afterwards."""
    case = connected()
    type(case.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    post(client, case.url)
    assert [one["method"] for one in case.zoom.calls()] == ["POST"]
    assert row().state == "approved"


def test_old_questions_are_read_by_the_worker(client, connected, zoom_worker):
    case = connected()
    case.zoom.change_meeting(
        case.number, custom_questions=[{"title": "Why?", "type": "short", "required": False}]
    )
    type(case.meeting).objects.update(questions_at=timezone.now() - timedelta(hours=1))
    zoom_worker.lose()
    post(client, case.url)
    assert row().state == "approved"
    zoom_worker.run()
    assert b"Why?" in client.get(case.url).content


def test_a_renewal_is_left_to_the_worker(client, connected):
    """Issue, shows 2: a hanging Zoom costs no visitor's time; and a renewal that is cut short
    would lose the permission."""
    case = connected()
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    case.zoom.fault("slow", path="/oauth/token", seconds=9)
    began = time.monotonic()
    answer = post(client, case.url)
    assert time.monotonic() - began < 3
    assert answer.url.endswith("/received/")
    assert case.zoom.calls() == []
    assert (row().task, row().maybe_sent, row().lease_until) == ("add", False, None)
    case.zoom.clear_faults()
    work()
    assert row().state == "approved"
    assert len(at_zoom(case)) == 1


@pytest.mark.parametrize("head", [False, True], ids=["body", "headers"])
def test_an_answer_that_drips_costs_no_visitors_time(client, connected, head):
    """Issue, shows 2: each byte is in time and the whole would take minutes; an honest page comes
    within 5 seconds, and in the end there is one registrant."""
    case = connected()
    case.zoom.fault("drip", method="POST", path="/registrants$", seconds=0.3, head=head)
    began = time.monotonic()
    answer = post(client, case.url)
    assert time.monotonic() - began < 5
    assert answer.url.endswith("?late")
    assert b"Your registration is saved" in client.get(answer.url).content
    assert (row().state, row().maybe_sent, row().lease_until) == ("waiting", True, None)
    case.zoom.clear_faults()
    hurry()
    work()
    assert row().state == "approved"
    assert len(at_zoom(case)) == len(adds(case)) == 1


def test_a_page_that_drips_holds_no_worker(connected, settings):
    """The whole answer has a limit in the background too, not only each byte of it."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "READ_TIMEOUT": 0.5}
    case = connected()
    case.zoom.fault("drip", path="/questions$", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(ZoomTransient):
        client_for(case.place.account).questions(case.meeting.zoom_id, case.meeting.kind)
    assert time.monotonic() - began < 4


def test_a_token_that_zoom_refuses_is_left_to_the_worker(client, connected):
    case = connected()
    case.zoom.fault("status", path="/registrants$", status=401, code=124, message="x", count=1)
    assert post(client, case.url).url.endswith("/received/")
    assert [one["path"] for one in case.zoom.calls() if "oauth" in one["path"]] == []
    work()
    assert row().state == "approved"


def test_a_question_that_is_gone_at_zoom_costs_nobody_anything(client, connected):
    """Zoom refuses answers to what it no longer asks: what fits is sent without bothering."""
    case = connected(custom_questions=[{"title": "Why?", "type": "short", "required": False}])
    name = client.get(case.url).context["form"].questions.custom[0].name
    case.zoom.change_meeting(case.number, custom_questions=[])
    assert post(client, case.url, {name: "Because"}).status_code == 303
    work()
    assert row().state == "approved"
    assert answers(row())["custom"] == []
    assert len(at_zoom(case)) == 1


def test_refused_answers_of_a_known_person_are_asked_for_again(client, connected):
    """Cancelled, then once more while Zoom asks something new: the form, and nobody is lost."""
    case = connected()
    post(client, case.url)
    client.post(tokens.status_path(row()) + "cancel/")
    case.zoom.change_meeting(
        case.number, custom_questions=[{"title": "Why?", "type": "short", "required": True}]
    )
    answer = post(client, case.url)
    assert answer.status_code == 422
    name = answer.context["form"].questions.custom[0].name
    assert post(client, case.url, {name: "Because"}).status_code == 303
    assert row().state == "approved"
    assert [one["status"] for one in at_zoom(case)] == ["approved"]


def test_refused_answers_that_zoom_does_not_explain(client, connected):
    """Zoom asks what it asked before: the worker's second refusal is final and is told."""
    case = connected()
    fault = {"method": "POST", "path": "/registrants$", "status": 400, "code": 300}
    case.zoom.fault("status", **fault, message="Validation Failed.")
    post(client, case.url)
    assert row().state == "waiting"
    hurry()
    work()
    assert (row().state, row().error_class) == ("failed", "answers")
    assert not Registration.objects.exclude(mails={}).filter(mails__received__isnull=False).exists()


def test_cancelling_three_dates_is_bounded(client, connected):
    """One call for each date, all within the time of one request; what is left goes on later."""
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 4}
    case = connected(recurrence=weekly, settings={"registration_type": 3})
    post(client, case.url, {"dates": ["all"]})
    case.zoom.fault("slow", method="PUT", path="/registrants/status", seconds=4)
    began = time.monotonic()
    client.post(tokens.status_path(row()) + "cancel/")
    assert time.monotonic() - began < 4
    assert (row().state, row().task) == ("cancelled", "cancel")
    case.zoom.clear_faults()
    hurry()
    work()
    assert (row().task, at_zoom(case)[0]["status"]) == ("", "cancelled")
    assert len(adds(case)) == 1
