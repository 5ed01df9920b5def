"""Text search in visible rows.

Only text that visitors can read is searched. Not searched are topics that the owner has replaced
by a title, and what is cut from a text before it is shown. Otherwise a search could reveal it
letter by letter. Where something may be cut, titles and the owner's summaries are compared as they
are shown; Zoom's descriptions are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from ..conf import settings
from ..models import (
    MEETING_KINDS,
    SUMMARY,
    Kind,
    Meeting,
    Recording,
    SiteItem,
    Summary,
    Transcript,
)
from ..utils.text import INVITE_WORDS, fold, sanitize_title
from .text import text_for, title_for
from .visibility import SiteVisibility

MAX_WORDS = 8
CUT_WORDS = (*INVITE_WORDS, *"/%=@<&／％＝＠？＃＼")
"""What is cut from a title or summary contains one of these: a link, however it is written, or what
the wording of an invitation gives away."""
MAX_CUT_TEXTS = 200
"""How many texts of which something may be cut are compared as they are shown; further ones are not
searched."""
MIN_WORD_LENGTH = 3
"""Minimum length of words to search in long texts, most of which contain all shorter ones."""


def items_matching(visibility: SiteVisibility, kind: str, key: str) -> QuerySet[SiteItem]:
    """The items of this Site that belong to the row of an outer query."""
    site_settings = visibility.site_settings
    if site_settings is None:
        return SiteItem.objects.none()
    is_path = kind not in (Kind.RECORDING, SUMMARY)
    rows = SiteItem.objects.for_site(site_settings.site_id)  # guard: search-titles-of-site
    return rows.filter(
        account=site_settings.account_id,  # guard: search-titles-of-account
        kind=OuterRef(kind) if is_path else kind,
        key=OuterRef(key),
    )


def recordings_matching(
    visibility: SiteVisibility, rows: QuerySet[Any], text: str
) -> QuerySet[Any]:
    """Recordings that have all words in their title, summary or transcript."""
    words = _words(text)
    items = items_matching(visibility, Kind.RECORDING, "uuid")
    own_texts = _own_texts(visibility, [Kind.RECORDING], words)
    topics = _topics(visibility, Recording, words)
    with_transcripts = (
        visibility.site_settings is not None and visibility.site_settings.show_transcripts
    )
    for word in words:
        matches = _in_topic("", topics, items, word) | _in_items(items, own_texts, word)
        if with_transcripts and len(word) >= MIN_WORD_LENGTH:
            in_transcript = Transcript.objects.filter(
                recording=OuterRef("pk"), text__icontains=word
            )
            matches |= Q(Exists(in_transcript))
        rows = rows.filter(matches)
    return rows


def summaries_matching(visibility: SiteVisibility, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Summaries that have all words in their title or in the text that visitors read."""
    words = _words(text)
    items = items_matching(visibility, SUMMARY, "uuid")
    own_texts = _own_texts(visibility, [SUMMARY], words)
    topics = _topics(visibility, Summary, words)
    for word in words:
        matches = _in_topic("", topics, items, word) | _in_items(items, own_texts, word)
        if len(word) >= MIN_WORD_LENGTH:
            matches |= Q(Exists(items.filter(review__plain_text__icontains=word)))
        rows = rows.filter(matches)
    return rows


def occurrences_matching(
    visibility: SiteVisibility, rows: QuerySet[Any], text: str
) -> QuerySet[Any]:
    """Occurrences of meetings that have all words in their title, summary or description."""
    words = _words(text)
    items = items_matching(visibility, "meeting__kind", "meeting__zoom_id")
    own_texts = _own_texts(visibility, MEETING_KINDS, words)
    topics = _topics(visibility, Meeting, words)
    for word in words:
        matches = _in_topic("meeting__", topics, items, word) | _in_items(items, own_texts, word)
        if len(word) >= MIN_WORD_LENGTH:
            in_agenda = Q(meeting__agenda__icontains=word) & ~Exists(items.exclude(summary=""))
            matches |= in_agenda & _is_shown_in_full("meeting__agenda", INVITE_WORDS)
        rows = rows.filter(matches)
    return rows


def _words(text: str) -> list[str]:
    return text.replace("\0", " ").split()[:MAX_WORDS]


Texts = list[tuple[int, str]]
"""Primary keys with a text as visitors read it, folded."""


def _any_word(path: str, words: Iterable[str]) -> Q:
    condition = Q(pk__in=[])
    for word in words:
        condition |= Q(**{f"{path}__icontains": word})
    return condition


def _own_texts(visibility: SiteVisibility, kinds: Iterable[str], words: list[str]) -> Texts:
    """The owner's titles and summaries with one of the words, of which something may be cut when
    they are shown. Tags are not shown to visitors."""
    site_settings = visibility.site_settings
    if site_settings is None or not words:
        return []
    rows = SiteItem.objects.for_site(site_settings.site_id)
    rows = rows.filter(
        (_any_word("title", words) & ~_is_shown_in_full("title"))
        | (_any_word("summary", words) & ~_is_shown_in_full("summary")),
        kind__in=list(kinds),
    )
    texts = rows.order_by("-pk").values_list("pk", "title", "summary")
    return [
        (pk, fold(f"{sanitize_title(title)}\n{text_for(site_settings, summary)}"))
        for pk, title, summary in texts[:MAX_CUT_TEXTS]
    ]


def _topics(visibility: SiteVisibility, model: type[Model], words: list[str]) -> Texts:
    """Zoom's topics with one of the words, of which something may be cut when they are shown."""
    site_settings = visibility.site_settings
    if site_settings is None or not words:
        return []
    rows = model._default_manager.filter(
        _any_word("topic", words),
        ~_is_shown_in_full("topic"),
        account=site_settings.account_id,
    )
    topics = rows.order_by("-pk").values_list("pk", "topic")
    return [(pk, fold(title_for(site_settings, topic))) for pk, topic in topics[:MAX_CUT_TEXTS]]


def _holding(texts: Texts, word: str) -> list[int]:
    return [pk for pk, text in texts if fold(word) in text]  # guard: search-shown-text-only


def _in_topic(path: str, topics: Texts, items: QuerySet[SiteItem], word: str) -> Q:
    retitled = Exists(items.exclude(title=""))
    pk = path.removesuffix("__") or "pk"
    in_topic = Q(**{f"{path}topic__icontains": word}) & _is_shown_in_full(f"{path}topic")
    in_topic |= Q(**{f"{pk}__in": _holding(topics, word)})
    return in_topic & Q(~retitled)


def _in_items(items: QuerySet[SiteItem], own_texts: Texts, word: str) -> Q:
    in_title = Q(title__icontains=word) & _is_shown_in_full("title")
    in_summary = Q(summary__icontains=word) & _is_shown_in_full("summary")
    in_cut_text = Q(pk__in=_holding(own_texts, word))
    return Q(Exists(items.filter(in_title | in_summary | in_cut_text)))


def _is_shown_in_full(path: str, cut_words: Iterable[str] = CUT_WORDS) -> Q:
    """The text is shown unchanged: it contains no link to Zoom and no ``cut_words``."""
    is_cut = Q()
    for word in (*(host for host in settings.link_hosts if host), *cut_words):
        is_cut |= Q(**{f"{path}__icontains": word})
    return ~is_cut
