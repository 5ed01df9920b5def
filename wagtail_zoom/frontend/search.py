"""For the search page of a project: dates and recordings of the Site, beside its pages.

There is no copy that could outlive a choice: what is searched are the stored rows, through the same
gate as every page. What an owner hides, nobody finds from that moment on.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from wagtail.models import Site

from .presenters import date_views, film_views
from .queries import Dates, Films, dates, films
from .view_models import DateView, FilmView
from .visibility import Exposure, Surface

LONGEST = 100
"""Letters of a question; what is longer is cut."""


@dataclass(frozen=True)
class Hit:
    """One thing that was found. ``row`` is what the templates of blocks show."""

    kind: str
    """``meeting``, ``webinar`` or ``recording``."""
    title: str
    url: str
    """A path on the Site's host: the page that tells more, else what can be done with it."""
    row: DateView | FilmView


def search(where: HttpRequest | Site, words: str, *, limit: int = 20) -> list[Hit]:
    """What visitors of a Site may find: of each meeting its next date, then recordings.

    All words have to be in the title or the description; of recordings also in what was said,
    where the owner shows transcripts. At most ``limit`` of each.

    Args:
        where: the Site, or a request to one of its hosts.
        words: as a visitor typed them; nothing is found for nothing.
    """
    site = where if isinstance(where, Site) else Site.find_for_request(where)
    text = " ".join(words.replace("\0", " ").split())[:LONGEST]
    if site is None or not text:
        return []
    gate = Exposure.for_site(site)
    coming = dates(gate, Dates(search=text, next_only=True), Surface.SEARCH)[:limit]
    reels = films(gate, Films(search=text), Surface.SEARCH)[:limit]
    return [
        *(Hit(row.kind, row.title, _place(row), row) for row in date_views(gate, list(coming))),
        *(Hit("recording", row.title, row.url, row) for row in film_views(gate, reels)),
    ]


def _place(row: DateView) -> str:
    return row.link or row.calendar_url
