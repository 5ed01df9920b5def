"""Summaries for visitors: only what a person of the Site has reviewed and published."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import PageViewRestriction, ReferenceIndex

from tests.testapp.models import ZoomPage
from wagtail_zoom import blocks
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.cache import purge
from wagtail_zoom.frontend.search import search
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import (
    SUMMARY,
    ArchivedRow,
    Meeting,
    SiteItem,
    Summary,
    SummaryReview,
    ZoomSettings,
)
from wagtail_zoom.testing import factories

pytestmark = pytest.mark.django_db
TWO_DAYS = timedelta(days=2)


@pytest.fixture
def rows(zoom_rows):
    ZoomSettings.objects.filter(pk=zoom_rows.settings.pk).update(show_summaries=True)
    zoom_rows.settings.refresh_from_db()
    return zoom_rows


@pytest.fixture
def ended(rows):
    """A date that is over, of a meeting with its item."""
    meeting = rows.meeting("Open studio", start=timezone.now() - TWO_DAYS, state="over")
    return meeting.occurrences.get()


@pytest.fixture
def summary(rows, ended):
    text = "# Recap\n\nThe *lighthouse* is booked. [More](https://example.org/x)"
    return rows.summary(date=ended, text=text)


def visible(site):
    visibility = SiteVisibility.for_site(site)
    return list(visibility.summaries(Audience.VISITOR, Channel.PAGE))


def item_of(summary):
    return SiteItem.objects.get(kind=SUMMARY, key=summary.uuid)


def render(site, rf, block, **values):
    context = {"page": site.root_page, "request": rf.get("/")}
    return str(block.render(block.to_python(values), context))


def past_dates(site, rf, **values):
    return render(site, rf, blocks.MeetingListBlock(), period="past", **values)


def test_a_published_summary_has_a_page_of_its_own(client, rows, summary):
    response = client.get(links.summary_url(item_of(summary)))
    html = response.content.decode()
    assert "<h1" in html and "<h2>Recap</h2>" in html and "<em>lighthouse</em>" in html
    assert response["Cache-Control"] == "no-store, private" and "Set-Cookie" not in response
    assert response["X-Robots-Tag"].startswith("noindex")


def test_the_text_of_zoom_is_never_shown(client, rows, ended, rf):
    waiting = rows.summary(date=ended, publish=False, text="")
    assert client.get(links.summary_url(item_of(waiting))).status_code == 404
    factories.make_review(item_of(waiting), "Reviewed words.")
    assert client.get(links.summary_url(item_of(waiting))).status_code == 404
    SiteItem.objects.filter(kind=SUMMARY).update(visibility="published")
    Summary.objects.update(text="Words of a machine.")
    html = client.get(links.summary_url(item_of(waiting))).content.decode()
    assert "Reviewed words." in html and "machine." not in html


def test_nothing_without_a_review(rows, ended, summary):
    SummaryReview.objects.all().delete()
    assert visible(rows.site) == []


@pytest.mark.parametrize(
    "values",
    [{"removed_at": timezone.now()}, {"trashed_at": timezone.now()}, {"host": None}],
)
def test_what_zoom_no_longer_has_is_not_shown(client, rows, summary, values):
    assert visible(rows.site) == [summary]
    Summary.objects.update(**values)
    assert visible(rows.site) == []
    assert client.get(links.summary_url(item_of(summary))).status_code == 404


@pytest.mark.parametrize(
    "values",
    [{"is_private": True}, {"uses_personal_room": True}, {"unclear_setting": "private_meeting"}],
)
def test_summaries_of_hidden_meetings(rows, summary, values):
    Meeting.objects.update(**values)
    assert visible(rows.site) == []


@pytest.mark.parametrize(
    "values",
    [{"visibility": "auto"}, {"visibility": "hidden"}, {"expires_on": "2020-01-01"}],
)
def test_the_owner_decides(rows, summary, values):
    SiteItem.objects.filter(kind=SUMMARY).update(**values)
    assert visible(rows.site) == []


def test_switched_off_nothing_is_read(rows, summary):
    ZoomSettings.objects.update(show_summaries=False)
    visibility = SiteVisibility.for_site(rows.site)
    assert not visibility.usable_summaries().exists()
    assert visibility.row_of(item_of(summary)) is None
    assert not visibility.items().filter(kind=SUMMARY).exists()


def test_a_grant_without_the_scope_keeps_what_it_had(rows, ended, summary):
    rows.grant.missing_kinds = ["summary"]
    rows.grant.save()
    foreign = factories.make_summary(rows.host, date=ended)
    usable = SiteVisibility.for_site(rows.site).usable_summaries()
    assert set(usable) == {summary} and foreign not in usable


def test_another_site_of_the_account_decides_for_itself(client, rows, summary):
    other = factories.make_site("other.example.org")
    factories.make_settings(other, rows.grant, [rows.host], show_summaries=True)
    assert visible(other) == []
    item = factories.make_item(other, summary, visibility="published")
    factories.make_review(item, "Words of the other Site.")
    assert visible(other) == [summary]
    own = client.get(links.summary_url(item_of_site(summary, rows.site))).content.decode()
    assert "lighthouse" in own and "other Site" not in own
    assert client.get(links.summary_url(item)).status_code == 404
    html = client.get(links.summary_url(item), headers={"host": "other.example.org"})
    assert "Words of the other Site." in html.content.decode()


def item_of_site(summary, site):
    return SiteItem.objects.get(kind=SUMMARY, key=summary.uuid, site=site)


def test_an_archive_shows_what_it_showed(rows, summary):
    site_settings = rows.settings
    ArchivedRow.objects.create(
        settings=site_settings,
        kind=SUMMARY,
        key=summary.uuid,
        content_hash=summary.content_hash,
        host_name=rows.host.display_name,
    )
    ZoomSettings.objects.update(grant=None, archived_at=timezone.now())
    assert visible(rows.site) == [summary]
    Summary.objects.update(content_hash="another")
    assert visible(rows.site) == []


def test_it_is_shown_with_the_ended_date(rows, summary, rf):
    url = links.summary_url(item_of(summary), rows.site.root_page.pk)
    for layout in ("list", "cards", "table", "agenda"):
        html = past_dates(rows.site, rf, layout=layout)
        assert "Read the summary" in html and url in html
    SiteItem.objects.filter(kind=SUMMARY).update(visibility="hidden")
    assert "Read the summary" not in past_dates(rows.site, rf)


def test_it_is_shown_with_the_chosen_meeting(rows, ended, summary, rf):
    item = rows.item(ended.meeting)
    html = render(rows.site, rf, blocks.MeetingBlock(), item=item.pk)
    assert "Read the summary" in html


def test_it_is_shown_with_the_recording(client, rows, ended, summary, rf):
    rows.recording("Open studio", uuid=summary.uuid, meeting=ended.meeting, occurrence=ended)
    for layout in ("list", "cards"):
        html = render(rows.site, rf, blocks.RecordingListBlock(), layout=layout)
        assert "Read the summary" in html
    html = client.get(links.summary_url(item_of(summary))).content.decode()
    assert "Watch the recording" in html


def test_no_query_where_the_site_shows_none(rows, ended, rf, django_assert_num_queries):
    ZoomSettings.objects.update(show_summaries=False)
    past_dates(rows.site, rf)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as queries:
        past_dates(rows.site, rf)
    assert not [query for query in queries if "wagtail_zoom_summary" in query["sql"]]


def test_visitors_search_finds_what_they_read(rows, summary):
    hits = [hit for hit in search(rows.site, "lighthouse") if hit.kind == "summary"]
    assert [hit.title for hit in hits] == ["Open studio"]
    assert "lighthouse" in hits[0].row.text and "*" not in hits[0].row.text
    for words in ("machine", "example.org", "Quick recap"):
        assert not [hit for hit in search(rows.site, words) if hit.kind == "summary"]
    SiteItem.objects.filter(kind=SUMMARY).update(visibility="auto")
    assert not search(rows.site, "lighthouse")


@pytest.mark.parametrize("restricts", ["root", "page"])
def test_a_view_restriction_holds_on_its_url(client, rows, summary, restricts):
    page = rows.site.root_page
    url = links.summary_url(item_of(summary), page.pk if restricts == "page" else None)
    PageViewRestriction.objects.create(page=page, restriction_type="login")
    response = client.get(url)
    assert response.status_code == 302 and "lighthouse" not in response.content.decode()


def test_the_purge_is_exact(rows, ended, summary, settings):
    settings.WAGTAILFRONTENDCACHE = {
        "default": {"BACKEND": "tests.frontend.test_purge.Backend", "HOSTNAMES": []}
    }
    root = rows.site.root_page
    upcoming = rows.meeting("Open studio, later")
    page(root, "past", ("dates", {"period": "past", "paging": False}))
    page(root, "upcoming", ("dates", {"paging": False}))
    page(root, "recordings", ("recordings", {"paging": False}))
    page(root, "one", ("meeting", {"item": rows.item(ended.meeting)}))
    page(root, "another", ("meeting", {"item": rows.item(upcoming)}))
    page(root, "plain")
    other = factories.make_site("other.example.org")
    factories.make_settings(other, rows.grant, [rows.host])
    page(other.root_page, "past", ("dates", {"period": "past", "paging": False}))
    urls = purge.urls_for(rows.account, [], [], [summary.pk])
    assert {url.rpartition(".org")[2].partition("localhost")[2] or url for url in urls} == {
        "/past/", "/one/",
    }  # fmt: skip
    rows.recording("Open studio", uuid=summary.uuid)
    urls = purge.urls_for(rows.account, [], [], [summary.pk])
    assert {url.partition("localhost")[2] for url in urls} == {"/past/", "/one/", "/recordings/"}


def page(parent, slug, *body):
    instance = ZoomPage(title=slug, slug=slug, body=list(body))
    parent.add_child(instance=instance)
    ReferenceIndex.create_or_update_for_object(instance)
    return instance


def test_headless(client, rows, ended, summary, settings):
    settings.ROOT_URLCONF = "tests.api.test_v2"
    items = client.get("/api/zoom_summaries/").json()["items"]
    assert [item["title"] for item in items] == ["Open studio"]
    assert "<em>lighthouse</em>" in items[0]["html"] and "*" not in items[0]["text"]
    assert items[0]["url"].endswith(links.summary_url(item_of(summary)))
    assert client.get("/api/zoom_summaries/?search=lighthouse").json()["meta"]["total_count"] == 1
    assert client.get("/api/zoom_summaries/?search=nothing").json()["meta"]["total_count"] == 0
    dates = client.get("/api/zoom_dates/?period=past").json()["items"]
    assert dates[0]["meeting_summary"].endswith(links.summary_url(item_of(summary)))
    SiteItem.objects.filter(kind=SUMMARY).update(visibility="auto")
    assert client.get("/api/zoom_summaries/").json()["items"] == []
