"""What editors read when a page goes: the meetings that were scheduled for it stay in Zoom."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Page, ReferenceIndex

from ...models import MeetingChange, Occurrence, SiteItem
from ..item_access import title_for_user

MAX_MEETINGS = 3


def tell_what_stays(request: Any, page: Page) -> None:
    """After unpublishing: a message for each meeting to come that was scheduled on the Site."""
    for item in _scheduled_items(page):
        text = _("“%(topic)s” stays in Zoom. Its owner can cancel it under Zoom → Meetings.")
        messages.info(request, text % {"topic": title_for_user(item)})


def tell_before_deleting(request: Any, page: Page) -> None:
    """The same when a page is deleted; asking for a confirmation says nothing yet."""
    if request.method == "POST":
        tell_what_stays(request, page)


def _scheduled_items(page: Page) -> list[SiteItem]:
    """Items on the page, and on those below it, of meetings to come that the CMS has created."""
    pages = page.get_descendants(inclusive=True).values_list("pk", flat=True)
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id__in=[str(pk) for pk in pages],
        to_content_type=ContentType.objects.get_for_model(SiteItem),
    )
    pks = [int(pk) for pk in references.values_list("to_object_id", flat=True).distinct()]
    created = MeetingChange.objects.filter(
        site=OuterRef("site"), meeting=OuterRef("meeting"), action=MeetingChange.Action.CREATE
    )
    ahead = Occurrence.objects.filter(meeting=OuterRef("meeting"), end__gte=timezone.now())
    ahead = ahead.exclude(state=Occurrence.State.CANCELLED)
    items = SiteItem.objects.filter(Exists(created), Exists(ahead), pk__in=pks)
    return list(items.order_by("pk")[:MAX_MEETINGS])
