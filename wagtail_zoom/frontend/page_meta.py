"""What the ``<head>`` says of a page about a meeting or date: canonical URL, description, image."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from wagtail.models import Page

from ..models import Occurrence, ZoomSettings
from . import links
from .block_index import dates_page, meeting_page_url
from .feeds.ical import absolute_url
from .feeds.schema_org import image_url, organiser
from .related import items_for
from .text import line_of
from .view_models import OccurrenceView
from .visibility import SiteVisibility

DESCRIPTION_LENGTH = 200
"""Characters; search engines show fewer."""


@dataclass(frozen=True)
class PageMeta:
    """Printed by ``wagtail_zoom/public/_meta.html``. URLs are absolute."""

    url: str
    """The canonical URL: the only one of this date that search engines list."""
    title: str
    description: str = ""
    image: str = ""
    site_name: str = ""


def meta_of(view: OccurrenceView, site_settings: ZoomSettings, path: str) -> PageMeta:
    """The data of a page about one date."""
    when = view.when
    line = _("%(day)s, %(start)s, %(zone)s") % {
        "day": when.full_day, "start": when.starts, "zone": when.zone,
    }  # fmt: skip
    summary = line_of(view.summary) or view.with_host
    return PageMeta(
        url=absolute_url(links.site_origin(site_settings), path),
        title=view.title,
        description=Truncator(f"{line}. {summary}").chars(DESCRIPTION_LENGTH),
        image=image_url(view.cover, site_settings),
        site_name=organiser(site_settings),
    )


def canonical_path(visibility: SiteVisibility, row: Occurrence, page: Page) -> str:
    """The path or URL of the one page about an occurrence that search engines list.

    The page of a type with a field for its meeting (``ZoomMeetingPageMixin``) comes first; then
    the first page with a URL for each occurrence (``ZoomDatesPageMixin``), which may be another
    than ``page``, the one that is shown. Neither is more private than ``page``.
    """
    site_settings, key = visibility.site_settings, (row.meeting.kind, row.meeting.zoom_id)
    if site_settings is None:
        return ""
    site, item = site_settings.site, items_for(visibility, [key]).get(key)
    meeting_page = meeting_page_url(site, item, page) if item else ""
    if meeting_page:
        return meeting_page
    shown = dates_page(site, page) or page
    base = shown.get_url(current_site=site) or ""
    return f"{base}{shown.zoom_date_path(site.pk, row)}"
