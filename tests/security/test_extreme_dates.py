"""Days that no clock can compute: the first and the last years (X50)."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from tests.security.tenant_data import make_tenants
from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend.block_index import block_prefix
from wagtail_zoom.frontend.pagination import BlockParams
from wagtail_zoom.frontend.queries import OccurrenceQuery, RecordingQuery, recordings_of
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import SiteItem

pytestmark = pytest.mark.django_db

ZONES = ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue"]
DAYS = ["0001-01-01", "9999-12-31"]
BLOCK = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def tenants(db):
    return make_tenants()


def page_of(tenants, name, value) -> ZoomPage:
    page = ZoomPage(title="Dates", slug="dates")
    page.body = ZoomPage.body.field.stream_block.to_python(
        [{"type": name, "value": value, "id": BLOCK}]
    )
    return tenants.north.site.root_page.add_child(instance=page)


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_out_of_range_is_no_year(tenants, client, settings, zone):
    settings.TIME_ZONE = zone
    page_of(tenants, "recordings", {"years": True})
    headers, name = {"host": tenants.north.hostname}, block_prefix(BLOCK)
    for year in ("1", "0001", "9999", "0", "1999", "2201"):
        response = client.get("/dates/", {f"{name}-year": year}, headers=headers)
        assert response.status_code == 200
        assert "northwind own title of the recording" in response.content.decode(), year
    text = client.get("/dates/", {f"{name}-year": "2000"}, headers=headers).content.decode()
    assert "northwind own title of the recording" not in text
    visibility = SiteVisibility.for_site(tenants.north.site)
    for number in (1, 9999, 10**6, -5):
        assert len(recordings_of(visibility, RecordingQuery(year=number))) == 1


def test_only_years_of_the_calendar_are_years():
    texts = ("2000", "2200", "1999", "2201", "20", "²⁰²⁶", "")
    years = [BlockParams("wz", {"year": text}).year for text in texts]
    assert years == [2000, 2200, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("zone", ZONES)
def test_extreme_months_of_a_calendar_are_the_nearest(tenants, client, settings, zone):
    settings.TIME_ZONE = zone
    page_of(tenants, "calendar", {})
    headers, name = {"host": tenants.north.hostname}, block_prefix(BLOCK)
    for month in ("0001-01", "9999-12", "0000-01", "9999-13"):
        response = client.get("/dates/", {f"{name}-month": month}, headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("is_one_sided", [False, True])
def test_extreme_days_that_an_editor_enters_are_the_nearest(
    tenants, client, settings, zone, is_one_sided
):
    settings.TIME_ZONE = zone
    first, last = (DAYS[0], None) if is_one_sided else DAYS
    value = {"period": "range", "first": first, "last": last}
    page_of(tenants, "dates", value)
    response = client.get("/dates/", headers={"host": tenants.north.hostname})
    assert "northwind own title of the meeting" in response.content.decode()
    for day in map(date.fromisoformat, DAYS):
        query = OccurrenceQuery(period="range", first=day, last=day, zone=zone)
        assert query.since.year in (2000, 2200) and query.until.year in (2000, 2201)


@pytest.mark.parametrize("zone", ZONES)
def test_an_extreme_last_day_that_an_owner_enters(tenants, client, settings, zone):
    settings.TIME_ZONE = zone
    SiteItem.objects.filter(pk=tenants.north.recording_item.pk).update(expires_on=DAYS[1])
    page_of(tenants, "recordings", {})
    response = client.get("/dates/", headers={"host": tenants.north.hostname})
    assert "northwind own title of the recording" in response.content.decode()
    client.force_login(tenants.north.owner)
    assert client.get(reverse("wagtail_zoom_recordings:index")).status_code == 200


@pytest.mark.parametrize("zone", ZONES)
def test_extreme_days_in_a_filter_of_the_admin(tenants, settings, zone):
    settings.TIME_ZONE = zone
    client = Client()
    client.force_login(tenants.north.owner)
    url = reverse("wagtail_zoom_recordings:index")
    early, late = DAYS
    for query, is_listed in (
        ({"recorded_from": early}, True),
        ({"recorded_to": late}, True),
        ({"recorded_from": early, "recorded_to": late}, True),
        ({"recorded_from": late}, False),
        ({"recorded_to": early}, False),
    ):
        response = client.get(url, query)
        assert response.status_code == 200
        text = response.content.decode()
        assert ("northwind own title of the recording" in text) is is_listed, query
