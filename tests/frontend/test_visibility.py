"""Visibility rules: what a Site may show."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend import disconnected
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
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


def occurrences(site, channel=Channel.PAGE, audience=Audience.VISITOR):
    return list(SiteVisibility.for_site(site).occurrences(audience, channel))


def recordings(site):
    return list(SiteVisibility.for_site(site).recordings(Audience.VISITOR, Channel.PAGE))


def test_shows_occurrences_of_an_exposed_host_without_secrets(site, host):
    rows.site_settings(site, host.account, host)
    shown = rows.occurrence(host)
    rows.occurrence(rows.host(host.account, "h2"))
    assert occurrences(site) == [shown]
    deferred = occurrences(site)[0].meeting.get_deferred_fields()
    assert deferred == {"join_url", "passcode"}


@pytest.mark.parametrize("policy", ["public", "window", "registrants", "nobody"])
@pytest.mark.parametrize("audience", [Audience.VISITOR, Audience.REGISTRANT])
def test_the_link_of_a_meeting_without_fixed_time_follows_the_join_policy(
    site, host, policy, audience
):
    rows.site_settings(site, host.account, host, join_policy=policy)
    meeting = rows.occurrence(host, zoom_type=3).meeting
    rows_with_link = list(SiteVisibility.for_site(site).meetings(audience, Channel.JOIN))
    allowed = policy in ("public", "window") or (
        policy == "registrants" and audience is Audience.REGISTRANT
    )
    assert rows_with_link == ([meeting] if allowed else [])


def test_an_item_of_a_former_account_publishes_nothing(site, host):
    """Numbers repeat: what the owner published there may be another meeting here."""
    rows.site_settings(site, host.account, host, item_rule="picked")
    meeting, recording = rows.occurrence(host).meeting, rows.recording(host)
    former = {"site": site, "account": rows.account(), "visibility": "published"}
    SiteItem.objects.create(kind="meeting", key=meeting.zoom_id, **former)
    SiteItem.objects.create(kind="recording", key=recording.uuid, **former)
    assert occurrences(site) == recordings(site) == []
    rows.item(site, meeting)
    rows.item(site, recording)
    assert (len(occurrences(site)), len(recordings(site))) == (1, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"zoom_type": 1},
        {"zoom_type": 4},
        {"zoom_type": 10},
        {"unclear_setting": "use_pmi"},
        {"is_private": True},
        {"uses_personal_room": True},
        {"detail_at": None},
        {"removed_at": NOW},
        {"kind": "webinar"},
    ],
)
def test_never_shown_even_when_published(site, host, values):
    rows.site_settings(site, host.account, host)
    rows.item(site, rows.occurrence(host, **values).meeting)
    assert occurrences(site) == []


@pytest.mark.parametrize(
    "values", [{"configured_at": None}, {"needs_confirmation": True}, {"grant": None}]
)
def test_nothing_before_the_site_is_configured(site, host, values):
    rows.site_settings(site, host.account, host)
    rows.item(site, rows.recording(host))
    rows.occurrence(host)
    ZoomSettings.objects.update(**values)
    assert occurrences(site) == recordings(site) == []


def test_an_archive_shows_its_account_only(site, host):
    rows.site_settings(site, host.account, host)
    shown = rows.occurrence(host)
    rows.occurrence(rows.host(rows.account()))
    disconnected.freeze(ZoomSettings.objects.get())
    ZoomSettings.objects.update(grant=None, archived_at=timezone.now())
    assert occurrences(site) == [shown]


def test_two_user_level_grants_do_not_see_each_other(site, other, host):
    second_host = rows.host(host.account, "h2")
    rows.site_settings(site, host.account, host, second_host, account_level=False)
    rows.site_settings(other, host.account, host, second_host, user="h2", account_level=False)
    own, foreign = rows.occurrence(host), rows.occurrence(second_host)
    for one_site in (site, other):
        for one_host in (host, second_host):
            rows.item(one_site, rows.recording(one_host, topic=one_host.zoom_id))
    assert (occurrences(site), occurrences(other)) == ([own], [foreign])
    assert [recording.topic for recording in recordings(site) + recordings(other)] == ["h1", "h2"]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("registration", {"approval_type": 0}),
        ("marked", {"topic": "Talk #PUBLIC"}),
        ("marked", {"agenda": "so #public"}),
    ],
)
def test_item_rules(site, host, rule, values):
    rows.site_settings(site, host.account, host, item_rule=rule)
    shown = rows.occurrence(host, **values)
    rows.occurrence(host)
    assert occurrences(site) == [shown]


def test_picked_shows_only_what_this_site_picked(site, other, host):
    rows.site_settings(site, host.account, host, item_rule="picked")
    shown, foreign = rows.occurrence(host), rows.occurrence(host)
    rows.item(site, shown.meeting)
    rows.item(other, foreign.meeting)
    assert occurrences(site) == [shown]


def test_hidden_and_expired(site, host):
    rows.site_settings(site, host.account, host)
    rows.item(site, rows.occurrence(host).meeting, "hidden")
    yesterday = timezone.localdate() - timedelta(days=1)
    rows.item(site, rows.occurrence(host).meeting, expires_on=yesterday)
    rows.item(site, rows.recording(host), expires_on=yesterday)
    assert occurrences(site) == recordings(site) == []


@pytest.mark.parametrize(
    "values",
    [
        {"is_ready": False},
        {"trashed_at": NOW},
        {"removed_at": NOW},
        {"is_unscheduled": True},
        {"zoom_type": "4"},
        {"zoom_type": "10"},
        {"zoom_type": "99"},
        {"zoom_type": "100"},
        {"has_link": False},
        {"start": NOW - timedelta(days=40)},
    ],
)
def test_hidden_recordings(site, host, values):
    rows.site_settings(site, host.account, host, recording_days=30)
    visible = rows.recording(host)
    for recording in (visible, rows.recording(host, **values)):
        rows.item(site, recording)
    rows.recording(host)
    assert recordings(site) == [visible]


@pytest.mark.parametrize(
    "values",
    [{"is_private": True}, {"uses_personal_room": True}, {"unclear_setting": "private_meeting"}],
)
def test_recordings_of_hidden_meetings(site, host, values):
    """Not even by a decision: the meeting's own switch counts."""
    rows.site_settings(site, host.account, host)
    meeting = rows.occurrence(host).meeting
    recording = rows.recording(host, meeting=meeting)
    rows.item(site, recording)
    SiteItem.objects.update(decided_at=NOW)
    assert recordings(site) == [recording]
    type(meeting).objects.filter(pk=meeting.pk).update(**values)
    assert recordings(site) == []


def test_a_user_may_publish_an_unscheduled_recording(site, host):
    rows.site_settings(site, host.account, host)
    recording = rows.recording(host, is_unscheduled=True)
    rows.item(site, recording)
    SiteItem.objects.update(decided_at=NOW)
    assert recordings(site) == [recording]


@pytest.mark.parametrize(
    ("policy", "visitor", "registrant"),
    [("public", 1, 1), ("window", 0, 0), ("registrants", 0, 1), ("never", 0, 0)],
)
def test_join_policy(site, host, policy, visitor, registrant):
    rows.site_settings(site, host.account, host, join_policy=policy)
    rows.occurrence(host)
    rows.occurrence(host, state="cancelled")
    assert len(occurrences(site, Channel.JOIN)) == visitor
    assert len(occurrences(site, Channel.JOIN, Audience.REGISTRANT)) == registrant
