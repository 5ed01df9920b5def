"""What an owner takes back leaves the front-end cache at once, whatever was on the pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

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
def test_a_new_choice_purges_all_that_may_show_something(
    site,  # noqa: F811
    django_capture_on_commit_callbacks,
):
    choice = ZoomSettings.objects.get(site=site)
    with django_capture_on_commit_callbacks(execute=True):
        choice.join_policy = "never"
        choice.save()
    assert bare(SENT) == {"/all/", "/films/", "/month/"}
    assert any("-page=2" in url for url in SENT) and any("-kind=webinar" in url for url in SENT)
    assert sum("-month=" in url for url in SENT) == 37


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("how", ["disconnect", "archive", "removed in Zoom"])
def test_leaving_purges_too(site, host, how, django_capture_on_commit_callbacks):  # noqa: F811
    choice = ZoomSettings.objects.get(site=site)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "removed in Zoom":
            disconnect.deauthorize(choice.account.zoom_id, "h1", timezone.now() + timedelta(days=1))
        else:
            disconnect.disconnect(choice, keep=how == "archive")
    assert bare(SENT) == {"/all/", "/films/", "/month/"}
    assert ExposedHost.objects.exists() == (how == "archive")


@pytest.mark.usefixtures("pages")
def test_every_address_that_a_list_declares_is_among_them(site, host):  # noqa: F811
    """What the exact purge finds is never more than what taking back covers."""
    meeting = [rows.date(host) for _number in range(12)][0].meeting
    exact = purge.urls_for(host.account, {meeting.pk}, ())
    assert len(exact) > 4 and set(exact) <= set(purge.site_urls(site))


def test_the_pages_of_changed_dates(client, site, host, settings):  # noqa: F811
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    one, _two = rows.date(host), rows.date(host)
    made = DatesPage(title="Dates", slug="dates", body=[("meetings", {"paging": False})])
    site.root_page.add_child(instance=made)
    path = made.zoom_date_path(site.pk, one)
    urls = paths(purge.urls_for(host.account, {one.meeting.pk}, ()))
    assert urls == {"/dates/", f"/dates/{path}"}
    answer = client.get(f"/dates/{path}")
    assert answer.status_code == 200 and answer["Cache-Control"] == "max-age=300"
