"""Single values out of Zoom's payloads: tolerant, storable, safe."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_zoom.mapping.parsing import (
    BadItem,
    identifier,
    line,
    link,
    minutes,
    moment,
    prose,
    whole,
    zone,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_nothing_makes_a_reader_fail(value):
    """X36, W10: whatever Zoom sends, a reader gives a safe value or says BadItem."""
    assert "\x00" not in prose(value) and not set("\r\n\x00") & set(line(value))
    assert moment(value) is None or moment(value).tzinfo is UTC
    assert 0 <= minutes(value) <= 60 * 24 * 31
    assert whole(value) is None or abs(whole(value)) < 10**18
    assert isinstance(link(value), str) and isinstance(zone(value), str)
    prose(value).encode()
    line(value).encode()
    with contextlib.suppress(BadItem):
        identifier(value).encode()


@pytest.mark.parametrize("value", ["Mars/Phobos", "../../etc/passwd", "", None, "Europe/Berlin\n"])
def test_unknown_zone_is_none(value):
    """X36: a hostile zone name falls back."""
    assert zone(value) == ""


def test_known_zone():
    assert zone("Europe/Berlin") == "Europe/Berlin"


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "soon", "0001-01-01T00:00:00+23:00"]
)
def test_senseless_times_are_none(value):
    assert moment(value) is None


def test_times_are_utc():
    assert moment("2026-11-26T18:30:00+01:00") == datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
    assert moment("2026-11-26T17:30:00") == moment("2026-11-26T17:30:00Z")


def test_unstorable_characters_are_replaced():
    """W16: U+0000 and lone surrogates would fail on PostgreSQL."""
    assert prose("a\x00b\ud800c") == "a\ufffdb\ufffdc"


def test_one_line_stays_one_line():
    """X17: no header, mail or calendar line can be injected by a topic."""
    assert line("Yoga\r\nBcc: x@example.org\u2028END") == "Yoga Bcc: x@example.org END"


@pytest.mark.parametrize(
    "value",
    [
        "http://zoom.us/j/1",
        "https://zoom.us.evil.example/j/1",
        "https://evil.example/zoom.us",
        "https://zoom.us@evil.example/",
        "https://user:pw@zoom.us/j/1",
        "javascript:alert(1)",
        "https://zoom.us/j/1\r\nX: y",
        "https://[",
        "https://notzoom.us/j/1",
    ],
)
def test_foreign_links_are_dropped(value):
    """X13, X15: a stored link leads to Zoom or nowhere."""
    assert link(value) == ""


@pytest.mark.parametrize("host", ["zoom.us", "us02web.zoom.us", "institute.zoom.us", "zoomgov.com"])
def test_vanity_hosts_are_kept(host):
    assert link(f"https://{host}/j/1?pwd=x") == f"https://{host}/j/1?pwd=x"


@pytest.mark.parametrize("value", [None, "", True, 1.5, {"id": 1}, "a\nb", "x" * 101])
def test_no_id_is_a_bad_item(value):
    """S6: the object is reported and skipped."""
    with pytest.raises(BadItem):
        identifier(value)


def test_ids_are_text():
    """S10: number and text are one id."""
    assert identifier(81234567890) == identifier("81234567890")
