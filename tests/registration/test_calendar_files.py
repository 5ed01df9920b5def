"""Whoever is registered gets her own link only, in pages and in calendar files."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar

from wagtail_zoom.frontend import links
from wagtail_zoom.models import Meeting, Occurrence, Registration, SiteItem, ZoomSettings
from wagtail_zoom.registration import tokens
from wagtail_zoom.testing import factories

pytestmark = pytest.mark.django_db
PUBLIC, OWN = "https://us02web.zoom.us/j/8123456789", "https://us02web.zoom.us/w/8?tk=own"
POLICIES = ["public", "window", "registrants", "never"]


@pytest.fixture
def person(tenant, meeting):
    """Registered for a meeting with a public link."""
    meeting.join_url = PUBLIC
    meeting.save()
    row = factories.make_registration(tenant.site, meeting, "mika@example.org", locale="en")
    row.join_url = OWN
    row.save()
    return row


def events_of(response):
    assert response.status_code == 200
    return list(Calendar.from_ical(response.content).walk("VEVENT"))


def public_files(client, site, meeting):
    """The events of a meeting in each public file."""
    item, _created = SiteItem.objects.get_or_create(
        site=site, account=meeting.account, kind=meeting.kind, key=meeting.zoom_id
    )
    row = meeting.occurrences.first()
    urls = (links.calendar_url(site.pk, row), links.series_calendar_url(item),
            links.site_calendar_url())  # fmt: skip
    return [event for url in urls for event in events_of(client.get(url))]


def text_of(event):
    return event.to_ical().decode().replace("\r\n ", "")


def tokens_in(event):
    """The join links in an event."""
    return set(re.findall(r"/zoom/join/([\w=-]+)/", text_of(event)))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_personal_file_has_the_personal_link_only(client, tenant, person, policy):
    ZoomSettings.objects.update(join_policy=policy)
    (event,) = events_of(client.get(tokens.calendar_path(person)))
    own_link = "" if policy == "never" else tokens.join_path(person)
    assert tokens_in(event) == ({tokens.token_of(person)} if own_link else set())
    for name in ("location", "url", "description"):
        assert str(event.get(name, "")).endswith(own_link)
    assert "Online, on Zoom" in event["location"] or own_link


@pytest.mark.parametrize("approval_type", [0, 1])
@pytest.mark.parametrize("policy", POLICIES)
def test_public_files_of_meetings_with_registration_have_no_join_link(
    client, tenant, person, policy, approval_type
):
    ZoomSettings.objects.update(join_policy=policy)
    Meeting.objects.update(approval_type=approval_type)
    for event in public_files(client, tenant.site, person.meeting):
        assert tokens_in(event) == set() and "Join:" not in text_of(event)
    Meeting.objects.update(approval_type=2)
    for event in public_files(client, tenant.site, person.meeting):
        assert bool(tokens_in(event)) is (policy in ("public", "window"))


def test_registration_switched_off_at_zoom_leaves_the_personal_file_as_it_was(client, person):
    Meeting.objects.update(approval_type=2)
    (event,) = events_of(client.get(tokens.calendar_path(person)))
    assert tokens_in(event) == {tokens.token_of(person)}


def test_a_public_file_never_replaces_a_personal_entry(client, tenant, person):
    """Calendar programs keep, for one UID, the entry with the highest SEQUENCE."""
    row = person.meeting.occurrences.get()
    last = -1
    for sequence in (0, 1, 40):
        Occurrence.objects.filter(pk=row.pk).update(sequence=sequence)
        (personal,) = events_of(client.get(tokens.calendar_path(person)))
        public = public_files(client, tenant.site, person.meeting)
        assert {str(event["uid"]) for event in (personal, *public)} == {personal["uid"]}
        assert all(event["sequence"] < personal["sequence"] for event in public)
        assert personal["sequence"] > last
        last = personal["sequence"]
    Occurrence.objects.filter(pk=row.pk).update(sequence=100_000)
    assert all(event["sequence"] < last for event in public_files(client, tenant.site, row.meeting))


def test_a_cancelled_date_has_no_link(client, person):
    Occurrence.objects.update(state="cancelled")
    (event,) = events_of(client.get(tokens.calendar_path(person)))
    assert event["status"] == "CANCELLED" and tokens_in(event) == set()


@pytest.mark.parametrize("policy", ["window", "registrants"])
@pytest.mark.parametrize("state", ["scheduled", "moved"])
def test_personal_pages_link_to_the_personal_file(client, person, state, policy):
    ZoomSettings.objects.update(join_policy=policy)
    Occurrence.objects.update(state=state, previous_start=timezone.now())
    for path in (tokens.join_path(person), tokens.status_path(person)):
        html = client.get(path).content.decode()
        assert f'href="{tokens.calendar_path(person)}"' in html, path
        assert "/zoom/calendar/" not in html
        (event,) = events_of(client.get(tokens.calendar_path(person)))
        assert tokens_in(event) == {tokens.token_of(person)}


def test_visitors_are_offered_the_public_file(client, tenant, meeting):
    row = meeting.occurrences.get()
    html = client.get(links.join_url(tenant.site.pk, row)).content.decode()
    assert f'href="{links.calendar_url(tenant.site.pk, row)}"' in html


@pytest.mark.parametrize("approval_type", [0, 2])
def test_a_registrant_without_a_link_is_not_sent_to_the_public_one(client, person, approval_type):
    """Behind the public link Zoom would ask her to register once more."""
    now = timezone.now()
    Occurrence.objects.update(start=now, end=now + timedelta(hours=1))
    Meeting.objects.update(approval_type=approval_type)
    assert client.get(tokens.join_path(person))["Location"] == OWN
    Registration.objects.update(join_url="")
    response = client.get(tokens.join_path(person))
    if approval_type == 2:
        assert response["Location"] == PUBLIC
    else:
        assert "There is no link to join" in response.content.decode()
