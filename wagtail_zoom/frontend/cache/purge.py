"""Pages in a front-end cache: purge those that show what changed, and no others.

When the mirror changes, when a door opens, and when something starts, ends or expires (no row
changes then). Nothing happens in projects without ``WAGTAILFRONTENDCACHE``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from wagtail.contrib.frontend_cache.utils import get_backends, purge_urls_from_cache
from wagtail.models import Page, Site

from ...models import (
    Heartbeat,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
)
from ...utils.logging import get_logger
from ..block_index import blocks_on, pages_with_blocks, short_name
from ..pagination import query
from ..queries import OVERRUN
from ..visibility import Exposure

logger = get_logger("purging")

MOST_URLS = 500
"""Most addresses of one Site that one change purges; the pages themselves come first."""
LONGEST_GAP = timedelta(hours=1)
"""How far back a sweep looks after the worker was away."""
DATES_BACK, MOST_DATES = timedelta(days=30), 100
"""Which dates' own pages are purged; they are kept by caches for some minutes only."""
HEARTBEAT = "purge"


@dataclass(frozen=True)
class Change:
    """Primary keys of mirror rows whose pages are stale."""

    meetings: frozenset[int] = frozenset()
    recordings: frozenset[int] = frozenset()
    removed: bool = False
    """Some rows are gone, so nobody can tell which pages they were on: all lists are meant."""

    @classmethod
    def of(cls, meetings: Iterable[int], recordings: Iterable[int]) -> Change:
        """With the meetings of the recordings: their pages lead to the recording."""
        meetings, recordings = set(meetings), set(recordings)
        films = Recording.objects.filter(pk__in=recordings)
        known = list(films.values_list("pk", "meeting"))
        there = Meeting.objects.filter(pk__in=meetings).count()
        removed = there < len(meetings) or len(known) < len(recordings)
        meetings |= {meeting for _pk, meeting in known if meeting}
        return cls(frozenset(meetings), frozenset(recordings), removed)


def purge_for(
    account: ZoomAccount, meetings: Iterable[int], recordings: Iterable[int]
) -> list[str]:
    """Purge the pages of all Sites that show these rows. Returns the addresses."""
    if not get_backends():
        return []
    urls = urls_for(account, meetings, recordings)
    if urls:
        purge_urls_from_cache(urls)
    return urls


def urls_for(account: ZoomAccount, meetings: Iterable[int], recordings: Iterable[int]) -> list[str]:
    """Addresses of the pages that show these rows, with their filter and page variants."""
    change = Change.of(meetings, recordings)
    choices = ZoomSettings.objects.filter(account=account).select_related(
        "site__root_page", "grant", "account"
    )
    found: dict[str, None] = {}
    for choice in choices:
        if choice.shows_data and _concerns_site(choice, change):
            found.update(dict.fromkeys(_changed_urls(choice, change)))
    return list(found)


def _concerns_site(choice: ZoomSettings, change: Change) -> bool:
    """Whether the Site's choices reach any of the rows, shown or not: they may just have gone."""
    if change.removed:
        return True
    ticked = Q(host__exposed_on__settings=choice.pk)
    meetings = Meeting.objects.filter(ticked, pk__in=change.meetings, kind__in=choice.kinds)
    if meetings.exists():
        return True
    films = Recording.objects.filter(ticked, pk__in=change.recordings)
    return Kind.RECORDING in choice.kinds and films.exists()


def _changed_urls(choice: ZoomSettings, change: Change) -> list[str]:
    gate, site = Exposure(choice), choice.site
    plain: list[str] = []
    more: list[str] = []
    for page, through_snippet in pages_with_blocks(site):
        concerned = [
            each for each in blocks_on(page) if each.block.concerns(each.value, gate, change)
        ]
        own = _page_item(page)
        if not concerned and not through_snippet and not _is_of(own, change):
            continue
        plain += (bases := list(addresses(site, page)))
        plain += _dates_of(page, bases[:1], choice.site_id, change)
        for each in concerned:
            name = short_name(each.ident)
            for values in each.block.variants(each.value, gate):
                more += [f"{base}{query(name, values)}" for base in bases]
    if len(plain) + len(more) > MOST_URLS:
        logger.warning("Site %s has more addresses to purge than %s.", site.pk, MOST_URLS)
    return [*plain, *more][:MOST_URLS]


def addresses(site: Site, page: Page) -> Iterator[str]:
    """The page's addresses on this Site, with the paths that its type declares."""
    path = page.get_url(current_site=site) or ""
    if not path:
        return
    base = path if "://" in path else f"{site.root_url}{path}"
    for each in page.get_cached_paths():
        yield base + each.lstrip("/")


def _dates_of(page: Page, bases: list[str], site_id: int, change: Change) -> Iterator[str]:
    """The addresses that a page type gives to the changed dates (``ZoomDatesPageMixin``)."""
    if not hasattr(page, "zoom_date_path") or not change.meetings:
        return
    dates = Occurrence.objects.filter(
        meeting__in=change.meetings, end__gte=timezone.now() - DATES_BACK
    ).only("public_id")
    for row in dates.order_by("start")[:MOST_DATES]:
        yield from (base + page.zoom_date_path(site_id, row) for base in bases)


