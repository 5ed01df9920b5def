"""All Sites of the installation with their state, worst first, for the operator."""

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
from . import formatting, links, status_rules
from .site_state import NEEDS_OWNER, SiteState
from .site_status import SiteStatus, get_site_statuses

GROUPS: dict[str, set[SiteState]] = {
    "reconnect": {SiteState.NEEDS_RECONNECT, SiteState.REVOKED, SiteState.QUARANTINED},
    "permission": {SiteState.MISSING},
    "errors": {
        SiteState.REGISTRATIONS_FAILED,
        SiteState.WITHHELD,
        SiteState.WORKER_DOWN,
        SiteState.CONFIRM,
    },
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
        "permission": _("lack a permission"),
        "errors": _("with errors"),
        "stale": _("not up to date"),
        "limited": _("limited by Zoom"),
        "well": _("well or paused"),
        "none": _("not connected"),
    }


GROUP_ICONS = {
    "reconnect": ("warning", "bad"),
    "permission": ("warning", "bad"),
    "errors": ("warning", "bad"),
    "stale": ("time", "warn"),
    "limited": ("time", "warn"),
    "well": ("success", "good"),
    "none": ("minus", "plain"),
}
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
    ``mailed_by_operator_at`` is when the operator last emailed the owner.
    """

    site_status: SiteStatus
    fallback_owner: str = ""
    mailed_by_operator_at: datetime | None = None

    @property
    def pk(self) -> int:
        return self.site_status.site.pk

    @property
    def site(self) -> Site:
        return self.site_status.site

    @cached_property
    def state(self) -> SiteState:
        return status_rules.classify(self.site_status)

    @property
    def group(self) -> str:
        return next(name for name, members in GROUPS.items() if self.state in members)

    @property
    def state_label(self) -> str:
        return status_rules.short_label(self.site_status, self.state)

    @property
    def icon_and_tone(self) -> tuple[str, str]:
        """Icon name and tone of the state."""
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
            SiteState.WORKER_DOWN: self.site_status.heartbeat_at,
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
                _("goes on at %(time)s")
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

    @property
    def owner(self) -> str:
        return notifications.owner_email(self.site_status.site_settings) or self.fallback_owner

    @cached_property
    def mailed_at(self) -> datetime | None:
        """When the owner was last emailed about the current problem, by us or by the operator."""
        times = [self.mailed_by_operator_at] if self.mailed_by_operator_at else []
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
            return _("not mailed")
        return _("mailed %(day)s") % {"day": formatting.short_day(self.mailed_at)}

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
        """What the Site's pages show now. Two queries: only for displayed rows."""
        if not self.site_status.site_settings.shows_data:
            return _("Nothing")
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
    fallback_owners, mail_times = _fallback_owners(), _operator_mail_times()
    rows = [
        SiteRow(status, fallback_owners.get(status.site.pk, ""), mail_times.get(status.site.pk))
        for status in get_site_statuses(sites, now)
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

    @classmethod
    def from_row(cls, row: SiteRow) -> SiteSummary:
        return cls(
            row.pk, row.site.hostname, row.owner, row.group, row.can_mail, row.mailed_at is not None
        )


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
    return [rows[pk] for pk in pks if pk in rows]


def _fallback_owners() -> dict[int, str]:
    """By Site, the email of the first user whose group may change its Zoom settings."""
    conditions = {
        "permission__codename": CODENAME,
        "permission__content_type__app_label": "wagtail_zoom",
        "group__user__is_active": True,
    }
    permissions = GroupSitePermission.objects.filter(**conditions).exclude(group__user__email="")
    return dict(permissions.order_by("-group__user__pk").values_list("site", "group__user__email"))


def _operator_mail_times() -> dict[int, datetime]:
    entries = Activity.objects.filter(code="owner_mailed").order_by()
    return dict(entries.values_list("site").annotate(last_at=Max("created_at")))


def mail_owner(row: SiteRow, user: Any) -> bool:
    """Email the owner of a Site what its panel shows, in the owner's language."""
    if not row.can_mail:
        return False
    with translation.override(notifications.language_of(row.site_status.site_settings)):
        title, text = _mail_content(row)
        sent = notifications.send_status_email(
            row.site_status.site_settings, row.owner, title, text
        )
    if sent:
        account = row.site_status.account
        Activity.log([row.pk], "connection", "owner_mailed", account=account, user=user)
        cache.delete(SUMMARIES_KEY)
    return sent


def _mail_content(row: SiteRow) -> tuple[str, str]:
    if row.state is SiteState.NOT_CONNECTED:
        return (
            _("Zoom is not connected yet."),
            _("Connect it once, and your dates and recordings keep themselves up to date."),
        )
    message = status_rules.describe(row.site_status)
    return message.title, message.text
