"""What the lists of meetings and of recordings share: Site items with their row in the mirror."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from ...models import Kind, SiteItem
from .. import addresses, usage, wording
from .columns import Cell


def used_on(item: Any) -> Cell:
    """On how many pages an item was chosen."""
    return Cell(wording.pages(item.used) if item.used else "–")


def decided(item: Any) -> str:
    """Who decided and when, for the note below a state."""
    if item.decided_at is None:
        return ""
    day = wording.short_day(item.decided_at)
    user = item.decided_by
    if user is None:
        return day
    who = user.get_full_name() or user.get_username()
    return _("by %(who)s, %(day)s") % {"who": who, "day": day}


def count_usage(items: list[SiteItem]) -> None:
    """Set ``used`` on each item: one query."""
    counts = usage.counts_of(items)
    for item in items:
        item.used = counts.get(item.pk, 0)  # type: ignore[attr-defined]


def missing_kind(view: Any, kind: Kind) -> dict[str, Any]:
    """Why there can be nothing of this kind: switched off, or not allowed."""
    url = f"{addresses.panel_url(view.facts)}#tab-choices"
    grant = view.facts.grant
    if grant is not None and kind in (grant.missing_kinds or []):
        text = _("Zoom has not allowed this site to read them.")
        return {
            "text": text,
            "url": addresses.panel_url(view.facts),
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
