"""Tells pages and caches that a form is no longer what it was: full, or open again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..models import Meeting, touch
from ..sync import persist


def set_block(meeting: Meeting, code: str) -> None:
    """Keep that Zoom refuses everybody (``code``), or that it takes people again (empty)."""
    was, meeting.registration_block = meeting.registration_block, code
    with transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(
            registration_block=code, registration_block_at=timezone.now() if code else None
        )
        if was != code:
            announce(meeting)


def set_count(meeting: Meeting, count: int) -> None:
    """Keep how many are registered."""
    was, meeting.registrant_count = is_full(meeting), count
    with transaction.atomic():
        rows = Meeting.objects.filter(pk=meeting.pk).exclude(registrant_count=count)
        if rows.update(registrant_count=count):
            _counted(meeting, was)


def step_count(meeting: Meeting, step: int) -> None:
    """Count one more or one less, also while others count."""
    rows = Meeting.objects.filter(pk=meeting.pk, registrant_count__isnull=False)
    if step < 0:
        rows = rows.filter(registrant_count__gt=0)
    with transaction.atomic():
        if rows.update(registrant_count=F("registrant_count") + step):
            was = is_full(meeting)
            meeting.refresh_from_db(fields=["registrant_count"])
            _counted(meeting, was)


def _counted(meeting: Meeting, was_full: bool) -> None:
    """Every count is new HTML; only the last place is worth emptying caches in front of us."""
    if was_full == is_full(meeting):
        touch(meeting.account_id)
    else:
        announce(meeting)


def is_full(meeting: Meeting) -> bool:
    """All places are taken, as far as we know."""
    return bool(meeting.capacity) and (meeting.registrant_count or 0) >= (meeting.capacity or 0)


def announce(meeting: Meeting) -> None:
    """Pages with this meeting's form are out of date."""
    persist.announce(meeting.account, [persist.Stored(meetings={meeting.pk})])
