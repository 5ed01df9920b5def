"""Descriptions that owners typed at Zoom, as HTML on a public page (X16)."""

import pytest

from wagtail_zoom import wording


@pytest.mark.parametrize(
    ("typed", "forbidden"),
    [
        ("<p>Hi<script>alert(1)</script></p>", "alert"),
        ('<p>Hi<img src="x" onerror="alert(1)"></p>', "img"),
        ('<p><a href="javascript:alert(1)">Here</a></p>', "javascript"),
        ('<p><a href="https://a.example" onclick="alert(1)">Here</a></p>', "onclick"),
        ('<p style="position:fixed">Hi</p>', "style"),
    ],
)
def test_x16_markup_of_zooms_goes_through_a_short_list(typed, forbidden):
    assert forbidden not in wording.rich(typed)


def test_x16_what_is_allowed_stays():
    html = wording.rich('<p>Bring <b>a mat</b>, see <a href="https://a.example/b">here</a>.</p>')
    assert 'href="https://a.example/b"' in html and 'rel="nofollow noopener"' in html
    assert html.startswith("<p>Bring ")


def test_x16_plain_text_is_escaped():
    assert "<" not in wording.rich("1 < 2 & 3").replace("<p>", "").replace("</p>", "")
