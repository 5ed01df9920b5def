"""Purges the pages that show a change from a front-end cache, and no others.

Runs when rows change, when settings change, and when an occurrence starts, ends, opens for
joining or an item expires (no row changes then). Does nothing without ``WAGTAILFRONTENDCACHE`` and
without CodeRed's ``wagtailcache``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

from django.apps import apps
from django.core.cache import caches
from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch
from django.utils import timezone
from wagtail.contrib.frontend_cache.utils import get_backends, purge_urls_from_cache
from wagtail.models import Page, PageViewRestriction, Site

from ...models import (
    Heartbeat,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Summary,
    ZoomAccount,
    ZoomSettings,
    public_day,
)
from ...models.mirror import CLOSED_STATES, OVERRUN
from ...utils.logging import get_logger
from ...utils.urls import split_url
from .. import links, page_tree
from ..block_index import block_prefix, blocks_on, pages_with_blocks
from ..pagination import query_string
from ..visibility import SiteVisibility

logger = get_logger("purge")

MAX_URLS = 500
"""Maximum URLs of one Site that one change purges; the pages themselves come first."""
MAX_GAP = timedelta(hours=1)
"""How far back a sweep looks after the worker did not run."""
MAX_OCCURRENCE_AGE, MAX_OCCURRENCES = timedelta(days=30), 100
"""Which occurrences' own pages are purged; caches store those for some minutes only."""
HEARTBEAT = "purge"


@dataclass(frozen=True)
class Change:
    """Primary keys of rows whose pages are stale."""

    meetings: frozenset[int] = frozenset()
    recordings: frozenset[int] = frozenset()
    summary_meetings: frozenset[int] = frozenset()
    """Meetings of which the summary of a date has changed: only ended dates show it."""
    ended_meetings: frozenset[int] = frozenset()
    """Those of them that have no date to come: the last one is shown."""
    summary_recordings: frozenset[int] = frozenset()
    summary_occurrences: frozenset[int] = frozenset()
    removed: bool = False
    """Some rows are deleted, so their pages are unknown: all lists are purged."""

    @classmethod
    def from_ids(
        cls, meetings: Iterable[int], recordings: Iterable[int], summaries: Iterable[int] = ()
    ) -> Change:
        """Adds the meetings of the recordings: their pages link to the recording."""
        meetings, recordings, summaries = set(meetings), set(recordings), set(summaries)
        rows = Recording.objects.filter(pk__in=recordings)
        recording_rows = list(rows.values_list("pk", "meeting"))
        meeting_count = Meeting.objects.filter(pk__in=meetings).count()
        removed = meeting_count < len(meetings) or len(recording_rows) < len(recordings)
        meetings |= {meeting for _pk, meeting in recording_rows if meeting}
        summary_rows = list(Summary.objects.filter(pk__in=summaries)) if summaries else []
        instances = Q(pk__in=[])
        for summary in summary_rows:
            instances |= Q(account=summary.account_id, uuid=summary.uuid)
        summary_meetings = {row.meeting_id for row in summary_rows if row.meeting_id}
        to_come = Occurrence.objects.filter(
            meeting__in=summary_meetings, end__gte=timezone.now()
        ).exclude(state__in=CLOSED_STATES)
        return cls(
            frozenset(meetings),
            frozenset(recordings),
            frozenset(summary_meetings),
            frozenset(summary_meetings - set(to_come.values_list("meeting", flat=True))),
            frozenset(
                Recording.objects.filter(instances).values_list("pk", flat=True)
                if summary_rows
                else ()
            ),
            frozenset(row.occurrence_id for row in summary_rows if row.occurrence_id),
            removed or len(summary_rows) < len(summaries),
        )


def has_cache() -> bool:
    """Whether there is any cache that can be purged."""
    return bool(get_backends()) or apps.is_installed("wagtailcache")


def purge(urls: list[str]) -> None:
    """Purge these URLs from the front-end cache, and from ``wagtailcache`` with every query."""
    if urls and get_backends():
        purge_urls_from_cache(urls)
    if urls and apps.is_installed("wagtailcache"):
        _purge_wagtailcache(urls)


