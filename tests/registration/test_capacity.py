"""Places are counted where there is a limit; pages are invalidated when that changes something."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from wagtail_zoom import tasks
from wagtail_zoom.client import Priority
from wagtail_zoom.frontend.presenters import occurrence_views
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import (
    HostVersion,
    Meeting,
    Registration,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.registration import capacity, events, tokens
from wagtail_zoom.signals import mirror_changed
from wagtail_zoom.sync import questions

from .conftest import PERSON, make_meeting, post, process_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced_meetings(django_capture_on_commit_callbacks):
    """``announced_meetings(change)``: the meetings that the change publishes."""
    published = []

    def listen(meetings, **kwargs):
        published.append(meetings)

    mirror_changed.connect(listen)

    def run(change):
        published.clear()
        with django_capture_on_commit_callbacks(execute=True):
            change()
        return published[:]

    yield run
    mirror_changed.disconnect(listen)


def registration_event(tenant, meeting, what):
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000),
        payload={"object": {"id": int(meeting.zoom_id), "registrant": {"id": "somebody"}}},
    )
    return lambda: events.on_registration_event(tenant.account, event)


def test_the_last_place_is_taken_and_becomes_free(tenant, announced_meetings):
    meeting = make_meeting(tenant, capacity=3, registrant_count=1)
    before = list(HostVersion.objects.filter(host=meeting.host).values())
    assert announced_meetings(registration_event(tenant, meeting, "created")) == []
    assert list(HostVersion.objects.filter(host=meeting.host).values()) != before
    assert announced_meetings(registration_event(tenant, meeting, "created")) == [{meeting.pk}]
    assert announced_meetings(registration_event(tenant, meeting, "created")) == []
    assert announced_meetings(registration_event(tenant, meeting, "cancelled")) == []
    assert announced_meetings(registration_event(tenant, meeting, "cancelled")) == [{meeting.pk}]
    meeting.refresh_from_db()
    assert meeting.registrant_count == 2


def test_a_refusal_and_its_end_are_published(tenant, meeting, announced_meetings):
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "full")) == [{meeting.pk}]
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "full")) == []
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "")) == [{meeting.pk}]


def test_changed_questions_are_published(tenant, meeting, announced_meetings):
    """A title is sent back to Zoom unchanged, so it is stored unchanged."""
    zoom_questions = {"custom_questions": [{"title": " Own  or\trent? ", "type": "short"}]}
    assert announced_meetings(lambda: questions.store(meeting, zoom_questions)) == [{meeting.pk}]
    assert announced_meetings(lambda: questions.store(meeting, zoom_questions)) == []
    meeting.refresh_from_db()
    assert meeting.questions["custom_questions"][0]["title"] == " Own  or\trent? "


LIMIT = {"kind": "webinar", "settings": {"registrants_restrict_number": 5}}
COUNTED = {"method": "GET", "path": "/registrants$"}


@pytest.fixture
def limited(connect_site, zoom_worker, zoom_deliver):
    """``limited(4)``: a webinar for five, for which so many have registered on Zoom's own page."""

    def run(people=0, **values):
        scenario = connect_site(**{**LIMIT, **values})
        for number in range(people):
            scenario.zoom.register(scenario.number, **{**PERSON, "email": f"p{number}@example.org"})
        scenario.zoom.clear_calls()

        def work():
            zoom_worker.run()
            tasks.tick()
            zoom_worker.run()

        def deliver():
            zoom_deliver()
            zoom_worker.run()

        scenario.work, scenario.deliver = work, deliver
        return scenario

    return run


def shown(scenario):
    """Places and state, as every list shows them."""
    row = scenario.meeting.occurrences.select_related("meeting__host").get()
    view = occurrence_views(SiteVisibility.for_site(scenario.tenant.site), [row])[0]
    return view.places, str(view.registration.code)


def lists_of_registrants(scenario):
    return [call for call in scenario.zoom.calls() if call["path"].endswith("/registrants")]


def test_places_are_known_without_any_registration_of_ours(limited):
    scenario = limited(5)
    assert shown(scenario) == (None, "open"), "nothing is claimed before Zoom was asked"
    scenario.work()
    assert shown(scenario) == ((0, 5), "full")
    assert not Registration.objects.exists()
    scenario.zoom.clear_calls()
    scenario.work()
    assert lists_of_registrants(scenario) == [], "the next count is in six hours, or after an event"


