"""Markdown of summaries as safe HTML and as plain text.

``markdown-it-py`` parses CommonMark; raw HTML in it is text. ``nh3`` then allows a few tags. No
image is shown, no link leads to Zoom, to an email program or to anything but a website.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .secret_text import cut_links, has_zoom_link
from .text import sanitize_text

MAX_LENGTH = 60_000
"""Characters of a summary that are stored; a summary of Zoom's has some thousand."""
MAX_NESTING = 12
"""Lists and quotations within each other; deeper ones become text. Parsing stays fast."""
ALLOWED_TAGS = {
    *("p", "br", "ul", "ol", "li", "strong", "em", "a", "blockquote", "code", "pre", "hr"),
    *("h2", "h3", "h4", "h5", "h6"),
}
MAX_HEADING = 6
_EMAIL = re.compile(r"<?(?:mailto:)?[^\s<>()\[\]@,;:]{1,80}@[\w-]{1,80}(?:\.[\w-]{1,80}){1,6}>?")
_MARKUP_IN_URL = re.compile(r"[<>\"'\s]")
_TAG_OR_QUOTE = re.compile(r"(<[^<>]*>)|([\"'])")
_ESCAPED = re.compile(r"(?<=\w)\\([-_.@:/=?#+%])(?=[\w\\])")
"""A backslash within a word before a sign that has no effect there."""
_IMAGE = re.compile(r"!\[([^\[\]\n]{0,500})\](?:\([^()\n]{0,4000}\))?")


def markdown_to_html(text: str, heading_level: int = 2) -> SafeString:
    """Safe HTML of a Markdown text.

    Args:
        heading_level: level of its highest headings, 2 to 6; the others follow, so that the outline
            of the page around it stays right.
    """
    parser = _parser()
    tokens = parser.parse(cut_links(text[:MAX_LENGTH]))
    _demote_headings(tokens, heading_level)
    html = parser.renderer.render(tokens, parser.options, {})
    return mark_safe(_sanitize(html))  # noqa: S308 - sanitised by nh3


def markdown_to_text(text: str) -> str:
    """The words of a Markdown text as a visitor reads them, a paragraph a line."""
    with_lines = re.sub(r"</(?:p|li|h[1-6]|pre)>|<br>|<hr>", "\n", markdown_to_html(text))
    return sanitize_text(_unescape(nh3.clean(with_lines, tags=set())))


def without_escapes(text: str) -> str:
    """The same Markdown without needless backslashes: addresses and passcodes as they are read."""
    return _ESCAPED.sub(r"\1", text)


def clean_markdown(text: str) -> str:
    """Zoom's text as it is stored: without email addresses and images."""
    text = _IMAGE.sub(r"\1", text.replace("\r\n", "\n"))
    text = _EMAIL.sub("", text)  # guard: summary-emails-cut
    return text[:MAX_LENGTH].strip()


def _sanitize(html: str) -> str:
    """The second net, should the parser let something through."""
    clean = nh3.clean(
        html,
        tags=ALLOWED_TAGS,  # guard: summary-tags
        attributes={"*": set(), "a": {"href"}},  # guard: summary-attributes
        attribute_filter=_href_elsewhere,
        url_schemes={"http", "https"},  # guard: summary-link-schemes
        link_rel="nofollow noopener",
    )
    # Quotation marks as entities: nothing of a text looks like an attribute. No tag holds a ">".
    return _TAG_OR_QUOTE.sub(_escape_quote, _without_dead_links(clean))


def _escape_quote(match: re.Match[str]) -> str:
    return match[1] or str(escape(match[2]))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.add_render_rule("image", _image_text)
    return parser


def _image_text(renderer: Any, tokens: list[Token], index: int, *args: Any) -> str:
    """An image would be loaded from anywhere: its words are shown instead."""
    return escape(tokens[index].content)


def _demote_headings(tokens: list[Token], heading_level: int) -> None:
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    levels = [int(token.tag[1:]) for token in headings]
    shift = heading_level - min(levels, default=heading_level)
    for token, level in zip(headings, levels, strict=True):
        token.tag = f"h{min(MAX_HEADING, level + shift)}"


def _href_elsewhere(tag: str, attribute: str, value: str) -> str | None:
    if attribute != "href":
        return value
    if _MARKUP_IN_URL.search(value):
        return None
    return None if has_zoom_link(value) else value  # guard: summary-links-elsewhere


def _without_dead_links(html: str) -> str:
    """The text of links whose address is not allowed stays."""
    return re.sub(
        r'<a (?:href="" )?rel="nofollow noopener">(.*?)</a>', r"\1", html, flags=re.DOTALL
    )


def _unescape(text: str) -> str:
    letters = {"&quot;": '"', "&#x27;": "'", "&#39;": "'", "&lt;": "<", "&gt;": ">", "&nbsp;": " "}
    for entity, letter in {**letters, "&amp;": "&"}.items():
        text = text.replace(entity, letter)
    return text
