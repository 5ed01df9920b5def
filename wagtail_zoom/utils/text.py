"""Sanitises text from Zoom for public pages: plain, or with a few safe tags.

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

TAGS = {"p", "br", "ul", "ol", "li", "b", "strong", "i", "em", "a"}
_MARKUP = re.compile(r"</?(?:p|br|ul|ol|li|b|strong|i|em|a|div|span)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLOCKS = re.compile(r"(</?(?:p|br|ul|ol|li|div)\b[^<>]*>|\n)", re.IGNORECASE)
"""What ends a line where Zoom's markup is shown."""
_CODES = (
    r"passcode|kenncode|mot de passe|code secret|code d.acc[èe]s|c[óo]digo de acceso|contrase[ñn]a"
)
_INVITE = re.compile(
    rf"^[^\S\n]*(?:[-*•·–>|][^\S\n]*)?(?:meeting id|webinar id|meeting-id|"
    rf"(?:(?:meeting|webinar)[ -])?(?:{_CODES}|password|kennwort|passwort))"
    # Spaces are everything but breaks: no-break ones come from French and from editors.
    rf"[^\S\n]*[:：][^\n]*$"
    # A number to be dialled with one tap ends with the passcode.
    rf"|^[^\n]*,,[0-9]{{6,12}}#[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(rf"\b(?:{_CODES})[^\S\n]*[:：][^\S\n]*\S+", re.IGNORECASE)
"""In the middle of a line only the code itself goes."""

INVITE_WORDS = (
    "meeting id", "webinar id", "passcode", "password", "kenncode", "meeting-id", "mot de passe",
    "code secret", "code d", "digo de acceso", "contrase", "kennwort", "passwort", ",,",
)  # fmt: skip
"""Every line that is cut out has one of these in it; so do others, which does no harm."""


def _without_links(text: str) -> str:
    hosts = "|".join(re.escape(host) for host in settings.link_hosts if host)
    if hosts:
        # Bounded, as host names are: else a long row of dashes would take seconds.
        labels = r"(?:[\w-]{1,63}\.){0,6}"
        link = rf"(?:https?://|zoommtg://|zoomus://)?{labels}(?:{hosts})(?::\d+)?/[^\s<>\"')]*"
        text = re.sub(link, "", text, flags=re.IGNORECASE)
    return text


def _without_secrets(text: str) -> str:
    return _SAID.sub("", _INVITE.sub("", _without_links(text)))


def _markup_without_secrets(text: str) -> str:
    """The same in Zoom's markup: a line is what stands there as one, whatever tags are in it."""
    parts = _BLOCKS.split(_without_links(text))
    for at, part in enumerate(parts[::2]):
        said = html.unescape(_TAG.sub("", part))
        if said != _without_secrets(said):
            # What is left of such a line goes without its tags.
            parts[2 * at] = html.escape(_without_secrets(said))
    return "".join(parts)


def _without_word(text: str, word: str) -> str:
    """Without the owner's mark word, which only marks what may be shown."""
    return re.sub(re.escape(word), "", text, flags=re.IGNORECASE) if word else text


def sanitize_title(text: str, mark_word: str = "") -> str:
    """One line without ``mark_word`` and without links to Zoom. Not escaped."""
    return " ".join(_without_links(_without_word(text, mark_word)).split())


def sanitize_text(text: str, mark_word: str = "") -> str:
    """A description as text, for calendars and structured data: no tags, no hidden links."""
    text = _without_word(text, mark_word)
    if _MARKUP.search(text):
        broken = re.sub(r"<(?:br|/p|/li|/div)\b[^<>]*>", "\n", text, flags=re.IGNORECASE)
        text = nh3.clean(broken, tags=set())
        for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
            text = text.replace(entity, letter)
    text = _without_secrets(text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def sanitize_html(text: str, mark_word: str = "") -> SafeString:
    """A description as safe HTML: paragraphs and links; Zoom's own markup through an allow-list."""
    if _MARKUP.search(text):
        cut = _markup_without_secrets(_without_word(text, mark_word))
        return mark_safe(  # noqa: S308  (nh3 has sanitised it)
            nh3.clean(
                cut,
                tags=TAGS,  # guard: markup-allow-list
                attributes={"a": {"href"}},  # guard: markup-attributes
                url_schemes={"http", "https", "mailto"},  # guard: markup-link-schemes
                link_rel="nofollow noopener",
            )
        )
    text = sanitize_text(text, mark_word)
    return mark_safe(urlize(linebreaks(text, autoescape=True), nofollow=True))  # noqa: S308
