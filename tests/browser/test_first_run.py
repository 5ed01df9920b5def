"""The first run of an owner: the checklist leads from the homepage to a page that shows Zoom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from demo_site.run import Demo

from .conftest import TIMEOUT_MS, SiteURL
from .connection import PANEL, PERSON, decide, disconnect
from .test_owner_screens import PHONE, axe_violations

LogIn = Callable[..., Page]
PAGES = """
from wagtail.models import Site
from wagtail_zoom.models import ZoomSettings
site = Site.objects.get(hostname="harbour.localhost")
ZoomSettings.objects.filter(site=site).update(checklist_ends_at=None)
for page in site.root_page.get_descendants(inclusive=True):
    page.specific.{action}
"""


NO_BLOCKS = """
import json
from pathlib import Path
from wagtail.models import Site
from wagtail_zoom.models import ZoomSettings
site = Site.objects.get(hostname="harbour.localhost")
settings_rows = ZoomSettings.objects.filter(site=site)
settings_rows.update(checklist_ends_at=None, configured_at=None, show_meetings=False)
bodies = {{}}
for page in site.root_page.get_descendants(inclusive=True).specific():
    bodies[page.pk] = page.body.get_prep_value()
    page.body = []
    page.save_revision().publish()
Path({path!r}).write_text(json.dumps(bodies))
"""
BLOCKS_AGAIN = """
import json
from pathlib import Path
from wagtail.models import Page
for pk, body in json.loads(Path({path!r}).read_text()).items():
    page = Page.objects.get(pk=pk).specific
    page.body = json.dumps(body)
    page.save_revision().publish()
"""


@pytest.fixture
def without_blocks(demo: Demo, log_in: LogIn, site_url: SiteURL, tmp_path: Path) -> Iterator[Page]:
    """The owner of a Site that is not connected and of which no page has a block."""
    owner = log_in("harbour", "harbour")
    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    path = str(tmp_path / "bodies.json")
    demo.manage("shell", "-c", NO_BLOCKS.format(path=path))
    yield owner
    demo.manage("shell", "-c", BLOCKS_AGAIN.format(path=path))


@pytest.fixture
def unpublished(demo: Demo) -> Iterator[None]:
    """No page of the Site is published, and nobody has finished the checklist."""
    demo.manage("shell", "-c", PAGES.format(action="unpublish()"))
    yield
    demo.manage("shell", "-c", PAGES.format(action="save_revision().publish()"))


def checklist(page: Page) -> Locator:
    """The checklist on the admin's homepage."""
    return page.locator("#zoom-setup-section")


def steps_done(page: Page, site_url: SiteURL, count: int) -> Locator:
    """Open the homepage and check how far the checklist is."""
    page.goto(site_url("harbour", "/admin/"))
    steps = checklist(page)
    expect(steps).to_contain_text(f"{count} of 4 steps done")
    # The next step is the only one that has a filled button.
    expect(steps.locator(".button:not(.button-secondary)")).to_have_count(1)
    return steps


