"""The public doors: join and watch."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Occurrence, Recording, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
CANARY = "canary-pwd"


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.choice(site, host.account, host)
    return host


@pytest.fixture
def date(host):
    def date(**values):
        made = rows.date(host, **values)
        made.meeting.join_url = f"https://us02web.zoom.us/j/123?pwd={CANARY}"
        made.meeting.passcode = CANARY
        made.meeting.save()
        return made

    return date


def policy(**values):
    ZoomSettings.objects.update(**values)


def go(client, site, row, query=""):
    return client.get(links.join(site.pk, row) + query)


def private(response):
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies
    return response


def test_early_says_when_and_leads_nowhere(client, site, date):
    response = private(go(client, site, date(start=NOW + HOUR)))
    html = response.content.decode()
    assert response.status_code == 200 and "You are early" in html
    assert "data-wz-countdown" in html and CANARY not in html and "zoom.us" not in html
    assert 0 < int(response["Refresh"]) <= 2700


def test_in_the_window_leads_to_zoom(client, site, date):
    row = date(start=NOW + timedelta(minutes=10))
    response = private(go(client, site, row))
    assert response.status_code == 302
    assert response["Location"] == f"https://us02web.zoom.us/j/123?pwd={CANARY}"
    response = go(client, site, row, "?in=browser")
    assert response["Location"].startswith("https://us02web.zoom.us/wc/join/123?")
    row.meeting.join_url = "https://us02web.zoom.us/w/123?tk=own"
    row.meeting.save()
    response = go(client, site, row, "?in=browser")
    assert response["Location"] == "https://us02web.zoom.us/wc/join/123?tk=own"


@pytest.mark.parametrize(
    ("policy_", "minutes", "status"),
    [
        ("public", 60 * 24, 302),
        ("window", 60 * 24, 200),
        ("window", 5, 302),
        ("registrants", 5, 200),
        ("never", 5, 200),
    ],
)
def test_the_sites_policy_decides_at_the_click(client, site, date, policy_, minutes, status):
    """X26: the link is as open as the policy at this moment, not when the page was made."""
    policy(join_policy=policy_)
    response = go(client, site, date(start=NOW + timedelta(minutes=minutes)))
    assert response.status_code == status
    assert status == 302 or CANARY not in response.content.decode()


@pytest.mark.parametrize("passcodes", ["registrants", "never"])
def test_the_passcode_leaves_the_link_by_policy(client, site, date, passcodes):
    policy(passcode_policy=passcodes)
    response = go(client, site, date(start=NOW))
    assert response["Location"] == "https://us02web.zoom.us/j/123"


def test_over_cancelled_and_moved_have_their_words(client, site, date, host):
    over = date(start=NOW - 5 * HOUR, state="over")
    assert "This meeting is over" in go(client, site, over).content.decode()
    rows.item(site, rows.recording(host, occurrence=over))
    assert "Watch the recording" in go(client, site, over).content.decode()
    off = go(client, site, date(state="cancelled")).content.decode()
    assert "This meeting is cancelled" in off
    moved = date(state="moved", start=NOW + 30 * HOUR)
    Occurrence.objects.filter(pk=moved.pk).update(previous_start=NOW)
    html = go(client, site, moved).content.decode()
    assert "This meeting has moved" in html and "Was:" in html


def test_on_another_host_it_is_not_found(client, site, date):
    """A link is bound to its Site, also where two Sites share the account."""
    row = date(start=NOW)
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    choice = ZoomSettings.objects.get(site=site)
    rows.choice(other, choice.account, row.meeting.host)
    url = links.join(site.pk, row)
    assert client.get(url, headers={"host": "other.example"}).status_code == 404
    assert go(client, other, row).status_code == 404
    here = client.get(links.join(other.pk, row), headers={"host": "other.example"})
    assert here.status_code == 302


@pytest.mark.parametrize("token", ["x", "A" * 32, "%00" * 5, "A" * 31 + "="])
def test_nonsense_is_not_found(client, site, token):
    assert client.get(f"/zoom/join/{token}/").status_code == 404
    assert client.get(f"/zoom/watch/{token}/").status_code == 404


def test_what_is_not_shown_has_no_door(client, site, date):
    row = date(start=NOW)
    row.meeting.is_private = True
    row.meeting.save()
    assert go(client, site, row).status_code == 404


def test_a_stored_link_that_is_not_zooms_is_never_followed(client, site, date):
    row = date(start=NOW)
    row.meeting.join_url = "https://evil.example/j/1"
    row.meeting.save()
    assert go(client, site, row).status_code == 200


@pytest.fixture
def film(site, host):
    def film(**values):
        made = rows.recording(host, topic="Film")
        for name, value in {"share_url": "https://zoom.us/rec/share/x", **values}.items():
            setattr(made, name, value)
        made.save()
        return rows.item(site, made)

    return film


def test_watch_leads_to_zoom(client, film):
    response = private(client.get(links.watch(film())))
    assert response["Location"] == "https://zoom.us/rec/share/x"


def test_watch_passes_on_a_passcode_made_for_the_address(client, film):
    item = film(passcode="yNYIS408EJygs7rE5vVsJwXIz4")
    response = client.get(links.watch(item))
    assert response["Location"] == "https://zoom.us/rec/share/x?pwd=yNYIS408EJygs7rE5vVsJwXIz4"


def test_watch_shows_a_passcode_that_people_type(client, film):
    url = links.watch(film(passcode="tide-4417"))
    response = private(client.get(url))
    html = response.content.decode()
    assert "tide-4417" in html and "data-wz-copy" in html and "zoom.us/rec" not in html
    assert client.get(f"{url}?go=1")["Location"] == "https://zoom.us/rec/share/x"
    policy(passcode_policy="never")
    response = client.get(url)
    assert response.status_code == 302 and "pwd" not in response["Location"]


def test_watch_follows_the_curation(client, film):
    item = film()
    type(item).objects.update(visibility="hidden")
    assert client.get(links.watch(item)).status_code == 404
    assert Recording.objects.exists()


def test_join_links_survive_a_rotated_secret_key(site, date, settings):
    row = date()
    token = links.opaque(site.pk, row.public_id)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"
    assert links.resolve(site.pk, token) == row.public_id
    settings.SECRET_KEY_FALLBACKS = []
    assert links.resolve(site.pk, token) is None