def _purge_wagtailcache(urls: list[str]) -> None:
    from wagtailcache.cache import clear_cache
    from wagtailcache.settings import wagtailcache_settings

    if not wagtailcache_settings.WAGTAIL_CACHE_KEYRING:
        return  # It could only clear the whole cache, with whatever else is in it.
    if "keyring" in caches[wagtailcache_settings.WAGTAIL_CACHE_BACKEND]:
        clear_cache(list(dict.fromkeys(_pattern_of(url) for url in urls)))


def _pattern_of(url: str) -> str:
    """Matches a URL with any scheme, port and query: behind a proxy they differ from the Site's."""
    parts = split_url(url)
    hostname, path = re.escape(parts.hostname or ""), re.escape(unquote(parts.path))
    return rf"https?://{hostname}(:\d+)?{path}(\?.*)?$"


def purge_for(
    account: ZoomAccount,
    meetings: Iterable[int],
    recordings: Iterable[int],
    summaries: Iterable[int] = (),
) -> list[str]:
    """Purge the pages of all Sites that show these rows. Returns the URLs."""
    if not has_cache():
        return []
    urls = urls_for(account, meetings, recordings, summaries)
    purge(urls)
    return urls


def urls_for(
    account: ZoomAccount,
    meetings: Iterable[int],
    recordings: Iterable[int],
    summaries: Iterable[int] = (),
) -> list[str]:
    """URLs of the pages that show these rows, with their filter and page variants."""
    change = Change.from_ids(meetings, recordings, summaries)
    settings_rows = ZoomSettings.objects.filter(account=account).select_related(
        "site__root_page", "grant", "account"
    )
    urls: dict[str, None] = {}
    for site_settings in settings_rows:
        if site_settings.shows_data and _affects_site(site_settings, change):
            urls.update(dict.fromkeys(_changed_urls(site_settings, change)))
    return list(urls)


def _affects_site(site_settings: ZoomSettings, change: Change) -> bool:
    """Whether the Site's settings cover any of the rows, also those that were hidden just now."""
    if change.removed:
        return True
    exposed = Q(host__exposed_on__settings=site_settings.pk)
    meetings = Meeting.objects.filter(exposed, pk__in=change.meetings, kind__in=site_settings.kinds)
    if meetings.exists():
        return True
    recordings = Recording.objects.filter(exposed, pk__in=change.recordings)
    if Kind.RECORDING in site_settings.kinds and recordings.exists():
        return True
    if not site_settings.show_summaries:  # guard: summary-purge-of-sites-that-show-it
        return False
    has_dates = Meeting.objects.filter(exposed, pk__in=change.summary_meetings).exists()
    is_recorded = Recording.objects.filter(exposed, pk__in=change.summary_recordings).exists()
    return has_dates or is_recorded


def _changed_urls(site_settings: ZoomSettings, change: Change) -> list[str]:
    visibility, site = SiteVisibility(site_settings), site_settings.site
    main_urls: list[str] = []
    variant_urls: list[str] = []
    for page, through_snippet in pages_with_blocks(site):
        changed_blocks = [
            placed
            for placed in blocks_on(page)
            if placed.block.concerns(placed.value, visibility, change)
        ]
        page_item = _page_item(page)
        main_urls += _summary_date_urls(site, page, site_settings.site_id, change)
        if not changed_blocks and not through_snippet and not _is_changed(page_item, change):
            continue
        main_urls += (bases := list(page_urls(site, page)))
        main_urls += _occurrence_urls(page, bases[:1], site_settings.site_id, change)
        for placed in changed_blocks:
            name = block_prefix(placed.block_id)
            for values in placed.block.variants(placed.value, visibility):
                variant_urls += [f"{base}{query_string(name, values)}" for base in bases]
    if len(main_urls) + len(variant_urls) > MAX_URLS:
        logger.warning("Site %s has more URLs to purge than %s.", site.pk, MAX_URLS)
    return [*main_urls, *variant_urls][:MAX_URLS]


