"""Another Zoom account for a Site: the safe answer comes first, and nothing changes before it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import SiteURL
from .connection import PANEL, PERSON, choose, decide, disconnect
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
OTHER = "Lena Brandt, Borealis Institute"


def test_use_another_account(log_in: LogIn, site_url: SiteURL) -> None:
    """Keep, go back to Zoom for the right one, or switch."""
    owner = log_in("harbour", "harbour")
    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    owner.get_by_role("button", name="Connect Zoom").click()
    decide(owner, "Allow", PERSON)
    owner.wait_for_url(f"**{PANEL}**")

    def use_another() -> None:
        owner.get_by_role("tab", name="Connection").click()
        owner.get_by_role("button", name="Use another account").click()

    use_another()
    decide(owner, "Allow", OTHER)
    expect(owner.get_by_role("heading", name="Another Zoom account")).to_be_visible()
    expect(owner.get_by_text("Nothing has changed yet.")).to_be_visible()
    assert axe_violations(owner) == []
    owner.get_by_role("button", name="Keep Harbour House").click()
    expect(owner.get_by_text("The connection stays as it was.")).to_be_visible()

    use_another()
    decide(owner, "Allow", OTHER)
    owner.get_by_role("button", name="Use another account").click()
    decide(owner, "Allow", PERSON)
    owner.wait_for_url(f"**{PANEL}**")
    owner.get_by_role("tab", name="Connection").click()
    expect(owner.get_by_text("number")).to_be_visible()
    expect(owner.locator("main")).to_contain_text("Josefine Adler")

    use_another()
    decide(owner, "Allow", OTHER)
    owner.get_by_role("button", name="Switch to Borealis").click()
    owner.wait_for_url(f"**{PANEL}**")
    expect(owner.locator("main")).to_contain_text("Lena Brandt")
    disconnect(owner)


def test_the_inviter_reads_of_the_connection_and_says_whether_it_is_right(
    log_in: LogIn, site_url: SiteURL, page: Page, demo: Demo
) -> None:
    """Another person presses the button of the link; the inviter answers whether it is right."""
    owner = log_in("harbour", "harbour")
    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    owner.get_by_role("button", name="Invite your Zoom administrator").click()
    page.goto(owner.get_by_label("The link.").input_value())
    page.get_by_role("button", name="Continue to Zoom").click()
    decide(page, "Allow", OTHER)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    page.goto(f"{demo.config.site_url('localhost')}/demo/mails/")
    expect(page.locator("main")).to_contain_text("Lena Brandt has used your invitation")

    owner.goto(site_url("harbour", "/admin/"))
    steps = owner.locator("#zoom-setup-section")
    if steps.count():  # another test may have ended the checklist
        expect(steps).to_contain_text("Nothing is imported until you confirm.")
    owner.goto(site_url("harbour", PANEL))
    expect(owner.get_by_text("Is this right?")).to_be_visible()
    owner.get_by_role("button", name="Use another account").click()
    decide(owner, "Allow", PERSON)
    owner.get_by_role("button", name="Switch to Harbour House").click()
    owner.wait_for_url(f"**{PANEL}**")
    expect(owner.locator("main")).to_contain_text("Josefine Adler")
    disconnect(owner)


def test_visitors_read_one_account_at_a_time(
    harbour: Callable[..., Page], at_panel: Callable[[str], Page], site_url: SiteURL, page: Page
) -> None:
    """The question changes nothing for visitors; the switch takes everything old off the pages, and
    shows nothing of the new account before the owner has chosen."""
    owner, events = harbour(PERSON, "Meetings"), site_url("harbour", "/events/")
    old, new = row(page, "Sourdough morning"), row(page, "Members' assembly")
    reload_until(page, events, lambda: old.count())

    def sign_in_as_other() -> None:
        owner.goto(site_url("harbour", PANEL))
        owner.get_by_role("button", name="Use another account").click()
        decide(owner, "Allow", OTHER)
        expect(owner.get_by_role("heading", name="Another Zoom account")).to_be_visible()

    sign_in_as_other()
    owner.get_by_role("button", name="Keep Harbour House").click()
    expect(owner.get_by_role("heading", name="Up to date")).to_be_visible()
    page.goto(events)
    expect(old).to_be_visible()
    expect(new).to_have_count(0)

    sign_in_as_other()
    page.goto(events)
    expect(old).to_be_visible()
    owner.get_by_role("button", name="Switch to Borealis").click()
    owner.wait_for_url(f"**{PANEL}**")
    page.goto(events)
    expect(row(page, "")).to_have_count(0)
    choose(owner)
    reload_until(page, events, lambda: new.count())
    expect(old).to_have_count(0)
    other_owner = at_panel("borealis")
    expect(other_owner.get_by_role("heading", name="Up to date")).to_be_visible()
    page.goto(site_url("borealis", "/events/"))
    expect(new.first).to_be_visible()
