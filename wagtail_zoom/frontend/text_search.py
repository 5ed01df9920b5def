"""Which rows say some words, among those that the gate lets through.

Only what visitors can read is searched: a topic that the owner has retitled is not, nor a text with
a link or a passcode that is cut out where it is shown. Who searches could else guess either, letter
by letter.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..conf import settings
from ..models import Kind, SiteItem, Transcript
from ..utils.text import INVITE_WORDS
from .visibility import Exposure

MOST_WORDS = 8
SHORTEST_WORD = 3
"""Letters of a word that is looked for in long texts too: shorter ones stand in all of them."""


def items_of(gate: Exposure, kind: str, key: str) -> QuerySet[SiteItem]:
    """The items of this Site that belong to the row of an outer query."""
    choice = gate.choice
    if choice is None:
        return SiteItem.objects.none()
    is_path = kind != Kind.RECORDING
    return SiteItem.objects.for_site(choice.site_id).filter(
        account=choice.account_id, kind=OuterRef(kind) if is_path else kind, key=OuterRef(key)
    )


def films_saying(gate: Exposure, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Recordings that have all words in their title, summary, or in what was said."""
    own = items_of(gate, Kind.RECORDING, "uuid")
    with_text = gate.choice is not None and gate.choice.show_transcripts
    for word in _words(text):
        found = _in_title("topic", own, word) | _in_items(own, word)
        if with_text and len(word) >= SHORTEST_WORD:
            said = Transcript.objects.filter(recording=OuterRef("pk"), text__icontains=word)
            found |= Exists(said)
        rows = rows.filter(found)
    return rows


def dates_saying(gate: Exposure, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Dates of meetings that have all words in their title or description."""
    own = items_of(gate, "meeting__kind", "meeting__zoom_id")
    for word in _words(text):
        found = _in_title("meeting__topic", own, word) | _in_items(own, word)
        if len(word) >= SHORTEST_WORD:
            described = Q(meeting__agenda__icontains=word) & ~Exists(own.exclude(summary=""))
            found |= described & _is_open("meeting__agenda", *INVITE_WORDS)
        rows = rows.filter(found)
    return rows


def _words(text: str) -> list[str]:
    return text.replace("\0", " ").split()[:MOST_WORDS]


def _in_title(path: str, own: QuerySet[SiteItem], word: str) -> Q:
    retitled = Exists(own.exclude(title=""))
    return Q(**{f"{path}__icontains": word}) & ~retitled & _is_open(path)


def _in_items(own: QuerySet[SiteItem], word: str) -> Q:
    """In the owner's own title and summary. Tags are no text for visitors."""
    summary = Q(summary__icontains=word) & _is_open("summary", *INVITE_WORDS)
    return Q(Exists(own.filter(Q(title__icontains=word) | summary)))


def _is_open(path: str, *more: str) -> Q:
    """Nothing is cut out of it where it is shown: it holds no link to Zoom, and no ``more``."""
    closed = Q()
    for part in (*(host for host in settings.link_hosts if host), *more):
        closed |= Q(**{f"{path}__icontains": part})
    return ~closed
