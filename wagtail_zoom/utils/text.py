"""Sanitises text from Zoom for public pages: as plain text or with a few safe tags.

Owners paste whole invitations into the description. Links to Zoom and lines with number and
passcode are removed, because the Site's join policy decides who may join, not a pasted text.
"""

from __future__ import annotations

import html
import re

import nh3
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from ..conf import settings

ALLOWED_TAGS = {"p", "br", "ul", "ol", "li", "b", "strong", "i", "em", "a"}
_MARKUP = re.compile(r"</?(?:p|br|ul|ol|li|b|strong|i|em|a|div|span)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLOCK_TAGS = re.compile(r"(</?(?:p|br|ul|ol|li|div)\b[^<>]*>|\n)", re.IGNORECASE)
"""Tags and line breaks that end a line of Zoom's markup."""
_PASSCODE_WORDS = (
    r"passcode|kenncode|mot de passe|code secret|code d.acc[èe]s|c[óo]digo de acceso|contrase[ñn]a"
)
_INVITE_LINE = re.compile(
    rf"^[^\S\n]*(?:[-*•·–>|][^\S\n]*)?(?:meeting id|webinar id|meeting-id|"
    rf"(?:(?:meeting|webinar)[ -])?(?:{_PASSCODE_WORDS}|password|kennwort|passwort))"
    # All spaces except line breaks, because French text and editors use no-break spaces.
    rf"[^\S\n]*[:：][^\n]*$"
    # A one-tap phone number ends with the passcode.
    rf"|^[^\n]*,,[0-9]{{6,12}}#[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE_PASSCODE = re.compile(rf"\b(?:{_PASSCODE_WORDS})[^\S\n]*[:：][^\S\n]*\S+", re.IGNORECASE)
"""Within a line only the passcode is removed."""

INVITE_WORDS = (
    "meeting id", "webinar id", "passcode", "password", "kenncode", "meeting-id", "mot de passe",
    "code secret", "code d", "digo de acceso", "contrase", "kennwort", "passwort", ",,",
)  # fmt: skip
"""Each removed line contains one of these. Other lines may contain them too."""


def _without_links(text: str) -> str:
    hosts = "|".join(re.escape(host) for host in settings.link_hosts if host)
    if hosts:
        # Bounded like hostnames; otherwise a long row of dashes takes seconds.
        labels = r"(?:[\w-]{1,63}\.){0,6}"
        link = rf"(?:https?://|zoommtg://|zoomus://)?{labels}(?:{hosts})(?::\d+)?/[^\s<>\"')]*"
        text = re.sub(link, "", text, flags=re.IGNORECASE)
    return text


def _without_secrets(text: str) -> str:
    return _INLINE_PASSCODE.sub("", _INVITE_LINE.sub("", _without_links(text)))


def _markup_without_secrets(text: str) -> str:
    """Works on Zoom's markup: a line is what is displayed as one line, with any inline tags."""
    parts = _BLOCK_TAGS.split(_without_links(text))
    for index, part in enumerate(parts[::2]):
        plain = html.unescape(_TAG.sub("", part))
        if plain != _without_secrets(plain):
            # The rest of such a line loses its tags.
            parts[2 * index] = html.escape(_without_secrets(plain))
    return "".join(parts)


def _without_word(text: str, word: str) -> str:
    """Removes the owner's mark word, which only marks what may be shown."""
    return re.sub(re.escape(word), "", text, flags=re.IGNORECASE) if word else text


def sanitize_title(text: str, mark_word: str = "") -> str:
    """One line without ``mark_word`` and without links to Zoom. Not escaped."""
    return " ".join(_without_links(_without_word(text, mark_word)).split())


def sanitize_text(text: str, mark_word: str = "") -> str:
    """A description as text, for calendars and structured data: no tags, no hidden links."""
    text = _without_word(text, mark_word)
    if _MARKUP.search(text):
        with_breaks = re.sub(r"<(?:br|/p|/li|/div)\b[^<>]*>", "\n", text, flags=re.IGNORECASE)
        text = nh3.clean(with_breaks, tags=set())
        for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
            text = text.replace(entity, letter)
    text = _without_secrets(text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def sanitize_html(text: str, mark_word: str = "") -> SafeString:
    """A description as safe HTML: paragraphs and links; Zoom's own markup through an allow-list."""
    if _MARKUP.search(text):
        markup = _markup_without_secrets(_without_word(text, mark_word))
        return mark_safe(  # noqa: S308  (nh3 has sanitised it)
            nh3.clean(
                markup,
                tags=ALLOWED_TAGS,  # guard: markup-allow-list
                attributes={"a": {"href"}},  # guard: markup-attributes
                url_schemes={"http", "https", "mailto"},  # guard: markup-link-schemes
                link_rel="nofollow noopener",
            )
        )
    text = sanitize_text(text, mark_word)
    return mark_safe(urlize(linebreaks(text, autoescape=True), nofollow=True))  # noqa: S308
