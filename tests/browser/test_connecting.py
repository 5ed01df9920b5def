"""Connecting in a real browser: each person's own, with every kind of session cookie.

The simulator is at 127.0.0.1 and the sites are below localhost, so both are different websites for
a browser, as with Zoom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo_site.run import Demo
from demo_site.sites import PASSWORD
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .connection import PANEL, decide, disconnect
from .web_servers import web_server

OWNER = "harbour"


@pytest.fixture(scope="session")
def servers(running_demo: Demo, strict_port: int) -> Iterator[dict[str, int]]:
    """The demo's port, and that of a second web server whose session cookies are strict.

    Both are one installation: Zoom's callback is at the first one.
    """
    config = running_demo.config
    with web_server(config, "strict_settings", strict_port) as port:
        yield {"lax": config.port, "strict": port}


class Installation:
    """One web server of the demo, and the browsers of several people."""

    def __init__(self, browser: Browser, port: int) -> None:
        self.browser, self.port = browser, port
        self.contexts: list[BrowserContext] = []

    def url(self, path: str) -> str:
        return f"http://{OWNER}.localhost:{self.port}{path}"

    def person(self, *, script: bool = True) -> Page:
        """A page in a browser of its own."""
        context = self.browser.new_context(java_script_enabled=script)
        self.contexts.append(context)
        return context.new_page()

    def owner(self) -> Page:
        """The owner's browser, at the Zoom panel of a Site that is not connected."""
        page = self.person()
        page.goto(self.url("/admin/login/"))
        page.get_by_label("Username").fill(OWNER)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        page.goto(self.url(PANEL))
        take_back = page.get_by_role("button", name="Take the link back")
        if take_back.count():
            take_back.click()
        disconnect(page)
        return page


@pytest.fixture(params=["lax", "strict"])
def installation(
    request: pytest.FixtureRequest, browser: Browser, servers: dict[str, int]
) -> Iterator[Installation]:
    installation = Installation(browser, servers[request.param])
    yield installation
    for context in installation.contexts:
        context.close()


def test_connect_and_decline(installation: Installation) -> None:
    page = installation.owner()
    page.get_by_role("button", name="Connect Zoom").click()
    decide(page, "Decline")
    page.wait_for_url(f"**{PANEL}**")
    expect(page.get_by_text("You did not allow access in Zoom")).to_be_visible()
    page.get_by_role("button", name="Connect Zoom").click()
    decide(page, "Allow")
    page.wait_for_url(f"**{PANEL}**")
    # Another test may have connected the site before.
    connected = re.compile(r"Connected (again )?with Zoom as Josefine Adler\.")
    expect(page.get_by_text(connected)).to_be_visible()
    disconnect(page)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_button_of_an_invitation(installation: Installation, script: bool) -> None:
    """The owner makes the link; another person, without a login, presses its button."""
    owner = installation.owner()
    owner.get_by_role("button", name="Invite your Zoom administrator").click()
    link = urlsplit(owner.get_by_label("The link.").input_value())
    administrator = installation.person(script=script)
    administrator.goto(installation.url(link.path))
    administrator.get_by_role("button", name="Continue to Zoom").click()
    decide(administrator, "Allow")
    expect(administrator.get_by_role("heading", name="Thank you")).to_be_visible()
    owner.goto(installation.url(PANEL))
    question = "Josefine Adler connected Harbour House. Is this right?"
    expect(owner.get_by_text(question)).to_be_visible()
    owner.get_by_role("button", name="Yes, continue").click()
    expect(owner.get_by_text("Confirmed. Now choose what to show.")).to_be_visible()
    disconnect(owner)


def test_a_login_that_ended_during_consent(installation: Installation) -> None:
    """One message with the next step, and no loop."""
    page = installation.owner()
    page.get_by_role("button", name="Connect Zoom").click()
    expect(page.get_by_label("Sign in as")).to_be_visible()
    page.context.clear_cookies(name="sessionid")
    decide(page, "Allow")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("log in and press Connect again")
    page.wait_for_timeout(500)
    expect(alert).to_be_visible()
    owner = installation.owner()
    expect(owner.get_by_role("button", name="Connect Zoom")).to_be_visible()


def test_a_forwarded_link_connects_nothing(installation: Installation) -> None:
    """The owner sends Zoom's page to somebody else, who allows it; then the owner finishes."""
    attacker, victim = installation.owner(), installation.person()
    attacker.get_by_role("button", name="Connect Zoom").click()
    expect(attacker.get_by_label("Sign in as")).to_be_visible()
    victim.goto(attacker.url)
    decide(victim, "Allow", "Lena Brandt, Borealis Institute")
    expect(victim.get_by_role("alert")).to_contain_text("remove the app in your Zoom account")
    state = parse_qs(urlsplit(attacker.url).query)["state"][0]
    attacker.goto(installation.url(f"/zoom/oauth/finish/?state={state}"))
    expect(attacker.get_by_role("alert")).to_contain_text("Nothing was changed")
    attacker.goto(installation.url(PANEL))
    expect(attacker.get_by_role("button", name="Connect Zoom")).to_be_visible()


def posted_origin(page: Page) -> str | None:
    """The origin that this browser sends with a form of the page that is open."""
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.evaluate(
            """() => {
                const form = document.createElement("form");
                form.method = "post";
                form.action = "/zoom/health/";
                document.body.append(form);
                form.submit();
            }"""
        )
    return posted.value.all_headers().get("origin")


def test_log_out_from_the_page_with_a_passcode(
    log_in: Callable[..., Page], site_url: SiteURL, zoom: SimulatorControl
) -> None:
    """Wagtail's *Log out* is a form, on every page of the administration."""
    owner = log_in("aurora", "aurora")
    owner.goto(site_url("aurora", "/admin/zoom/recordings/"))
    owner.locator("td.title a").first.click()
    watch = owner.get_by_role("link", name="Watch it in Zoom").get_attribute("href")
    owner.goto(site_url("aurora", watch or ""))
    expect(owner.get_by_label("Passcode")).to_be_visible()
    assert posted_origin(owner) == site_url("aurora", "")
