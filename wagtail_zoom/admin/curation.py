"""An owner's decisions about items: show, hide, tag. They are logged and invalidate caches."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from ..frontend.visibility import SiteVisibility
from ..models import (
    SUMMARY,
    Activity,
    HiddenDate,
    ItemTag,
    Occurrence,
    SiteItem,
    Summary,
    SummaryReview,
    ZoomAccount,
    bump_items,
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
        was_shown = {item.pk for item in items if item.visibility == PUBLISHED}
        if visibility == PUBLISHED:
            items = _with_reviews(items, user)
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
        invalidate_items(items, was_shown)
    return len(items)


def _with_reviews(items: list[SiteItem], user: Any) -> list[SiteItem]:
    """The items that can be published; of summaries, those with a text, which becomes the reviewed
    one where nobody has saved another: visitors see no other text of Zoom's later."""
    summaries = [item for item in items if item.kind == SUMMARY]
    if not summaries:
        return items
    reviewed = SummaryReview.objects.filter(item__in=summaries).exclude(text="")
    publishable = set(reviewed.values_list("item", flat=True))
    for item in summaries:
        summary = SiteVisibility.for_site(item.site).row_of(item)
        is_readable = isinstance(summary, Summary) and not summary.is_withdrawn
        if not isinstance(summary, Summary) or not is_readable:
            publishable.discard(item.pk)
        elif item.pk not in publishable and summary.text:
            save_review(item, summary, summary.text, user, summary.version)
            publishable.add(item.pk)
    return [item for item in items if item.kind != SUMMARY or item.pk in publishable]


def save_review(
    item: SiteItem, summary: Summary, text: str, user: Any, zoom_version: str
) -> SummaryReview:
    """Save the text of a summary as a person has read it.

    Args:
        zoom_version: the version of Zoom's that the person has read; used for a first review.
    """
    review = SummaryReview.objects.filter(item=item).first()
    if review is None:
        review = SummaryReview(item=item, zoom_version=zoom_version)
    review.set_text(text)
    review.is_edited = text != summary.text
    review.reviewed_by, review.reviewed_at = user, timezone.now()
    review.save()
    item.review = review
    return review


def decide_difference(
    item: SiteItem, summary: Summary, review: SummaryReview, user: Any, *, takes_zoom: bool
) -> None:
    """Zoom has another version than the one that was reviewed: take it, or keep the own text."""
    with transaction.atomic():
        if takes_zoom:
            review.set_text(summary.text)
            review.is_edited = False
        review.zoom_version = summary.version
        review.reviewed_by, review.reviewed_at = user, timezone.now()
        review.save()
        Activity.log(
            [item.site_id],
            "curation",
            "summary_taken" if takes_zoom else "summary_kept",
            outcome=Activity.Outcome.GOOD,
            data={"topic": item.display_title, "kind": item.kind},
            user=user,
            items={item.site_id: item},
        )
        invalidate_items([item])


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


def invalidate_items(items: list[SiteItem], was_shown: Collection[int] = ()) -> None:
    """Invalidate caches of pages that show these items and send ``mirror_changed``.

    Args:
        was_shown: primary keys of items that were published before. Pages show no summary that is
            not, nor was.
    """
    by_account: dict[int, list[SiteItem]] = {}
    for item in items:
        by_account.setdefault(item.account_id, []).append(item)
    bump_items(items)
    for account in ZoomAccount.objects.filter(pk__in=by_account):
        account_items = by_account[account.pk]
        send_mirror_changed(
            account,
            {item.meeting_id for item in account_items if item.meeting_id},
            {item.recording_id for item in account_items if item.recording_id},
            {
                item.meeting_summary_id
                for item in account_items
                if item.meeting_summary_id
                and (item.visibility == PUBLISHED or item.pk in was_shown)
            },
        )
