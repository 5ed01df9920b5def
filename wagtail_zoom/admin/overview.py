"""All Sites of the installation with their state, worst first, for the operator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import GroupSitePermission, Site

from ..models import Activity, Kind
from ..oauth import notifications
from ..permissions import CODENAME, changing_pairs
from ..utils.text import fold
from . import formatting, links, status_rules, usage
from .site_state import NEEDS_OWNER, SiteState
from .site_status import SiteStatus, count_for_visitors, get_site_statuses

GROUPS: dict[str, set[SiteState]] = {
    "reconnect": {SiteState.NEEDS_RECONNECT},
    "removed": {SiteState.REVOKED},
    "confirm": {SiteState.CONFIRM},
    "permission": {SiteState.MISSING},
    "registrations": {SiteState.REGISTRATIONS_FAILED},
    "withheld": {SiteState.WITHHELD},
    "copy": {SiteState.QUARANTINED},
    "stale": {SiteState.LATE, SiteState.NO_EVENTS, SiteState.DEGRADED},
    "limited": {SiteState.THROTTLED},
    "well": {
        SiteState.GOOD,
        SiteState.PAUSED,
        SiteState.IMPORTING,
        SiteState.SYNCING,
        SiteState.CHOOSE,
        SiteState.ARCHIVED,
        SiteState.INVITED,
    },
    "none": {SiteState.NOT_CONNECTED},
}


def group_names() -> dict[str, str]:
    """Labels of the groups, shown below a number."""
    return {
        "reconnect": _("must reconnect"),
        "removed": _("removed in Zoom"),
        "confirm": _("to be confirmed"),
        "permission": _("lack a permission"),
        "registrations": _("with failed registrations"),
        "withheld": _("with items withheld"),
        "copy": _("copies, turned off"),
        "stale": _("not up to date"),
        "limited": _("limited by Zoom"),
        "well": _("no problem"),
        "none": _("not connected"),
    }


def group_label(name: str, n: int) -> str:
    """The label of a group beside the number of its Sites."""
    if name == "permission":
        return ngettext("lacks a permission", "lack a permission", n)
    if name == "copy":
        return ngettext("copy, turned off", "copies, turned off", n)
    return group_names()[name]


GROUP_ICONS = {
    "reconnect": ("warning", "bad"),
    "removed": ("warning", "bad"),
    "confirm": ("warning", "warn"),
    "permission": ("warning", "bad"),
    "registrations": ("warning", "bad"),
    "withheld": ("warning", "warn"),
    "copy": ("minus", "plain"),
    "stale": ("time", "warn"),
    "limited": ("time", "warn"),
    "well": ("success", "good"),
    "none": ("minus", "plain"),
}
OWNER_GROUPS = {"reconnect", "removed", "confirm", "permission", "registrations", "withheld"}
"""Groups of Sites that wait for their owner."""
NEUTRAL_STATES = {SiteState.PAUSED, SiteState.ARCHIVED, SiteState.CHOOSE, SiteState.INVITED}


CACHE_THRESHOLD = 200
"""With more Sites than this, the computed order is cached."""
SUMMARIES_KEY, SUMMARIES_SECONDS = "wagtail_zoom:overview", 30
MAILABLE_STATES = NEEDS_OWNER | {SiteState.NOT_CONNECTED}
"""States about which the operator may email the owner."""


@dataclass
class SiteRow:
    """One Site in the overview.

    ``fallback_owner`` is the email address of a user who may change its Zoom settings,
    ``last_mail_at`` is when the owner was last emailed, apart from the reminders of a grant,
    ``changing_pairs`` are users and Sites that they may change, as far as they were read.
    """

    site_status: SiteStatus
    fallback_owner: str = ""
    last_mail_at: datetime | None = None
    changing_pairs: Collection[tuple[int, int]] = ()

    @property
    def pk(self) -> int:
        return self.site_status.site.pk

    @property
    def site(self) -> Site:
        return self.site_status.site

    @property
    def title(self) -> str:
        """The hostname, and the Site's name if it has another one."""
        hostname, name = self.site.hostname, self.site.site_name
        return f"{hostname} · {name}" if name and name != hostname else hostname

    @cached_property
    def state(self) -> SiteState:
        """The worst state. A stopped worker is said once, not for each Site."""
        return status_rules.own_state(self.site_status)

    @property
    def group(self) -> str:
        return next(name for name, members in GROUPS.items() if self.state in members)

    @property
    def state_label(self) -> str:
        return status_rules.short_label(self.site_status, self.state)

    @property
    def icon_and_tone(self) -> tuple[str, str]:
        """Icon name and tone of the state."""
        if self.state is SiteState.GOOD and self.site_status.worker_down:
            return ("time", "plain")
        return ("minus", "plain") if self.state in NEUTRAL_STATES else GROUP_ICONS[self.group]

    @cached_property
    def since(self) -> datetime | None:
        grant, site_settings = self.site_status.grant, self.site_status.site_settings
        if self.state in (SiteState.NEEDS_RECONNECT, SiteState.DEGRADED) and grant is not None:
            return grant.state_since
        return {
            SiteState.PAUSED: site_settings.paused_at,
            SiteState.ARCHIVED: site_settings.archived_at,
            SiteState.REVOKED: self.site_status.app_removed_at,
        }.get(self.state)

    @property
    def note(self) -> str:
        """For how long, and why."""
        parts = []
        if self.since:
            parts.append(
                _("for %(age)s") % {"age": formatting.age(self.since, self.site_status.now)}
            )
        if self.state is SiteState.NEEDS_RECONNECT:
            parts.append(self.site_status.reconnect_reason)
        elif self.state is SiteState.MISSING:
            parts.append(
                formatting.join_list(
                    formatting.kind_name(name) for name in self.site_status.missing_kinds
                )
            )
        elif self.state is SiteState.THROTTLED and self.site_status.account:
            until = self.site_status.account.throttled_until or self.site_status.now
            parts.append(
                _("continues at %(time)s")
                % {"time": formatting.date_time(until, self.site_status.now)}
            )
        elif self.state is SiteState.REGISTRATIONS_FAILED:
            parts.append(
                formatting.registration_count(self.site_status.registration_counts.get("failed", 0))
            )
        return ", ".join(parts)

    @property
    def checked(self) -> str:
        account = self.site_status.account
        if account is None or account.reconciled_at is None:
            return "–"
        return formatting.date_time(account.reconciled_at, self.site_status.now)

    @cached_property
    def owner(self) -> str:
        site_settings = self.site_status.site_settings
        email = notifications.owner_email(site_settings, self.changing_pairs)
        return email or self.fallback_owner

    @cached_property
    def mailed_at(self) -> datetime | None:
        """When the owner was last emailed about the current problem, by us or by the operator."""
        times = [self.last_mail_at] if self.last_mail_at else []
        if self.state is SiteState.NEEDS_RECONNECT and self.site_status.grant:
            times += [
                datetime.fromisoformat(str(text))
                for text in self.site_status.grant.reminders_sent or []
            ]
        return max((time for time in times if not self.since or time >= self.since), default=None)

    @property
    def mailed(self) -> str:
        if self.state not in MAILABLE_STATES:
            return ""
        if self.mailed_at is None:
            return _("not emailed")
        return _("emailed %(day)s") % {"day": formatting.short_day(self.mailed_at)}

    @property
    def can_mail(self) -> bool:
        account = self.site_status.account
        is_quarantined = account is not None and account.is_quarantined
        return self.state in MAILABLE_STATES and bool(self.owner) and not is_quarantined

    @property
    def panel_url(self) -> str:
        return links.panel_url(self.site_status)

    @property
    def visitors(self) -> str:
        """What the Site's pages show now."""
        if not (self.site_status.site_settings.shows_data and self.site_status.has_public_page):
            return _("Nothing")
        return self._shown_text

    @property
    def kinds_shown(self) -> str:
        """What kinds of things its pages show now, for files: no counting."""
        site_settings = self.site_status.site_settings
        if not (site_settings.shows_data and self.site_status.has_public_page):
            return _("Nothing")
        kinds = [formatting.kind_name(kind) for kind in Kind if kind in site_settings.kinds]
        return formatting.join_list(kinds) or _("Nothing")

    @property
    def visitors_note(self) -> str:
        """What its pages could show, while none of them has a block."""
        if not self.site_status.site_settings.shows_data or self.site_status.has_public_page:
            return ""
        text = _("No published page has a Zoom block. It would show %(shown)s.")
        return text % {"shown": self._shown_text}

    @property
    def _shown_text(self) -> str:
        return formatting.shown_counts(
            self.site_status.occurrences_shown, self.site_status.recordings_shown
        )

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Worst state first, then the one that lasts longest."""
        since = self.since or self.site_status.now
        return self.state.rank, since, self.site_status.site.hostname


def site_rows(sites: QuerySet[Site] | None = None, now: datetime | None = None) -> list[SiteRow]:
    """These Sites, or all, worst first: a fixed number of queries."""
    sites = Site.objects.order_by("hostname") if sites is None else sites
    fallback_owners, mail_times = _fallback_owners(), _mail_times()
    statuses = get_site_statuses(sites, now)
    pairs = changing_pairs(
        [
            (person, status.site)
            for status in statuses
            for person in notifications.persons_of(status.site_settings)
        ]
    )
    rows = [
        SiteRow(
            status,
            fallback_owners.get(status.site.pk, ""),
            mail_times.get(status.site.pk),
            pairs,
        )
        for status in statuses
    ]
    return sorted(rows, key=lambda row: row.sort_key)


@dataclass(frozen=True)
class SiteSummary:
    """The values of a row needed to sort, count and filter: the same in every language."""

    pk: int
    hostname: str
    owner: str
    group: str
    can_mail: bool
    was_mailed: bool
    site_name: str = ""

    @classmethod
    def from_row(cls, row: SiteRow) -> SiteSummary:
        return cls(
            pk=row.pk,
            hostname=row.site.hostname,
            owner=row.owner,
            group=row.group,
            can_mail=row.can_mail,
            was_mailed=row.mailed_at is not None,
            site_name=row.site.site_name,
        )

    def matches(self, query: str) -> bool:
        """Whether the folded text of a search is in the Site's hostname, name or owner."""
        return query in fold(f"{self.hostname}\n{self.site_name}\n{self.owner}")


