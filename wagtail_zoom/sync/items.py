"""Each Site's items: created as soon as a meeting or recording is in the Site's scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from ..frontend.visibility import SiteVisibility
from ..models import (
    MEETING_KINDS,
    SUMMARY,
    FetchScope,
    Kind,
    Meeting,
    Recording,
    RecordingRule,
    SiteItem,
    Summary,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
    bump_hosts,
    fetch_scope,
)
from . import purged_occurrences

BATCH = 500
LINKS = {Kind.RECORDING.value: "recording", SUMMARY: "meeting_summary"}
"""The item's link to the row, by kind; otherwise ``meeting``."""
ItemsByKey = dict[tuple[int, str], SiteItem]
"""Items by (Site, natural key)."""
ItemRow = Meeting | Recording | Summary
M = TypeVar("M", Meeting, Recording, Summary)


def ensure_meetings(account: ZoomAccount, scope: FetchScope, rows: list[Meeting]) -> ItemsByKey:
    """Items of every Site whose scope holds these meetings, linked to the rows.

    Meetings that are never shown need none; those with an unclear setting do, so that their owner
    reads why.
    """
    items: ItemsByKey = {}
    for kind in (Kind.MEETING, Kind.WEBINAR):
        showable = [row for row in rows if row.kind == kind and not row.is_never_shown]
        items |= _ensure_items(account, scope, kind, {row.zoom_id: row for row in showable})
    return items


def ensure_recordings(account: ZoomAccount, scope: FetchScope, rows: list[Recording]) -> ItemsByKey:
    """Items of every Site whose scope holds these recordings; a policy applies to new ones."""
    return _ensure_items(account, scope, Kind.RECORDING, {row.uuid: row for row in rows})


def ensure_summaries(account: ZoomAccount, scope: FetchScope, rows: list[Summary]) -> ItemsByKey:
    """Items of every Site whose scope holds these summaries; all of them wait for review."""
    return _ensure_items(account, scope, SUMMARY, {row.uuid: row for row in rows})


def link_stored_rows(site_settings: ZoomSettings) -> None:
    """Create or link a Site's items, and link its registrations, for rows that are stored already
    by another Site's wish.

    An import reads again only what has changed at Zoom, so it may not come by these rows for hours.
    """
    visibility, account = SiteVisibility(site_settings), site_settings.account
    if account is None or site_settings.is_archive:
        return
    scope = fetch_scope(account)
    items = SiteItem.objects.for_site(site_settings.site_id)
    meetings = visibility.usable_meetings().filter(removed_at=None)
    for new_meetings in _batches(meetings.exclude(Exists(items.filter(meeting=OuterRef("pk"))))):
        ensure_meetings(account, scope, new_meetings)
    recordings = visibility.usable_recordings().filter(removed_at=None)
    for new_recordings in _batches(
        recordings.exclude(Exists(items.filter(recording=OuterRef("pk"))))
    ):
        ensure_recordings(account, scope, new_recordings)
    summaries = visibility.usable_summaries().filter(removed_at=None)
    for new_summaries in _batches(
        summaries.exclude(Exists(items.filter(meeting_summary=OuterRef("pk"))))
    ):
        ensure_summaries(account, scope, new_summaries)
    purged_occurrences.link_to_stored(site_settings.site_id, account, meetings)
    bump_data_version(account.pk)


def _batches(rows: QuerySet[M]) -> Iterator[list[M]]:
    """The rows that the query has now, in parts."""
    pks = list(rows.values_list("pk", flat=True))
    for first in range(0, len(pks), BATCH):
        yield list(rows.model._default_manager.filter(pk__in=pks[first : first + BATCH]))


