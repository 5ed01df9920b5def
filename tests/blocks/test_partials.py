"""Each partial template alone, with the documented context only."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.template import Context, Engine
from django.template.loader import get_template

import wagtail_zoom
from wagtail_zoom.frontend import previews
from wagtail_zoom.frontend.feeds.subscribe import FeedLinks
from wagtail_zoom.frontend.grouping import by_day
from wagtail_zoom.frontend.pagination import BlockParams, Link, Pages
from wagtail_zoom.streamfield.lists import EmptyState

FOLDER = Path(wagtail_zoom.__file__).parent / "templates/wagtail_zoom/blocks"
LIVE, SOON, MOVED, OFF = previews.occurrences()
RECORDING = previews.recordings()[0]
SHOW = dict.fromkeys(("host", "length", "summary", "image", "cover", "calendar", "countdown"), True)
LINKS = [Link("One", "?a#x", current=True), Link("Two", "?b#x")]
ROW = {"level": 3, "show": SHOW, "zone": "Berlin time", "layout": "list"}
CONTEXTS = {
    "_action": ({"action": SOON.action}, "Register"),
    "_agenda": ({**ROW, "groups": by_day([SOON]), "h_title": 3}, "heat pumps"),
    "_card": ({**ROW, "row": MOVED}, "New time"),
    "_count": ({"until": SOON.when.iso_start}, "data-wz-countdown"),
    "_cover": ({"cover": SOON.cover}, "wz-cover--"),
    "_empty": ({"is_empty": EmptyState("Nothing.", "Later.", LINKS[0])}, "Later."),
    "_recording": ({**ROW, "row": RECORDING}, "Sample: the harbour"),
    "_recordings": ({**ROW, "shown_rows": [RECORDING]}, "wz-list"),
    "_feed": ({"feed": FeedLinks("https://a.example/all.ics", "A")}, "webcal://a.example/all.ics"),
    "_filters": ({"filters": LINKS, "heading": "Dates"}, "aria-current"),
    "_heading": ({"heading": "Dates", "h": 2}, "<h2"),
    "_item": ({**ROW, "row": OFF}, "It will not take place."),
    "_leaf": ({"when": SOON.when, "turned": True}, "wz-leaf"),
    "_meta": ({**ROW, "row": SOON}, "Lena Brandt"),
    "_off": ({"note_off": "Soon again."}, "Soon again."),
    "_pages": (
        {"pages": Pages(1, 2, tuple(LINKS), next="?page=2"), "heading": "Dates"},
        'rel="next',
    ),
    "_panel": ({"row": SOON, "show": SHOW, "series_url": "/s.ics"}, "Register"),
    "_rows": ({**ROW, "shown_rows": [SOON], "groups": [], "h_title": 3}, "heat pumps"),
    "_search": (
        {"searchable": True, "name": "wz-1", "search": "tide", "params": BlockParams("wz-1", {})},
        'value="tide"',
    ),
    "_slot": ({**ROW, "row": LIVE}, "Live now"),
    "_stale": ({"stale": SOON.when.start}, "Last updated"),
    "_state": ({"state": MOVED.state}, "wz-state--moved"),
    "_summary_link": (
        {"row": replace(RECORDING, meeting_summary_url="/zoom/summary/x/")},
        "Read the summary",
    ),
    "_table": ({**ROW, "rows": [SOON, MOVED, OFF], "h_title": 3}, "<table"),
    "_when": ({"when": MOVED.when, "leaf": True}, "Was:"),
    "_yours": ({"when": SOON.when}, "data-wz-start"),
    "_zone": ({"zone": "Berlin time"}, "All times are Berlin time."),
    "_assets": ({}, "blocks.css"),
}


def test_every_partial_is_tested():
    assert {path.stem for path in FOLDER.glob("_*.html")} == CONTEXTS.keys()


@pytest.mark.parametrize("name", CONTEXTS)
def test_renders_with_its_documented_context(name):
    context, words = CONTEXTS[name]
    html = get_template(f"wagtail_zoom/blocks/{name}.html").render(context)
    assert words in html


@pytest.mark.parametrize("name", CONTEXTS)
def test_uses_only_documented_names(name):
    """A missing name would be rendered as ``!name!``."""
    default = Engine.get_default()
    strict_templates = Engine(
        app_dirs=True, libraries=default.libraries, builtins=default.builtins,
        string_if_invalid="!%s!",
    )  # fmt: skip
    html = strict_templates.get_template(f"wagtail_zoom/blocks/{name}.html").render(
        Context(CONTEXTS[name][0])
    )
    assert "!" not in html.replace("<!", "")
