"""Lists: sorted by a column, and selected as a whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.blocks import rows
from wagtail_zoom.admin.listings import bulk_base
from wagtail_zoom.models import SiteItem

pytestmark = pytest.mark.django_db
MEETINGS = reverse("wagtail_zoom_meetings:index")


@pytest.fixture
def meetings(aurora):
    """Three meetings: the owner's title of the last is the first in the alphabet."""
    for number, topic in enumerate(("beta", "Gamma")):
        meeting = rows.occurrence(
            aurora.host, topic=topic, start=timezone.now() + timedelta(days=9 - number)
        ).meeting
        rows.item(aurora.site, meeting, "auto", meeting=meeting, last_title=topic)
    SiteItem.objects.filter(last_title="Gamma").update(title="alpha")
    SiteItem.objects.filter(pk=aurora.meeting_item.pk).update(title="Delta")


def titles(client, url):
    return [item.display_title for item in client.get(url).context["object_list"]]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("title", ["alpha", "beta", "Delta"]),
        ("-title", ["Delta", "beta", "alpha"]),
        ("when", ["Delta", "alpha", "beta"]),
        ("-when", ["beta", "alpha", "Delta"]),
        ("", ["Delta", "alpha", "beta"]),
        ("pk", ["Delta", "alpha", "beta"]),
    ],
)
def test_meetings_are_sorted_by_what_the_column_shows(as_aurora, meetings, ordering, expected):
    assert titles(as_aurora, f"{MEETINGS}?ordering={ordering}") == expected


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("recordings", ["title", "recorded", "length"]),
        ("registrations", ["meeting", "registered"]),
        ("meetings", ["title", "when", "host"]),
    ],
)
def test_every_sorted_column_works_both_ways(as_aurora, aurora, name, keys):
    url = reverse(f"wagtail_zoom_{name}:index")
    page = as_aurora.get(url).content.decode()
    for key in keys:
        assert f"ordering={key}" in page
        assert as_aurora.get(f"{url}?ordering=-{key}").status_code == 200


def bulk_url(listing, **query):
    params = "&".join(f"{name}={value}" for name, value in query.items())
    path = reverse("wagtail_bulk_action", args=["wagtail_zoom", "siteitem", "zoom_hide"])
    return f"{path}?id=all&next={listing}{'&' if params else ''}{params}"


def hidden(tenant):
    return SiteItem.objects.for_site(tenant.site).filter(visibility="hidden").count()


def test_the_whole_list_is_selected_with_its_search(as_aurora, aurora, borealis, meetings):
    question = as_aurora.get(bulk_url(f"{MEETINGS}%3Fq%3Dbeta"))
    assert [entry["item"].display_title for entry in question.context["items"]] == ["beta"]
    as_aurora.post(bulk_url(MEETINGS))
    assert hidden(aurora) == 3  # and no recording
    assert hidden(borealis) == 0


def test_a_longer_list_says_what_is_selected(as_aurora, aurora, meetings, monkeypatch):
    """In the question, and again when it is done; nobody takes the others for changed."""
    monkeypatch.setattr(bulk_base, "MAX_SELECTED", 2)
    text = "Only the first 2 items of the list are selected."
    assert as_aurora.get(bulk_url(MEETINGS)).content.decode().count(text) == 1
    response = as_aurora.post(bulk_url(MEETINGS), follow=True)
    assert hidden(aurora) == 2 and response.content.decode().count(text) == 1


def test_the_list_of_another_site_selects_nothing(as_aurora, borealis):
    response = as_aurora.post(bulk_url(f"{MEETINGS}%3Fsite%3D{borealis.site.pk}"))
    assert response.status_code == 404
    assert hidden(borealis) == 0


@pytest.mark.parametrize("listing", ["/admin/", "/admin/zoom/registrations/", "/nowhere/", ""])
def test_only_a_list_of_items_selects_items(as_aurora, aurora, listing):
    assert as_aurora.post(bulk_url(listing)).status_code == 404
    assert hidden(aurora) == 0


def test_the_button_is_there_when_there_are_more_pages(as_aurora, aurora):
    button = "Select the whole list"
    assert button not in as_aurora.get(MEETINGS).content.decode()
    for number in range(21):
        meeting = rows.occurrence(aurora.host, topic=f"Topic {number}").meeting
        rows.item(aurora.site, meeting, "auto", meeting=meeting, last_title=meeting.topic)
    assert button in as_aurora.get(MEETINGS).content.decode()