def test_places_follow_zooms_events(limited):
    scenario = limited(4)
    scenario.work()
    assert shown(scenario) == ((1, 5), "open")
    person = scenario.zoom.register(scenario.number, **{**PERSON, "email": "late@example.org"})
    scenario.deliver()
    assert shown(scenario) == ((0, 5), "full")
    registrant_id = person.get("registrant_id") or person["id"]
    scenario.zoom.decide(scenario.number, registrant_id, "cancel")
    scenario.deliver()
    scenario.work()
    assert shown(scenario) == ((1, 5), "open")


def test_places_follow_our_own_registrations(client, limited, zoom_worker):
    scenario = limited(3)
    scenario.work()
    for number in range(2):
        post(client, scenario.url, {"email": f"own{number}@example.org"})
    process_due()
    scenario.work()
    assert shown(scenario) == ((0, 5), "full")
    row = Registration.objects.order_by("pk").first()
    client.post(f"{tokens.status_path(row)}cancel/")
    process_due()
    scenario.work()
    assert shown(scenario) == ((1, 5), "open")


def test_pending_people_have_a_place_and_denied_ones_have_none(limited):
    scenario = limited(4, registration="manual")
    first, second, *_others = scenario.zoom.registrants(scenario.number)
    scenario.zoom.decide(scenario.number, first["id"], "approve")
    scenario.zoom.decide(scenario.number, second["id"], "deny")
    scenario.work()
    assert shown(scenario) == ((2, 5), "open")


def test_without_zooms_total_everybody_is_read(limited):
    scenario = limited(4)
    scenario.zoom.fault("change_body", **COUNTED, drop=["total_records"])
    scenario.work()
    assert shown(scenario) == ((1, 5), "open")


def test_what_zoom_does_not_answer_is_not_known(limited):
    scenario = limited(5)
    scenario.zoom.fault("status", **COUNTED, status=503)
    scenario.work()
    assert shown(scenario) == (None, "open")
    scenario.zoom.clear_faults()
    type(scenario.tenant.grant).objects.update(retry_at=None)
    scenario.work()
    assert shown(scenario) == (None, "open"), "asked again after some minutes only"
    with time_machine.travel(timezone.now() + capacity.RETRY_INTERVAL + timedelta(seconds=1)):
        scenario.work()
    assert shown(scenario) == ((0, 5), "full")


@pytest.mark.parametrize(
    "change",
    [
        lambda: ZoomSettings.objects.update(show_registration=False),
        lambda: Meeting.objects.update(capacity=None),
        lambda: Meeting.objects.update(approval_type=2),
    ],
)
def test_registrants_are_not_counted_where_nothing_would_show_it(limited, change):
    scenario = limited(2)
    change()
    scenario.work()
    assert lists_of_registrants(scenario) == []


def test_a_change_during_a_count_is_counted_again(tenant, zoom_worker):
    meeting = make_meeting(tenant, capacity=5)
    capacity.request_count(meeting)
    assert ("count_registrants", (meeting.pk,)) in zoom_worker.waiting
    now = timezone.now()
    Meeting.objects.update(registrants_counted_at=now, registrant_count=3)
    assert not capacity._due(now).exists()
    capacity.request_count(meeting)
    assert capacity._due(now).exists()


def test_a_refusal_that_is_too_old_is_published(tenant, meeting, announced_meetings):
    since = timezone.now() - timedelta(minutes=59)
    Meeting.objects.update(registration_block="full", registration_block_at=since)
    assert announced_meetings(lambda: capacity.sweep(timezone.now())) == []
    later = timezone.now() + timedelta(minutes=2)
    assert announced_meetings(lambda: capacity.sweep(later)) == [{meeting.pk}]
    assert Meeting.objects.get().registration_block == ""


def test_refused_questions_of_one_meeting_delay_no_other(connect_site):
    scenario = connect_site()
    Meeting.objects.update(questions_at=None)
    scenario.zoom.fault("status", path="/questions$", status=400, code=300)
    questions.refresh(scenario.meeting.account, scenario.meeting, Priority.RECONCILE)
    read = Meeting.objects.exclude(questions_at=None)
    assert list(read) == [scenario.meeting]
    assert Meeting.objects.filter(questions_at=None).exists()
