"""Text from Zoom as one Site shows it: sanitised, and without the owner's mark word."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..models import ItemRule, ZoomSettings
from ..utils.text import sanitize_html, sanitize_text, sanitize_title


def title_for(site_settings: ZoomSettings | None, text: str) -> str:
    """A topic as a single line, not escaped."""
    return sanitize_title(text, _mark_word(site_settings))


def shown_title(site_settings: ZoomSettings | None, own_title: str, topic: str) -> str:
    """The owner's title, otherwise the topic, everywhere the same. Not escaped."""
    return sanitize_title(own_title) or title_for(site_settings, topic) or _("Zoom meeting")


def text_for(site_settings: ZoomSettings | None, text: str) -> str:
    """A description as plain text, for calendars and structured data."""
    return sanitize_text(text, _mark_word(site_settings))


def html_for(site_settings: ZoomSettings | None, text: str) -> SafeString:
    """A description as safe HTML."""
    return sanitize_html(text, _mark_word(site_settings))


def line_of(description: SafeString | str) -> str:
    """A description that is safe HTML already, as one line of plain text. Not escaped."""
    return " ".join(sanitize_text(str(description)).split())


def _mark_word(site_settings: ZoomSettings | None) -> str:
    if site_settings is None or site_settings.item_rule != ItemRule.MARKED:
        return ""
    return site_settings.mark_word.strip()