def _ensure_items(
    account: ZoomAccount,
    scope: FetchScope,
    kind: str,
    rows_by_key: Mapping[str, ItemRow],
) -> ItemsByKey:
    required = {
        (site, key) for key, row in rows_by_key.items() for site in scope.sites(kind, row.host_id)
    }
    if not required:
        return {}
    sites = {site for site, _key in required}
    existing = SiteItem.objects.filter(
        account=account, kind=kind, site__in=sites, key__in=list(rows_by_key)
    )
    items: ItemsByKey = {(item.site_id, item.key): item for item in existing}
    if kind in MEETING_KINDS:
        items |= _converted_items(account, kind, required - set(items))
    _update_links(items, rows_by_key, kind)
    missing = sorted(required - set(items))
    if not missing:
        return items
    policies = _new_recording_policies(sites) if kind == Kind.RECORDING else {}
    new_items = [
        _new_item(account, kind, site, key, rows_by_key[key], policies.get(site))
        for site, key in missing
    ]
    SiteItem.objects.bulk_create(new_items, ignore_conflicts=True, batch_size=500)
    # Of all rows: another transaction may lock these versions too, in the same order.
    bump_hosts({row.host_id for row in rows_by_key.values()})
    created = SiteItem.objects.filter(
        account=account, kind=kind, site__in=sites, key__in=[key for _site, key in missing]
    )
    return items | {(item.site_id, item.key): item for item in created}


def _converted_items(account: ZoomAccount, kind: str, missing: set[tuple[int, str]]) -> ItemsByKey:
    """Items of a meeting that has become a webinar at Zoom, or the reverse, with the same number.

    What the owner has hidden or retitled stays so, and pages that hold the item keep showing it.
    """
    if not missing:
        return {}
    other = Kind.MEETING if kind == Kind.WEBINAR else Kind.WEBINAR
    rows = SiteItem.objects.filter(
        account=account,  # guard: conversion-within-account
        kind=other,
        site__in={site for site, _key in missing},
        key__in={key for _site, key in missing},
    )
    items = {(row.site_id, row.key): row for row in rows if (row.site_id, row.key) in missing}
    if items:
        SiteItem.objects.filter(pk__in=[item.pk for item in items.values()]).update(kind=kind)
        bump_data_version(account.pk)
    for item in items.values():
        item.kind = kind
    return items


def _update_links(items: ItemsByKey, rows_by_key: Mapping[str, ItemRow], kind: str) -> None:
    """Link items to their current row and title; a new import after a purge changes the pk."""
    column = LINKS.get(kind, "meeting")
    stale = []
    for (_site, key), item in items.items():
        row = rows_by_key[key]
        if getattr(item, f"{column}_id") != row.pk or item.last_title != row.topic:
            setattr(item, column, row)
            item.last_title = row.topic
            stale.append(item)
    if stale:
        SiteItem.objects.bulk_update(stale, [column, "last_title"], batch_size=200)


def _new_item(
    account: ZoomAccount,
    kind: str,
    site: int,
    key: str,
    row: ItemRow,
    policy: NewRecordingPolicy | None,
) -> SiteItem:
    item = SiteItem(account=account, kind=kind, site_id=site, key=key, last_title=row.topic)
    if isinstance(row, Recording):
        item.recording = row
        item.visibility = policy.visibility_for(row) if policy else SiteItem.Visibility.AUTO
    elif isinstance(row, Summary):
        item.meeting_summary = row
    else:
        item.meeting = row
    return item


class NewRecordingPolicy:
    """The rules for new recordings of one Site: series before host before the default."""

    def __init__(self, site_settings: ZoomSettings, rows: Iterable[RecordingRule]) -> None:
        self.default = (
            RecordingRule.Action.REVIEW
            if site_settings.review_recordings
            else RecordingRule.Action.PUBLISH
        )
        self.series = {row.meeting_zoom_id: row.action for row in rows if row.meeting_zoom_id}
        self.hosts = {row.host_zoom_id: row.action for row in rows if row.host_zoom_id}

    def visibility_for(self, recording: Recording) -> str:
        """The visibility of a new recording. One without a schedule needs a review."""
        action = self.series.get(
            recording.meeting_zoom_id, self.hosts.get(recording.host_zoom_id, self.default)
        )
        if action == RecordingRule.Action.HIDE:
            return SiteItem.Visibility.HIDDEN
        if action == RecordingRule.Action.PUBLISH and not recording.needs_decision:
            return SiteItem.Visibility.PUBLISHED
        return SiteItem.Visibility.AUTO


def _new_recording_policies(sites: set[int]) -> dict[int, NewRecordingPolicy]:
    rows = ZoomSettings.objects.filter(site__in=sites).prefetch_related("recording_rules")
    return {row.site_id: NewRecordingPolicy(row, list(row.recording_rules.all())) for row in rows}
