"""Regular expressions and parsers of external text have linear run time (X31)."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from importlib.util import find_spec

import pytest

import wagtail_zoom
from wagtail_zoom.client import responses, urls
from wagtail_zoom.mapping import parsing
from wagtail_zoom.oauth.http import ZoomResponse
from wagtail_zoom.registration import fields
from wagtail_zoom.utils import redaction
from wagtail_zoom.utils.text import sanitize_html, sanitize_text, sanitize_title

MARK_WORD = "#open"
LENGTH = 20_000
LIMIT = 0.2
"""Seconds for 20,000 characters, the maximum length of a description."""
SEEDS = (
    "a", " ", "\n", "<", "<a", "<p ", "</", "[", "]", "[,", "0", "-", ".", "@", "a@", "a.", "=",
    "http://", "https://zoom.us/j/", "Join Zoom Meeting\n", "Meeting ID: 1 ", "Passcode: ",
    "+1 555 ", "──", "\x00", "é", "ß", "İ", "a,", " ,", "\t ", "0-", "f-", "<br", "<a href=\"",
)  # fmt: skip


def patterns():
    """All compiled regular expressions of the package, with module and name."""
    patterns_by_key = {}
    for info in pkgutil.walk_packages(wagtail_zoom.__path__, "wagtail_zoom."):
        if ".migrations" in info.name or ".testing" in info.name:
            continue
        if info.name.endswith(".api.v3") and find_spec("ninja") is None:
            continue  # part of Wagtail 8
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                patterns_by_key.setdefault((value.pattern, value.flags), f"{info.name}.{name}")
    return patterns_by_key


def hostile_texts(seed: str):
    """A long repetition, and the same with endings that cannot match."""
    text = seed * (LENGTH // len(seed))
    return (text, f"{text}!", f"{text}\n<", f"x{text}\ud800")


def slowest(work) -> tuple[float, str]:
    """Time of the slowest hostile input (the better of two tries), and its seed."""
    worst = (0.0, "")
    for seed in SEEDS:
        for text in hostile_texts(seed):
            tries = []
            for _ in range(2):
                began = time.process_time()
                work(text)
                tries.append(time.process_time() - began)
                if tries[0] < LIMIT:
                    break
            worst = max(worst, (min(tries), seed))
    return worst


@pytest.mark.parametrize(("pattern", "name"), [(key, name) for key, name in patterns().items()],
                         ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_x31_every_regular_expression_is_linear(pattern, name):
    compiled = re.compile(*pattern)
    if isinstance(pattern[0], bytes):
        return
    for use in (compiled.fullmatch, compiled.search, lambda text: compiled.sub("", text)):
        took, seed = slowest(use)
        assert took < LIMIT, (name, seed)


PARSERS = {
    "single line": parsing.single_line,
    "text of Zoom": parsing.text,
    "identifier": parsing.parse_id,
    "integer": parsing.parse_int,
    "minutes": parsing.parse_minutes,
    "time": parsing.parse_datetime,
    "zone": parsing.parse_timezone,
    "link": parsing.parse_zoom_url,
    "one line": fields.one_line,
    "segment": urls.path_segment,
    "number": urls.meeting_number,
    "title": lambda text: sanitize_title(parsing.single_line(text), MARK_WORD),
    "text": lambda text: sanitize_text(parsing.text(text), MARK_WORD),
    "html": lambda text: sanitize_html(parsing.text(text), MARK_WORD),
    "error": lambda text: responses.parse_response(
        ZoomResponse(400, {}, {"code": 4711, "message": text})
    ),
    "retry-after": responses.parse_retry_after,
    "redaction": lambda text: redaction.clean({text: [text]}),
}


def _without_errors(work, text):
    try:
        return work(text)
    except Exception as error:
        return error


@pytest.mark.parametrize("name", PARSERS)
def test_x31_parsers_of_external_text_are_linear(name):
    took, seed = slowest(lambda text: _without_errors(PARSERS[name], text))
    assert took < 5 * LIMIT, seed