def page_urls(site: Site, page: Page) -> Iterator[str]:
    """The page's URLs on this Site, with the paths that its type declares."""
    path = page.get_url(current_site=site) or ""
    if not path:
        return
    base = path if "://" in path else f"{site.root_url}{path}"
    for cached_path in page.get_cached_paths():
        yield base + cached_path.lstrip("/")


def _occurrence_urls(page: Page, bases: list[str], site_id: int, change: Change) -> Iterator[str]:
    """The URLs of the changed occurrences on a page with ``ZoomDatesPageMixin``."""
    if not hasattr(page, "zoom_date_path") or not change.meetings:
        return
    occurrences = Occurrence.objects.filter(
        meeting__in=change.meetings, end__gte=timezone.now() - MAX_OCCURRENCE_AGE
    ).only("public_id")
    for row in occurrences.order_by("start")[:MAX_OCCURRENCES]:
        yield from (base + page.zoom_date_path(site_id, row) for base in bases)


def _summary_date_urls(site: Site, page: Page, site_id: int, change: Change) -> list[str]:
    """The own pages of the dates whose summary has changed, whatever lists the page has."""
    if not hasattr(page, "zoom_date_path") or not change.summary_occurrences:
        return []
    bases = list(page_urls(site, page))[:1]
    rows = Occurrence.objects.filter(pk__in=change.summary_occurrences).only("public_id")
    paths = [page.zoom_date_path(site_id, row) for row in rows.order_by("start")[:MAX_OCCURRENCES]]
    return [base + path for base in bases for path in paths]


def _page_item(page: Page) -> SiteItem | None:
    """The item of a page type with ``ZoomMeetingPageMixin``."""
    item = getattr(page, "zoom_item", None)
    return item if isinstance(item, SiteItem) else None


def _is_changed(item: SiteItem | None, change: Change) -> bool:
    return item is not None and is_item_changed(item, change)


def is_item_changed(item: SiteItem, change: Change) -> bool:
    """Whether an item belongs to one of the changed rows."""
    if change.removed:
        return True
    same_account = {"account": item.account_id}
    if item.kind == Kind.RECORDING:
        return Recording.objects.filter(
            pk__in=change.recordings, uuid=item.key, **same_account
        ).exists()
    rows = Meeting.objects.filter(
        pk__in=change.meetings | change.ended_meetings,
        kind=item.kind,
        zoom_id=item.key,
        **same_account,
    )
    return rows.exists()


@dataclass
class DueChanges:
    """Primary keys of rows that look different because time passed, by account."""

    meetings: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    recordings: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    summaries: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def accounts(self) -> set[int]:
        return set(self.meetings) | set(self.recordings) | set(self.summaries)


def due_changes(now: datetime, since: datetime) -> DueChanges:
    """Rows that started, ended, opened for joining or expired after ``since`` and until ``now``."""
    due = DueChanges()

    def in_period(name: str, shift: timedelta = timedelta()) -> Q:
        return Q(**{f"{name}__gt": since + shift, f"{name}__lte": now + shift})

    # Without an end event an occurrence is shown as live until then.
    closed = Q(state=Occurrence.State.OVER, state_since__gt=since)
    overran = in_period("end", -OVERRUN) & (Q(state=Occurrence.State.LIVE) | closed)
    rows = Occurrence.objects.filter(in_period("start") | in_period("end") | overran)
    for account, meeting in rows.values_list("account", "meeting"):
        due.meetings[account].add(meeting)
    join_windows = ZoomSettings.objects.exclude(account=None).values_list("account", "join_minutes")
    by_minutes: dict[int, set[int]] = defaultdict(set)
    for account, minutes in join_windows.distinct():
        by_minutes[minutes].add(account)
    for minutes, accounts in by_minutes.items():
        opening = Occurrence.objects.filter(
            in_period("start", timedelta(minutes=minutes)), account__in=accounts
        )
        for account, meeting in opening.values_list("account", "meeting"):
            due.meetings[account].add(meeting)
    _add_expired(due, now, since)
    return due


