"""For the search page of a project: occurrences and recordings of the Site.

Searches the stored rows with the same visibility rules as pages, without an index of its own. An
item that the owner hides disappears from the results immediately.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from wagtail.models import Site

from ..models import Summary
from . import restrictions
from .presenters import occurrence_views, recording_views, summary_views
from .queries import (
    ListQuery,
    OccurrenceQuery,
    RecordingQuery,
    occurrences_of,
    recordings_of,
    summaries_of,
)
from .view_models import OccurrenceView, RecordingView, SummaryView
from .visibility import Channel, SiteVisibility

MAX_QUERY_LENGTH = 100
"""Longer queries are truncated."""


@dataclass(frozen=True)
class Hit:
    """One search result. ``row`` is the view model that block templates use."""

    kind: str
    """``meeting``, ``webinar``, ``recording`` or ``summary``."""
    title: str
    url: str
    """A path on the Site: the detail page, otherwise the URL of the next action."""
    row: OccurrenceView | RecordingView | SummaryView


def search(site_or_request: HttpRequest | Site, query: str, *, limit: int = 20) -> list[Hit]:
    """Search what visitors of a Site may see: the next occurrence of each meeting, then recordings,
    then the summaries of meetings that are published.

    All words must be in the title, summary or description, of recordings also in the transcript if
    the Site shows transcripts. At most ``limit`` results of each.

    Args:
        site_or_request: a request to the Site's hostname, or the Site. Without a request the
            visitor is unknown: nothing is found where the Site's root page is restricted.
        query: the words that a visitor typed; an empty query has no results.
    """
    site = (
        site_or_request
        if isinstance(site_or_request, Site)
        else Site.find_for_request(site_or_request)
    )
    cleaned = " ".join(query.replace("\0", " ").split())[:MAX_QUERY_LENGTH]
    if site is None or not cleaned:
        return []
    if not _may_search(site_or_request, site):  # guard: search-follows-root-page
        return []
    visibility = SiteVisibility.for_site(site)
    upcoming = occurrences_of(
        visibility, OccurrenceQuery(search=cleaned, next_only=True), Channel.SEARCH
    )[:limit]
    recordings = recordings_of(visibility, RecordingQuery(search=cleaned), Channel.SEARCH)[:limit]
    return [
        *(
            Hit(view.kind, view.title, _hit_url(view), view)
            for view in occurrence_views(visibility, list(upcoming))
        ),
        *(
            Hit("recording", view.title, view.url, view)
            for view in recording_views(visibility, recordings)
        ),
        *(
            Hit("summary", view.title, view.url, view)
            for view in summary_views(visibility, _summaries(visibility, cleaned, limit))
        ),
    ]


def _summaries(visibility: SiteVisibility, query: str, limit: int) -> list[Summary]:
    """No query where the Site shows none."""
    if visibility.site_settings is None or not visibility.site_settings.show_summaries:
        return []
    return list(summaries_of(visibility, ListQuery(search=query), Channel.SEARCH)[:limit])


def _may_search(site_or_request: HttpRequest | Site, site: Site) -> bool:
    if isinstance(site_or_request, Site):
        return not restrictions.restrictions_of_root(site)
    if restrictions.is_login_missing(site_or_request):
        return False
    return restrictions.check(site_or_request, site, None).refused_by is None


def _hit_url(view: OccurrenceView) -> str:
    return view.link or view.calendar_url
