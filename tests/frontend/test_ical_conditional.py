"""Validators of the calendar files: who has the present version costs no reading of rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations

import icalendar
import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import parse_http_date
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import EventPage
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.cache import html as html_cache
from wagtail_zoom.frontend.feeds import views
from wagtail_zoom.models import ItemTag, Occurrence, ZoomSettings, bump_data_version

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ALL = "/zoom/calendar/all.ics"


@pytest.fixture(autouse=True)
def caching(settings):
    """As in production; the settings of the other tests cache nothing."""
    settings.WAGTAIL_ZOOM = {**django_settings.WAGTAIL_ZOOM, "BLOCK_CACHE": "default"}
    html_cache._retry_at.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def site(db):
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site, clock):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True)
    return host


@pytest.fixture
def date(host, clock):
    return rows.occurrence(host, topic="Open studio")


@pytest.fixture
def item(site, date):
    return rows.item(site, date.meeting)


@pytest.fixture
def written(monkeypatch):
    """The calendars that were written, as bytes."""
    files, to_ical = [], icalendar.Calendar.to_ical

    def counted(calendar, *args, **kwargs):
        files.append(to_ical(calendar, *args, **kwargs))
        return files[-1]

    monkeypatch.setattr(icalendar.Calendar, "to_ical", counted)
    return files


def validated(client, url, **headers):
    response = client.get(url, headers={name.replace("_", "-"): v for name, v in headers.items()})
    if response.status_code == 304:
        assert response.content == b"" and "max-age=300" in response["Cache-Control"]
    return response


@pytest.fixture
def urls(site, date, item):
    return [ALL, links.series_calendar_url(item), links.calendar_url(site.pk, date)]


def test_a_known_version_is_not_written_again(client, urls, written):
    for url in urls:
        written.clear()
        first = client.get(url)
        etag, modified = first["ETag"], first["Last-Modified"]
        assert first.status_code == 200 and b"Open studio" in first.content and len(written) == 1
        again = client.get(url)
        assert again.content == first.content and again["ETag"] == etag and len(written) == 1
        assert again["Content-Disposition"] == first["Content-Disposition"]
        cache.clear()
        written.clear()
        with CaptureQueriesContext(connection) as queries:
            unchanged = validated(client, url, if_none_match=f'"x", {etag}')
        assert (unchanged.status_code, unchanged["ETag"]) == (304, etag) and written == []
        assert not any("occurrence" in query["sql"] for query in queries)
        assert len(queries) <= 4, [query["sql"] for query in queries]
        client.get(url)
        by_date = validated(client, url, if_modified_since=modified)
        assert (by_date.status_code, by_date["ETag"]) == (304, etag)
        other = validated(client, url, if_none_match='"other"', if_modified_since=modified)
        assert other.status_code == 200, "the ETag counts if the client has one"
        assert validated(client, url, if_none_match="*").status_code == 304


def test_a_date_says_when_its_version_was_new(client, date, clock):
    first = client.get(ALL)
    assert parse_http_date(first["Last-Modified"]) == NOW.timestamp()
    clock.shift(HOUR)
    assert client.get(ALL)["Last-Modified"] == first["Last-Modified"]
    Occurrence.objects.get().save()
    later = validated(client, ALL, if_modified_since=first["Last-Modified"])
    assert later.status_code == 200
    assert parse_http_date(later["Last-Modified"]) == (NOW + HOUR).timestamp()


def move(date, item):
    Occurrence.objects.update(start=date.start + DAY, end=date.end + DAY, sequence=1)
    bump_data_version(date.account_id)


def retitle(date, item):
    item.title = "Late studio"
    item.save()


def publish_page(date, item):
    item.site.root_page.add_child(instance=EventPage(title="E", slug="e", zoom_item=item))


CHANGES = {
    "date": move,
    "title": retitle,
    "page": publish_page,
    "join policy": lambda date, item: ZoomSettings.objects.update(join_policy="never"),
    "organiser": lambda date, item: ZoomSettings.objects.update(organiser="Aurora"),
    "name": lambda date, item: Site.objects.update(site_name="Aurora"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_file_is_a_new_version(client, urls, date, item, clock, change):
    old = client.get(ALL)
    clock.shift(HOUR)
    CHANGES[change](date, item)
    new = validated(client, ALL, if_none_match=old["ETag"], if_modified_since=old["Last-Modified"])
    assert new.status_code == 200 and new.content != old.content
    by_date = validated(client, ALL, if_modified_since=old["Last-Modified"])
    assert by_date.status_code == 200


def test_an_item_that_expires_is_a_new_version(client, date, item, clock):
    item.expires_on = NOW.date()
    item.save()
    old = client.get(ALL)
    assert b"Open studio" in old.content
    clock.shift(DAY)
    new = validated(client, ALL, if_none_match=old["ETag"])
    assert new.status_code == 200 and b"Open studio" not in new.content


def test_each_language_is_a_version(client, date, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    german = client.get(ALL, headers={"Accept-Language": "de"})
    english = client.get(ALL, headers={"Accept-Language": "en"})
    assert b"LANGUAGE=de" in german.content and b"LANGUAGE=en" in english.content
    assert german["ETag"] != english["ETag"]


def test_odd_query_strings_are_the_same_file(client, site, item, written):
    plain = client.get(ALL)
    for query in ("utm_source=x", "kind=nonsense", "tag=", "host=", "x[]=1&fbclid=%00", "page=2"):
        odd = client.get(f"{ALL}?{query}")
        assert (odd["ETag"], odd.content) == (plain["ETag"], plain.content), query
    assert len(written) == 1


def test_made_up_names_make_no_further_files(client, site, item, host, written):
    ItemTag.objects.create(item=item, name="Garden")
    tagged = client.get(f"{ALL}?tag=garden")
    assert b"Open studio" in tagged.content
    for query in ("tag=Garden", "tag=garden&tag=zzz1", "tag=GARDEN&tag=zzz2&kind=x"):
        odd = client.get(f"{ALL}?{query}")
        assert (odd["ETag"], odd.content) == (tagged["ETag"], tagged.content), query
    assert len(written) == 1
    named = client.get(f"{ALL}?host=host%20h")
    assert b"Open studio" in named.content and named["ETag"] != tagged["ETag"]
    assert client.get(f"{ALL}?host=h1&host=nobody")["ETag"] == named["ETag"]
    assert len(written) == 2
    nothing = {client.get(f"{ALL}?{query}")["ETag"] for query in ("tag=a", "tag=b", "host=nobody")}
    assert len(nothing) == 1 and len(written) == 3
    assert b"VEVENT" not in client.get(f"{ALL}?tag=a").content


def test_a_known_version_of_a_private_site_is_refused(client, site, item):
    etag = client.get(ALL)["ETag"]
    site.root_page.view_restrictions.create(restriction_type="login")
    refused = validated(client, ALL, if_none_match=etag)
    assert refused.status_code == 403 and refused["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("change", [{"show_meetings": False}, {"account": None, "grant": None}])
def test_what_is_shown_no_more_is_no_known_version(client, urls, change):
    etags = [client.get(url)["ETag"] for url in urls]
    ZoomSettings.objects.update(**change)
    for url, etag in zip(urls[1:], etags[1:], strict=True):
        for header in (etag, "*"):
            assert validated(client, url, if_none_match=header).status_code == 404
    response = validated(client, ALL, if_none_match=etags[0])
    assert response.status_code in (200, 404) and b"Open studio" not in response.content


def test_without_a_cache_the_content_is_the_version(client, urls, settings, date, clock):
    settings.WAGTAIL_ZOOM = {**django_settings.WAGTAIL_ZOOM, "BLOCK_CACHE": ""}
    first = client.get(ALL)
    assert validated(client, ALL, if_none_match=first["ETag"]).status_code == 304
    modified = first["Last-Modified"]
    assert validated(client, ALL, if_modified_since=modified).status_code == 304
    clock.shift(HOUR)
    Occurrence.objects.update(start=date.start + HOUR)
    headers = {"if_none_match": first["ETag"], "if_modified_since": modified}
    assert validated(client, ALL, **headers).status_code == 200


def test_a_cache_that_is_down_refuses_no_client(client, date, settings):
    settings.CACHES = {
        **settings.CACHES,
        "down": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://x"},
    }
    settings.WAGTAIL_ZOOM = {**django_settings.WAGTAIL_ZOOM, "BLOCK_CACHE": "down"}
    response = client.get(ALL)
    assert b"Open studio" in response.content
    assert validated(client, ALL, if_none_match=response["ETag"]).status_code == 304


def test_the_largest_calendar_is_cached(client, host, written):
    """Thousands of dates with long and varied descriptions are rendered once for all visitors."""
    words = random.Random(1)
    for number in range(views.MAX_OCCURRENCES + 20):
        agenda = " ".join(f"{words.getrandbits(28):x}" for _word in range(250))[:2000]
        rows.occurrence(host, topic=f"T{number}", start=NOW + (number + 2) * HOUR, agenda=agenda)
    bodies = {client.get(ALL).content for _time in range(3)}
    assert [body.count(b"BEGIN:VEVENT") for body in bodies] == [views.MAX_OCCURRENCES]
    assert len(written) == 1


def test_combinations_of_filters_do_not_fill_the_cache(client, date, item, written):
    """One host and one tag; a list of them, as strangers may make up without end, is cut."""
    for name in ("clay", "glaze", "kiln"):
        ItemTag.objects.create(item=item, name=name)
    queries = ["clay", "glaze", "kiln"]
    for length in (2, 3):
        queries += ["&tag=".join(names) for names in permutations(queries[:3], length)]
    bodies = {query: client.get(f"{ALL}?tag={query}").content for query in queries}
    assert len(written) == 3
    assert bodies["clay"].count(b"BEGIN:VEVENT") == 1
    assert client.get(f"{ALL}?tag=wheel").content.count(b"BEGIN:VEVENT") == 0
