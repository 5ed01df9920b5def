"""All Sites of the installation with their state, sorted by pain, for the host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import Max, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from wagtail.models import GroupSitePermission, Site

from ..models import Activity
from ..oauth import notifications
from ..permissions import CODENAME
from . import formatting, links, site_status, states
from .site_state import NEEDS_OWNER, State
from .site_status import Facts

GROUPS: dict[str, set[State]] = {
    "reconnect": {State.NEEDS_RECONNECT, State.REVOKED, State.QUARANTINED},
    "permission": {State.MISSING},
    "errors": {State.SIGNUPS_FAILED, State.WITHHELD, State.WORKER_DOWN, State.CONFIRM},
    "stale": {State.LATE, State.NO_EVENTS, State.DEGRADED},
    "limited": {State.THROTTLED},
    "well": {
        State.GOOD,
        State.PAUSED,
        State.IMPORTING,
        State.SYNCING,
        State.CHOOSE,
        State.ARCHIVED,
        State.INVITED,
    },
    "none": {State.NOT_CONNECTED},
}


def group_names() -> dict[str, str]:
    """What the groups are called, as the word below a number."""
    return {
        "reconnect": _("must reconnect"),
        "permission": _("lack a permission"),
        "errors": _("with errors"),
        "stale": _("not up to date"),
        "limited": _("limited by Zoom"),
        "well": _("well or paused"),
        "none": _("not connected"),
    }


ICONS = {
    "reconnect": ("warning", "bad"),
    "permission": ("warning", "bad"),
    "errors": ("warning", "bad"),
    "stale": ("time", "warn"),
    "limited": ("time", "warn"),
    "well": ("success", "good"),
    "none": ("minus", "plain"),
}
CALM = {State.PAUSED, State.ARCHIVED, State.CHOOSE, State.INVITED}


FEW = 200
"""Up to so many Sites the whole list is worked out each time."""
ORDER, ORDER_SECONDS = "wagtail_zoom:fleet", 30
MAILED = NEEDS_OWNER | {State.NOT_CONNECTED}
"""States about which the host may write to the owner."""


@dataclass
class Row:
    """One Site in the fleet.

    ``keeper`` is the address of somebody who may change its Zoom settings, ``written`` when the
    host wrote last.
    """

    facts: Facts
    keeper: str = ""
    written: datetime | None = None

    @property
    def pk(self) -> int:
        return self.facts.site.pk

    @property
    def site(self) -> Site:
        return self.facts.site

    @cached_property
    def state(self) -> State:
        return states.classify(self.facts)

    @property
    def group(self) -> str:
        return next(name for name, members in GROUPS.items() if self.state in members)

    @property
    def word(self) -> str:
        return states.short(self.facts, self.state)

    @property
    def look(self) -> tuple[str, str]:
        """Icon and tone."""
        return ("minus", "plain") if self.state in CALM else ICONS[self.group]

    @cached_property
    def since(self) -> datetime | None:
        grant, choice = self.facts.grant, self.facts.choice
        if self.state in (State.NEEDS_RECONNECT, State.DEGRADED) and grant is not None:
            return grant.state_since
        return {
            State.PAUSED: choice.paused_at,
            State.ARCHIVED: choice.archived_at,
            State.REVOKED: self.facts.removed_at,
            State.WORKER_DOWN: self.facts.beat_at,
        }.get(self.state)

    @property
    def note(self) -> str:
        """For how long, and why."""
        parts = []
        if self.since:
            parts.append(_("for %(age)s") % {"age": formatting.age(self.since, self.facts.now)})
        if self.state is State.NEEDS_RECONNECT:
            parts.append(self.facts.reason)
        elif self.state is State.MISSING:
            parts.append(
                formatting.listing(formatting.kind_name(name) for name in self.facts.missing)
            )
        elif self.state is State.THROTTLED and self.facts.account:
            until = self.facts.account.throttled_until or self.facts.now
            parts.append(
                _("goes on at %(time)s") % {"time": formatting.moment(until, self.facts.now)}
            )
        elif self.state is State.SIGNUPS_FAILED:
            parts.append(formatting.signups(self.facts.signups.get("failed", 0)))
        return ", ".join(parts)

    @property
    def checked(self) -> str:
        at = self.facts.account.reconciled_at if self.facts.account else None
        return formatting.moment(at, self.facts.now) if at else "–"

    @property
    def owner(self) -> str:
        return notifications.owner_address(self.facts.choice) or self.keeper

    @cached_property
    def mailed_at(self) -> datetime | None:
        """When the owner was written to about the present trouble, by us or by the host."""
        times = [self.written] if self.written else []
        if self.state is State.NEEDS_RECONNECT and self.facts.grant:
            times += [datetime.fromisoformat(str(text)) for text in self.facts.grant.notices or []]
        return max((at for at in times if not self.since or at >= self.since), default=None)

    @property
    def mailed(self) -> str:
        if self.state not in MAILED:
            return ""
        if self.mailed_at is None:
            return _("not mailed")
        return _("mailed %(day)s") % {"day": formatting.short_day(self.mailed_at)}

    @property
    def can_mail(self) -> bool:
        account = self.facts.account
        asleep = account is not None and account.is_quarantined
        return self.state in MAILED and bool(self.owner) and not asleep

    @property
    def panel_url(self) -> str:
        return links.panel_url(self.facts)

    @property
    def visitors(self) -> str:
        """What is on the Site's pages now. Two queries: only for the rows that are looked at."""
        if not self.facts.choice.shows_data:
            return _("Nothing")
        return formatting.shown(self.facts.dates_shown, self.facts.recordings_shown)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Worst state first, then the longest."""
        since = self.since or self.facts.now
        return self.state.rank, since, self.facts.site.hostname


def rows(sites: QuerySet[Site] | None = None, now: datetime | None = None) -> list[Row]:
    """These Sites, or all, worst first: a fixed number of queries."""
    sites = Site.objects.order_by("hostname") if sites is None else sites
    keepers, written = _keepers(), _written()
    found = [
        Row(known, keepers.get(known.site.pk, ""), written.get(known.site.pk))
        for known in site_status.read(sites, now)
    ]
    return sorted(found, key=lambda row: row.sort_key)


@dataclass(frozen=True)
class Brief:
    """What sorting, counting and choosing need of a row: the same in every language."""

    pk: int
    hostname: str
    owner: str
    group: str
    can_mail: bool
    was_mailed: bool

    @classmethod
    def of(cls, row: Row) -> Brief:
        return cls(
            row.pk, row.site.hostname, row.owner, row.group, row.can_mail, row.mailed_at is not None
        )


def briefs() -> list[Brief]:
    """All Sites, worst first. Where there are many, the order may be half a minute old.

    The states of ten thousand Sites take seconds to work out; whoever pages through them need not
    wait for that each time. The rows that are looked at are always read anew.
    """
    if Site.objects.count() <= FEW:
        return [Brief.of(row) for row in rows()]
    known: list[Brief] | None = cache.get(ORDER)
    if known is None:
        known = [Brief.of(row) for row in rows()]
        cache.set(ORDER, known, ORDER_SECONDS)
    return known


def rows_of(wanted: Iterable[Brief]) -> list[Row]:
    """The rows behind some briefs, in their order."""
    pks = [brief.pk for brief in wanted]
    found = {row.pk: row for row in rows(Site.objects.filter(pk__in=pks))}
    return [found[pk] for pk in pks if pk in found]


def _keepers() -> dict[int, str]:
    """By Site, the address of the first person whose group may change its Zoom settings."""
    right = {
        "permission__codename": CODENAME,
        "permission__content_type__app_label": "wagtail_zoom",
        "group__user__is_active": True,
    }
    people = GroupSitePermission.objects.filter(**right).exclude(group__user__email="")
    found = people.order_by("-group__user__pk").values_list("site", "group__user__email")
    return dict(found)


def _written() -> dict[int, datetime]:
    mails = Activity.objects.filter(code="owner_mailed").order_by()
    return dict(mails.values_list("site").annotate(at=Max("at")))


def write(row: Row, user: Any) -> bool:
    """Write to the owner of a Site what its panel says, in the owner's language."""
    if not row.can_mail:
        return False
    with translation.override(notifications.language_of(row.facts.choice)):
        title, text = _letter(row)
        sent = notifications.send_about(row.facts.choice, row.owner, title, text)
    if sent:
        account = row.facts.account
        Activity.log([row.pk], "connection", "owner_mailed", account=account, user=user)
        cache.delete(ORDER)
    return sent


def _letter(row: Row) -> tuple[str, str]:
    if row.state is State.NOT_CONNECTED:
        return (
            _("Zoom is not connected yet."),
            _("Connect it once, and your dates and recordings keep themselves up to date."),
        )
    status = states.describe(row.facts)
    return status.title, status.text
