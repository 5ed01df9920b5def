"""A change of one host's data leaves the cached HTML of pages that show other hosts valid."""

import contextlib
import random

import pytest
from django.core.cache import cache
from django.core.exceptions import MultipleObjectsReturned
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from tests.blocks import rows
from tests.blocks.test_block_cache import (
    CHANGES,
    EXPECTED_ERRORS,
    HOUR,
    LATER,
    SiteData,
    block_cache,
    cached_html,
    clock,  # noqa: F401  (a fixture)
    fresh_cache,  # noqa: F401  (a fixture)
)
from wagtail_zoom.admin import curation
from wagtail_zoom.models import (
    ExposedHost,
    HostVersion,
    Meeting,
    Recording,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
    bump_hosts,
    bump_rows,
)
from wagtail_zoom.models import versions as data_versions
from wagtail_zoom.models.versions import publish_changes
from wagtail_zoom.registration import capacity
from wagtail_zoom.sync import event_effects, questions, removals, transcripts, users

pytestmark = pytest.mark.django_db


@pytest.fixture
def site_data(site, host, rf, clock):  # noqa: F811
    """The page's Site shows the host ``h1``; another Site of the account shows ``h2``."""
    data = SiteData(site, host, rf, clock)
    neighbour = Site.objects.create(
        hostname="neighbour.localhost", root_page=site.root_page, port=80
    )
    own = ZoomSettings.objects.get()
    settings_row = ZoomSettings.objects.create(
        site=neighbour, grant=own.grant, account=own.account, configured_at=own.configured_at,
        show_meetings=True, show_webinars=True, show_recordings=True, show_registration=True,
    )  # fmt: skip
    ExposedHost.objects.create(settings=settings_row, host=data.other)
    data.neighbour = neighbour
    data.store(50, hours=5, host="h2", approval=0)
    data.recording("other", host="h2")
    clock.move_to(LATER)
    return data


def other_item(kind="meeting"):
    return SiteItem.objects.filter(site__hostname="neighbour.localhost", kind=kind).get()


def edit_other_item(data, **values):
    item = other_item()
    for name, value in values.items():
        setattr(item, name, value)
    item.save()


def save_transcript(data, uuid="other"):
    transcripts._save(Recording.objects.get(uuid=uuid), "1", "Spoken words")


def meeting_50():
    return Meeting.objects.get(zoom_id="50")