def site_summaries() -> list[SiteSummary]:
    """All Sites, worst first. With many Sites, the order may be half a minute old.

    Computing the states of ten thousand Sites takes seconds, too long for each page of the list.
    Displayed rows are always computed again.
    """
    if Site.objects.count() <= CACHE_THRESHOLD:
        return [SiteSummary.from_row(row) for row in site_rows()]
    summaries: list[SiteSummary] | None = cache.get(SUMMARIES_KEY)
    if summaries is None:
        summaries = [SiteSummary.from_row(row) for row in site_rows()]
        cache.set(SUMMARIES_KEY, summaries, SUMMARIES_SECONDS)
    return summaries


def rows_for_summaries(summaries: Iterable[SiteSummary]) -> list[SiteRow]:
    """The full rows of these summaries, in their order."""
    pks = [summary.pk for summary in summaries]
    rows = {row.pk: row for row in site_rows(Site.objects.filter(pk__in=pks))}
    count_for_visitors(row.site_status for row in rows.values())
    return [rows[pk] for pk in pks if pk in rows]


def complete_for_file(rows: Iterable[SiteRow]) -> list[SiteRow]:
    """These rows with what a file needs of them, in a fixed number of queries: without counts."""
    rows = list(rows)
    public = usage.sites_with_public_pages(row.site for row in rows)
    for row in rows:
        row.site_status.has_public_page = row.pk in public
    return rows


