"""Which URLs are purged when rows change or time passes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Page, ReferenceIndex, Site

from tests.blocks import rows
from tests.testapp.models import EventPage, ZoomPage
from wagtail_zoom.frontend.cache import purge
from wagtail_zoom.models import SiteItem, ZoomSettings
from wagtail_zoom.signals import mirror_changed
from wagtail_zoom.sync import event_effects

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
SENT = []


class Backend:
    """A front-end cache that records the purged URLs."""

    def __init__(self, config):
        self.hostnames = None

    def purge_batch(self, urls):
        SENT.extend(urls)

    def purge(self, url):
        SENT.append(url)

    def invalidates_hostname(self, hostname):
        return True


@pytest.fixture(autouse=True)
def cache(settings):
    settings.WAGTAILFRONTENDCACHE = {
        "default": {"BACKEND": "tests.frontend.test_purge.Backend", "HOSTNAMES": []}
    }
    SENT.clear()


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True)
    return host


def page(parent, slug, *blocks):
    instance = ZoomPage(title=slug, slug=slug, body=list(blocks))
    parent.add_child(instance=instance)
    ReferenceIndex.create_or_update_for_object(instance)
    return instance


def paths(urls):
    return {url.partition("localhost")[2] for url in urls}


def test_only_pages_that_can_show_a_row_are_purged(site, host):
    root = site.root_page
    meeting, webinar = rows.occurrence(host).meeting, rows.occurrence(host, kind="webinar").meeting
    item = rows.item(site, meeting)
    page(root, "all", ("dates", {"paging": False}))
    page(root, "webinars", ("dates", {"paging": False, "kind": "webinar"}))
    page(root, "films", ("recordings", {"paging": False}))
    page(root, "one", ("meeting", {"item": item}))
    page(root, "nested", ("columns", {"left": [], "right": [{"paging": False}]}))
    page(root, "plain")
    EventPage(title="event", slug="event", zoom_item=item)
    event = EventPage(title="event", slug="event", zoom_item=item)
    root.add_child(instance=event)
    account = host.account
    assert paths(purge.urls_for(account, {meeting.pk}, ())) == {
        "/all/",
        "/one/",
        "/nested/",
        "/event/",
    }
    assert paths(purge.urls_for(account, {webinar.pk}, ())) == {"/all/", "/webinars/", "/nested/"}
    recording = rows.recording(host)
    assert paths(purge.urls_for(account, (), {recording.pk})) == {"/films/"}
    Page.objects.get(slug="all").specific.unpublish()
    assert "/all/" not in paths(purge.urls_for(account, {meeting.pk}, ()))


def test_removed_rows_purge_every_list(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    page(site.root_page, "films", ("recordings", {"paging": False}))
    assert paths(purge.urls_for(host.account, {99999}, ())) == {"/all/", "/films/"}


def test_other_sites_and_hidden_hosts_are_not_purged(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    other_meeting = rows.occurrence(rows.host(host.account, "h2")).meeting
    assert purge.urls_for(host.account, {other_meeting.pk}, ()) == []
    assert purge.urls_for(rows.account(), {rows.occurrence(host).meeting.pk}, ()) == []


def test_declared_variants_are_purged_too(site, host):
    occurrences = [rows.occurrence(host, start=NOW + (number + 1) * HOUR) for number in range(3)]
    list_page = page(
        site.root_page, "all", ("dates", {"limit": 2, "paging": True, "filters": True})
    )
    urls = paths(purge.urls_for(host.account, {occurrences[0].meeting.pk}, ()))
    html = list_page.serve(_request(list_page)).render().content.decode()
    name = html.split('id="wz-')[1].split('"')[0]
    assert f"/all/?wz-{name}-page=2" in urls
    assert f"/all/?wz-{name}-kind=webinar" in urls
    for link in html.split('href="')[1:]:
        path = link.split('"')[0].partition("#")[0]
        if path.startswith("/all/"):
            assert path in urls, path


def _request(page):
    from django.test import RequestFactory

    return RequestFactory().get(page.url)


def test_a_mirror_change_purges(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    meeting = rows.occurrence(host).meeting
    mirror_changed.send_robust(
        type(host.account), account=host.account, meetings={meeting.pk}, recordings=set()
    )
    assert paths(SENT) == {"/all/"}


@pytest.mark.parametrize(
    ("start", "is_due"),
    [
        (NOW - timedelta(seconds=30), True),
        (NOW - HOUR - timedelta(seconds=30), True),
        (NOW + timedelta(minutes=15) - timedelta(seconds=30), True),
        (NOW + timedelta(minutes=30), False),
        (NOW - timedelta(minutes=30), False),
    ],
)
def test_starts_ends_and_join_windows_are_due(site, host, start, is_due):
    meeting = rows.occurrence(host, start=start).meeting
    due = purge.due_changes(NOW, NOW - timedelta(minutes=1))
    assert (meeting.pk in due.meetings[host.account.pk]) == is_due


def test_expired_items_are_due(site, host):
    today = timezone.localdate(NOW)
    meeting = rows.occurrence(host).meeting
    rows.item(site, meeting, meeting=meeting, expires_on=today - timedelta(days=1))
    recording = rows.recording(host, start=NOW - timedelta(days=7, seconds=30))
    ZoomSettings.objects.update(recording_days=7)
    due = purge.due_changes(NOW, NOW - timedelta(days=1))
    assert meeting.pk in due.meetings[host.account.pk]
    assert recording.pk in due.recordings[host.account.pk]
    assert SiteItem.objects.exists()


def test_the_sweep_continues_where_the_last_one_ended(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    rows.occurrence(host, start=NOW + timedelta(minutes=5))
    purge.sweep(NOW)
    assert SENT == []
    purge.sweep(NOW + timedelta(minutes=10))
    assert paths(SENT) == {"/all/"}
    purge.sweep(NOW + timedelta(minutes=11))
    assert len(SENT) == 1


def test_nothing_happens_without_a_cache(site, host, settings, django_assert_num_queries):
    settings.WAGTAILFRONTENDCACHE = {}
    with django_assert_num_queries(0):
        assert purge.purge_for(host.account, {1}, {1}) == []
        purge.sweep(NOW)


def test_a_live_occurrence_without_an_end_event_is_purged_after_the_overrun(host):
    """Also if the tick has closed it just before."""
    ended = NOW - 6 * HOUR - timedelta(seconds=20)
    row = rows.occurrence(host, start=ended - HOUR, state="live")
    ended_row = rows.occurrence(host, start=ended - HOUR, state="over")
    type(ended_row).objects.filter(pk=ended_row.pk).update(state_since=ended)
    since = NOW - timedelta(minutes=1)
    assert purge.due_changes(NOW, since).meetings[host.account_id] == {row.meeting_id}
    event_effects.close_past_occurrences(NOW)
    assert purge.due_changes(NOW, since).meetings[host.account_id] == {row.meeting_id}
    assert not purge.due_changes(NOW - HOUR, since - HOUR).meetings
