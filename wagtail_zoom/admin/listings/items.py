"""What the lists of meetings and of recordings share: Site items with their row in the mirror."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet

from ...models import Host, Kind, SiteItem
from .. import formatting, links, progress, usage
from .columns import Cell


def used_on(item: Any) -> Cell:
    """On how many pages an item was chosen."""
    return Cell(formatting.pages(item.used) if item.used else "–")


def ticked_hosts(request: Any) -> QuerySet[Host]:
    """The hosts that a filter may name: those of this Site."""
    rows = Host.objects.filter(exposed_on__settings=request.wagtail_zoom_choice.pk)
    return rows.order_by("display_name", "pk")


class ItemFilters(WagtailFilterSet):
    """What both lists can be filtered by."""

    used = django_filters.ChoiceFilter(
        label=gettext_lazy("Used on pages"),
        choices=[("yes", gettext_lazy("Chosen on a page")), ("no", gettext_lazy("On no page"))],
        method="by_use",
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = SiteItem
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters.move_to_end("used")

    def by_use(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        chosen = usage.is_chosen()
        return rows.filter(chosen) if value == "yes" else rows.exclude(chosen)


def importing(view: Any) -> dict[str, Any]:
    """That the list fills: how far the first import is."""
    run = view.facts.open_run
    if run is None or view.facts.grant is None:
        return {}
    bar = progress.of(run, view.facts.now)
    text = _("Nothing from Zoom yet.")
    if bar.total:
        share = _("The first import is %(n)d %% done.") % {"n": 100 * bar.done // bar.total}
        text = f"{text} {share}"
    return {"text": text, "url": links.panel_url(view.facts), "link": _("Watch it")}


def decided(item: Any, me: Any = None) -> str:
    """Who decided and when, for the note below a state."""
    if item.decided_at is None:
        return ""
    day = formatting.short_day(item.decided_at)
    user = item.decided_by
    if user is None:
        return day
    if user == me:
        return _("by you, %(day)s") % {"day": day}
    who = user.get_full_name() or user.get_username()
    return _("by %(who)s, %(day)s") % {"who": who, "day": day}


def count_usage(items: list[SiteItem]) -> None:
    """Set ``used`` on each item: one query."""
    counts = usage.counts_of(items)
    for item in items:
        item.used = counts.get(item.pk, 0)  # type: ignore[attr-defined]


def missing_kind(view: Any, kind: Kind) -> dict[str, Any]:
    """Why there can be nothing of this kind: switched off, or not allowed."""
    url = f"{links.panel_url(view.facts)}#tab-choices"
    grant = view.facts.grant
    if grant is not None and kind in (grant.missing_kinds or []):
        text = _("Zoom has not allowed this site to read them.")
        return {
            "text": text,
            "url": links.panel_url(view.facts),
            "link": _("Give the permission"),
        }
    if kind not in view.facts.choice.kinds:
        text = (
            _("Recordings are switched off.")
            if kind == Kind.RECORDING
            else _("Meetings and webinars are switched off.")
        )
        return {"text": text, "url": url, "link": _("What to show")}
    return {}
