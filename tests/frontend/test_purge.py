"""Which addresses are purged when something changes or a time is reached."""

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
    """A front-end cache that writes down what it is told."""

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
    rows.choice(site, host.account, host, show_webinars=True)
    return host


def page(under, slug, *blocks):
    made = ZoomPage(title=slug, slug=slug, body=list(blocks))
    under.add_child(instance=made)
    ReferenceIndex.create_or_update_for_object(made)
    return made


def paths(urls):
    return {url.partition("localhost")[2] for url in urls}


def test_exactly_the_pages_that_can_show_it(site, host):
    root = site.root_page
    one, two = rows.date(host).meeting, rows.date(host, kind="webinar").meeting
    item = rows.item(site, one)
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
    assert paths(purge.urls_for(account, {one.pk}, ())) == {
        "/all/",
        "/one/",
        "/nested/",
        "/event/",
    }
    assert paths(purge.urls_for(account, {two.pk}, ())) == {"/all/", "/webinars/", "/nested/"}
    film = rows.recording(host)
    assert paths(purge.urls_for(account, (), {film.pk})) == {"/films/"}
    Page.objects.get(slug="all").specific.unpublish()
    assert "/all/" not in paths(purge.urls_for(account, {one.pk}, ()))


def test_removed_rows_purge_every_list(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    page(site.root_page, "films", ("recordings", {"paging": False}))
    assert paths(purge.urls_for(host.account, {99999}, ())) == {"/all/", "/films/"}


def test_other_sites_and_unticked_hosts_are_left_alone(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    stranger = rows.date(rows.host(host.account, "h2")).meeting
    assert purge.urls_for(host.account, {stranger.pk}, ()) == []
    assert purge.urls_for(rows.account(), {rows.date(host).meeting.pk}, ()) == []


def test_declared_variants_are_purged_too(site, host):
    shown = [rows.date(host, start=NOW + (number + 1) * HOUR) for number in range(3)]
    made = page(site.root_page, "all", ("dates", {"limit": 2, "paging": True, "filters": True}))
    urls = paths(purge.urls_for(host.account, {shown[0].meeting.pk}, ()))
    html = made.serve(_request(made)).render().content.decode()
    name = html.split('id="wz-')[1].split('"')[0]
    assert f"/all/?wz-{name}-page=2" in urls
    assert f"/all/?wz-{name}-kind=webinar" in urls
    for link in html.split('href="')[1:]:
        path = link.split('"')[0].partition("#")[0]
        if path.startswith("/all/"):
            assert path in urls, path


def _request(made):
    from django.test import RequestFactory

    return RequestFactory().get(made.url)


def test_a_change_of_the_mirror_purges(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    meeting = rows.date(host).meeting
    mirror_changed.send_robust(
        type(host.account), account=host.account, meetings={meeting.pk}, recordings=set()
    )
    assert paths(SENT) == {"/all/"}


@pytest.mark.parametrize(
    ("start", "hit"),
    [
        (NOW - timedelta(seconds=30), True),
        (NOW - HOUR - timedelta(seconds=30), True),
        (NOW + timedelta(minutes=15) - timedelta(seconds=30), True),
        (NOW + timedelta(minutes=30), False),
        (NOW - timedelta(minutes=30), False),
    ],
)
def test_starts_ends_and_doors_are_boundaries(site, host, start, hit):
    meeting = rows.date(host, start=start).meeting
    found = purge.boundaries(NOW, NOW - timedelta(minutes=1))
    assert (meeting.pk in found.meetings[host.account.pk]) == hit


def test_what_expires_is_a_boundary(site, host):
    today = timezone.localdate(NOW)
    meeting = rows.date(host).meeting
    rows.item(site, meeting, meeting=meeting, expires_on=today - timedelta(days=1))
    film = rows.recording(host, start=NOW - timedelta(days=7, seconds=30))
    ZoomSettings.objects.update(recording_days=7)
    found = purge.boundaries(NOW, NOW - timedelta(days=1))
    assert meeting.pk in found.meetings[host.account.pk]
    assert film.pk in found.recordings[host.account.pk]
    assert SiteItem.objects.exists()


def test_the_sweep_goes_on_where_the_last_one_ended(site, host):
    page(site.root_page, "all", ("dates", {"paging": False}))
    rows.date(host, start=NOW + timedelta(minutes=5))
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


def test_a_live_date_whose_end_nobody_told_is_purged_when_it_counts_as_over(host):
    """Also when the tick has closed it a moment before."""
    ended = NOW - 6 * HOUR - timedelta(seconds=20)
    row = rows.date(host, start=ended - HOUR, state="live")
    told = rows.date(host, start=ended - HOUR, state="over")
    type(told).objects.filter(pk=told.pk).update(state_since=ended)
    since = NOW - timedelta(minutes=1)
    assert purge.boundaries(NOW, since).meetings[host.account_id] == {row.meeting_id}
    event_effects.close_past(NOW)
    assert purge.boundaries(NOW, since).meetings[host.account_id] == {row.meeting_id}
    assert not purge.boundaries(NOW - HOUR, since - HOUR).meetings
