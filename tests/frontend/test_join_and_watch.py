"""The public views: join and watch."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend import links, presenters
from wagtail_zoom.frontend.visibility import SiteVisibility
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
    rows.site_settings(site, host.account, host)
    return host


@pytest.fixture
def occurrence(host):
    def occurrence(**values):
        row = rows.occurrence(host, **values)
        row.meeting.join_url = f"https://us02web.zoom.us/j/123?pwd={CANARY}"
        row.meeting.passcode = CANARY
        row.meeting.save()
        return row

    return occurrence


def set_policy(**values):
    ZoomSettings.objects.update(**values)


def join(client, site, row, query=""):
    return client.get(links.join_url(site.pk, row) + query)


def assert_private(response):
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies
    return response


def test_early_shows_the_time_and_no_link(client, site, occurrence):
    response = assert_private(join(client, site, occurrence(start=NOW + HOUR)))
    html = response.content.decode()
    assert response.status_code == 200 and "You are early" in html
    assert "data-wz-countdown" in html and CANARY not in html and "zoom.us" not in html
    assert 0 < int(response["Refresh"]) <= 2700


def test_in_the_join_window_redirects_to_zoom(client, site, occurrence):
    row = occurrence(start=NOW + timedelta(minutes=10))
    response = assert_private(join(client, site, row))
    assert response.status_code == 302
    assert response["Location"] == f"https://us02web.zoom.us/j/123?pwd={CANARY}"
    response = join(client, site, row, "?in=browser")
    assert response["Location"].startswith("https://us02web.zoom.us/wc/join/123?")
    row.meeting.join_url = "https://us02web.zoom.us/w/123?tk=own"
    row.meeting.save()
    response = join(client, site, row, "?in=browser")
    assert response["Location"] == "https://us02web.zoom.us/wc/join/123?tk=own"


@pytest.mark.parametrize(
    ("policy", "minutes", "status"),
    [
        ("public", 60 * 24, 302),
        ("window", 60 * 24, 200),
        ("window", 5, 302),
        ("registrants", 5, 200),
        ("never", 5, 200),
    ],
)
def test_the_join_policy_is_checked_on_each_request(
    client, site, occurrence, policy, minutes, status
):
    """X26: the policy at the time of the request counts, not when the page was rendered."""
    set_policy(join_policy=policy)
    response = join(client, site, occurrence(start=NOW + timedelta(minutes=minutes)))
    assert response.status_code == status
    assert status == 302 or CANARY not in response.content.decode()


@pytest.mark.parametrize("passcodes", ["registrants", "never"])
def test_the_passcode_is_removed_by_policy(client, site, occurrence, passcodes):
    set_policy(passcode_policy=passcodes)
    response = join(client, site, occurrence(start=NOW))
    assert response["Location"] == "https://us02web.zoom.us/j/123"


def test_over_cancelled_and_moved_have_their_messages(client, site, occurrence, host):
    over = occurrence(start=NOW - 5 * HOUR, state="over")
    assert "This meeting is over" in join(client, site, over).content.decode()
    rows.item(site, rows.recording(host, occurrence=over))
    assert "Watch the recording" in join(client, site, over).content.decode()
    html_of_cancelled = join(client, site, occurrence(state="cancelled")).content.decode()
    assert "This meeting is cancelled" in html_of_cancelled
    moved = occurrence(state="moved", start=NOW + 30 * HOUR)
    Occurrence.objects.filter(pk=moved.pk).update(previous_start=NOW)
    html = join(client, site, moved).content.decode()
    assert "This meeting has moved" in html and "Was:" in html


def test_another_hostname_returns_404(client, site, occurrence):
    """A link is bound to its Site, also if two Sites share the account."""
    row = occurrence(start=NOW)
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    site_settings = ZoomSettings.objects.get(site=site)
    rows.site_settings(other, site_settings.account, row.meeting.host)
    url = links.join_url(site.pk, row)
    assert client.get(url, headers={"host": "other.example"}).status_code == 404
    assert join(client, other, row).status_code == 404
    response = client.get(links.join_url(other.pk, row), headers={"host": "other.example"})
    assert response.status_code == 302


@pytest.mark.parametrize("token", ["x", "A" * 32, "%00" * 5, "A" * 31 + "="])
def test_invalid_tokens_return_404(client, site, token):
    assert client.get(f"/zoom/join/{token}/").status_code == 404
    assert client.get(f"/zoom/watch/{token}/").status_code == 404


def test_hidden_occurrences_cannot_be_joined(client, site, occurrence):
    row = occurrence(start=NOW)
    row.meeting.is_private = True
    row.meeting.save()
    assert join(client, site, row).status_code == 404


def test_a_stored_link_outside_zoom_is_never_followed(client, site, occurrence):
    row = occurrence(start=NOW)
    row.meeting.join_url = "https://evil.example/j/1"
    row.meeting.save()
    assert join(client, site, row).status_code == 200


def test_a_stored_recording_outside_zoom_is_never_opened(client, recording):
    for link in ("https://evil.example/rec/share/x", "https://evil.example\\\\.zoom.us/rec"):
        item = recording(share_url=link, passcode="yNYIS408EJygs7rE5vVsJwXIz4")
        assert client.get(links.watch_url(item)).status_code == 404
        item = recording(share_url=link)
        assert client.get(f"{links.watch_url(item)}?go=1").status_code == 404


def view_of(site, row):
    return presenters.occurrence_views(SiteVisibility.for_site(site), [row])[0]


def test_of_several_recordings_the_longest_leads(site, occurrence, host):
    row = occurrence(start=NOW - 5 * HOUR, state="over")
    recorded = [
        rows.item(site, rows.recording(host, occurrence=row, duration=minutes, topic="Film"))
        for minutes in (2, 60, 60, 5)
    ]
    view = presenters.occurrence_views(SiteVisibility.for_site(site), [row], recordings=True)[0]
    assert view.recording.minutes == 60 and view.recording.url in map(links.watch_url, recorded)
    views = presenters.recording_views(SiteVisibility.for_site(site), Recording.objects.all())
    assert [(view.minutes, bool(view.time_label)) for view in views] == [
        (2, False), (60, True), (60, True), (5, False)
    ]  # fmt: skip


def test_without_a_link_joining_is_not_offered(client, site, occurrence):
    """Zoom's link led elsewhere and was dropped: no button, and the page behind it says so."""
    row = occurrence(start=NOW)
    set_policy(join_policy="public")
    assert view_of(site, row).action.label == "Join on Zoom"
    row.meeting.join_url, row.meeting.has_join_link = "", False
    row.meeting.save()
    view = view_of(site, row)
    assert view.action.label == "Add to calendar" and view.browser_url == ""
    assert "There is no link to join" in join(client, site, row).content.decode()


