"""What the pages around the form say: the thanks, the form with errors, the cancellation."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from wagtail_zoom.frontend import links
from wagtail_zoom.models import Meeting, ZoomSettings
from wagtail_zoom.registration import tokens
from wagtail_zoom.testing import factories

from .conftest import form_url, make_meeting, post

pytestmark = pytest.mark.django_db
DAYS = (1, 8, 15)


def thanks(client, response):
    assert response.status_code == 303
    return client.get(response.url).content.decode()


def shown_starts(html):
    """The dates in a page, without the day alone."""
    return re.findall(r'<time datetime="([\d-]+T[^"]+)">', html)[::2]


def iso(row):
    """The start of an occurrence, as it is in a page."""
    local = row.start.astimezone(ZoneInfo(row.meeting.timezone))
    return local.isoformat(timespec="minutes")


@pytest.mark.parametrize("values", [{}, {"approval_type": 1}])
def test_the_thanks_name_the_date_and_link_to_its_calendar_file(client, tenant, values):
    meeting = make_meeting(tenant, **values)
    row = meeting.occurrences.get()
    html = thanks(client, post(client, form_url(tenant, meeting)))
    assert shown_starts(html) == [iso(row)]
    url = links.calendar_url(tenant.site.pk, row)
    assert f'href="{url}">Add to calendar' in html
    assert b"/zoom/join/" not in client.get(url).content.replace(b"\r\n ", b"")


@pytest.mark.parametrize("double_opt_in", [False, True])
@pytest.mark.parametrize(
    ("registration_type", "chosen", "shown"),
    [(1, [], [0, 1, 2]), (2, [1], [1]), (3, [0, 2], [0, 2]), (3, [0, 1, 2], [0, 1, 2])],
)
def test_the_thanks_name_the_chosen_dates(
    client, tenant, registration_type, chosen, shown, double_opt_in
):
    ZoomSettings.objects.update(double_opt_in=double_opt_in)
    meeting = make_meeting(tenant, dates=DAYS, registration_type=registration_type)
    rows = list(meeting.occurrences.order_by("start"))
    data = {"dates": [str(rows[number].public_id) for number in chosen]} if chosen else {}
    response = post(client, form_url(tenant, meeting), data)
    html = thanks(client, response)
    assert shown_starts(html) == [iso(rows[n]) for n in shown]
    for number, row in enumerate(rows):
        url = links.calendar_url(tenant.site.pk, row)
        assert (f'href="{url}"' in html) is (number in shown)


def test_the_thanks_do_not_depend_on_the_person(client, tenant):
    meeting = make_meeting(tenant, dates=DAYS, registration_type=3)
    chosen = {"dates": [str(meeting.occurrences.order_by("start")[1].public_id)]}
    first = post(client, form_url(tenant, meeting), chosen)
    again = post(client, form_url(tenant, meeting), chosen)
    assert first.url == again.url


def test_many_dates_are_counted_and_not_listed(client, tenant):
    meeting = make_meeting(tenant, dates=tuple(range(1, 41)), registration_type=1)
    html = thanks(client, post(client, form_url(tenant, meeting)))
    assert len(shown_starts(html)) == 6 and "and 34 more dates" in html


def test_many_chosen_dates_are_counted_and_not_listed(client, tenant):
    meeting = make_meeting(tenant, dates=tuple(range(1, 61)), registration_type=3)
    rows = list(meeting.occurrences.order_by("start"))
    chosen = [str(row.public_id) for row in rows[1:]]
    html = thanks(client, post(client, form_url(tenant, meeting), {"dates": chosen}))
    assert shown_starts(html) == [iso(row) for row in rows[1:7]]
    assert "and 53 more dates" in html


def test_registering_once_more_is_proposed_only_where_it_is_possible(client, tenant, meeting):
    words = "register again"
    url = post(client, form_url(tenant, meeting)).url.partition("?")[0]
    account = meeting.account
    account.throttled_until = None
    account.save()
    assert words in client.get(url).content.decode()
    Meeting.objects.update(capacity=1, registrant_count=1)
    assert words not in client.get(url).content.decode()


def test_no_link_leads_away_from_what_was_entered(client, tenant, meeting):
    """The form with errors is on a page of its own: the page that it came from has an empty one."""
    url = form_url(tenant, meeting)
    assert "Back to the page" in client.get(url).content.decode()
    html = post(client, url, {"first_name": ""}).content.decode()
    assert 'value="mika@example.org"' in html and "Back to the page" not in html
    Meeting.objects.update(capacity=1, registrant_count=1)
    response = post(client, url)
    assert response.status_code == 409 and "Back to the page" in response.content.decode()


@pytest.mark.parametrize(
    ("state", "days", "title"),
    [
        ("approved", 1, "Cancel your registration?"),
        ("pending", 1, "Cancel your registration?"),
        ("cancelled", 1, "There is nothing to cancel"),
        ("approved", -3, "There is nothing to cancel"),
    ],
)
def test_the_title_of_the_cancellation_is_its_heading(client, tenant, state, days, title):
    meeting = make_meeting(tenant, dates=(days,))
    created_at = timezone.now() - timedelta(days=9)
    row = factories.make_registration(
        tenant.site, meeting, state=state, locale="en", created_at=created_at
    )
    path = tokens.status_path(row)
    html = client.get(f"{path}cancel/").content.decode()
    assert f"<title>{title}</title>" in html and f'<h1 class="wz-big">{title}</h1>' in html
    assert "See you on" not in html
    status = client.get(path).content.decode()
    heading = re.search(r'<h1 class="wz-big">(.*?)</h1>', status)[1]
    assert f"<title>{heading}</title>" in status
