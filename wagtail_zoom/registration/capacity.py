"""Stores whether a meeting is full or refuses registrations, and invalidates its pages."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..models import Meeting, bump_data_version
from ..sync import persist


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
    was_full, meeting.registrant_count = is_full(meeting), count
    with transaction.atomic():
        rows = Meeting.objects.filter(pk=meeting.pk).exclude(registrant_count=count)
        if rows.update(registrant_count=count):
            _publish_count(meeting, was_full)


def change_count(meeting: Meeting, change: int) -> None:
    """Add to the count. Safe while other processes do the same."""
    rows = Meeting.objects.filter(pk=meeting.pk, registrant_count__isnull=False)
    if change < 0:
        rows = rows.filter(registrant_count__gt=0)
    with transaction.atomic():
        if rows.update(registrant_count=F("registrant_count") + change):
            was_full = is_full(meeting)
            meeting.refresh_from_db(fields=["registrant_count"])
            _publish_count(meeting, was_full)


def _publish_count(meeting: Meeting, was_full: bool) -> None:
    """Every count invalidates block HTML; only the last place also purges the front-end cache."""
    if was_full == is_full(meeting):
        bump_data_version(meeting.account_id)
    else:
        publish_change(meeting)


def is_full(meeting: Meeting) -> bool:
    """Whether all known places are taken."""
    return bool(meeting.capacity) and (meeting.registrant_count or 0) >= (meeting.capacity or 0)


def publish_change(meeting: Meeting) -> None:
    """Invalidate the pages with this meeting's form."""
    persist.publish_changes(meeting.account, [persist.WriteResult(meetings={meeting.pk})])
