"""Descriptions that owners typed at Zoom, as HTML on a public page (X16)."""

import pytest

from wagtail_zoom.utils.text import sanitize_html, sanitize_text


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
def test_x16_markup_from_zoom_is_limited_to_an_allowlist(typed, forbidden):
    assert forbidden not in sanitize_html(typed)


def test_x16_allowed_markup_stays():
    html = sanitize_html('<p>Bring <b>a mat</b>, see <a href="https://a.example/b">here</a>.</p>')
    assert 'href="https://a.example/b"' in html and 'rel="nofollow noopener"' in html
    assert html.startswith("<p>Bring ")


def test_a_link_without_its_address_is_text():
    html = sanitize_html('<p><a href="javascript:a()"><b>Here</b></a> <a href="/b">there</a></p>')
    assert html == '<p><b>Here</b> <a href="/b" rel="nofollow noopener">there</a></p>'


def test_x16_plain_text_is_escaped():
    assert "<" not in sanitize_html("1 < 2 & 3").replace("<p>", "").replace("</p>", "")


@pytest.mark.parametrize(
    "typed",
    [
        "<p>Join us</p><p>Passcode: 4711</p>",
        "<p>Join us</p><p><b>Passcode:</b> <i>4711</i></p>",
        "Join us<br>Meeting Passcode:&nbsp;4711<br/>bye",
        "<ul><li>Join us</li><li>Kennwort: 4711</li></ul>",
        "<p>Join us\n<b>Passcode</b>: 4711</p>",
        "Join us\n- Passcode: 4711",
        "Join us\nWebinar-Passwort: 4711",
        "Join us\nMot de passe : 4711",
        "Join us\nCode secret\u00a0: 4711",
        "Join us at noon, passcode: 4711",
        "Join us\nOne tap mobile\n+16699006833,,85712345678#,,,,*4711# US (San Jose)",
        "<p>Join us</p><p>+49 69 7104 9922,,85712345678#,,,,*4711# Deutschland</p>",
    ],
)
def test_x26_passcodes_of_a_pasted_invitation_are_removed(typed):
    """The join policy decides who may join, so passcodes are removed from markup as well."""
    for cleaned in (sanitize_html(typed), sanitize_text(typed)):
        assert "4711" not in cleaned and "Join us" in cleaned


def test_text_similar_to_an_invitation_stays():
    text = "Choose a good password. The code: see page 4, or 2,,3."
    assert sanitize_text(text) == text
    html = '<p>Bring <b>a mat</b>: <a href="https://a.example/b?c=1&amp;d=2">here</a></p>'
    assert "<b>a mat</b>" in sanitize_html(html) and "c=1&amp;d=2" in sanitize_html(html)
