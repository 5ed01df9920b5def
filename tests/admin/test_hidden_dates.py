"""One date of a series is hidden: everywhere for visitors, not for people who registered."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom.frontend.queries import OccurrenceQuery, occurrences_of
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import Activity, HiddenDate, Occurrence, ZoomSettings
from wagtail_zoom.oauth import disconnect

pytestmark = pytest.mark.django_db


@pytest.fixture
def series(aurora):
    """Three evenings of one meeting; the second one is to be hidden."""
    first = Occurrence.objects.get(meeting=aurora.meeting_item.meeting)
    dates = [first]
    for number in (1, 2):
        start = first.start + timedelta(days=7 * number)
        dates.append(
            Occurrence.objects.create(
                account=aurora.account,
                meeting=first.meeting,
                zoom_id=f"{number}",
                start=start,
                end=start + timedelta(hours=1),
                duration=60,
            )
        )
    return SimpleNamespace(
        item=aurora.meeting_item,
        dates=dates,
        url=reverse("wagtail_zoom_meetings:date", args=[aurora.meeting_item.pk]),
    )


def visible(tenant, audience=Audience.VISITOR, channel=Channel.PAGE):
    visibility = SiteVisibility.for_site(tenant.site)
    return set(visibility.occurrences(audience, channel).values_list("pk", flat=True))


@pytest.mark.parametrize("channel", list(Channel))
def test_no_visitor_sees_it_and_the_others_stay(as_aurora, aurora, series, channel):
    ZoomSettings.objects.filter(site=aurora.site).update(join_policy="public")
    before = visible(aurora, channel=channel)
    hidden = series.dates[1]
    response = as_aurora.post(series.url, {"hide": hidden.public_id}, follow=True)
    page = response.content.decode()
    assert "Saved. Visitors see 2 of 3 dates." in page
    assert "Hidden by you" in page and "Show this date" in page
    assert visible(aurora, channel=channel) == before - {hidden.pk}
    assert hidden.pk in visible(aurora, Audience.REGISTRANT)
    reason = SiteVisibility.for_site(aurora.site).why_hidden(hidden)
    assert reason == "You have hidden this date."
    as_aurora.post(series.url, {"show": hidden.public_id})
    assert visible(aurora, channel=channel) == before
    codes = Activity.objects.filter(code__startswith="date_").order_by("pk")
    assert list(codes.values_list("code", flat=True)) == ["date_hidden", "date_shown"]
    body = as_aurora.get(reverse("wagtail_zoom_activity:index")).content.decode()
    assert "hid a date of" in body


def test_the_next_date_of_the_series_is_the_next_visible_one(as_aurora, aurora, series):
    """A list with one row for each series does not lose it with its hidden date."""
    as_aurora.post(series.url, {"hide": series.dates[0].public_id})
    visibility = SiteVisibility.for_site(aurora.site)
    shown = occurrences_of(visibility, OccurrenceQuery(next_only=True))
    assert [row.pk for row in shown] == [series.dates[1].pk]


def test_it_stays_hidden_when_its_row_is_read_again(as_aurora, aurora, series):
    hidden = series.dates[1]
    as_aurora.post(series.url, {"hide": hidden.public_id})
    values = {"public_id": hidden.public_id, "zoom_id": hidden.zoom_id, "duration": 60}
    hidden.delete()
    start = timezone.now() + timedelta(days=20)
    again = Occurrence.objects.create(
        account=aurora.account, meeting=series.item.meeting, start=start,
        end=start + timedelta(hours=1), **values,
    )  # fmt: skip
    assert again.pk not in visible(aurora)


def test_a_date_of_an_archive_can_be_hidden(as_aurora, aurora, series):
    disconnect.disconnect(ZoomSettings.objects.get(site=aurora.site), keep=True)
    hidden = series.dates[1]
    assert hidden.pk in visible(aurora)
    as_aurora.post(series.url, {"hide": hidden.public_id})
    assert hidden.pk not in visible(aurora)


def test_other_sites_hide_for_themselves(as_aurora, aurora, borealis, series):
    other = Occurrence.objects.get(meeting=borealis.meeting_item.meeting)
    foreign_url = reverse("wagtail_zoom_meetings:date", args=[borealis.meeting_item.pk])
    assert as_aurora.post(foreign_url, {"hide": other.public_id}).status_code == 404
    assert as_aurora.post(series.url, {"hide": other.public_id}).status_code == 404
    for value in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert as_aurora.post(series.url, {"hide": value}).status_code == 404
    assert not HiddenDate.objects.exists()
    HiddenDate.objects.create(item=borealis.meeting_item, public_id=series.dates[1].public_id)
    assert series.dates[1].pk in visible(aurora)


def test_a_single_date_is_hidden_with_its_meeting(as_aurora, aurora):
    url = reverse("wagtail_zoom_meetings:edit", args=[aurora.meeting_item.pk])
    assert "Hide this date" not in as_aurora.get(url).content.decode()