def _add_expired(due: DueChanges, now: datetime, since: datetime) -> None:
    today, last_date = public_day(now), public_day(since)
    if today != last_date:
        items = SiteItem.objects.filter(expires_on__gte=last_date, expires_on__lt=today)
        rows = items.values_list("account", "meeting", "recording", "meeting_summary")
        for account, meeting, recording, summary in rows:
            if summary:
                due.summaries[account].add(summary)
            if meeting:
                due.meetings[account].add(meeting)
            if recording:
                due.recordings[account].add(recording)
    limits = ZoomSettings.objects.exclude(recording_days=None).exclude(account=None)
    for account, days in set(limits.values_list("account", "recording_days")):
        age = timedelta(days=days or 0)
        old = Recording.objects.filter(account=account, start__gt=since - age, start__lte=now - age)
        due.recordings[account].update(old.values_list("pk", flat=True))


def sweep(now: datetime) -> None:
    """Called by every tick: purge what changed with time since the last one."""
    if not has_cache():
        return
    heartbeat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    since = max(heartbeat.beat_at, now - MAX_GAP) if heartbeat else now - timedelta(minutes=2)
    if since < now:
        due = due_changes(now, since)
        for account in ZoomAccount.objects.filter(pk__in=due.accounts):
            purge_for(
                account,
                due.meetings[account.pk],
                due.recordings[account.pk],
                due.summaries[account.pk],
            )
        Heartbeat.beat(HEARTBEAT, now)


def on_mirror_changed(
    account: ZoomAccount,
    meetings: Iterable[int],
    recordings: Iterable[int],
    summaries: Iterable[int] = (),
    **kwargs: Any,
) -> None:
    """Receiver of ``mirror_changed``."""
    purge_for(account, meetings, recordings, summaries)


def site_urls(site: Site) -> list[str]:
    """The URLs of all pages of a Site that hold one of our blocks; pages first, capped."""
    main_urls: list[str] = []
    variant_urls: list[str] = []
    for page, _through_snippet in pages_with_blocks(site):
        main_urls += (bases := list(page_urls(site, page)))
        variant_urls += [
            f"{base}{query}"
            for placed in blocks_on(page)
            for query in _variant_queries(placed.block, placed.value, block_prefix(placed.block_id))
            for base in bases
        ]
    return list(dict.fromkeys([*main_urls, *variant_urls]))[:MAX_URLS]


def _variant_queries(block: Any, value: Any, name: str) -> Iterator[str]:
    for values in block.possible_variants(value):
        yield query_string(name, values)


def purge_site(site: Site) -> list[str]:
    """Purge all pages of a Site that hold one of our blocks. Returns the URLs."""
    if not has_cache():
        return []
    urls = site_urls(site)
    purge(urls)
    return urls


def on_settings_saved(instance: ZoomSettings, **kwargs: Any) -> None:
    """Receiver of ``post_save``. Purges after the commit, when the hosts are stored too."""
    if has_cache():
        transaction.on_commit(lambda: purge_site(instance.site), robust=True)


def on_restriction_changed(instance: PageViewRestriction, **kwargs: Any) -> None:
    """Receiver of ``post_save`` and ``post_delete``. Wagtail leaves the pages in the cache, where
    everybody could still read them; the calendar of the Site as well."""
    if not has_cache():
        return
    rows = ZoomSettings.objects.filter(page_tree.sites_of_paths([instance.page.path]))
    for site in [row.site for row in rows.select_related("site__root_page")]:
        transaction.on_commit(partial(_purge_site_and_calendar, site), robust=True)


def _purge_site_and_calendar(site: Site) -> None:
    purge_site(site)
    with suppress(NoReverseMatch):
        purge([f"{site.root_url}{links.site_calendar_url()}"])


def on_disconnected(site: Site, **kwargs: Any) -> None:
    """Receiver of ``account_disconnected``, which is also sent when the app was removed in Zoom."""
    purge_site(site)
