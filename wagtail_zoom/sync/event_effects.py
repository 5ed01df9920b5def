"""What only a message can say, or whose effect must be immediate: live, ended, deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ..models import Meeting, Occurrence, Recording, Transcript, ZoomAccount
from .persist import Stored, announce

State = Occurrence.State
NEAR = timedelta(hours=12)
"""A start belongs to the nearest date within so much."""
OVERRUN = timedelta(hours=6)
"""A live date whose end was never told is over at last so long after its planned end."""
BATCH = 1000


@transaction.atomic
def mark_live(account: ZoomAccount, zoom_id: str, at: datetime) -> None:
    """Zoom says that it has begun. A start of the personal room is no date's start."""
    meeting = _meeting(account, zoom_id)
    if meeting is None or meeting.uses_personal_room:
        return
    if meeting.ended_at is not None and meeting.ended_at >= at:
        return  # the end arrived first
    date = _nearest(meeting, at)
    if date is None:
        return
    if date.state == State.LIVE:
        # Begun anew before the end was told: that end, when it comes, is not this one's.
        Occurrence.objects.filter(pk=date.pk, state_since__lt=at).update(state_since=at)
        Meeting.objects.filter(pk=meeting.pk, live_since__lt=at).update(live_since=at)
        return
    Occurrence.objects.filter(pk=date.pk).update(
        state=State.LIVE, state_since=at, updated_at=timezone.now()
    )
    Meeting.objects.filter(pk=meeting.pk).update(live_since=at)
    announce(account, [Stored(meetings={meeting.pk})])


@transaction.atomic
def mark_ended(account: ZoomAccount, zoom_id: str, started: datetime | None, at: datetime) -> None:
    """Zoom says that it is over. Only what is live ends; a date still to come stays planned.

    An end can arrive after the next beginning (measured at Zoom): then it changes nothing.
    """
    meeting = _meeting(account, zoom_id)
    if meeting is None or meeting.uses_personal_room:
        return
    live = Occurrence.objects.filter(meeting=meeting, state=State.LIVE).order_by("start").first()
    if live is not None and live.state_since > max(at, started or at):
        return
    if meeting.ended_at is None or meeting.ended_at < at:
        Meeting.objects.filter(pk=meeting.pk).update(live_since=None, ended_at=at)
    date = live or _nearest(meeting, started or at)
    if date is None or date.state == State.CANCELLED:
        return
    # Ended long before its time: somebody looked in early, and the date itself is still to come.
    early = date.start - at > timedelta(minutes=15)
    planned = State.MOVED if date.previous_start else State.SCHEDULED
    state = planned if early else State.OVER
    Occurrence.objects.filter(pk=date.pk).update(
        state=state, state_since=at, updated_at=timezone.now()
    )
    announce(account, [Stored(meetings={meeting.pk})])


@transaction.atomic
def hide_deleted(
    account: ZoomAccount, zoom_id: str, occurrence_ids: list[str] | None, at: datetime
) -> Meeting | None:
    """Zoom says that a meeting, or some of its dates, was deleted: cancelled at once.

    The re-read that follows confirms it, or brings it back.
    """
    meeting = _meeting(account, zoom_id)
    if meeting is None or (meeting.fetched_at and meeting.fetched_at > at):
        return None
    dates = Occurrence.objects.filter(meeting=meeting)
    if occurrence_ids:
        dates = dates.filter(zoom_id__in=occurrence_ids)
    now = timezone.now()
    if not cancel_dates(dates, now):
        return None
    # A read that began before does not undo it; Zoom's clock may run ahead of ours.
    Meeting.objects.filter(pk=meeting.pk).update(provider_ts=min(at, now))
    announce(account, [Stored(meetings={meeting.pk})])
    return meeting


def cancel_dates(dates: QuerySet[Occurrence], now: datetime) -> int:
    """Mark dates that are still to come as cancelled; they are shown so until their end."""
    ahead = dates.filter(end__gt=now).exclude(state__in=(State.CANCELLED, State.OVER))
    return ahead.update(
        state=State.CANCELLED, state_since=now, updated_at=now, sequence=F("sequence") + 1
    )


@transaction.atomic
def hide_recordings(account: ZoomAccount, uuids: list[str], at: datetime, *, gone: bool) -> None:
    """Trashed recordings can come back, deleted ones cannot; neither can be watched now."""
    rows = Recording.objects.filter(account=account, uuid__in=uuids)
    pks = set(rows.exclude(fetched_at__gt=at).values_list("pk", flat=True))
    if not pks:
        return
    column = "removed_at" if gone else "trashed_at"
    stamp = min(at, timezone.now())
    Recording.objects.filter(pk__in=pks).update(**{column: stamp, "provider_ts": stamp})
    if gone:
        Transcript.objects.filter(recording__in=pks).delete()
    announce(account, [Stored(recordings=pks)])


def close_past(now: datetime) -> int:
    """Dates whose end has passed are over; live ones get some hours more. How many changed."""
    planned = Occurrence.objects.filter(
        end__lt=now, state__in=(State.SCHEDULED, State.MOVED)
    ).values_list("pk", flat=True)[:BATCH]
    live = Occurrence.objects.filter(end__lt=now - OVERRUN, state=State.LIVE).values_list(
        "pk", flat=True
    )[:BATCH]
    pks = [*planned, *live]
    if not pks:
        return 0
    return Occurrence.objects.filter(pk__in=pks).update(state=State.OVER, state_since=now)


def _meeting(account: ZoomAccount, zoom_id: str) -> Meeting | None:
    return Meeting.objects.filter(account=account, zoom_id=zoom_id).first()


def _nearest(meeting: Meeting, at: datetime) -> Occurrence | None:
    near = Occurrence.objects.filter(
        meeting=meeting, start__gte=at - NEAR, start__lte=at + NEAR
    ).exclude(state=State.CANCELLED)
    return min(near, key=lambda date: abs(date.start - at), default=None)
