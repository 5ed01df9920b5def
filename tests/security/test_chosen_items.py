"""Items that a page or snippet names by their ids, wherever Wagtail prints a chosen object (X49).

An editor can write any id into a form. Its title is for users who may choose the item.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.blocks.stream_block import StreamValue
from wagtail.models import GroupPagePermission
from wagtail.test.utils.form_data import inline_formset, nested_form_data, streamfield

from tests.admin.test_choosers import make_user
from tests.security.tenant_data import all_blocks, make_tenants, mentions_of
from tests.testapp.models import DatesPage, EventPage, ZoomPage
from wagtail_zoom.admin.item_access import current_access
from wagtail_zoom.models import SiteItem
from wagtail_zoom.pages import ZoomItemPanel

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(db):
    return make_tenants()


@pytest.fixture
def editor(tenants):
    """May edit the pages of north, and nothing else."""
    new_user, group = make_user("editor")
    for codename in ("add_page", "change_page"):
        permission = Permission.objects.get(
            content_type__app_label="wagtailcore", codename=codename
        )
        GroupPagePermission.objects.create(
            group=group, page=tenants.north.site.root_page, permission=permission
        )
    return new_user


def comparison(user, page, first, second) -> str:
    client = Client()
    client.force_login(user)
    url = reverse("wagtailadmin_pages:revisions_compare", args=[page.pk, first.pk, second.pk])
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def compared_blocks(tenants, user, owner_of_items) -> str:
    """North's page before and after all blocks name items of one Site."""
    page = DatesPage(title="Draft", slug=f"draft-{user}")
    tenants.north.site.root_page.add_child(instance=page)
    first = page.save_revision()
    block = DatesPage.body.field.stream_block
    blocks = all_blocks(owner_of_items.meeting_item, owner_of_items.recording_item)
    values = {name: block.child_blocks[name].get_default() for name, _value in blocks}
    page.body = StreamValue(
        block,
        [
            (name, block.child_blocks[name].normalize({**values[name], **value}))
            for name, value in blocks
        ],
    )
    return comparison(user, page, first, page.save_revision())


@pytest.mark.parametrize("name", ["south", "east"])
def test_comparisons_of_blocks_name_no_items_of_other_sites(tenants, editor, name):
    other = getattr(tenants, name)
    for user in (editor, tenants.north.owner):
        text = compared_blocks(tenants, user, other)
        assert not mentions_of(text, other)
        assert text.count("(not available on your site)") == 6


def test_comparisons_of_blocks_name_the_items_that_the_user_may_choose(tenants, editor):
    text = compared_blocks(tenants, editor, tenants.north)
    assert text.count("northwind own title of the meeting") == 4 + 1
    assert text.count("northwind own title of the recording") == 1


def test_comparisons_name_no_hidden_item_to_editors(tenants, editor):
    SiteItem.objects.filter(pk=tenants.north.meeting_item.pk).update(visibility="hidden")
    text = compared_blocks(tenants, editor, tenants.north)
    assert "northwind own title of the meeting" not in text
    assert "(not shown to visitors)" in text


def test_changed_blocks_are_compared_without_foreign_titles(tenants, editor):
    """The same block with another item, and a list with one item more."""
    north, east = tenants.north, tenants.east
    page = ZoomPage(title="Draft", slug="draft")
    north.site.root_page.add_child(instance=page)
    revisions = []
    for item in (north.meeting_item, east.meeting_item):
        page.body = ZoomPage.body.field.stream_block.to_python([
            {"type": "meeting", "id": "1" * 8, "value": {"item": item.pk}},
            {"type": "dates", "id": "2" * 8, "value": {
                "items": [{"type": "item", "id": "3" * 8, "value": item.pk}]}},
        ])  # fmt: skip
        revisions.append(page.save_revision())
    text = comparison(editor, page, *revisions)
    assert text.count("northwind own title of the meeting") == 2
    assert text.count("(not available on your site)") == 2
    assert not mentions_of(text, east)


@pytest.mark.parametrize("is_first", [False, True])
def test_comparisons_of_page_fields_name_no_items_of_other_sites(tenants, editor, is_first):
    north, east = tenants.north, tenants.east
    page = EventPage(title="Draft", slug="draft")
    page.zoom_item = north.meeting_item if is_first else None
    north.site.root_page.add_child(instance=page)
    revisions = [page.save_revision()]
    page.zoom_item = east.meeting_item
    revisions += [page.save_revision(), page.save_revision()]
    text = comparison(editor, page, revisions[0], revisions[1])
    assert "(not available on your site)" in text
    assert ("northwind own title of the meeting" in text) is is_first
    assert not mentions_of(text, east)
    assert not mentions_of(comparison(editor, page, revisions[1], revisions[2]), east)


