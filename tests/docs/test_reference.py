"""The reference is written from the code, and says what is true at this moment."""

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


def load():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load()
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if reference.REGION.search(page.read_text())]


def test_every_part_stands_somewhere():
    found = {one[1] for page in PAGES for one in reference.REGION.findall(page.read_text())}
    assert found == set(reference.WRITERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_comes_from_the_code_is_current(page):
    with translation.override("en"):
        fresh = reference.fresh(page.read_text())
    assert fresh == page.read_text(), "Stale: run `make reference` and commit."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_change_is_noticed(page):
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
def test_contexts_are_the_documented_ones(zoom_rows, name, kind, value):
    """What a block puts into its template is named in reference/blocks.md, and the other way."""
    meeting = zoom_rows.meeting("Bread", dates=2)
    if "item" in value:
        value = {"item": zoom_rows.item(meeting).pk}
    zoom_rows.recording("Film")
    body = json.dumps([{"type": name, "value": value}])
    page = zoom_rows.site.root_page.add_child(instance=DatesPage(title="x", slug="x", body=body))
    (bound,) = page.body
    request = RequestFactory().get("/x/")
    given = {"page": page, "request": request}
    found = set(bound.block.get_context(bound.value, dict(given))) - set(given) - {"value"}
    text = (DOCS / "reference/blocks.md").read_text()
    common = text[text.index("Context of every block") : text.index("Further:")]
    template = Path(kind().meta.template).name
    (line,) = [one for one in text.splitlines() if one.startswith(f"| `{template}` |")]
    documented = set(re.findall(r"`(\w+)`", common)) | set(re.findall(r"`(\w+)`", line))
    assert len(found) > 8
    assert found <= documented
    # A name in brackets belongs to what stands before it, and the series has its own address.
    own = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line)))
    assert own <= found | {"undated"}
