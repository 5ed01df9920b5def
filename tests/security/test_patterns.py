"""Regular expressions and parsers of external text have linear run time (X31)."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from functools import cache
from importlib.util import find_spec

import pytest

import wagtail_zoom
from wagtail_zoom.client import responses, urls
from wagtail_zoom.mapping import parsing
from wagtail_zoom.oauth.http import ZoomResponse
from wagtail_zoom.registration import fields
from wagtail_zoom.sync import vtt
from wagtail_zoom.utils import redaction
from wagtail_zoom.utils.secret_text import KnownValues
from wagtail_zoom.utils.text import (
    MAX_TAGS,
    sanitize_html,
    sanitize_text,
    sanitize_title,
    without_secrets,
)

MARK_WORD = "#open"
LENGTH = 20_000
LIMIT = 0.2
"""Seconds for 20,000 characters, the maximum length of a description."""
KNOWN_VALUES = KnownValues.of(numbers=["85011112222"], passcodes=["Zq4x8w", "yoga", "834512"])
SEEDS = (
    "a", " ", "\n", "<", "<a", "<p ", "</", "[", "]", "[,", "0", "-", ".", "@", "a@", "a.", "=",
    "http://", "https://zoom.us/j/", "Join Zoom Meeting\n", "Meeting ID: 1 ", "Passcode: ",
    "+1 555 ", "──", "\x00", "é", "ß", "İ", "a,", " ,", "\t ", "0-", "f-", "<br", "<a href=\"",
    "<!--", "<b i{}><p>",
)  # fmt: skip
MARKUP_SEEDS = (
    "<!--", "<script>", "<style ", "<template><!--", "&lt;!--", "<b i{}><p>", "&lt;b i{}>&lt;p>",
    "<font i{}><a>",
)  # fmt: skip


def patterns():
    """All compiled regular expressions of the package, with module and name."""
    patterns_by_key = {}
    for info in pkgutil.walk_packages(wagtail_zoom.__path__, "wagtail_zoom."):
        if ".migrations" in info.name or ".testing" in info.name:
            continue
        if info.name.endswith(".api.v3") and find_spec("wagtail.api.v3") is None:
            continue  # part of Wagtail 8
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                patterns_by_key.setdefault((value.pattern, value.flags), f"{info.name}.{name}")
    return patterns_by_key


@cache
def hostile_texts(seed: str):
    """A long repetition, and the same with endings that cannot match. ``{}`` differs each time."""
    text = "".join(seed.replace("{}", str(n)) for n in range(LENGTH // len(seed)))[:LENGTH]
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


def transcript(text: str) -> str:
    """The text spoken in cues of Zoom's file."""
    cues = (text[first : first + 1500] for first in range(0, len(text), 1500))
    times = "00:00:00.000 --> 00:00:09.000"
    return vtt.to_text("\n\n".join(["WEBVTT", *(f"{times}\n{cue}" for cue in cues)]))


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


def test_x31_a_text_with_very_many_tags_is_its_words():
    few, many = ("<p>Bring <b>a mat</b></p>" * count for count in (20, MAX_TAGS))
    assert "<b>" in sanitize_html(few)
    html = sanitize_html(many)
    assert "a mat" in html and "<b>" not in html and "&lt;" not in html


@pytest.mark.parametrize("seed", MARKUP_SEEDS)
def test_x31_markup_without_an_end_takes_no_time(seed):
    """As a text of Zoom's before it is stored, and spoken in a transcript."""
    text = hostile_texts(seed)[0] * 2
    for work in (str, transcript):
        began = time.process_time()
        sanitize_text(without_secrets(work(text), KNOWN_VALUES))
        assert time.process_time() - began < 5 * LIMIT
