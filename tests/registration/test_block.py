"""The block: Zoom's form in the page's own HTML, the same for everybody."""

import json

import pytest
from wagtail.blocks import StreamBlock
from wagtail.models import Page, Site

from wagtail_zoom.blocks import RegistrationFormBlock, ZoomStreamBlock
from wagtail_zoom.models import BlockUsage, SiteItem

from .conftest import PERSON, SAME, make_meeting

pytestmark = pytest.mark.django_db


class Forms(StreamBlock):
    form = RegistrationFormBlock()


def item_of(site, meeting):
    return SiteItem.objects.create(
        site=site, account=meeting.account, kind=meeting.kind, key=meeting.zoom_id
    )


def html_of(place, rf, *items, preview=False):
    value = Forms().to_python(
        [{"type": "form", "value": {"item": item.pk}, "id": f"b{item.pk}"} for item in items]
    )
    request = rf.get("/")
    request.is_preview = preview
    page = Page.objects.get(pk=place.site.root_page_id)
    context = {"page": page, "request": request}
    return "".join(str(child.render(context)) for child in value)


def test_form_in_the_page(place, meeting, rf, client):
    html = html_of(place, rf, item_of(place.site, meeting))
    assert 'method="post"' in html and "csrf" not in html
    action = html.split('action="')[1].split('"')[0]
    assert client.post(action, PERSON, headers=SAME).status_code == 303


def test_same_for_everybody(place, meeting, rf):
    """X27: two renderings are equal to the byte."""
    item = item_of(place.site, meeting)
    assert html_of(place, rf, item) == html_of(place, rf, item)


def test_several_forms_on_one_page(place, meeting, rf):
    other = make_meeting(place, zoom_id="77", topic="Compost")
    html = html_of(place, rf, item_of(place.site, meeting), item_of(place.site, other))
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 8


def test_preview_does_nothing(place, meeting, rf):
    html = html_of(place, rf, item_of(place.site, meeting), preview=True)
    assert "action=" not in html and "disabled" in html


def test_item_of_another_site_shows_no_form(place, meeting, rf):
    """DESIGN 4.6: a copied page shows nothing foreign."""
    other = Site.objects.create(hostname="other", root_page_id=place.site.root_page_id)
    html = html_of(place, rf, item_of(other, meeting))
    assert "<form" not in html and "Heat pumps" not in html


def test_sentence_instead(place, rf):
    meeting = make_meeting(place, capacity=60, registrant_count=60)
    html = html_of(place, rf, item_of(place.site, meeting))
    assert "All 60 places are taken." in html and "<form" not in html


def test_picker_preview_invents(place, meeting):
    block = RegistrationFormBlock()
    value = block.get_preview_value()
    html = block.render(value, block.get_preview_context(value))
    assert "Sample: heat pumps" in html and "disabled" in html and "Heat pumps" not in html


def test_headless(place, meeting, rf):
    block = RegistrationFormBlock()
    value = block.to_python({"item": item_of(place.site, meeting).pk})
    answer = block.get_api_representation(value, {"request": rf.get("/")})["zoom"]
    assert answer["state"] == "open"
    assert [one["name"] for one in answer["fields"]] == ["first_name", "last_name", "email"]
    json.dumps(answer)


def test_pages_with_a_form_are_known():
    block = RegistrationFormBlock()
    found = list(block.extract_references(block.get_preview_value()))
    assert (BlockUsage, BlockUsage.REGISTRATION, "", "") in found
    assert "registration" in ZoomStreamBlock().child_blocks
