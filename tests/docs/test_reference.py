"""The generated parts of the reference are current."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from django.test import RequestFactory
from django.utils import translation

from tests.testapp.models import DatesPage
from wagtail_zoom import blocks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load_script():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_script()
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if reference.REGION.search(page.read_text())]


def test_every_generated_region_is_used():
    regions = {region[1] for page in PAGES for region in reference.REGION.findall(page.read_text())}
    assert regions == set(reference.WRITERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_generated_regions_are_current(page):
    with translation.override("en"):
        fresh = reference.fresh(page.read_text())
    assert fresh == page.read_text(), "Stale: run `make reference` and commit."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_changed_region_is_detected(page):
    text = page.read_text()
    region = reference.REGION.search(text)
    lines = region[3].splitlines()
    changed = text.replace(lines[-2] + "\n", "", 1)
    assert changed != text
    with translation.override("en"):
        assert reference.fresh(changed) != changed


CONTEXTS = [
    ("meetings", blocks.MeetingListBlock, {}),
    ("recordings", blocks.RecordingListBlock, {}),
    ("next_meeting", blocks.NextMeetingBlock, {}),
    ("calendar", blocks.CalendarBlock, {}),
    ("meeting", blocks.MeetingBlock, {"item": None}),
]


@pytest.mark.parametrize(("name", "kind", "value"), CONTEXTS)
def test_block_contexts_are_documented(zoom_rows, name, kind, value):
    """reference/blocks.md documents exactly the names in a block's template context."""
    meeting = zoom_rows.meeting("Bread", dates=2)
    if "item" in value:
        value = {"item": zoom_rows.item(meeting).pk}
    zoom_rows.recording("Film")
    body = json.dumps([{"type": name, "value": value}])
    page = zoom_rows.site.root_page.add_child(instance=DatesPage(title="x", slug="x", body=body))
    (bound,) = page.body
    request = RequestFactory().get("/x/")
    base_context = {"page": page, "request": request}
    context_names = (
        set(bound.block.get_context(bound.value, dict(base_context)))
        - set(base_context)
        - {"value"}
    )
    text = (DOCS / "reference/blocks.md").read_text()
    common = text[text.index("Context of every block") : text.index("Further:")]
    template = Path(kind().meta.template).name
    (line,) = [row for row in text.splitlines() if row.startswith(f"| `{template}` |")]
    documented = set(re.findall(r"`(\w+)`", common)) | set(re.findall(r"`(\w+)`", line))
    assert len(context_names) > 8
    assert context_names <= documented
    # A name in brackets is an attribute of the name before it.
    template_names = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line)))
    assert template_names <= context_names | {"undated"}