def _fallback_owners() -> dict[int, str]:
    """By Site, the email of the first user whose group may change its Zoom settings."""
    conditions = {
        "permission__codename": CODENAME,
        "permission__content_type__app_label": "wagtail_zoom",
        "group__user__is_active": True,
    }
    permissions = GroupSitePermission.objects.filter(**conditions).exclude(group__user__email="")
    return dict(permissions.order_by("-group__user__pk").values_list("site", "group__user__email"))


def _mail_times() -> dict[int, datetime]:
    """By Site, when the owner was last emailed, apart from the reminders of a grant."""
    entries = Activity.objects.filter(code__in=("owner_mailed", "removal_mailed")).order_by()
    return dict(entries.values_list("site").annotate(last_at=Max("created_at")))


def row_of(site_status: SiteStatus) -> SiteRow:
    """The row of one Site whose status has been read."""
    fallback_owners, mail_times, pk = _fallback_owners(), _mail_times(), site_status.site.pk
    return SiteRow(site_status, fallback_owners.get(pk, ""), mail_times.get(pk))


def mail_url(row: SiteRow, next_url: str) -> str:
    """The page that asks before the owner is emailed, and leads to ``next_url``; empty where there
    is nothing to write about, or nobody to write to."""
    if not row.can_mail:
        return ""
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "site", "zoom_mail"])
    return f"{url}?{urlencode({'id': row.pk, 'next': next_url})}"


def mail_owner(row: SiteRow, user: Any) -> bool:
    """Email the owner of a Site what its panel shows, in the owner's language."""
    if not row.can_mail:
        return False
    with _for_owner(row):
        title, text = _mail_content(row)
        sent = notifications.send_status_email(
            row.site_status.site_settings, row.owner, title, text
        )
    if sent:
        account = row.site_status.account
        Activity.log([row.pk], "connection", "owner_mailed", account=account, user=user)
        cache.delete(SUMMARIES_KEY)
    return sent


def preview_mail(row: SiteRow) -> EmailMessage:
    """The email of ``mail_owner``, in the owner's language, not sent."""
    with _for_owner(row):
        title, text = _mail_content(row)
        site_settings = row.site_status.site_settings
        return notifications.status_email(site_settings, row.owner, title, text)


@contextmanager
def _for_owner(row: SiteRow) -> Iterator[None]:
    """Language and time zone of the owner; times name their day and zone."""
    with (
        notifications.owners_locale(row.site_status.site_settings),
        formatting.times_with_day_and_zone(),
    ):
        yield


def _mail_content(row: SiteRow) -> tuple[str, str]:
    if row.state is SiteState.NOT_CONNECTED:
        return (
            _("Zoom is not connected yet."),
            _("Connect it once, and your dates and recordings keep themselves up to date."),
        )
    message = status_rules.describe(row.site_status, row.state)
    return message.title, message.text
