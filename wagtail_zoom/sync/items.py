"""What each Site has made of a thing: a row from the moment the Site's scope holds the thing."""

from __future__ import annotations

from collections.abc import Iterable

from ..models import (
    FetchScope,
    Kind,
    Meeting,
    Recording,
    RecordingRule,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
)

Known = dict[tuple[int, str], SiteItem]
"""Items by (Site, natural key)."""
Thing = Meeting | Recording


def ensure_meetings(account: ZoomAccount, scope: FetchScope, rows: list[Meeting]) -> Known:
    """Items of every Site that wants these meetings, linked to the mirror."""
    found: Known = {}
    for kind in (Kind.MEETING, Kind.WEBINAR):
        some = [row for row in rows if row.kind == kind and not is_unshowable(row)]
        found |= _ensure(account, scope, kind, {row.zoom_id: row for row in some})
    return found


def ensure_recordings(account: ZoomAccount, scope: FetchScope, rows: list[Recording]) -> Known:
    """Items of every Site that wants these recordings; new ones wait, go out or stay hidden."""
    return _ensure(account, scope, Kind.RECORDING, {row.uuid: row for row in rows})


def is_unshowable(row: Meeting) -> bool:
    """Personal-room, instant and private meetings never appear, so nobody need decide on them."""
    return row.is_private or row.uses_personal_room or row.zoom_type in (1, 4)


def _ensure(account: ZoomAccount, scope: FetchScope, kind: str, things: dict[str, Thing]) -> Known:
    wanted = {
        (site, key) for key, thing in things.items() for site in scope.sites(kind, thing.host_id)
    }
    if not wanted:
        return {}
    sites = {site for site, _key in wanted}
    rows = SiteItem.objects.filter(account=account, kind=kind, site__in=sites, key__in=list(things))
    known: Known = {(row.site_id, row.key): row for row in rows}
    if kind != Kind.RECORDING:
        known |= _converted(account, kind, wanted - set(known))
    _relink(known, things, kind)
    missing = sorted(wanted - set(known))
    if not missing:
        return known
    rules = _rules(sites) if kind == Kind.RECORDING else {}
    fresh = [_item(account, kind, site, key, things[key], rules.get(site)) for site, key in missing]
    SiteItem.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    bump_data_version(account.pk)
    rows = SiteItem.objects.filter(
        account=account, kind=kind, site__in=sites, key__in=[key for _site, key in missing]
    )
    return known | {(row.site_id, row.key): row for row in rows}


def _converted(account: ZoomAccount, kind: str, missing: set[tuple[int, str]]) -> Known:
    """Items of what has become a webinar, or a meeting, at Zoom under the same number: what the
    owner has hidden or retitled stays so, and pages that hold it go on showing it."""
    if not missing:
        return {}
    other = Kind.MEETING if kind == Kind.WEBINAR else Kind.WEBINAR
    rows = SiteItem.objects.filter(
        account=account, kind=other, site__in={site for site, _key in missing},
        key__in={key for _site, key in missing},
    )  # fmt: skip
    found = {(row.site_id, row.key): row for row in rows if (row.site_id, row.key) in missing}
    if found:
        SiteItem.objects.filter(pk__in=[row.pk for row in found.values()]).update(kind=kind)
        bump_data_version(account.pk)
    for row in found.values():
        row.kind = kind
    return found


def _relink(known: Known, things: dict[str, Thing], kind: str) -> None:
    """Give items their present row and title; after a purge and a new import the pk is another."""
    column = "recording" if kind == Kind.RECORDING else "meeting"
    stale = []
    for (_site, key), item in known.items():
        thing = things[key]
        if getattr(item, f"{column}_id") != thing.pk or item.last_title != thing.topic:
            setattr(item, column, thing)
            item.last_title = thing.topic
            stale.append(item)
    if stale:
        SiteItem.objects.bulk_update(stale, [column, "last_title"], batch_size=200)


def _item(
    account: ZoomAccount, kind: str, site: int, key: str, thing: Thing, rules: Rules | None
) -> SiteItem:
    item = SiteItem(account=account, kind=kind, site_id=site, key=key, last_title=thing.topic)
    if isinstance(thing, Recording):
        item.recording = thing
        item.visibility = rules.verdict(thing) if rules else SiteItem.Visibility.AUTO
    else:
        item.meeting = thing
    return item


class Rules:
    """What happens to the new recordings of one Site: series before host before the default."""

    def __init__(self, site_settings: ZoomSettings, rows: Iterable[RecordingRule]) -> None:
        self.default = (
            RecordingRule.Action.REVIEW
            if site_settings.review_recordings
            else RecordingRule.Action.PUBLISH
        )
        self.series = {row.meeting_zoom_id: row.action for row in rows if row.meeting_zoom_id}
        self.hosts = {row.host_zoom_id: row.action for row in rows if row.host_zoom_id}

    def verdict(self, recording: Recording) -> str:
        """The visibility of a new recording. One without a schedule waits for a person."""
        action = self.series.get(
            recording.meeting_zoom_id, self.hosts.get(recording.host_zoom_id, self.default)
        )
        if action == RecordingRule.Action.HIDE:
            return SiteItem.Visibility.HIDDEN
        if action == RecordingRule.Action.PUBLISH and not recording.is_unscheduled:
            return SiteItem.Visibility.PUBLISHED
        return SiteItem.Visibility.AUTO


def _rules(sites: set[int]) -> dict[int, Rules]:
    choices = ZoomSettings.objects.filter(site__in=sites).prefetch_related("recording_rules")
    return {
        site_settings.site_id: Rules(site_settings, list(site_settings.recording_rules.all()))
        for site_settings in choices
    }
