"""Single values of Zoom's payloads: tolerant, storable, safe."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_zoom.mapping.parsing import (
    InvalidItem,
    parse_datetime,
    parse_id,
    parse_int,
    parse_minutes,
    parse_timezone,
    parse_zoom_url,
    single_line,
    text,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_no_value_makes_a_parser_fail(value):
    """X36, W10: for any value, a parser returns a safe value or raises InvalidItem."""
    assert "\x00" not in text(value) and not set("\r\n\x00") & set(single_line(value))
    assert parse_datetime(value) is None or parse_datetime(value).tzinfo is UTC
    assert 0 <= parse_minutes(value) <= 60 * 24 * 31
    assert parse_int(value) is None or abs(parse_int(value)) < 10**18
    assert isinstance(parse_zoom_url(value), str) and isinstance(parse_timezone(value), str)
    text(value).encode()
    single_line(value).encode()
    with contextlib.suppress(InvalidItem):
        parse_id(value).encode()


@pytest.mark.parametrize("value", ["Mars/Phobos", "../../etc/passwd", "", None, "Europe/Berlin\n"])
def test_unknown_timezone_is_empty(value):
    """X36: an invalid time zone becomes an empty string."""
    assert parse_timezone(value) == ""


def test_valid_timezone():
    assert parse_timezone("Europe/Berlin") == "Europe/Berlin"


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "soon", "0001-01-01T00:00:00+23:00"]
)
def test_invalid_times_are_none(value):
    assert parse_datetime(value) is None


def test_times_are_utc():
    assert parse_datetime("2026-11-26T18:30:00+01:00") == datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
    assert parse_datetime("2026-11-26T17:30:00") == parse_datetime("2026-11-26T17:30:00Z")


def test_unstorable_characters_are_replaced():
    """W16: U+0000 and lone surrogates would fail on PostgreSQL."""
    assert text("a\x00b\ud800c") == "a\ufffdb\ufffdc"


def test_one_line_stays_one_line():
    """X17: no header, email or calendar line can be injected by a topic."""
    assert single_line("Yoga\r\nBcc: x@example.org\u2028END") == "Yoga Bcc: x@example.org END"


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
        "https://evil.example\\.zoom.us/j/1",
        "https://evil.example\\@zoom.us/j/1",
        "https://z\u043e\u043em.us/j/1",
        "https://zoom\u3002us/j/1",
        "https://xn--zom-tna.zoom.us/j/1",
        "https://zoom.us:8443/j/1",
        "https://zoom.us:x/j/1",
        "https://@zoom.us/j/1",
        "https:///zoom.us/j/1",
        "//zoom.us/j/1",
        "zoommtg://zoom.us/join?confno=1",
        "https://zoom-x.de.example/j/1",
        " https://zoom.us/j/1",
    ],
)
def test_foreign_links_are_dropped(value):
    """X13, X15: a stored link leads to Zoom or is empty."""
    assert parse_zoom_url(value) == ""


@pytest.mark.parametrize(
    "host",
    ["zoom.us", "us02web.zoom.us", "institute.zoom.us", "zoomgov.com", "uni.zoom-x.de", "zoom.com",
     "events.zoom.com", "zoom.com.cn", "a.zoom.com.cn", "ZOOM.us", "zoom.us.", "zoom.us:443"],
)  # fmt: skip
def test_vanity_hostnames_are_allowed(host):
    assert parse_zoom_url(f"https://{host}/j/1?pwd=x") == f"https://{host}/j/1?pwd=x"


@pytest.mark.parametrize("value", [None, "", True, 1.5, {"id": 1}, "a\nb", "x" * 101])
def test_a_missing_id_is_invalid(value):
    """S6: the object is counted and skipped."""
    with pytest.raises(InvalidItem):
        parse_id(value)


def test_ids_are_text():
    """S10: number and text are one id."""
    assert parse_id(81234567890) == parse_id("81234567890")


@pytest.mark.parametrize("named", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("emitted", ["localhost", "127.0.0.1", "[::1]"])
def test_the_names_of_this_machine_are_one_for_the_simulator(settings, named, emitted):
    """Settings may name ``localhost`` while the simulator's links say ``127.0.0.1``."""
    zoom = {"OAUTH_URL": f"http://{named}:8010", "API_URL": f"http://{named}:8010/v2"}
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **zoom}
    link = f"http://{emitted}:8010/j/1"
    assert parse_zoom_url(link) == link
    assert parse_zoom_url(link.replace("http:", "ftp:")) == ""
    assert parse_zoom_url(f"http://{emitted}.example:8010/j/1") == ""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": "https://zoom.us"}
    assert parse_zoom_url(link) == ""
