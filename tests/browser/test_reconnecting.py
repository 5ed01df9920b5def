"""Access that ended or is incomplete at Zoom: what owner, operator and visitors read, and the way
out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Page, expect

from demo_site.emails import Email
from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import TIMEOUT_MS, SiteURL
from .connection import PANEL, PERSON, connect, decide
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
ENDED = "Reconnect Zoom to keep your pages up to date."
MINUTE_MS = 60_000


def authorise_elsewhere(demo: Demo, zoom: SimulatorControl, user: str) -> None:
    """A user at Zoom allows access for another program with the same app: Zoom ends the tokens that
    were given before."""
    callback = f"{demo.config.base_url}/zoom/oauth/callback/"
    client = ("simulator-client", "simulator-secret")
    query = {"client_id": client[0], "redirect_uri": callback, "sim_user": user, "sim_auto": "1"}
    answer = requests.get(
        f"{zoom.url}/oauth/authorize", query, allow_redirects=False, timeout=TIMEOUT_MS / 1000
    )
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
    token = requests.post(f"{zoom.url}/oauth/token", form, auth=client, timeout=TIMEOUT_MS / 1000)
    assert token.ok, token.text


def test_tokens_that_zoom_has_ended(
    harbour: Callable[..., Page],
    log_in: LogIn,
    site_url: SiteURL,
    page: Page,
    demo: Demo,
    zoom: SimulatorControl,
    emails: Callable[[str], list[Email]],
) -> None:
    """Pages keep what they show, the owner gets one email, and reconnecting reads what is new."""
    owner = harbour(PERSON, "Meetings")
    panel, events = site_url("harbour", PANEL), site_url("harbour", "/events/")
    reload_until(page, events, lambda: row(page, "Sourdough morning").count())
    number_of_emails = len(emails("harbour@example.org"))

    authorise_elsewhere(demo, zoom, "harbour-0")
    owner.get_by_role("tab", name="Connection").click()
    owner.get_by_role("button", name="Sync now").first.click()
    expect(owner.get_by_text("The sync has started.")).to_be_visible()
    reload_until(owner, panel, lambda: owner.get_by_text(ENDED).count())
    expect(owner.locator(".help-critical")).to_contain_text(
        "because the permission was taken back or ran out in Zoom"
    )
    assert axe_violations(owner) == []
    owner.goto(site_url("harbour", "/admin/"))
    expect(owner.locator("#zoom-section")).to_contain_text(ENDED)
    operator = log_in("admin", "aurora")
    operator.goto(site_url("aurora", "/admin/zoom/sites/"))
    listed = operator.locator("tbody tr").filter(has_text="harbour.localhost")
    expect(listed).to_contain_text("Owner must reconnect")

    topic = f"A boat is painted {uuid4().hex[:6]}"
    new = zoom.create_meeting("harbour-0", topic=topic, start_time="+1d 16:00")
    page.goto(events)
    expect(row(page, "Sourdough morning")).to_be_visible()
    expect(row(page, topic)).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("reconnect")

    for _attempt in range(2 * MINUTE_MS // 250):  # a job of every minute sends it
        if len(emails("harbour@example.org")) > number_of_emails:
            break
        page.wait_for_timeout(250)
    newest = emails("harbour@example.org")[0]
    assert newest.subject == "Harbour House: reconnect your Zoom account"
    assert PANEL in newest.text

    owner.goto(panel)
    connect(owner)
    expect(owner.get_by_text("Connected again with Zoom as Josefine Adler.")).to_be_visible()
    reload_until(page, events, lambda: row(page, topic).count())
    expect(row(page, "Sourdough morning")).to_be_visible()
    reload_until(owner, panel, lambda: owner.get_by_role("heading", name="Up to date").count())
    assert len(emails("harbour@example.org")) == number_of_emails + 1
    operator.goto(site_url("aurora", "/admin/zoom/sites/"))
    expect(listed).not_to_contain_text("Owner must reconnect")
    zoom.delete_meeting(new["id"], permanent=True)


TOMAS = "Tomás Rivera, Borealis Institute"
OLD, NEW = "A lecture that is shown", "A lecture of today"


@pytest.fixture
def recordings_refused(
    harbour: Callable[..., Page],
    site_url: SiteURL,
    page: Page,
    zoom: SimulatorControl,
) -> Iterator[Page]:
    """The owner of Harbour House, whose Site shows a recording, and who has then allowed access
    again, but not to recordings. A second recording is new at Zoom. The Borealis Institute has the
    same Zoom account, and access to all of it."""
    scopes = [
        f"cloud_recording:read:{name}:admin"
        for name in ("list_user_recordings", "list_recording_files")
    ]
    zoom.create_recording("borealis-1", topic=OLD, start_time="-1d 19:00")
    owner = harbour(TOMAS, "Meetings", "Recordings", "Tomás Rivera", "Publish automatically")
    reload_until(page, site_url("harbour", "/recordings/"), lambda: row(page, OLD).count())
    zoom.options(optional_scopes=scopes)
    owner.goto(site_url("harbour", PANEL))
    owner.get_by_role("button", name="Use another account").click()
    decide(owner, "Allow", TOMAS, refused=scopes)
    owner.wait_for_url(f"**{PANEL}**")
    zoom.create_recording("borealis-1", topic=NEW, start_time="-1d 20:00")
    # The other Site shows it: from now on the first one would, too, if it were allowed.
    reload_until(page, site_url("borealis", "/recordings/"), lambda: row(page, NEW).count())
    yield owner
    zoom.options(optional_scopes=[])
    ours = [doc["id"] for doc in zoom.recordings("borealis") if doc["topic"] in (OLD, NEW)]
    zoom.delete_recordings(*ours, permanent=True)


MISSING = "Recordings: one more permission is needed."


def test_grant_what_is_missing(
    recordings_refused: Page, at_panel: Callable[[str], Page], site_url: SiteURL, page: Page
) -> None:
    """What is published stays and nothing is added, until the owner allows it in Zoom."""
    owner, recordings = recordings_refused, site_url("harbour", "/recordings/")
    expect(owner.locator(".help-warning").filter(has_text=MISSING)).to_contain_text(
        "What is published stays, and nothing new is imported."
    )
    assert axe_violations(owner) == []
    page.goto(recordings)
    expect(row(page, OLD)).to_be_visible()
    expect(row(page, NEW)).to_have_count(0)
    other_owner = at_panel("borealis")
    expect(other_owner.get_by_role("heading", name="Up to date")).to_be_visible()
    expect(other_owner.get_by_text(MISSING)).to_have_count(0)

    owner.get_by_role("button", name="Grant the permission in Zoom").click()
    decide(owner, "Allow", TOMAS)
    owner.wait_for_url(f"**{PANEL}**")
    reload_until(page, recordings, lambda: row(page, NEW).count())
    expect(row(page, OLD)).to_be_visible()
    owner.goto(site_url("harbour", PANEL))
    expect(owner.get_by_text(MISSING)).to_have_count(0)


def test_turn_off_what_is_missing(
    recordings_refused: Page, at_panel: Callable[[str], Page], site_url: SiteURL, page: Page
) -> None:
    """The owner is asked first; then recordings leave this Site, and only this one."""
    owner, recordings = recordings_refused, site_url("harbour", "/recordings/")
    owner.get_by_role("button", name="Turn off recordings").click()
    expect(owner.get_by_role("heading", name="Switch off and delete?")).to_be_visible()
    assert axe_violations(owner) == []
    owner.get_by_role("link", name="Leave it on").click()
    expect(owner.get_by_text(MISSING)).to_be_visible()
    page.goto(recordings)
    expect(row(page, OLD)).to_be_visible()

    owner.get_by_role("button", name="Turn off recordings").click()
    owner.get_by_role("button", name="Switch off", exact=True).click()
    expect(owner.get_by_text("Turned off: recordings.")).to_be_visible()
    expect(owner.get_by_text(MISSING)).to_have_count(0)
    owner.get_by_role("tab", name="What to show").click()
    expect(owner.get_by_role("checkbox", name="Recordings")).not_to_be_checked()
    expect(owner.get_by_text("Zoom has not allowed it yet.")).to_be_visible()
    reload_until(page, recordings, lambda: row(page, OLD).count() == 0)
    page.goto(site_url("harbour"))
    expect(page.locator(".wz-item, .wz-card").first).to_be_visible()
    page.goto(site_url("borealis", "/recordings/"))
    expect(row(page, OLD)).to_be_visible()
    other_owner = at_panel("borealis")
    expect(other_owner.get_by_role("heading", name="Up to date")).to_be_visible()
