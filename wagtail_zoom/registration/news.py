"""Tells pages and caches that a form is no longer what it was: full, or open again."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from ..models import Meeting
from ..sync import store


def set_block(meeting: Meeting, code: str) -> None:
    """Keep that Zoom refuses everybody (``code``), or that it takes people again (empty)."""
    Meeting.objects.filter(pk=meeting.pk).update(
        registration_block=code, registration_block_at=timezone.now() if code else None
    )
    if meeting.registration_block != code:
        announce(meeting)
    meeting.registration_block = code


def set_count(meeting: Meeting, count: int) -> None:
    """Keep how many are registered."""
    Meeting.objects.filter(pk=meeting.pk).update(registrant_count=count)
    was, meeting.registrant_count = is_full(meeting), count
    if was != is_full(meeting):
        announce(meeting)


def step_count(meeting: Meeting, step: int) -> None:
    """Count one more or one less, also while others count."""
    rows = Meeting.objects.filter(pk=meeting.pk, registrant_count__isnull=False)
    if step < 0:
        rows = rows.filter(registrant_count__gt=0)
    if rows.update(registrant_count=F("registrant_count") + step):
        was = is_full(meeting)
        meeting.refresh_from_db(fields=["registrant_count"])
        if was != is_full(meeting):
            announce(meeting)


def is_full(meeting: Meeting) -> bool:
    """All places are taken, as far as we know."""
    return bool(meeting.capacity) and (meeting.registrant_count or 0) >= (meeting.capacity or 0)


def announce(meeting: Meeting) -> None:
    """Pages with this meeting's form are out of date."""
    store.announce(meeting.account, [store.Stored(meetings={meeting.pk})])