UNRELATED_CHANGES = {
    "new date": lambda w: w.store(51, hours=4, host="h2"),
    "other topic": lambda w: w.store(50, hours=5, host="h2", topic="Renamed"),
    "live": lambda w: event_effects.mark_live(w.account, "50", w.now() + 5 * HOUR),
    "cancelled": lambda w: event_effects.hide_deleted(w.account, "50", None, w.now()),
    "removed": lambda w: removals.remove(w.account, w.scope(), [meeting_50()]),
    "other recording": lambda w: w.recording("other", host="h2", topic="New cut"),
    "recording gone": lambda w: event_effects.hide_recordings(
        w.account, ["other"], w.now(), deleted=True
    ),
    "transcript": save_transcript,
    "host's name": lambda w: users.store_hosts(
        w.account, [("h2", {"display_name": "Ines"})], w.now()
    ),
    "hidden": lambda w: curation.set_visibility([other_item()], "hidden", None),
    "own title": lambda w: edit_other_item(w, title="Ours"),
    "published": lambda w: curation.set_visibility([other_item("recording")], "published", None),
    "tag": lambda w: curation.add_tags([other_item()], ["quiet"]),
    "registration": lambda w: capacity.set_count(meeting_50(), 3),
    "questions": lambda w: questions.store(meeting_50(), {"questions": [{"field_name": "city"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", UNRELATED_CHANGES)
def test_a_change_of_another_host_leaves_cached_html_valid(site_data, name):
    with block_cache():
        before = site_data.html()
        count = len(cached_html())
        versions = list(HostVersion.objects.filter(host=site_data.other).values())
        UNRELATED_CHANGES[name](site_data)
        assert list(HostVersion.objects.filter(host=site_data.other).values()) != versions
        assert site_data.html() == before == site_data.fresh()
        assert len(cached_html()) == count == 7


@pytest.mark.parametrize(
    ("change", "rendered"),
    [
        # The past list, the recordings, the calendar and the chosen meeting.
        (lambda w: w.recording("a", topic="New cut"), 4),
        (lambda w: save_transcript(w, "a"), 4),
        # All but the list of recordings.
        (lambda w: w.store(1, hours=30, topic="Renamed", approval=0), 6),
    ],
)
def test_only_blocks_with_that_kind_of_data_are_rendered_again(site_data, change, rendered):
    with block_cache():
        site_data.html()
        count = len(cached_html())
        change(site_data)
        assert site_data.html() == site_data.fresh()
        assert len(cached_html()) - count == rendered


def test_a_transferred_meeting_leaves_and_comes_back(site_data):
    """It moves to a host that the Site does not show, and back."""
    with block_cache():
        before = site_data.html()
        site_data.store(2, hours=3, webinar=True, host="h2")
        assert site_data.html() == site_data.fresh() != before
        assert "Evening 2" not in site_data.html()
        site_data.later(HOUR / 3600)
        site_data.store(2, hours=3, webinar=True)
        assert "Evening 2" in site_data.html()
        assert site_data.html() == site_data.fresh()


def test_a_transferred_recording_leaves(site_data):
    with block_cache():
        assert "Film a" in site_data.html()
        site_data.recording("a", host="h2")
        assert "Film a" not in site_data.html()
        assert site_data.html() == site_data.fresh()


def test_a_meeting_of_another_host_hides_its_recordings(site_data):
    """A recording of the Site's host, in a meeting that another host has made private."""
    Recording.objects.filter(uuid="a").update(meeting=meeting_50())
    bump_data_version(site_data.account.pk)
    with block_cache():
        assert "Film a" in site_data.html()
        Meeting.objects.filter(pk=meeting_50().pk).update(is_private=True)
        publish_changes(site_data.account, {meeting_50().pk})
        assert "Film a" not in site_data.html()
        assert site_data.html() == site_data.fresh()


def test_a_personal_room_of_another_host_hides_its_recordings(site_data):
    Recording.objects.filter(uuid="a").update(meeting=meeting_50())
    bump_data_version(site_data.account.pk)
    with block_cache():
        assert "Film a" in site_data.html()
        users.store_hosts(
            site_data.account, [("h2", {"display_name": "Host h2", "pmi": "50"})], site_data.now()
        )
        assert "Film a" not in site_data.html()
        assert site_data.html() == site_data.fresh()


def test_a_host_that_is_selected_later_is_shown(site_data):
    with block_cache():
        site_data.html()
        ZoomSettings.objects.get(site=site_data.site).hosts.add(site_data.other)
        assert "Evening 50" in site_data.html()
        site_data.store(50, hours=5, host="h2", topic="Renamed")
        assert "Renamed" in site_data.html()
        assert site_data.html() == site_data.fresh()


@pytest.mark.parametrize("deleted", [1, data_versions.MAX_ROWS + 1])
def test_without_a_host_the_account_gets_a_new_version(site_data, deleted):
    """The row was deleted, or there are too many to look up."""
    before = ZoomAccount.objects.get().data_version
    bump_rows(site_data.account.pk, meetings=range(10**9, 10**9 + deleted))
    assert ZoomAccount.objects.get().data_version > before


def test_a_change_of_a_stored_row_leaves_the_account_alone(site_data):
    """Its row is shared by all hosts: writers of other hosts would wait for it."""
    before = ZoomAccount.objects.get().data_version
    with CaptureQueriesContext(connection) as queries:
        bump_rows(site_data.account.pk, [meeting_50().pk])
    assert ZoomAccount.objects.get().data_version == before
    # The meeting, its host, the versions.
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 3


def test_a_version_never_comes_back(site_data):
    seen = set()
    for _change in range(5):
        bump_hosts([site_data.host.pk])
        versions = HostVersion.objects.filter(host=site_data.host)
        seen |= set(versions.values_list("dates", "recordings"))
    assert len(seen) == 5
    cache.clear()


@pytest.mark.parametrize("hosts", [1, 40])
def test_versions_of_many_hosts_need_no_query_of_their_own(site_data, hosts):
    """They are read with the settings of the Site."""
    own = ZoomSettings.objects.get(site=site_data.site)
    for number in range(hosts):
        shown = rows.host(site_data.account, f"shown{number}")
        ExposedHost.objects.create(settings=own, host=shown)
        bump_hosts([shown.pk])
    with block_cache():
        site_data.html()
        with CaptureQueriesContext(connection) as queries:
            site_data.html()
    assert len(queries) <= 6


TRANSFERS = {
    "transferred": lambda w: w.store(2, hours=3, webinar=True, host="h2"),
    "transferred back": lambda w: w.store(2, hours=3, webinar=True),
    "recording transferred": lambda w: w.recording("a", host="h2"),
    "recording transferred back": lambda w: w.recording("a"),
    "recorded by another host": lambda w: w.recording("c", host="h2"),
    "private": lambda w: w.store(3, hours=-50, settings={"private_meeting": True}),
    "not private": lambda w: w.store(3, hours=-50),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_changes_of_both_hosts(site_data, seed):
    """Cached HTML equals newly rendered HTML, whatever changed, with or without visits between."""
    dice = random.Random(seed)
    changes = CHANGES | {f"other: {name}": UNRELATED_CHANGES[name] for name in UNRELATED_CHANGES}
    changes |= TRANSFERS
    # The last one needs an item that is visible.
    names = changes.keys() - {"disconnected", "page deleted", "no picture"}
    with block_cache():
        for name in dice.choices(sorted(names), k=40):
            # An earlier change may have deleted the row.
            errors = (*EXPECTED_ERRORS, MultipleObjectsReturned)
            with contextlib.suppress(*errors), transaction.atomic():
                changes[name](site_data)
            if dice.random() < 0.7:
                assert site_data.html() == site_data.fresh(), name
        assert site_data.html() == site_data.fresh()
