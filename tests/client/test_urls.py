"""Zoom IDs in URL paths are checked and encoded (X14, S10)."""

from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from wagtail_zoom.client.urls import meeting_number, path_segment
from wagtail_zoom.exceptions import ZoomRejected

BASE = "https://api.zoom.us/v2/meetings/"
UNUSUAL_TEXT = st.text(alphabet="/.%?#\\@:;=+&\r\n\t\x00 aA0é\u202e", max_size=30)


@given(st.one_of(UNUSUAL_TEXT, st.text(max_size=120)))
def test_x14_any_text_is_one_segment_or_refused(text):
    try:
        encoded = path_segment(text)
    except ZoomRejected:
        return
    url = requests.Request("GET", f"{BASE}{encoded}/recordings").prepare().url
    parts = urlsplit(url)
    assert (parts.netloc, parts.query, parts.fragment) == ("api.zoom.us", "", "")
    assert parts.path == f"/v2/meetings/{encoded}/recordings"
    assert parts.path.count("/") == 4
    decoded = unquote(encoded)
    assert text in (decoded, unquote(decoded))


@given(st.text(alphabet="ABCabc019+/=", min_size=1, max_size=40))
def test_s10_uuids_survive(text):
    encoded = path_segment(text)
    twice = text.startswith("/") or "//" in text
    assert unquote(unquote(encoded) if twice else encoded) == text


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a b", "a?b", "a#b", "a%2e", "é", "a\n", "x" * 101]
)
def test_x14_an_invalid_id_is_not_sent(text):
    with pytest.raises(ZoomRejected):
        path_segment(text)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1/2", "٣", "1\n", "9" * 19, None, True])
def test_x14_an_invalid_number_is_not_sent(value):
    with pytest.raises(ZoomRejected):
        meeting_number(value)


def test_numbers_come_as_int_and_as_text():
    assert meeting_number(12345678901) == meeting_number("12345678901") == "12345678901"
