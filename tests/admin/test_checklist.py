"""The steps of the first run say what is so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupPagePermission, Page, PageViewRestriction

from tests.admin.conftest import make_owner, make_site
from tests.admin.test_panel import form as panel_form
from tests.testapp.models import ZoomPage
from wagtail_zoom.admin import block_place
from wagtail_zoom.admin.checklist import Checklist
from wagtail_zoom.admin.site_status import get_site_status
from wagtail_zoom.models import Grant, Heartbeat, Meeting, Recording, ZoomAccount, ZoomSettings
from wagtail_zoom.oauth import disconnect, invitations

pytestmark = pytest.mark.django_db


def update(tenant, **values):
    ZoomSettings.objects.filter(site=tenant.site).update(**values)


def steps(tenant):
    return [step.state for step in Checklist(get_site_status(tenant.site)).steps]


def text_of(tenant, number):
    return Checklist(get_site_status(tenant.site)).steps[number - 1].text


def test_before_the_connection(aurora):
    disconnect.disconnect(ZoomSettings.objects.get(site=aurora.site), keep=False)
    assert steps(aurora) == ["next", "later", "later", "later"]
    invitations.create(aurora.site, aurora.owner)
    assert "You made an invitation link" in text_of(aurora, 1)


def test_a_connection_that_is_not_confirmed(aurora):
    update(aurora, needs_confirmation=True, configured_at=None)
    assert steps(aurora) == ["next", "later", "later", "later"]
    assert "until you confirm" in text_of(aurora, 1)


def test_connected_and_nothing_chosen(aurora):
    update(aurora, configured_at=None)
    assert steps(aurora) == ["done", "next", "later", "later"]


def test_choices_that_match_nothing(aurora):
    ZoomAccount.objects.update(reconciled_at=timezone.now())
    update(aurora, item_rule="marked", mark_word="nowhere", show_recordings=False)
    assert steps(aurora)[1] == "next"
    assert text_of(aurora, 2) == "Visitors would see nothing."


def test_nothing_but_recordings_that_wait_for_a_review(aurora):
    Meeting.objects.all().delete()
    assert Recording.objects.exists()
    assert "wait for your review" in text_of(aurora, 2)


def test_no_page_yet(aurora):
    assert steps(aurora) == ["done", "done", "next", "later"]
    assert "No page shows Zoom yet." in text_of(aurora, 3)


@pytest.mark.parametrize("hours", [-1, 1])
def test_it_ends_by_itself(aurora, as_aurora, hours):
    update(aurora, checklist_ends_at=timezone.now() + timedelta(hours=hours))
    assert Checklist(get_site_status(aurora.site)).is_shown is (hours > 0)
    shown = "steps done" in as_aurora.get("/admin/").content.decode()
    assert shown is (hours > 0)


@pytest.mark.parametrize("keep", [True, False], ids=["archive", "removed"])
def test_it_does_not_come_back_after_the_first_run(aurora, as_aurora, keep):
    update(aurora, checklist_ends_at=timezone.now())
    disconnect.disconnect(ZoomSettings.objects.get(site=aurora.site), keep=keep)
    assert "steps done" not in as_aurora.get("/admin/").content.decode()
    assert "steps done" not in as_aurora.get(aurora.panel).content.decode()


def test_of_several_sites_one_row_each(aurora, borealis, as_aurora):
    """And none of a Site that nobody has begun to connect."""
    aurora.owner.groups.add(*borealis.owner.groups.all())
    aurora.owner.groups.add(*make_owner("third", make_site("third.example")).groups.all())
    page = as_aurora.get("/admin/").content.decode()
    assert page.count("2 of 4 steps done") >= 2
    assert "aurora.example" in page and "borealis.example" in page
    assert "third.example" not in page


def test_the_last_step_needs_a_page(aurora, as_aurora):
    response = as_aurora.get(reverse("wagtail_zoom_admin:view_page", args=[aurora.site.pk]))
    assert response.url == reverse("wagtailadmin_home")
    assert ZoomSettings.objects.get(site=aurora.site).checklist_ends_at is None


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("view_page", "get"),
        ("hide_checklist", "post"),
        ("add_block", "post"),
        ("choose_page", "get"),
    ],
)
def test_only_its_owner_follows_it(aurora, borealis, as_aurora, name, method):
    url = reverse(f"wagtail_zoom_admin:{name}", args=[borealis.site.pk])
    response = getattr(as_aurora, method)(url)
    assert response.status_code == 404
    assert ZoomSettings.objects.get(site=borealis.site).checklist_ends_at is None


def test_it_follows_the_import_without_a_reload(aurora, as_aurora):
    """The script fetches it together with the card."""
    assert "2 of 4 steps done" in as_aurora.get(aurora.panel).content.decode()
    live = as_aurora.get(reverse("wagtail_zoom_admin:live", args=[aurora.site.pk])).content.decode()
    assert 'data-wza-now="checklist"' in live and "2 of 4 steps done" in live
    update(aurora, checklist_ends_at=timezone.now())
    live = as_aurora.get(reverse("wagtail_zoom_admin:live", args=[aurora.site.pk])).content.decode()
    assert "steps done" not in live


def zoom_page(tenant, parent=None, **values):
    """A page that can hold Zoom blocks."""
    page = ZoomPage(**{"title": "Dates", "slug": "dates", **values})
    return (parent or tenant.site.root_page).add_child(instance=page)


def draft_of(page):
    return ZoomPage.objects.get(pk=page.pk).get_latest_revision_as_object()


def third_step(tenant, user=None):
    return Checklist(get_site_status(tenant.site), user or tenant.owner).steps[2]


def add_block(client, tenant):
    return client.post(reverse("wagtail_zoom_admin:add_block", args=[tenant.site.pk]))


def test_one_button_adds_the_block_to_a_draft(aurora, as_aurora):
    """The owner publishes it: until then visitors see the page as it was."""
    page = zoom_page(aurora)
    step = third_step(aurora)
    assert "Add the block “Zoom dates” to the draft of “Dates”." in step.text
    assert [action.label for action in step.actions] == [
        "Add it to “Dates”",
        "Choose another page",
    ]
    response = add_block(as_aurora, aurora)
    draft = draft_of(page)
    [block] = draft.body
    assert block.block_type == "dates"
    assert response.url == reverse("wagtailadmin_pages:edit", args=[page.pk])
    block_url = f"{response.url}#block-{block.id}-section"
    assert block_url in as_aurora.get(response.url).content.decode()
    page.refresh_from_db()
    assert not page.body and page.has_unpublished_changes
    step = third_step(aurora)
    assert "has a Zoom block. Publish the page" in step.text
    assert [action.url for action in step.actions] == [block_url]


def test_the_block_is_added_once(aurora, as_aurora):
    page = zoom_page(aurora)
    for _click in range(2):
        assert f"/pages/{page.pk}/edit/" in add_block(as_aurora, aurora).url
    assert len(draft_of(page).body) == 1


def test_the_block_joins_what_the_draft_has(aurora, as_aurora):
    page = zoom_page(aurora)
    page.title = "Edited"
    page.save_revision()
    add_block(as_aurora, aurora)
    draft = draft_of(page)
    assert draft.title == "Edited" and len(draft.body) == 1


def test_a_site_with_recordings_only_gets_their_block(aurora, as_aurora):
    update(aurora, show_meetings=False, show_webinars=False, show_recordings=True)
    page = zoom_page(aurora)
    add_block(as_aurora, aurora)
    [block] = draft_of(page).body
    assert block.block_type == "recordings"


@pytest.mark.parametrize("reason", ["no permission", "locked", "private"])
def test_pages_that_the_owner_cannot_publish_to_visitors(aurora, as_aurora, reason):
    """The block is offered for no page; the way to the list of pages says which block to add."""
    page = zoom_page(aurora)
    if reason == "no permission":
        GroupPagePermission.objects.all().delete()
    elif reason == "locked":
        page.locked = True
        page.save()
    else:
        PageViewRestriction.objects.create(page=page, restriction_type="login")
    assert "Open a page, add the block “Zoom dates” and publish it." in third_step(aurora).text
    response = add_block(as_aurora, aurora)
    page.refresh_from_db()
    assert page.latest_revision is None
    assert response.url == reverse("wagtail_zoom_admin:choose_page", args=[aurora.site.pk])


def test_published_pages_before_drafts_and_none_of_another_site(aurora, borealis):
    aurora.owner.groups.add(*borealis.owner.groups.all())
    zoom_page(borealis)
    assert [action.label for action in third_step(aurora).actions] == ["Choose a page"]
    zoom_page(aurora, live=False)
    published = zoom_page(aurora, slug="second")
    place = block_place.block_place(aurora.site, "meeting-list", aurora.owner)
    assert place.page.pk == published.pk


def test_a_field_that_is_full_takes_no_block(aurora, monkeypatch):
    zoom_page(aurora)
    assert block_place.block_place(aurora.site, "meeting-list", aurora.owner)
    monkeypatch.setattr(ZoomPage.body.field.stream_block.meta, "max_num", 0)
    assert block_place.block_place(aurora.site, "meeting-list", aurora.owner) is None


def test_an_installation_without_a_field_for_blocks(aurora, monkeypatch):
    monkeypatch.setattr(block_place, "get_page_models", lambda: [Page])
    step = third_step(aurora)
    assert "No page type of this installation" in step.text and not step.actions


def test_every_way_to_the_pages_says_which_block(aurora, as_aurora):
    url = reverse("wagtail_zoom_admin:choose_page", args=[aurora.site.pk])
    panel = as_aurora.get(aurora.panel).content.decode()
    visitors = reverse("wagtail_zoom_admin:visitors", args=[aurora.site.pk])
    assert url in panel and url in as_aurora.get(visitors).content.decode()
    pages = as_aurora.get(url, follow=True)
    assert pages.redirect_chain[0][0] == reverse(
        "wagtailadmin_explore", args=[aurora.site.root_page_id]
    )
    assert "add the block “Zoom dates”" in pages.content.decode()


def test_one_button_chooses_meetings(aurora, as_aurora):
    """It sends the form of the panel, so that it works like the tick and the button to save."""
    update(aurora, configured_at=None, show_meetings=False)
    page = as_aurora.get(aurora.panel).content.decode()
    assert 'form="w-editor-form" name="show_meetings" value="on"' in page
    Grant.objects.update(missing_kinds=["meeting"])
    assert "Show meetings and start" not in as_aurora.get(aurora.panel).content.decode()
    Grant.objects.update(missing_kinds=[])
    update(aurora, configured_at=timezone.now(), show_recordings=True)
    assert "Show meetings and start" not in as_aurora.get(aurora.panel).content.decode()


def test_the_button_stays_when_nothing_was_ticked(aurora, as_aurora):
    update(aurora, configured_at=None, show_meetings=False, show_recordings=False)
    empty = panel_form(aurora, show_meetings=None, show_recordings=None)
    page = as_aurora.post(aurora.panel, empty, follow=True).content.decode()
    assert "Saved. Nothing is chosen, so visitors see nothing." in page
    assert "The import has started" not in page
    assert 'form="w-editor-form" name="show_meetings" value="on"' in page


def test_the_first_save_says_whether_the_import_starts(aurora, as_aurora):
    update(aurora, configured_at=None)
    page = as_aurora.post(aurora.panel, panel_form(aurora), follow=True).content.decode()
    assert "Saved. The import has started." in page
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(hours=1))
    update(aurora, configured_at=None)
    page = as_aurora.post(aurora.panel, panel_form(aurora), follow=True).content.decode()
    assert "Saved. The import starts when the background worker runs." in page
    steps = Checklist(get_site_status(aurora.site), aurora.owner).steps
    assert "The import continues when the background worker runs." in steps[1].text


def test_a_long_title_is_cut_on_the_button(aurora):
    zoom_page(aurora, title="The house on the quay, its cellar and its garden")
    [add, _other] = third_step(aurora).actions
    assert add.label == "Add it to “The house on the quay, its ce…”"
