"""Summaries are Markdown from elsewhere: nothing in it may run, load or lead to Zoom."""

import re
import time

import pytest

from wagtail_zoom.utils.markdown import (
    MAX_LENGTH,
    _href_elsewhere,
    _sanitize,
    clean_markdown,
    markdown_to_html,
    markdown_to_text,
    without_escapes,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt&#58;alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)",
    "<javascript:alert(1)>",
    "[mail](mailto:ana@example.org)",
    "[join](https://zoom.us/j/555?pwd=abc)",
    "[join](https://example.org/?u=https%3A%2F%2Fzoom.us%2Fj%2F555)",
    "https://us02web.zoom.us/j/555?pwd=abc",
    "[x]: javascript:alert(1)\n\n[x]",
    '<a href="https://evil.example" onclick="x()">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    "<style>*{display:none}</style>",
    '<form action="https://evil.example"><input name=q></form>',
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "# <svg onload=alert(1)>",
    '[x](https://example.org "t\\" onmouseover=\\"alert(1)")',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_is_harmless(text):
    html = markdown_to_html(text)
    for part in ("<script", "<img", "<iframe", "<style", "<form", "<svg", "<input", "style="):
        assert part not in html.lower()
    for part in ("javascript:", "data:", "vbscript:", "mailto:", "zoom.us", "555"):
        assert f'href="{part}' not in html.lower()
    assert not re.search(r"<[^>]*\son\w+=", html)
    assert "zoom.us" not in html and "zoom.us" not in markdown_to_text(text)


@pytest.mark.parametrize(
    "href", ["https://zoom.us/j/555?pwd=a", "https://x.example/?u=https%3A%2F%2Fzoom.us%2Fj%2F5"]
)
def test_no_link_leads_to_zoom(href):
    assert "href" not in markdown_to_html(f"[join](<{href}>)")
    assert _href_elsewhere("a", "href", href) is None


def test_the_second_net_knows_no_other_tags():
    html = '<h1>a</h1><img src="x"><script>b</script><p style="c" title="d">e</p>'
    assert _sanitize(html) == "a<p>e</p>"


def test_raw_html_is_text():
    assert "&lt;b&gt;" in markdown_to_html("<b>bold</b>")
    assert "<h1>" not in markdown_to_html("<h1>x</h1>")


def test_tags_and_attributes_are_limited():
    html = markdown_to_html(
        "# One\n\n**bold** *soft* `code`\n\n- a\n- b\n\n> quoted\n\n"
        '[there](https://example.org "t")'
    )
    assert "<h2>One</h2>" in html and "<strong>bold</strong>" in html and "<li>a</li>" in html
    assert "title" not in html
    assert '<a href="https://example.org" rel="nofollow noopener">there</a>' in html


def test_the_words_of_what_is_removed_stay():
    assert "words" in markdown_to_html("![words](https://evil.example/x.png)")
    assert markdown_to_html("[words](javascript:x)").count("words") == 1
    assert "<p>words</p>" in markdown_to_html("[words](mailto:x@example.org)")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("# A\n\n## B\n\n### C", ["h2", "h3", "h4"]),
        ("### A\n\n#### B", ["h2", "h3"]),
        ("# A\n\n###### B", ["h2", "h6"]),
        ("A\n===\n\nB\n---", ["h2", "h3"]),
    ],
)
def test_headings_follow_that_of_the_page(text, tags):
    html = markdown_to_html(text)
    assert [tag for tag in ("h1", "h2", "h3", "h4", "h5", "h6") if f"<{tag}>" in html] == tags


def test_plain_text_has_what_visitors_read():
    text = (
        "# Recap\n\nAna *said*: 2 < 3 & so on. [Read](https://example.org/secret)\n\n- one\n- two"
    )
    plain = markdown_to_text(text)
    assert plain.split() == [
        "Recap",
        "Ana",
        "said:",
        "2",
        "<",
        "3",
        "&",
        "so",
        "on.",
        "Read",
        "one",
        "two",
    ]
    assert "secret" not in plain


def test_quotes_are_entities_in_html_and_quotes_in_text():
    assert "&quot;x&quot; onzzz=1" in markdown_to_html('He said "x" onzzz=1 it\'s')
    assert markdown_to_text('He said "x", it\'s so.') == 'He said "x", it\'s so.'
    assert "href" not in _sanitize('<a href="https://a.example/x>y">z</a>')


def test_emails_and_images_are_not_stored():
    text = "Ana <ana@example.org>, tom.r+x@mail.example.co.uk ![a](https://e.example/x.png)"
    assert clean_markdown(text) == "Ana ,  a"


def test_words_are_stored_as_they_are_read():
    """Zoom writes Markdown: ``Ab\\_c12`` is read as ``Ab_c12``, and is the passcode."""
    texts = {
        r"The code is Ab\_\_c12": "The code is Ab__c12",
        r"zoom\.us/j/1": "zoom.us/j/1",
        r"ana\@example\.org": "ana@example.org",
        r"\_no emphasis\_, 1\. no list": r"\_no emphasis\_, 1\. no list",
    }
    for written, stored in texts.items():
        assert without_escapes(written) == stored
        assert markdown_to_text(written) == markdown_to_text(stored)


def test_huge_and_nested_texts_are_quick():
    began = time.monotonic()
    for text in ("> " * 5000 + "x", "[" * 20_000, "*a " * 20_000, "- " * 3000 + "x", "`" * 30_000):
        markdown_to_html(text)
        clean_markdown(text)
    assert len(clean_markdown("x" * 100_000)) == MAX_LENGTH
    assert time.monotonic() - began < 20
