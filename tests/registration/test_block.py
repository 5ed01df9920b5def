"""The block: Zoom's form in the page's HTML, the same for all visitors."""

import json

import pytest
from wagtail.blocks import StreamBlock
from wagtail.models import Page, Site

from wagtail_zoom.blocks import RegistrationFormBlock, ZoomStreamBlock
from wagtail_zoom.models import BlockUsage, SiteItem

from .conftest import PERSON, SAME_ORIGIN, make_meeting

pytestmark = pytest.mark.django_db


class Forms(StreamBlock):
    form = RegistrationFormBlock()


def item_of(site, meeting):
    return SiteItem.objects.create(
        site=site, account=meeting.account, kind=meeting.kind, key=meeting.zoom_id
    )


def html_of(tenant, rf, *items, preview=False):
    value = Forms().to_python(
        [{"type": "form", "value": {"item": item.pk}, "id": f"b{item.pk}"} for item in items]
    )
    request = rf.get("/")
    request.is_preview = preview
    page = Page.objects.get(pk=tenant.site.root_page_id)
    context = {"page": page, "request": request}
    return "".join(str(child.render(context)) for child in value)


def test_form_in_the_page(tenant, meeting, rf, client):
    html = html_of(tenant, rf, item_of(tenant.site, meeting))
    assert 'method="post"' in html and "csrf" not in html
    action = html.split('action="')[1].split('"')[0]
    assert client.post(action, PERSON, headers=SAME_ORIGIN).status_code == 303


def test_html_is_the_same_for_all_visitors(tenant, meeting, rf):
    """X27: two renderings are identical."""
    item = item_of(tenant.site, meeting)
    assert html_of(tenant, rf, item) == html_of(tenant, rf, item)


def test_several_forms_on_one_page(tenant, meeting, rf):
    other = make_meeting(tenant, zoom_id="77", topic="Compost")
    html = html_of(tenant, rf, item_of(tenant.site, meeting), item_of(tenant.site, other))
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 8


def test_form_in_a_preview_is_disabled(tenant, meeting, rf):
    html = html_of(tenant, rf, item_of(tenant.site, meeting), preview=True)
    assert "action=" not in html and "disabled" in html


def test_item_of_another_site_shows_no_form(tenant, meeting, rf):
    """A copied page shows nothing of another Site."""
    other = Site.objects.create(hostname="other", root_page_id=tenant.site.root_page_id)
    html = html_of(tenant, rf, item_of(other, meeting))
    assert "<form" not in html and "Heat pumps" not in html


def test_message_instead_of_the_form(tenant, rf):
    meeting = make_meeting(tenant, capacity=60, registrant_count=60)
    html = html_of(tenant, rf, item_of(tenant.site, meeting))
    assert "All 60 places are taken." in html and "<form" not in html


def test_picker_preview_uses_sample_data(tenant, meeting):
    block = RegistrationFormBlock()
    value = block.get_preview_value()
    html = block.render(value, block.get_preview_context(value))
    assert "Sample: heat pumps" in html and "disabled" in html and "Heat pumps" not in html


def test_api_representation(tenant, meeting, rf):
    block = RegistrationFormBlock()
    value = block.to_python({"item": item_of(tenant.site, meeting).pk})
    data = block.get_api_representation(value, {"request": rf.get("/")})["zoom"]
    assert data["state"] == "open"
    assert [field["name"] for field in data["fields"]] == ["first_name", "last_name", "email"]
    json.dumps(data)


def test_block_usage_is_indexed():
    block = RegistrationFormBlock()
    references = list(block.extract_references(block.get_preview_value()))
    assert (BlockUsage, BlockUsage.REGISTRATION, "", "") in references
    assert "registration" in ZoomStreamBlock().child_blocks