def post_blocks(user, url, title, blocks) -> object:
    client = Client()
    client.force_login(user)
    data = {
        "title": title,
        "slug": title,
        "body": streamfield(blocks),
        "comments": inline_formset([]),
    }
    return client.post(url, nested_form_data(data))


def meeting_block(item: SiteItem) -> tuple[str, dict]:
    return "meeting", {"item": item.pk, "heading": "", "heading_level": "2", "off": ""}


def edit_url(page) -> str:
    return reverse("wagtailadmin_pages:edit", args=[page.pk])


def test_forms_refuse_blocks_with_items_that_the_user_may_not_choose(tenants, editor):
    north, east = tenants.north, tenants.east
    SiteItem.objects.filter(pk=north.webinar_item.pk).update(visibility="hidden")
    page = ZoomPage(title="Draft", slug="draft")
    north.site.root_page.add_child(instance=page)
    add = reverse("wagtailadmin_pages:add", args=["testapp", "zoompage", north.site.root_page.pk])
    for url in (edit_url(page), add):
        for item in (east.meeting_item, north.webinar_item):
            response = post_blocks(editor, url, "new", [meeting_block(item)])
            assert response.status_code == 200
            assert "You may not choose this one." in response.content.decode()
            assert not mentions_of(response.content, east)
        accepted = post_blocks(editor, url, "new", [meeting_block(north.meeting_item)])
        assert accepted.status_code == 302
    assert page.revisions.count() == 1


def test_forms_keep_blocks_with_items_that_the_owner_chose(tenants, editor):
    """Also when an editor goes back to an earlier version."""
    north = tenants.north
    SiteItem.objects.filter(pk=north.meeting_item.pk).update(visibility="hidden")
    block = ZoomPage.body.field.stream_block
    page = ZoomPage(title="Draft", slug="draft")
    page.body = block.to_python([{"type": "meeting", "value": {"item": north.meeting_item.pk}}])
    north.site.root_page.add_child(instance=page)
    earlier = page.save_revision()
    blocks = [meeting_block(north.meeting_item)]
    assert post_blocks(editor, edit_url(page), "draft", blocks).status_code == 302
    assert post_blocks(editor, edit_url(page), "draft", []).status_code == 302
    assert post_blocks(editor, edit_url(page), "draft", blocks).status_code == 200
    revert = reverse("wagtailadmin_pages:revisions_revert", args=[page.pk, earlier.pk])
    assert post_blocks(editor, revert, "draft", blocks).status_code == 302
    value = page.get_latest_revision_as_object().body[0].value
    assert value["item"] == north.meeting_item


def test_forms_refuse_page_fields_with_items_that_the_user_may_not_choose(tenants, editor):
    north, east = tenants.north, tenants.east
    page = EventPage(title="Draft", slug="draft")
    north.site.root_page.add_child(instance=page)
    client = Client()
    client.force_login(editor)

    def post(item):
        data = {"title": "a", "slug": "a", "zoom_item": item.pk, "comments": inline_formset([])}
        return client.post(edit_url(page), nested_form_data(data))

    refused = post(east.meeting_item)
    assert "You may not choose this one." in refused.content.decode()
    assert not mentions_of(refused.content, east)
    assert post(north.meeting_item).status_code == 302
    page.zoom_item = east.meeting_item
    page.save_revision()
    assert post(east.meeting_item).status_code == 302  # it was there before


def test_foreign_keys_of_a_project_name_no_items_of_other_sites(tenants, client, editor):
    """A foreign key to an item, shown by Wagtail's own panels."""
    page = EventPage(title="Draft", slug="draft", zoom_item=tenants.east.meeting_item)
    tenants.north.site.root_page.add_child(instance=page)
    for panel in (
        FieldPanel("zoom_item"),
        FieldPanel("zoom_item", read_only=True),
        ZoomItemPanel("zoom_item", read_only=True),
    ):
        handler = ObjectList([panel]).bind_to_model(EventPage)
        form = handler.get_form_class()(instance=page, for_user=editor)
        html = handler.get_bound_panel(instance=page, form=form).render_html({})
        assert "(not available on your site)" in html or f"Meeting {page.zoom_item_id}" in html
        assert not any(mentions_of(html, tenant) for tenant in tenants.all)


def test_the_text_of_an_item_is_no_title(tenants):
    """What Wagtail, Django and templates of a project print of any object."""
    for item in SiteItem.objects.all():
        assert str(item) == f"{item.get_kind_display()} {item.pk}"
    assert current_access() is None
