"""The gate: what a Site may show."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend.visibility import Audience, Exposure, Surface
from wagtail_zoom.models import SiteItem, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def other(site):
    return Site.objects.create(hostname="other.example", root_page=site.root_page)


@pytest.fixture
def host():
    return rows.host(rows.account())


def dates(site, surface=Surface.PAGE, audience=Audience.VISITOR):
    return list(Exposure.for_site(site).occurrences(audience, surface))


def films(site):
    return list(Exposure.for_site(site).recordings(Audience.VISITOR, Surface.PAGE))


def test_shows_the_dates_of_a_ticked_host_without_secrets(site, host):
    rows.choice(site, host.account, host)
    shown = rows.date(host)
    rows.date(rows.host(host.account, "h2"))
    assert dates(site) == [shown]
    deferred = dates(site)[0].meeting.get_deferred_fields()
    assert deferred == {"join_url", "passcode"}


@pytest.mark.parametrize(
    "values",
    [
        {"zoom_type": 1},
        {"zoom_type": 4},
        {"is_private": True},
        {"uses_personal_room": True},
        {"detail_at": None},
        {"removed_at": NOW},
        {"kind": "webinar"},
    ],
)
def test_never_shown_even_when_published(site, host, values):
    rows.choice(site, host.account, host)
    rows.item(site, rows.date(host, **values).meeting)
    assert dates(site) == []


@pytest.mark.parametrize(
    "values", [{"configured_at": None}, {"needs_confirmation": True}, {"grant": None}]
)
def test_nothing_before_the_owner_has_chosen(site, host, values):
    rows.choice(site, host.account, host)
    rows.item(site, rows.recording(host))
    rows.date(host)
    ZoomSettings.objects.update(**values)
    assert dates(site) == films(site) == []


def test_an_archive_shows_its_account_only(site, host):
    rows.choice(site, host.account, host)
    shown = rows.date(host)
    rows.date(rows.host(rows.account()))
    ZoomSettings.objects.update(grant=None, archived_at=NOW)
    assert dates(site) == [shown]


def test_two_user_level_grants_do_not_see_each_other(site, other, host):
    second = rows.host(host.account, "h2")
    rows.choice(site, host.account, host, second, account_level=False)
    rows.choice(other, host.account, host, second, user="h2", account_level=False)
    mine, theirs = rows.date(host), rows.date(second)
    for place in (site, other):
        for each in (host, second):
            rows.item(place, rows.recording(each, topic=each.zoom_id))
    assert (dates(site), dates(other)) == ([mine], [theirs])
    assert [film.topic for film in films(site) + films(other)] == ["h1", "h2"]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("registration", {"approval_type": 0}),
        ("marked", {"topic": "Talk #PUBLIC"}),
        ("marked", {"agenda": "so #public"}),
    ],
)
def test_item_rules(site, host, rule, values):
    rows.choice(site, host.account, host, item_rule=rule)
    shown = rows.date(host, **values)
    rows.date(host)
    assert dates(site) == [shown]


def test_picked_shows_only_what_this_site_picked(site, other, host):
    rows.choice(site, host.account, host, item_rule="picked")
    shown, foreign = rows.date(host), rows.date(host)
    rows.item(site, shown.meeting)
    rows.item(other, foreign.meeting)
    assert dates(site) == [shown]


def test_hidden_and_expired(site, host):
    rows.choice(site, host.account, host)
    rows.item(site, rows.date(host).meeting, "hidden")
    yesterday = timezone.localdate() - timedelta(days=1)
    rows.item(site, rows.date(host).meeting, expires_on=yesterday)
    rows.item(site, rows.recording(host), expires_on=yesterday)
    assert dates(site) == films(site) == []


@pytest.mark.parametrize(
    "values",
    [
        {"is_ready": False},
        {"trashed_at": NOW},
        {"removed_at": NOW},
        {"is_unscheduled": True},
        {"zoom_type": "4"},
        {"start": NOW - timedelta(days=40)},
    ],
)
def test_recordings_that_stay_away(site, host, values):
    rows.choice(site, host.account, host, recording_days=30)
    good = rows.recording(host)
    for each in (good, rows.recording(host, **values)):
        rows.item(site, each)
    rows.recording(host)
    assert films(site) == [good]


def test_a_person_may_publish_an_unscheduled_recording(site, host):
    rows.choice(site, host.account, host)
    film = rows.recording(host, is_unscheduled=True)
    rows.item(site, film)
    SiteItem.objects.update(decided_at=NOW)
    assert films(site) == [film]


@pytest.mark.parametrize(
    ("policy", "visitor", "registrant"),
    [("public", 1, 1), ("window", 0, 0), ("registrants", 0, 1), ("never", 0, 0)],
)
def test_join_policy(site, host, policy, visitor, registrant):
    rows.choice(site, host.account, host, join_policy=policy)
    rows.date(host)
    rows.date(host, state="cancelled")
    assert len(dates(site, Surface.JOIN)) == visitor
    assert len(dates(site, Surface.JOIN, Audience.REGISTRANT)) == registrant
