"""Text search in visible rows.

Only text that visitors can read is searched. Not searched are topics that the owner has replaced
by a title, and texts with a link or passcode that is removed before they are shown. Otherwise a
search could reveal them letter by letter.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..conf import settings
from ..models import Kind, SiteItem, Transcript
from ..utils.text import INVITE_WORDS
from .visibility import SiteVisibility

MAX_WORDS = 8
MIN_WORD_LENGTH = 3
"""Minimum length of words to search in long texts, most of which contain all shorter ones."""


def items_matching(visibility: SiteVisibility, kind: str, key: str) -> QuerySet[SiteItem]:
    """The items of this Site that belong to the row of an outer query."""
    site_settings = visibility.site_settings
    if site_settings is None:
        return SiteItem.objects.none()
    is_path = kind != Kind.RECORDING
    return SiteItem.objects.for_site(site_settings.site_id).filter(
        account=site_settings.account_id,
        kind=OuterRef(kind) if is_path else kind,
        key=OuterRef(key),
    )


def recordings_matching(
    visibility: SiteVisibility, rows: QuerySet[Any], text: str
) -> QuerySet[Any]:
    """Recordings that have all words in their title, summary or transcript."""
    items = items_matching(visibility, Kind.RECORDING, "uuid")
    with_transcripts = (
        visibility.site_settings is not None and visibility.site_settings.show_transcripts
    )
    for word in _words(text):
        matches = _in_title("topic", items, word) | _in_items(items, word)
        if with_transcripts and len(word) >= MIN_WORD_LENGTH:
            in_transcript = Transcript.objects.filter(
                recording=OuterRef("pk"), text__icontains=word
            )
            matches |= Exists(in_transcript)
        rows = rows.filter(matches)
    return rows


def occurrences_matching(
    visibility: SiteVisibility, rows: QuerySet[Any], text: str
) -> QuerySet[Any]:
    """Occurrences of meetings that have all words in their title, summary or description."""
    items = items_matching(visibility, "meeting__kind", "meeting__zoom_id")
    for word in _words(text):
        matches = _in_title("meeting__topic", items, word) | _in_items(items, word)
        if len(word) >= MIN_WORD_LENGTH:
            in_agenda = Q(meeting__agenda__icontains=word) & ~Exists(items.exclude(summary=""))
            matches |= in_agenda & _is_shown_in_full("meeting__agenda", *INVITE_WORDS)
        rows = rows.filter(matches)
    return rows


def _words(text: str) -> list[str]:
    return text.replace("\0", " ").split()[:MAX_WORDS]


def _in_title(path: str, items: QuerySet[SiteItem], word: str) -> Q:
    retitled = Exists(items.exclude(title=""))
    return Q(**{f"{path}__icontains": word}) & ~retitled & _is_shown_in_full(path)


def _in_items(items: QuerySet[SiteItem], word: str) -> Q:
    """In the owner's title and summary. Tags are not shown to visitors."""
    summary = Q(summary__icontains=word) & _is_shown_in_full("summary", *INVITE_WORDS)
    return Q(Exists(items.filter(Q(title__icontains=word) | summary)))


def _is_shown_in_full(path: str, *cut_words: str) -> Q:
    """The text is shown unchanged: it contains no link to Zoom and no ``cut_words``."""
    is_cut = Q()
    for word in (*(host for host in settings.link_hosts if host), *cut_words):
        is_cut |= Q(**{f"{path}__icontains": word})
    return ~is_cut
