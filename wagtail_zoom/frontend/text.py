"""Text from Zoom as one Site shows it: sanitised, and without the owner's mark word."""

from __future__ import annotations

from django.utils.safestring import SafeString

from ..models import ItemRule, ZoomSettings
from ..utils.text import sanitize_html, sanitize_text, sanitize_title


def title_for(choice: ZoomSettings | None, text: str) -> str:
    """A topic as one line, not escaped."""
    return sanitize_title(text, _mark_word(choice))


def text_for(choice: ZoomSettings | None, text: str) -> str:
    """A description as plain text, for calendars and structured data."""
    return sanitize_text(text, _mark_word(choice))


def html_for(choice: ZoomSettings | None, text: str) -> SafeString:
    """A description as safe HTML."""
    return sanitize_html(text, _mark_word(choice))


def _mark_word(choice: ZoomSettings | None) -> str:
    if choice is None or choice.item_rule != ItemRule.MARKED:
        return ""
    return choice.mark_word.strip()
