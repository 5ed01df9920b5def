"""Stores whether a meeting is full or refuses registrations, and invalidates its pages.

Zoom tells nobody how many places are left: the registrants of meetings with a limit are counted.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ..client import Priority, client_for_reading
from ..exceptions import ZoomConfigurationError, ZoomError
from ..frontend.availability import REFUSAL_TTL
from ..models import Meeting, ZoomSettings, bump_rows
from ..models.versions import publish_changes
from ..utils.logging import get_logger
from ..utils.queue import debounce, enqueue

logger = get_logger("registration")

INTERVAL = timedelta(hours=6)
"""Registrants are counted again so long after the last count, and after each change."""
RETRY_INTERVAL = timedelta(minutes=10)
"""After an error."""
DEBOUNCE_SECONDS = 10
MAX_PER_SWEEP = 50


def set_refusal(meeting: Meeting, code: str) -> None:
    """Store that Zoom refuses all registrations (``code``), or accepts them again (empty)."""
    previous, meeting.registration_block = meeting.registration_block, code
    with transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(
            registration_block=code, registration_block_at=timezone.now() if code else None
        )
        if previous != code:
            publish_change(meeting)


def set_count(meeting: Meeting, count: int) -> None:
    """Store how many people are registered."""
    places, meeting.registrant_count = meeting.places, count
    with transaction.atomic():
        rows = Meeting.objects.filter(pk=meeting.pk).exclude(registrant_count=count)
        if rows.update(registrant_count=count):
            _publish_count(meeting, places)


def change_count(meeting: Meeting, change: int) -> None:
    """Add to the count. Safe while other processes do the same."""
    rows = Meeting.objects.filter(pk=meeting.pk, registrant_count__isnull=False)
    if change < 0:
        rows = rows.filter(registrant_count__gt=0)
    with transaction.atomic():
        if rows.update(registrant_count=F("registrant_count") + change):
            places = meeting.places
            meeting.refresh_from_db(fields=["registrant_count"])
            _publish_count(meeting, places)


def _publish_count(meeting: Meeting, before: tuple[int, int] | None) -> None:
    """Every count invalidates block HTML; only the last place also purges the front-end cache."""
    if _is_full(before) == _is_full(meeting.places):
        bump_rows(meeting.account_id, [meeting.pk])
    else:
        publish_change(meeting)


def _is_full(places: tuple[int, int] | None) -> bool:
    return places is not None and not places[0]


def publish_change(meeting: Meeting) -> None:
    """Invalidate the pages with this meeting's form."""
    publish_changes(meeting.account, {meeting.pk})


def request_count(meeting: Meeting) -> None:
    """Somebody has registered or cancelled: count the registrants again, if there is a limit."""
    if not meeting.capacity:
        return
    Meeting.objects.filter(pk=meeting.pk).update(registrants_counted_at=None)
    if debounce(f"count:{meeting.pk}", DEBOUNCE_SECONDS):
        enqueue("count_registrants", meeting.pk)


def count_registrants(meeting_pk: int) -> None:
    """As a task: count the registrants of a meeting at Zoom, unless another process does.

    An error is logged, and the count repeated after ``RETRY_INTERVAL``.
    """
    now = timezone.now()
    if not _due(now).filter(pk=meeting_pk).update(registrants_counted_at=now):
        return
    meeting = Meeting.objects.select_related("account").get(pk=meeting_pk)
    try:
        set_count(meeting, _count_at_zoom(meeting))
    except (ZoomError, ZoomConfigurationError) as error:
        logger.info("Registrants were not counted (%s).", type(error).__name__)
        Meeting.objects.filter(pk=meeting_pk, registrants_counted_at=now).update(
            registrants_counted_at=now - INTERVAL + RETRY_INTERVAL
        )


def _count_at_zoom(meeting: Meeting) -> int:
    """By Zoom's total; where it gives none, by reading them all."""
    client = client_for_reading(meeting.account, meeting.host_zoom_id, Priority.RECONCILE)
    count = 0
    for status in ("approved", "pending"):
        listing = (meeting.zoom_id, meeting.kind, status)
        total = next(client.registrants(*listing, page_size=1)).total
        if total is None:
            total = sum(len(page.items) for page in client.registrants(*listing))
        count += total
    return count


def _due(now: datetime) -> QuerySet[Meeting]:
    """Meetings with a limit that have not been counted for a while, or since a change."""
    is_due = Q(registrants_counted_at=None) | Q(registrants_counted_at__lte=now - INTERVAL)
    return Meeting.objects.filter(is_due, capacity__gt=0)


def with_open_registration(now: datetime) -> QuerySet[Meeting]:
    """Meetings with registration on some Site that are not over."""
    sites = ZoomSettings.objects.filter(
        account=OuterRef("account"),
        show_registration=True,  # guard: registrants-read-for-accepting-sites
        grant__isnull=False,
    )
    rows = Meeting.objects.taking_registration().not_over(now)
    return rows.filter(Exists(sites), removed_at=None, is_events_webinar=False)


def sweep(now: datetime) -> None:
    """Every minute: count registrants where it is due, and end refusals that are too old."""
    due = _due(now).filter(pk__in=with_open_registration(now).values("pk"))
    due = due.order_by(F("registrants_counted_at").asc(nulls_first=True), "pk")
    for pk in due.values_list("pk", flat=True)[:MAX_PER_SWEEP]:
        enqueue("count_registrants", pk)
    old = Meeting.objects.filter(registration_block_at__lt=now - REFUSAL_TTL)
    for meeting in old.exclude(registration_block="").select_related("account")[:MAX_PER_SWEEP]:
        set_refusal(meeting, "")
