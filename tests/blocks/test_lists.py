"""The list blocks on a page of a Site."""

import pytest
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.blocks import MeetingListBlock, RecordingListBlock

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def draw(site, rf):
    def draw(block, request=None):
        context = {"page": site.root_page, "request": request or rf.get("/")}
        return block.render(block.to_python({}), context)

    return draw


def test_escapes_and_keeps_secrets(site, draw, django_assert_num_queries, rf):
    host = rows.host(rows.account())
    rows.choice(site, host.account, host)
    for state in ("live", "moved", "cancelled"):
        rows.date(host, topic="<script>x</script>", state=state)
    request = rf.get("/")
    html = draw(MeetingListBlock(), request)
    assert "&lt;script&gt;" in html and "<script" not in html
    assert "Live now" in html and "New time" in html and "Cancelled" in html
    assert "hush" not in html and "zoom.example" not in html
    with django_assert_num_queries(1):
        draw(MeetingListBlock(), request)


def test_recordings(site, draw):
    host = rows.host(rows.account())
    rows.choice(site, host.account, host)
    rows.item(site, rows.recording(host, topic="<b>Film"))
    rows.recording(host, topic="Unseen")
    html = draw(RecordingListBlock())
    assert "&lt;b&gt;Film" in html and "Unseen" not in html


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_without_page_nothing_and_stable_migrations(block, draw):
    made = block()
    assert made.render(made.to_python({}), {}).strip() == ""
    assert "wz-empty" in draw(made)
    path = f"wagtail_zoom.blocks.{block.__name__}"
    assert made.deconstruct() == made.deconstruct_with_lookup(None) == (path, [], {})
    assert [ref[1] for ref in made.extract_references({})] == [made.placement]
