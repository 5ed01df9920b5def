"""For the search page of a project: dates and recordings of the Site, beside its pages.

There is no copy that could outlive a choice: what is searched are the stored rows, through the same
gate as every page. What an owner hides, nobody finds from that moment on.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from wagtail.models import Site

from .presenters import occurrence_views, recording_views
from .queries import OccurrenceQuery, RecordingQuery, occurrences_of, recordings_of
from .view_models import OccurrenceView, RecordingView
from .visibility import Channel, SiteVisibility

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
    row: OccurrenceView | RecordingView


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
    visibility = SiteVisibility.for_site(site)
    coming = occurrences_of(
        visibility, OccurrenceQuery(search=text, next_only=True), Channel.SEARCH
    )[:limit]
    reels = recordings_of(visibility, RecordingQuery(search=text), Channel.SEARCH)[:limit]
    return [
        *(
            Hit(row.kind, row.title, _place(row), row)
            for row in occurrence_views(visibility, list(coming))
        ),
        *(Hit("recording", row.title, row.url, row) for row in recording_views(visibility, reels)),
    ]


def _place(row: OccurrenceView) -> str:
    return row.link or row.calendar_url
