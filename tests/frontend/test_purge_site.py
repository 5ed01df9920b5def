"""Changed settings and disconnecting purge all pages of a Site with blocks immediately."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Page, PageViewRestriction, Site

from tests.blocks import rows
from tests.frontend.test_purge import SENT, cache, host, page, paths, site  # noqa: F401
from tests.testapp.models import DatesPage
from wagtail_zoom.frontend.cache import purge
from wagtail_zoom.models import ExposedHost, ZoomSettings
from wagtail_zoom.oauth import disconnect

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(site):  # noqa: F811
    root = site.root_page
    page(root, "all", ("dates", {"limit": 5, "filters": True, "kind": None}))
    page(root, "films", ("recordings", {"paging": False}))
    page(root, "month", ("calendar", {}))
    page(root, "plain")


def bare(urls):
    return {url.partition("?")[0] for url in paths(urls)}


@pytest.mark.usefixtures("pages", "host")
def test_changed_settings_purge_all_pages_with_blocks(
    site,  # noqa: F811
    django_capture_on_commit_callbacks,
):
    site_settings = ZoomSettings.objects.get(site=site)
    with django_capture_on_commit_callbacks(execute=True):
        site_settings.join_policy = "never"
        site_settings.save()
    assert bare(SENT) == {"/all/", "/films/", "/month/"}
    assert any("-page=2" in url for url in SENT) and any("-kind=webinar" in url for url in SENT)
    assert sum("-month=" in url for url in SENT) == 37


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("how", ["disconnect", "archive", "removed in Zoom"])
def test_disconnecting_purges_too(site, host, how, django_capture_on_commit_callbacks):  # noqa: F811
    site_settings = ZoomSettings.objects.get(site=site)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "removed in Zoom":
            disconnect.deauthorize(
                site_settings.account.zoom_id, "h1", timezone.now() + timedelta(days=1)
            )
        else:
            disconnect.disconnect(site_settings, keep=how == "archive")
    assert bare(SENT) == {"/all/", "/films/", "/month/"}
    assert ExposedHost.objects.exists() == (how == "archive")


@pytest.mark.usefixtures("pages", "host")
@pytest.mark.parametrize("place", ["root", "its parent", "one page", "another site"])
def test_a_changed_restriction_purges_its_pages_and_the_calendar(
    site,  # noqa: F811
    place,
    django_capture_on_commit_callbacks,
):
    """Wagtail leaves a page that became private in the cache."""
    section = Page.objects.get(depth=1).add_child(instance=Page(title="Section", slug="section"))
    other = section.add_child(instance=Page(title="Elsewhere", slug="elsewhere"))
    Site.objects.create(hostname="other.example", root_page=other)
    restricted = {
        "root": site.root_page, "its parent": Page.objects.get(depth=1), "another site": other,
        "one page": Page.objects.get(slug="all"),
    }[place]  # fmt: skip
    expected = set() if place == "another site" else {
        "/all/", "/films/", "/month/", "/zoom/calendar/all.ics",
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        restriction = PageViewRestriction.objects.create(page=restricted, restriction_type="login")
    assert bare(SENT) == expected
    SENT.clear()
    with django_capture_on_commit_callbacks(execute=True):
        restriction.delete()
    assert bare(SENT) == expected


@pytest.mark.usefixtures("pages")
def test_site_urls_include_all_urls_of_a_change(site, host):  # noqa: F811
    """A purge of changed rows has no URL that a purge of the Site has not."""
    meeting = [rows.occurrence(host) for _number in range(12)][0].meeting
    urls = purge.urls_for(host.account, {meeting.pk}, ())
    assert len(urls) > 4 and set(urls) <= set(purge.site_urls(site))


def test_pages_of_changed_occurrences(client, site, host):  # noqa: F811
    occurrence, _two = rows.occurrence(host), rows.occurrence(host)
    dates_page = DatesPage(title="Dates", slug="dates", body=[("meetings", {"paging": False})])
    site.root_page.add_child(instance=dates_page)
    path = dates_page.zoom_date_path(site.pk, occurrence)
    urls = paths(purge.urls_for(host.account, {occurrence.meeting.pk}, ()))
    assert urls == {"/dates/", f"/dates/{path}"}
    response = client.get(f"/dates/{path}")
    assert response.status_code == 200
    lifetimes = re.fullmatch(r"max-age=0, s-maxage=(\d+)", response["Cache-Control"])
    assert int(lifetimes[1]) <= 300
