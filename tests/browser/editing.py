"""Steps in Wagtail's page editor, for the tests of this folder."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from demo_site.sites import PASSWORD


def editor_script(slug: str, username: str) -> str:
    """Code for the demo's shell: a user who may edit and publish the pages of a Site, below the
    page of this slug, without its Zoom permission."""
    return f"""
from django.contrib.auth.models import Group, Permission, User
from wagtail.models import GroupPagePermission, Page
group, _ = Group.objects.get_or_create(name="Editors of {slug}")
group.permissions.add(Permission.objects.get(codename="access_admin"))
home = Page.objects.get(slug="{slug}", depth=2)
for codename in ("add_page", "change_page", "publish_page"):
    permission = Permission.objects.get(codename=codename, content_type__app_label="wagtailcore")
    GroupPagePermission.objects.get_or_create(group=group, page=home, permission=permission)
user, _ = User.objects.get_or_create(username="{username}")
user.set_password("{PASSWORD}")
user.save()
user.groups.set([group])
"""


def chosen(user: Page) -> Locator:
    """The titles of the chosen items in the form that is open."""
    return user.locator("[data-contentpath=item] [data-chooser-title]")


def insert_block(user: Page, label: str) -> None:
    """Add a block after the others."""
    user.get_by_role("button", name="Insert a block").last.click()
    user.get_by_role("option", name=label, exact=True).click()


def choose_meeting(user: Page, title: str) -> None:
    """Add a block of one meeting, and choose it after a search."""
    # Wagtail takes the form as it is two seconds after it was loaded for the one that is stored:
    # what is changed before does not count as a change, and is not saved automatically.
    user.wait_for_function("wagtail.app.queryController('w-unsaved').initialFormData")
    insert_block(user, "Zoom meeting")
    rows = search_meeting(user, title)
    # Wagtail saves a draft by itself: a later draft than what is published next would win.
    with user.expect_response(lambda response: "/edit/" in response.url):
        rows.get_by_role("link", name=title).click()
        expect(chosen(user).last).to_have_text(title)
    expect(user.locator("#w-autosave-indicator").get_by_text("Saved")).to_be_visible()


def search_meeting(user: Page, title: str) -> Locator:
    """Search the chooser of the last block, opened anew; returns the only row."""
    modal = user.locator(".modal-body")
    if modal.count():
        user.get_by_role("button", name="Close").click()
        expect(modal).to_have_count(0)
    user.get_by_role("button", name="Choose a meeting or series").last.click()
    user.get_by_label("Search titles, hosts and tags").fill(title)
    rows = modal.locator("tbody tr")
    expect(rows).to_have_count(1)
    return rows


def publish(user: Page, warning: str = "") -> None:
    """Publish the page whose form is open; anyway, if the dialog before it has this warning."""
    user.get_by_role("button", name="More actions").click()
    user.get_by_role("button", name="Publish", exact=True).click()
    if warning:
        dialog = user.get_by_role("dialog")
        expect(dialog).to_contain_text(warning)
        dialog.get_by_role("button", name="Publish anyway").click()
    expect(user.locator(".messages")).to_contain_text("has been published")
