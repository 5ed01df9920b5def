"""Two websites with projects of their own, connected with Zoom through a hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo_site.emails import newest_emails
from demo_site.hub_demo import HubDemo
from demo_site.sites import AURORA, BOREALIS, PASSWORD, SiteData
from wagtail_zoom.testing.server import SimulatorControl

from .connection import PANEL, choose, decide, disconnect
from .test_changes import reload_until, row

HOSTS = {"aurora": "aurora-1", "borealis": "borealis-0"}
"""The Zoom users who connect the websites."""
INES, LENA = "Ines Krüger, Aurora Yoga", "Lena Brandt, Borealis Institute"
CONNECT = re.compile("^(Connect|Reconnect) Zoom$")


@pytest.fixture(scope="module")
def hub_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubDemo]:
    """The demo as ``make demo-hub`` starts it."""
    demo = HubDemo.anywhere(tmp_path_factory.mktemp("hub"))
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()


@pytest.fixture
def zoom(hub_demo: HubDemo) -> SimulatorControl:
    return SimulatorControl(hub_demo.config.simulator_url)


@pytest.fixture
def urls(hub_demo: HubDemo) -> dict[str, str]:
    """The base URL of each website."""
    return {website.config.sites[0]: website.config.base_url for website in hub_demo.websites}


@pytest.fixture
def at_panel(browser: Browser, urls: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """``at_panel(BOREALIS)``: the owner of a website, at the panel of the Site, which is not
    connected. Further arguments are options of the browser context."""
    contexts: list[BrowserContext] = []

    def enter(site_data: SiteData, **browser_options: object) -> Page:
        context = browser.new_context(**browser_options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{urls[site_data.key]}/admin/login/")
        page.get_by_label("Username").fill(site_data.key)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        page.goto(f"{urls[site_data.key]}{PANEL}")
        disconnect(page)
        return page

    yield enter
    for context in contexts:
        context.close()


def press_connect(page: Page, site_data: SiteData, url: str) -> None:
    """From the panel to the page of the hub, which names the website."""
    page.get_by_role("button", name=CONNECT).first.click()
    expect(page.get_by_role("heading", name=f"Connect Zoom with {site_data.name}")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(url)


def connect(page: Page, site_data: SiteData, url: str, person: str) -> None:
    """Connect a website from its panel, as this person at Zoom."""
    press_connect(page, site_data, url)
    page.get_by_role("button", name="Continue to Zoom").click()
    decide(page, "Allow", person)
    page.wait_for_url(f"{url}{PANEL}**")


def test_a_change_is_shown_by_the_right_website(
    page: Page,
    at_panel: Callable[..., Page],
    urls: dict[str, str],
    zoom: SimulatorControl,
) -> None:
    """Both are connected from their own panels; each shows its own meetings."""
    for site_data, person, hosts in (
        (AURORA, INES, ["Ines Krüger"]),
        (BOREALIS, LENA, ["Lena Brandt"]),
    ):
        owner = at_panel(site_data)
        connect(owner, site_data, urls[site_data.key], person)
        choose(owner, "Meetings", *hosts)
    topics = {"aurora": "Stretching before the ferry", "borealis": "Planning the summer lectures"}
    for site_data in (AURORA, BOREALIS):
        topic = topics[site_data.key]
        meeting = zoom.create_meeting(
            HOSTS[site_data.key], topic=topic, start_time="+1d 10:00", duration=45
        )
        events = f"{urls[site_data.key]}/events/"
        reload_until(page, events, lambda topic=topic: row(page, topic).count() == 1)
        zoom.change_meeting(meeting["id"], start_time="+1d 11:15")
        reload_until(page, events, lambda topic=topic: "New time" in row(page, topic).inner_text())
    for site_data, other in ((AURORA, BOREALIS), (BOREALIS, AURORA)):
        page.goto(f"{urls[site_data.key]}/events/")
        expect(row(page, topics[site_data.key])).to_have_count(1)
        expect(page.get_by_text(topics[other.key])).to_have_count(0)


def test_cancelling_on_the_page_of_the_hub(
    at_panel: Callable[..., Page], urls: dict[str, str]
) -> None:
    """The owner is back at the panel, as after a refusal at Zoom."""
    owner = at_panel(BOREALIS)
    press_connect(owner, BOREALIS, urls[BOREALIS.key])
    owner.get_by_role("button", name="Cancel").click()
    owner.wait_for_url(f"{urls[BOREALIS.key]}{PANEL}**")
    expect(owner.get_by_text("You did not allow access in Zoom")).to_be_visible()


def test_a_zoom_user_moves_to_another_website(
    at_panel: Callable[..., Page], urls: dict[str, str], hub_demo: HubDemo
) -> None:
    """Only after the box was ticked; the website that loses the user gets an email."""
    connect(at_panel(BOREALIS), BOREALIS, urls[BOREALIS.key], LENA)
    aurora = at_panel(AURORA)
    connect(aurora, AURORA, urls[AURORA.key], LENA)
    expect(aurora.get_by_text("Connected with Zoom as")).to_have_count(0)
    press_connect(aurora, AURORA, urls[AURORA.key])
    conflict = "The Zoom user that you used a moment ago is connected with “Borealis Institute”."
    expect(aurora.get_by_role("alert")).to_contain_text(conflict)
    assert Axe().run(aurora).response["violations"] == []
    aurora.get_by_role("checkbox", name="Move my Zoom user to Aurora Yoga").check()
    aurora.get_by_role("button", name="Continue to Zoom").click()
    decide(aurora, "Allow", LENA)
    aurora.wait_for_url(f"{urls[AURORA.key]}{PANEL}**")
    expect(
        aurora.get_by_text(re.compile("Connected (again )?with Zoom as Lena Brandt"))
    ).to_be_visible()
    hub_demo.hub.manage("shell", "-c", "from wagtail_zoom.hub.tasks import tick; tick()")
    emails = newest_emails(hub_demo.hub.config.folder / "mails")
    moved = [email for email in emails if "another website now" in email.subject]
    assert [email.to for email in moved] == [BOREALIS.email]
    assert "A Zoom user that was connected with Borealis Institute" in moved[0].text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_hub_is_accessible(
    at_panel: Callable[..., Page], urls: dict[str, str], scheme: str
) -> None:
    """At both widths nothing is wider than the window, and axe-core finds nothing."""
    owner = at_panel(BOREALIS, color_scheme=scheme, bypass_csp=True)
    press_connect(owner, BOREALIS, urls[BOREALIS.key])
    for width in (360, 1280):
        owner.set_viewport_size({"width": width, "height": 800})
        assert Axe().run(owner).response["violations"] == []
        assert owner.evaluate("document.documentElement.scrollWidth") <= width