def test_from_nothing_to_a_page_that_shows_zoom(
    log_in: LogIn, site_url: SiteURL, page: Page, unpublished: None
) -> None:
    """Each step is done where its button leads, and the last one ends the list."""
    owner = log_in("harbour", "harbour")
    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)

    steps_done(owner, site_url, 0).get_by_role("button", name="Connect Zoom").click()
    decide(owner, "Allow")
    owner.wait_for_url(f"**{PANEL}**")

    steps_done(owner, site_url, 1).get_by_role("link", name="Choose what to show").click()
    owner.get_by_label("Meetings", exact=True).check()
    owner.get_by_role("button", name="Save and start the import").click()
    expect(owner.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * TIMEOUT_MS)
    # The list above the card has followed it.
    expect(owner.locator('[data-wza-part="checklist"]')).to_contain_text("2 of 4 steps done")
    expect(owner.locator('[data-wza-part="checklist"]')).not_to_contain_text("Continues")

    steps = steps_done(owner, site_url, 2)
    expect(steps).to_contain_text("has a Zoom block, but is not published")
    assert axe_violations(owner) == []
    steps.get_by_role("link", name="Open the page").click()
    owner.get_by_role("button", name="More actions").click()
    owner.get_by_role("button", name="Publish", exact=True).click()
    expect(owner.get_by_text("published").first).to_be_visible()

    steps_done(owner, site_url, 3).get_by_role("link", name="View “").click()
    expect(owner).to_have_url(site_url("harbour"))
    expect(owner.locator(".wz-item, .wz-card").first).to_be_visible()
    page.goto(site_url("harbour"))  # a visitor reads the same
    expect(page.locator(".wz-item, .wz-card").first).to_be_visible()

    owner.goto(site_url("harbour", "/admin/"))
    expect(checklist(owner)).to_contain_text("Zoom is set up.")
    icon = checklist(owner).locator(".wza-note .icon").first.bounding_box()
    assert icon and icon["height"] <= 20
    owner.get_by_role("button", name="Hide this list").click()
    expect(owner.get_by_role("heading", name="Harbour House", exact=True)).to_be_visible()
    expect(checklist(owner)).to_have_count(0)

    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    owner.goto(site_url("harbour", "/admin/"))
    expect(checklist(owner)).to_have_count(0)


def test_six_clicks_from_the_connection_to_the_published_page(
    site_url: SiteURL, page: Page, without_blocks: Page
) -> None:
    """Nobody has to know the name of a block. Until the last click visitors see nothing."""
    owner, clicks = without_blocks, 0

    def click(button: Locator) -> None:
        nonlocal clicks
        button.click()
        clicks += 1

    owner.goto(site_url("harbour", "/admin/"))
    click(checklist(owner).get_by_role("button", name="Connect Zoom"))
    owner.get_by_label("Sign in as").select_option(label=PERSON)  # the simulator's login
    click(owner.get_by_role("button", name="Allow"))
    owner.wait_for_url(f"**{PANEL}**")
    click(owner.get_by_role("button", name="Show meetings and start the import"))
    expect(owner.get_by_text("Saved. The import has started.")).to_be_visible()
    page.goto(site_url("harbour"))
    expect(page.locator(".wz-item, .wz-card")).to_have_count(0)
    click(owner.get_by_role("button", name="Add it to “"))
    expect(owner.get_by_text("Publish the page to show it to visitors")).to_be_visible()
    expect(owner.locator("[data-streamfield-child]").first).to_contain_text("Zoom dates")
    click(owner.get_by_role("button", name="More actions"))
    click(owner.get_by_role("button", name="Publish", exact=True))
    expect(owner.get_by_text("published").first).to_be_visible()
    assert clicks == 6

    expect(first_date(page, site_url("harbour"))).to_be_visible()


def first_date(page: Page, url: str) -> Locator:
    """The first date on a page, reloaded until the import has read it."""
    first = page.locator(".wz-item, .wz-card").first
    for _attempt in range(TIMEOUT_MS // 1000):
        page.goto(url)
        if first.count():
            break
        page.wait_for_timeout(1000)
    return first


def test_the_list_can_be_hidden_before(log_in: LogIn, site_url: SiteURL, unpublished: None) -> None:
    """A Site that needs no Zoom is not asked again, and the panel goes on offering it."""
    owner = log_in("harbour", "harbour", viewport=PHONE)
    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    expect(owner.get_by_text("0 of 4 steps done")).to_be_visible()
    owner.goto(site_url("harbour", "/admin/"))
    checklist(owner).get_by_role("button", name="Hide this list").click()
    expect(checklist(owner)).to_have_count(0)
    owner.goto(site_url("harbour", PANEL))
    expect(owner.get_by_role("button", name="Connect Zoom")).to_be_visible()


def test_the_menu_leads_to_the_connection(log_in: LogIn, site_url: SiteURL) -> None:
    """Zoom → Connection, without a detour through the settings."""
    owner = log_in("aurora", "aurora")
    owner.get_by_role("button", name="Zoom", exact=True).click()
    owner.get_by_role("link", name="Connection", exact=True).click()
    owner.wait_for_url(f"**{PANEL}**")
    expect(owner.get_by_role("heading", name="Health")).to_be_visible()