def _page_item(page: Page) -> SiteItem | None:
    """The item of a page type with ``ZoomMeetingPageMixin``."""
    item = getattr(page, "zoom_item", None)
    return item if isinstance(item, SiteItem) else None


def _is_of(item: SiteItem | None, change: Change) -> bool:
    return item is not None and item_concerned(item, change)


def item_concerned(item: SiteItem, change: Change) -> bool:
    """Whether an item stands for one of the changed rows."""
    if change.removed:
        return True
    same = {"account": item.account_id}
    if item.kind == Kind.RECORDING:
        rows = Recording.objects.filter(pk__in=change.recordings, uuid=item.key, **same)
        return rows.exists()
    rows = Meeting.objects.filter(pk__in=change.meetings, kind=item.kind, zoom_id=item.key, **same)
    return rows.exists()


@dataclass
class Boundary:
    """What crossed a point in time, per account."""

    meetings: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    recordings: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def accounts(self) -> set[int]:
        return set(self.meetings) | set(self.recordings)


def boundaries(now: datetime, since: datetime) -> Boundary:
    """What started, ended, opened its door or expired after ``since`` and until ``now``."""
    found = Boundary()

    def within(name: str, shift: timedelta = timedelta()) -> Q:
        return Q(**{f"{name}__gt": since + shift, f"{name}__lte": now + shift})

    # What nobody has told the end of was shown as live so long.
    closed = Q(state=Occurrence.State.OVER, state_since__gt=since)
    overran = within("end", -OVERRUN) & (Q(state=Occurrence.State.LIVE) | closed)
    rows = Occurrence.objects.filter(within("start") | within("end") | overran)
    for account, meeting in rows.values_list("account", "meeting"):
        found.meetings[account].add(meeting)
    doors = ZoomSettings.objects.exclude(account=None).values_list("account", "join_minutes")
    by_minutes: dict[int, set[int]] = defaultdict(set)
    for account, minutes in doors.distinct():
        by_minutes[minutes].add(account)
    for minutes, accounts in by_minutes.items():
        opening = Occurrence.objects.filter(
            within("start", timedelta(minutes=minutes)), account__in=accounts
        )
        for account, meeting in opening.values_list("account", "meeting"):
            found.meetings[account].add(meeting)
    _expired(found, now, since)
    return found


def _expired(found: Boundary, now: datetime, since: datetime) -> None:
    today, before = timezone.localdate(now), timezone.localdate(since)
    if today != before:
        items = SiteItem.objects.filter(expires_on__gte=before, expires_on__lt=today)
        for account, meeting, film in items.values_list("account", "meeting", "recording"):
            if meeting:
                found.meetings[account].add(meeting)
            if film:
                found.recordings[account].add(film)
    limits = ZoomSettings.objects.exclude(recording_days=None).exclude(account=None)
    for account, days in set(limits.values_list("account", "recording_days")):
        age = timedelta(days=days)
        old = Recording.objects.filter(account=account, start__gt=since - age, start__lte=now - age)
        found.recordings[account].update(old.values_list("pk", flat=True))


def sweep(now: datetime) -> None:
    """Called by every tick: purge what crossed a boundary since the last one."""
    if not get_backends():
        return
    beat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    since = max(beat.at, now - LONGEST_GAP) if beat else now - timedelta(minutes=2)
    if since < now:
        found = boundaries(now, since)
        for account in ZoomAccount.objects.filter(pk__in=found.accounts):
            purge_for(account, found.meetings[account.pk], found.recordings[account.pk])
        Heartbeat.beat(HEARTBEAT, now)


def on_mirror_changed(
    account: ZoomAccount, meetings: Iterable[int], recordings: Iterable[int], **kwargs: Any
) -> None:
    """Receiver of ``mirror_changed``."""
    purge_for(account, meetings, recordings)


def site_urls(site: Site) -> list[str]:
    """The addresses of all pages of a Site that hold one of our blocks; pages first, capped."""
    plain: list[str] = []
    more: list[str] = []
    for page, _through_snippet in pages_with_blocks(site):
        plain += (bases := list(addresses(site, page)))
        more += [
            f"{base}{text}"
            for each in blocks_on(page)
            for text in _queries(each.block, each.value, short_name(each.ident))
            for base in bases
        ]
    return list(dict.fromkeys([*plain, *more]))[:MOST_URLS]


def _queries(block: Any, value: Any, name: str) -> Iterator[str]:
    for values in block.every_variant(value):
        yield query(name, values)


def purge_site(site: Site) -> list[str]:
    """Purge all of it. Returns the addresses."""
    if not get_backends():
        return []
    urls = site_urls(site)
    if urls:
        purge_urls_from_cache(urls)
    return urls


def on_settings_saved(instance: ZoomSettings, **kwargs: Any) -> None:
    """Receiver of ``post_save``: after the commit, when the hosts are stored too."""
    if get_backends():
        transaction.on_commit(lambda: purge_site(instance.site), robust=True)


def on_disconnected(site: Site, **kwargs: Any) -> None:
    """Receiver of ``account_disconnected``: also when the app was removed in Zoom."""
    purge_site(site)
