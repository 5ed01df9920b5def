"""What saving certain settings or disconnecting would delete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ..models import SUMMARY, Kind, Meeting, Recording, SummaryReview, ZoomSettings
from . import formatting, links, usage
from .site_status import SiteStatus

MAX_PAGES = 5
"""Number of pages listed in a confirmation."""


@dataclass(frozen=True)
class DataLoss:
    """Rows of the local copy that this Site would no longer use."""

    kinds: list[str]
    hosts: int
    meetings: int
    recordings: int
    missing_in_zoom: int
    """How many of them no longer exist in Zoom and could not be imported again."""
    reviewed_summaries: int = 0
    """Texts that somebody of this Site has reviewed: they do not come back."""

    @property
    def is_empty(self) -> bool:
        return not (self.meetings or self.recordings or self.reviewed_summaries)

    @property
    def kind_names(self) -> str:
        return formatting.join_list(formatting.kind_name(kind) for kind in self.kinds)


def loss_of_settings(
    site_settings: ZoomSettings,
    stored_host_ids: frozenset[int],
    kinds: Iterable[Kind],
    host_ids: Iterable[int],
    *,
    show_summaries: bool = False,
) -> DataLoss:
    """What the Site has now and would lose with these kinds and hosts: three queries
    at most.

    ``site_settings`` is the stored row, ``stored_host_ids`` are its hosts. Rows that another Site
    uses stay in the database, but are no longer shown by this Site.
    """
    lost_kinds = site_settings.kinds - set(kinds)
    reviews = SummaryReview.objects.filter(
        item__site=site_settings.site_id,
        item__account=site_settings.account_id,
        item__meeting_summary__isnull=False,
    )
    if show_summaries:
        reviews = reviews.filter(item__meeting_summary__host__in=stored_host_ids - set(host_ids))
    lost_host_ids = stored_host_ids - set(host_ids)
    stored = Q(account=site_settings.account_id, host__in=stored_host_ids, removed_at=None)
    meetings = Meeting.objects.filter(
        stored, Q(kind__in=lost_kinds) | Q(host__in=lost_host_ids), kind__in=site_settings.kinds
    )
    recordings = Recording.objects.filter(stored)
    if Kind.RECORDING not in site_settings.kinds:
        recordings = recordings.none()
    elif Kind.RECORDING not in lost_kinds:
        recordings = recordings.filter(host__in=lost_host_ids)
    is_missing = Q(expired_at__isnull=False)
    meeting_counts = meetings.aggregate(n=Count("pk"), missing=Count("pk", filter=is_missing))
    recording_counts = recordings.aggregate(
        n=Count("pk"), missing=Count("pk", filter=is_missing | Q(trashed_at__isnull=False))
    )
    return DataLoss(
        kinds=sorted(
            [
                *map(str, lost_kinds),
                *([SUMMARY] if site_settings.show_summaries and not show_summaries else []),
            ]
        ),
        hosts=len(lost_host_ids),
        meetings=meeting_counts["n"],
        recordings=recording_counts["n"],
        missing_in_zoom=meeting_counts["missing"] + recording_counts["missing"],
        reviewed_summaries=reviews.count() if site_settings.show_summaries else 0,
    )


def confirmation(
    request: HttpRequest,
    site_status: SiteStatus,
    loss: DataLoss,
    *,
    confirm_url: str = "",
    fields: Iterable[tuple[str, Any]] = (),
) -> HttpResponse:
    """A page that shows the loss and posts ``fields`` again, with ``confirmed``, to the URL.

    Without a URL it posts to the panel.
    """
    context = {
        "loss": loss,
        "fields": list(fields),
        "confirm_url": confirm_url,
        "pages": usage.with_block_names(site_status.pages[:MAX_PAGES]),
        "more_pages": max(0, len(site_status.pages) - MAX_PAGES),
        "site": site_status.site,
        "panel_url": links.panel_url(site_status),
    }
    return render(request, "wagtail_zoom/admin/confirm_loss.html", context)


def loss_of_disconnect(site_settings: ZoomSettings, stored_host_ids: frozenset[int]) -> DataLoss:
    """What disconnecting with "remove" deletes."""
    return loss_of_settings(site_settings, stored_host_ids, (), ())
