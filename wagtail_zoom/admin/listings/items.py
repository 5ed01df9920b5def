"""Shared by the lists of meetings, recordings and summaries: Site items and their synced object."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet

from ...frontend.visibility import SiteVisibility
from ...models import Host, Kind, SiteItem
from .. import formatting, links, progress, reasons, usage
from ..site_status import is_missing_in_zoom
from .base import RadioFilter
from .columns import Cell


def usage_cell(item: Any) -> Cell:
    """On how many pages an item is used."""
    return Cell(formatting.page_count(item.page_count) if item.page_count else "–")


def in_state(rows: QuerySet[SiteItem], value: str) -> QuerySet[SiteItem]:
    """Rows that wait for review (``new``), are ``published``, ``hidden`` or ``over``."""
    is_over = SiteItem.expired()
    condition = {
        "new": Q(visibility=SiteItem.Visibility.AUTO),
        "published": Q(visibility=SiteItem.Visibility.PUBLISHED) & ~is_over,
        "hidden": Q(visibility=SiteItem.Visibility.HIDDEN),
        "over": is_over,
    }[value]
    return rows.filter(condition)


def to_review_first(rows: QuerySet[SiteItem], start: str) -> QuerySet[SiteItem]:
    """Rows that wait for review first, then the latest ``start``."""
    is_new = When(visibility=SiteItem.Visibility.AUTO, then=Value(0))
    first = Case(is_new, default=Value(1), output_field=IntegerField())
    return rows.order_by(first, f"-{start}", "-pk")


def review_intro(view: Any, n: int, strong: str) -> dict[str, Any]:
    """Above a list: how many rows wait for review, and a link to them; nothing once it is used."""
    if not n or view.request.GET.get("state"):
        return {}
    return {
        "strong": strong,
        "text": ngettext(
            "waits for you. Visitors do not see it until you publish it.",
            "wait for you. Visitors do not see them until you publish them.",
            n,
        ),
        "url": f"{view.index_url}?site={view.site.pk}&state=new",
        "link": _("Show only the new ones"),
    }


def review_state_cell(item: Any, new: str) -> Cell:
    """The state of a row that is shown only after review; ``new``: the label while it waits."""
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return Cell(_("Hidden"), getattr(item, "row_note", ""), tag="plain")
    if item.is_expired:
        return Cell(_("Over"), _("taken off automatically"), tag="plain")
    if item.visibility == SiteItem.Visibility.AUTO:
        since = _("since %(day)s") % {"day": formatting.short_day(item.created_at)}
        return Cell(new, since, tag="primary")
    if getattr(item, "row_shown", True):
        return Cell(_("Published"), getattr(item, "row_note", ""), tag="primary")
    return Cell(_("Not shown"), getattr(item, "row_reason", ""), tag="plain")


def exposed_hosts(request: Any) -> QuerySet[Host]:
    """The hosts of this Site, as options of a filter."""
    return request.wagtail_zoom_visibility.usable_hosts().order_by("display_name", "pk")


class HostFilter(django_filters.ModelChoiceFilter):
    """A host of this Site."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=gettext_lazy("Host"),
            queryset=exposed_hosts,
            widget=forms.RadioSelect,
            empty_label=gettext_lazy("All"),
            **kwargs,
        )


SHOWN_TITLE = Lower(Coalesce(NullIf("title", Value("")), "last_title"))
"""The title that lists show: the owner's, otherwise the last one from Zoom."""


class ItemFilters(WagtailFilterSet):
    """Filters of both lists."""

    used = RadioFilter(
        label=gettext_lazy("Used on pages"),
        choices=[("yes", gettext_lazy("Chosen on a page")), ("no", gettext_lazy("On no page"))],
        method="by_use",
    )

    missing = RadioFilter(
        label=gettext_lazy("In Zoom"),
        choices=[("yes", gettext_lazy("No longer in Zoom"))],
        method="by_missing",
    )

    class Meta:
        model = SiteItem
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters.move_to_end("used")
        self.filters.move_to_end("missing")

    def by_use(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        is_used = usage.is_used()
        return rows.filter(is_used) if value == "yes" else rows.exclude(is_used)

    def by_missing(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        return rows.filter(is_missing_in_zoom())


def set_rows(visibility: SiteVisibility, items: list[Any]) -> None:
    """Set ``zoom_row`` on each item of ``SiteVisibility.items``, the row it stands for."""
    rows = visibility.rows_of(items)
    for item in items:
        item.zoom_row = rows.get(item.pk)


def set_reviewed_rows(view: Any, items: list[Any], visible: QuerySet[Any]) -> list[Any]:
    """Set what lists of recordings and summaries say of each item; returns those with a row.

    ``visible``: the rows that visitors see.
    """
    set_rows(view.site_status.visibility, items)
    items = [item for item in items if item.zoom_row is not None]
    pks = [item.zoom_row.pk for item in items]
    shown = set(visible.filter(pk__in=pks).values_list("pk", flat=True))
    host_ids = reasons.exposed_host_ids(view.site_status.site_settings)
    for item in items:
        row = item.zoom_row
        item.row_title, item.row_start = item.display_title, row.start
        item.row_host = str(row.host) if row.host else ""
        item.row_shown = row.pk in shown
        item.row_note = decision_note(item, view.request.user)
        item.row_reason = (
            "" if item.row_shown else reasons.row_reason(view.site_status, row, item, host_ids)
        )
    return items


def import_message(view: Any) -> dict[str, Any]:
    """The progress of the first import, for an empty list."""
    run = view.site_status.open_run
    if run is None or view.site_status.grant is None:
        return {}
    run_progress = progress.progress_of(run, view.site_status.now)
    text = _("Nothing from Zoom yet.")
    if run_progress.total:
        share = _("The first import is %(n)d %% done.") % {
            "n": 100 * run_progress.completed // run_progress.total
        }
        text = f"{text} {share}"
    return {"text": text, "url": links.panel_url(view.site_status), "link": _("Watch it")}


def decision_note(item: Any, current_user: Any = None) -> str:
    """Who decided and when, for the note below a state."""
    if item.decided_at is None:
        return ""
    day = formatting.short_day(item.decided_at)
    user = item.decided_by
    if user is None:
        return day
    if user == current_user:
        return _("by you, %(day)s") % {"day": day}
    return _("by %(who)s, %(day)s") % {"who": formatting.user_name(user), "day": day}


def set_page_counts(items: list[SiteItem]) -> None:
    """Set ``page_count`` on each item: one query."""
    counts = usage.page_counts(items)
    for item in items:
        item.page_count = counts.get(item.pk, 0)  # type: ignore[attr-defined]  # for cells


def missing_kind_message(view: Any, kind: Kind) -> dict[str, Any]:
    """Why there are no objects of this kind: switched off, or not allowed."""
    url = f"{links.panel_url(view.site_status)}#tab-choices"
    grant = view.site_status.grant
    if grant is not None and kind in (grant.missing_kinds or []):
        text = _("Zoom has not allowed this site to read them.")
        return {
            "text": text,
            "url": links.panel_url(view.site_status),
            "link": _("Give the permission"),
        }
    if kind not in view.site_status.site_settings.kinds:
        text = (
            _("Recordings are switched off.")
            if kind == Kind.RECORDING
            else _("Meetings and webinars are switched off.")
        )
        return {"text": text, "url": url, "link": _("What to show")}
    return {}