@pytest.fixture
def recording(site, host):
    def recording(**values):
        row = rows.recording(host, topic="Film")
        for name, value in {"share_url": "https://zoom.us/rec/share/x", **values}.items():
            setattr(row, name, value)
        row.save()
        return rows.item(site, row)

    return recording


def test_watch_redirects_to_zoom(client, recording):
    response = assert_private(client.get(links.watch_url(recording())))
    assert response["Location"] == "https://zoom.us/rec/share/x"


def test_watch_adds_a_long_passcode_to_the_url(client, recording):
    item = recording(passcode="yNYIS408EJygs7rE5vVsJwXIz4")
    response = client.get(links.watch_url(item))
    assert response["Location"] == "https://zoom.us/rec/share/x?pwd=yNYIS408EJygs7rE5vVsJwXIz4"


def test_watch_shows_a_passcode_that_people_type(client, recording):
    url = links.watch_url(recording(passcode="tide-4417"))
    response = assert_private(client.get(url))
    html = response.content.decode()
    assert "tide-4417" in html and "data-wz-copy" in html and "zoom.us/rec" not in html
    assert client.get(f"{url}?go=1")["Location"] == "https://zoom.us/rec/share/x"
    set_policy(passcode_policy="never")
    response = client.get(url)
    assert response.status_code == 302 and "pwd" not in response["Location"]


@pytest.mark.parametrize("field", ["share_url", "play_url"])
@pytest.mark.parametrize("passcodes", ["registrants", "never"])
def test_the_passcode_of_a_recordings_link_is_removed_by_policy(
    client, recording, passcodes, field
):
    """Zoom may give links of recordings that hold the passcode."""
    link = "https://zoom.us/rec/share/x?pwd=S3cretPass1&startTime=5"
    item = recording(**{"share_url": "", field: link, "passcode": "S3cretPass1"})
    set_policy(passcode_policy=passcodes)
    for query in ("", "?go=1"):
        response = assert_private(client.get(links.watch_url(item) + query))
        assert response["Location"] == "https://zoom.us/rec/share/x?startTime=5"
    set_policy(passcode_policy="in_link")
    assert client.get(links.watch_url(item) + "?go=1")["Location"] == link


def test_watch_adds_no_second_passcode(client, recording):
    link = "https://zoom.us/rec/share/x?pwd=yNYIS408EJygs7rE5vVsJwXIz4"
    item = recording(share_url=link, passcode="yNYIS408EJygs7rE5vVsJwXIz4")
    assert client.get(links.watch_url(item))["Location"] == link


def test_watch_respects_curation(client, recording):
    item = recording()
    type(item).objects.update(visibility="hidden")
    assert client.get(links.watch_url(item)).status_code == 404
    assert Recording.objects.exists()


def test_join_links_survive_a_rotated_secret_key(site, occurrence, settings):
    row = occurrence()
    token = links.sign_id(site.pk, row.public_id)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"
    assert links.unsign_id(site.pk, token) == row.public_id
    settings.SECRET_KEY_FALLBACKS = []
    assert links.unsign_id(site.pk, token) is None
