"""An owner's decisions about items: show, hide, tag. They are logged and invalidate caches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from ..models import (
    Activity,
    HiddenDate,
    ItemTag,
    Occurrence,
    SiteItem,
    ZoomAccount,
    bump_data_version,
)
from ..models.versions import send_mirror_changed

PUBLISHED, HIDDEN, AUTO = (
    SiteItem.Visibility.PUBLISHED,
    SiteItem.Visibility.HIDDEN,
    SiteItem.Visibility.AUTO,
)
ACTIVITY_CODES = {PUBLISHED: "item_published", HIDDEN: "item_hidden", AUTO: "item_by_rule"}
LOG_ACTIONS = {PUBLISHED: "wagtail_zoom.publish", HIDDEN: "wagtail_zoom.hide"}


def set_visibility(items: Iterable[SiteItem], visibility: str, user: Any) -> int:
    """Publish or hide items, or leave them to the rules. Returns the number of items."""
    items = list(items)
    with transaction.atomic():
        now = timezone.now()
        for item in items:
            item.visibility, item.decided_by, item.decided_at = visibility, user, now
        SiteItem.objects.bulk_update(
            items, ["visibility", "decided_by", "decided_at"], batch_size=200
        )
        for item in items:
            Activity.log(
                [item.site_id],
                "curation",
                ACTIVITY_CODES[SiteItem.Visibility(visibility)],
                outcome=Activity.Outcome.GOOD,
                data={"topic": item.display_title, "kind": item.kind},
                user=user,
                items={item.site_id: item},
            )
            if visibility in LOG_ACTIONS:
                log(
                    instance=item,
                    action=LOG_ACTIONS[SiteItem.Visibility(visibility)],
                    user=user,
                    title=item.display_title,
                )
        invalidate_items(items)
    return len(items)


def set_date_visibility(item: SiteItem, occurrence: Occurrence, user: Any, *, hide: bool) -> None:
    """Hide one date of a meeting from visitors, or show it again. Registered people keep it."""
    with transaction.atomic():
        if hide:
            _row, is_changed = HiddenDate.objects.get_or_create(
                item=item, public_id=occurrence.public_id, defaults={"hidden_by": user}
            )
        else:
            rows = HiddenDate.objects.filter(item=item, public_id=occurrence.public_id)
            is_changed = bool(rows.delete()[0])
        if not is_changed:
            return
        Activity.log(
            [item.site_id],
            "curation",
            "date_hidden" if hide else "date_shown",
            outcome=Activity.Outcome.GOOD,
            data={
                "topic": item.display_title,
                "kind": item.kind,
                "start": occurrence.start.isoformat(),
            },
            user=user,
            items={item.site_id: item},
        )
        log(
            instance=item,
            action=LOG_ACTIONS[HIDDEN if hide else PUBLISHED],
            user=user,
            data={"date": occurrence.start.isoformat()},
        )
        invalidate_items([item])


def add_tags(items: Iterable[SiteItem], names: Iterable[str]) -> int:
    """Add tags to items; existing tags stay."""
    items, names = list(items), list(names)
    with transaction.atomic():
        rows = [ItemTag(item=item, name=name) for item in items for name in names]
        ItemTag.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        invalidate_items(items)
    return len(items)


def split_tags(text: str) -> list[str]:
    """``breathing, evening`` as a list, without empty and repeated ones."""
    return list(dict.fromkeys(name.strip()[:50] for name in text.split(",") if name.strip()))


def invalidate_items(items: list[SiteItem]) -> None:
    """Invalidate caches of pages that show these items and send ``mirror_changed``."""
    by_account: dict[int, list[SiteItem]] = {}
    for item in items:
        by_account.setdefault(item.account_id, []).append(item)
    bump_data_version(*by_account)
    for account in ZoomAccount.objects.filter(pk__in=by_account):
        account_items = by_account[account.pk]
        send_mirror_changed(
            account,
            {item.meeting_id for item in account_items if item.meeting_id},
            {item.recording_id for item in account_items if item.recording_id},
        )
