"""Random visitors, dates, addresses, networks, limits, clicks and states of Zoom.

Every page that thanks has its row, with all chosen dates; every refusal says so and has none. A few
examples in each run, a thousand with ``make properties``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.examples import examples
from wagtail_zoom.models import Grant, LimitCounter, Meeting, Registration, ZoomAccount
from wagtail_zoom.registration import tokens

from .conftest import PERSON, form_url

pytestmark = pytest.mark.django_db
THANKS = ("Thank you.", "One more step")
REFUSALS = (
    "You are not registered", "Do you want to register?", "Please fix",
    "places are taken", "Registration is not possible", "Registration is closed.",
)  # fmt: skip
SERIES = {"recurrence": {"type": 2, "repeat_interval": 1, "end_times": 3}}
MEETINGS = (
    {"registration": "manual"},
    {**SERIES, "settings": {"registration_type": 3}},
    {**SERIES, "settings": {"registration_type": 2}},
    {**SERIES, "settings": {"registration_type": 1}},
)
FAULTS = {
    "down": {"status": 503, "message": "down"},
    "full": {"status": 400, "code": 3043, "message": "Meeting has reached the maximum"},
    "over": {"status": 400, "code": 3038, "message": "over"},
    "off": {"status": 404, "code": 404, "message": "Registration has not been enabled"},
    "odd": {"status": 400, "code": 3000, "message": "Cannot access"},
}


@dataclass(frozen=True)
class Click:
    """One press of the button, perhaps a double one."""

    meeting: int
    email: str
    dates: tuple[int, ...]
    network: str
    zoom: str
    mistake: str
    times: int


CLICKS = st.builds(
    Click,
    meeting=st.integers(0, len(MEETINGS)),
    email=st.sampled_from(["a@example.org", "A@Example.org", "b@example.org", "b@straße.example"]),
    dates=st.lists(st.integers(0, 2), unique=True, max_size=3).map(tuple),
    network=st.sampled_from(["198.51.100.1", "198.51.100.2"]),
    zoom=st.sampled_from(["up", "up", "up", *FAULTS]),
    mistake=st.sampled_from(["", "", "", "", "name", "email", "trap", "origin", "fast"]),
    times=st.sampled_from([1, 1, 2]),
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "network": st.tuples(st.integers(1, 6), st.just(600)),
        "address": st.tuples(st.integers(1, 3), st.just(3600)),
        "meeting": st.tuples(st.integers(1, 6), st.just(60)),
        "site": st.tuples(st.integers(1, 8), st.just(60)),
    },
)


@pytest.fixture
def project_settings(settings):
    return settings


@pytest.fixture
def visited(zoom_app, connect_site):
    """A Site with a meeting of each type."""
    common = {"start_time": "+3d 18:30", "registration": "auto"}
    created = [
        zoom_app.create_meeting("borealis-0", **{"topic": f"M{number}", **common, **values})
        for number, values in enumerate(MEETINGS)
    ]
    scenario = connect_site()
    numbers = [str(meeting["id"]) for meeting in created]
    others = {meeting.zoom_id: meeting for meeting in Meeting.objects.filter(zoom_id__in=numbers)}
    scenario.meetings = [scenario.meeting, *(others[number] for number in numbers)]
    return scenario


def reset(scenario, limits, double_opt_in, project_settings):
    """As if nobody had ever registered."""
    cache.clear()
    Registration.objects.all().delete()
    LimitCounter.objects.all().delete()
    Meeting.objects.update(registration_block="", registration_block_at=None)
    scenario.tenant.site_settings.double_opt_in = double_opt_in
    scenario.tenant.site_settings.save()
    project_settings.WAGTAIL_ZOOM = {
        **project_settings.WAGTAIL_ZOOM,
        "REGISTRATION_LIMITS": limits,
    }


def stored():
    """The rows by person and meeting, with the dates of each."""
    rows = {}
    for row in Registration.objects.prefetch_related("dates"):
        key = tokens.normalise_email(row.email.reveal()), row.meeting_id
        dates = frozenset(date.occurrence_id for date in row.dates.all())
        rows.setdefault(key, set()).add(dates)
    return rows


def entered(click, meeting):
    """What the visitor enters, and the dates that a row of it has."""
    dates = list(meeting.occurrences.order_by("start"))
    data = {**PERSON, "email": click.email}
    chosen = frozenset()
    if meeting.is_series and meeting.registration_type in (2, 3):
        picked = [dates[number] for number in click.dates]
        picked = picked[:1] if meeting.registration_type == 2 else picked
        data["dates"] = [str(date.public_id) for date in picked]
        chosen = frozenset(date.pk for date in picked)
    elif not meeting.is_series:
        chosen = frozenset({dates[0].pk})
    data |= {"name": {"first_name": ""}, "email": {"email": "a@localhost"},
             "trap": {"wz_url": "x"}, "fast": {"wz_ms": "100"}}.get(click.mistake, {})  # fmt: skip
    return data, chosen


@pytest.mark.timeout(3600)
@hypothesis_settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    # Zoom closes the registration; who comes next reads that on the form.
    clicks=[*[Click(0, "a@example.org", (), "198.51.100.1", "up", "", 1)] * 4,
            Click(1, "a@example.org", (), "198.51.100.1", "over", "", 1),
            Click(1, "a@example.org", (), "198.51.100.1", "up", "", 1)],
    limits={}, double_opt_in=False,
)  # fmt: skip
@given(clicks=st.lists(CLICKS, min_size=1, max_size=6), limits=LIMITS, double_opt_in=st.booleans())
def test_whatever_is_thanked_for_is_stored(
    client, visited, project_settings, clicks, limits, double_opt_in
):
    scenario = visited
    reset(scenario, limits, double_opt_in, project_settings)
    for click in clicks:
        meeting = Meeting.objects.get(pk=scenario.meetings[click.meeting].pk)
        scenario.zoom.clear_faults()
        Grant.objects.update(retry_at=None)
        ZoomAccount.objects.update(throttled_until=None)
        if click.zoom in FAULTS:
            scenario.zoom.fault("status", path="/registrants", **FAULTS[click.zoom])
        data, chosen = entered(click, meeting)
        headers = {} if click.mistake == "origin" else {"Sec-Fetch-Site": "same-origin"}
        url = form_url(scenario.tenant, meeting)
        for _press in range(click.times):
            before = stored()
            response = client.post(url, data, headers=headers, REMOTE_ADDR=click.network)
            thanked = response.status_code == 303
            page = client.get(response.url) if thanked else response
            text, after = page.content.decode(), stored()
            assert any(words in text for words in THANKS) is thanked, response.status_code
            person = tokens.normalise_email(click.email), meeting.pk
            if thanked:
                assert chosen in after[person]
                assert all(chosen <= set().union(*after[key]) for key in [person])
            else:
                assert response.status_code in (200, 409, 422, 429)
                assert any(words in text for words in REFUSALS), text
                assert after == before
