"""Our regular expressions are linear, and so is all that reads foreign text (X31)."""

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
from wagtail_zoom.oauth.http import Answer
from wagtail_zoom.registration import fields
from wagtail_zoom.utils import redaction
from wagtail_zoom.utils.text import sanitize_html, sanitize_text, sanitize_title

MARK_WORD = "#open"
LENGTH = 20_000
LIMIT = 0.2
"""Seconds for twenty thousand characters, as long as a description may be."""
SEEDS = (
    "a", " ", "\n", "<", "<a", "<p ", "</", "[", "]", "[,", "0", "-", ".", "@", "a@", "a.", "=",
    "http://", "https://zoom.us/j/", "Join Zoom Meeting\n", "Meeting ID: 1 ", "Passcode: ",
    "+1 555 ", "──", "\x00", "é", "ß", "İ", "a,", " ,", "\t ", "0-", "f-", "<br", "<a href=\"",
)  # fmt: skip


def patterns():
    """Every compiled expression of the package, by module and name."""
    found = {}
    for info in pkgutil.walk_packages(wagtail_zoom.__path__, "wagtail_zoom."):
        if ".migrations" in info.name or ".testing" in info.name:
            continue
        if info.name.endswith(".api.v3") and find_spec("ninja") is None:
            continue  # Wagtail 8 brings it
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found.setdefault((value.pattern, value.flags), f"{info.name}.{name}")
    return found


def hostile(seed: str):
    """A long repetition, and the same with an end that cannot match."""
    text = seed * (LENGTH // len(seed))
    return (text, f"{text}!", f"{text}\n<", f"x{text}\ud800")


def longest(work) -> tuple[float, str]:
    """The slowest of all hostile inputs (the better of two tries), and its seed."""
    worst = (0.0, "")
    for seed in SEEDS:
        for text in hostile(seed):
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
def test_x31_every_expression_is_linear(pattern, name):
    compiled = re.compile(*pattern)
    if isinstance(pattern[0], bytes):
        return
    for use in (compiled.fullmatch, compiled.search, lambda text: compiled.sub("", text)):
        took, seed = longest(use)
        assert took < LIMIT, (name, seed)


READERS = {
    "line": parsing.line,
    "prose": parsing.prose,
    "identifier": parsing.identifier,
    "whole": parsing.whole,
    "minutes": parsing.minutes,
    "moment": parsing.moment,
    "zone": parsing.zone,
    "link": parsing.link,
    "one line": fields.one_line,
    "segment": urls.segment,
    "number": urls.number,
    "title": lambda text: sanitize_title(parsing.line(text), MARK_WORD),
    "text": lambda text: sanitize_text(parsing.prose(text), MARK_WORD),
    "html": lambda text: sanitize_html(parsing.prose(text), MARK_WORD),
    "error": lambda text: responses.data(Answer(400, {}, {"code": 4711, "message": text})),
    "retry-after": responses.retry_after,
    "redaction": lambda text: redaction.clean({text: [text]}),
}


def _quiet(work, text):
    try:
        return work(text)
    except Exception as error:
        return error


@pytest.mark.parametrize("name", READERS)
def test_x31_readers_of_foreign_text_are_linear(name):
    took, seed = longest(lambda text: _quiet(READERS[name], text))
    assert took < 5 * LIMIT, seed
