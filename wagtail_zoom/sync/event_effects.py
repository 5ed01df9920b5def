"""What only an event reports, or what must take effect immediately: live, ended, deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ..models import Meeting, Occurrence, Recording, Transcript, ZoomAccount
from ..models.mirror import ENDED_STATES, OVERRUN, PLANNED_STATES, is_known_to_be_empty
from ..models.versions import publish_changes

START_MATCH_WINDOW = timedelta(hours=12)
"""A start belongs to the nearest occurrence within this time."""
BATCH = 1000


@transaction.atomic
def mark_live(account: ZoomAccount, zoom_id: str, started_at: datetime) -> None:
    """Zoom reports that it has started. A start of the personal room starts no occurrence."""
    meeting = _get_meeting(account, zoom_id)
    if meeting is None or meeting.uses_personal_room:
        return
    if meeting.ended_at is not None and meeting.ended_at >= started_at:
        return  # the end arrived first
    occurrence = nearest_occurrence(meeting, started_at)
    if occurrence is None:
        return
    if occurrence.state == Occurrence.State.LIVE:
        # Started again before the end was received: that end does not belong to this start.
        Occurrence.objects.filter(pk=occurrence.pk, state_since__lt=started_at).update(
            state_since=started_at
        )
        Meeting.objects.filter(pk=meeting.pk, live_since__lt=started_at).update(
            live_since=started_at
        )
        return
    Occurrence.objects.filter(pk=occurrence.pk).update(
        state=Occurrence.State.LIVE, state_since=started_at, updated_at=timezone.now()
    )
    Meeting.objects.filter(pk=meeting.pk).update(live_since=started_at)
    publish_changes(account, meetings={meeting.pk})


@transaction.atomic
def mark_ended(
    account: ZoomAccount, zoom_id: str, started_at: datetime | None, ended_at: datetime
) -> None:
    """Zoom reports that everybody has left the room.

    Only a date whose planned end has passed is over. Before its start the host had looked in;
    within its time it is a pause (a limit of the plan, a lost connection): the date stays planned.
    An end can arrive after the next start (measured at Zoom): then it changes nothing.
    """
    meeting = _get_meeting(account, zoom_id)
    if meeting is None or meeting.uses_personal_room:
        return
    live = (
        Occurrence.objects.filter(meeting=meeting, state=Occurrence.State.LIVE)
        .order_by("start")
        .first()
    )
    if live is not None and live.state_since > max(ended_at, started_at or ended_at):
        return
    if meeting.ended_at is None or meeting.ended_at < ended_at:
        Meeting.objects.filter(pk=meeting.pk).update(live_since=None, ended_at=ended_at)
    occurrence = live or nearest_occurrence(meeting, started_at or ended_at)
    if occurrence is None or occurrence.state == Occurrence.State.CANCELLED:
        return
    state = Occurrence.State.OVER if ended_at >= occurrence.end else occurrence.planned_state
    if occurrence.state in (state, *ENDED_STATES):
        return
    Occurrence.objects.filter(pk=occurrence.pk).update(
        state=state, state_since=ended_at, updated_at=timezone.now()
    )
    publish_changes(account, meetings={meeting.pk})


@transaction.atomic
def hide_deleted(
    account: ZoomAccount, zoom_id: str, occurrence_ids: list[str] | None, deleted_at: datetime
) -> Meeting | None:
    """Zoom reports that a meeting, or some of its occurrences, was deleted: cancel them now.

    The read that follows confirms it, or restores them.
    """
    meeting = _get_meeting(account, zoom_id)
    if meeting is None or (
        meeting.fetched_at and meeting.fetched_at > deleted_at  # guard: late-deletion-ignored
    ):
        return None
    occurrences = Occurrence.objects.filter(meeting=meeting)
    if occurrence_ids:
        occurrences = occurrences.filter(zoom_id__in=occurrence_ids)
    now = timezone.now()
    if not cancel_occurrences(occurrences, now):
        return None
    # A read that began before does not undo it; Zoom's clock may run ahead.
    Meeting.objects.filter(pk=meeting.pk).update(provider_ts=min(deleted_at, now))
    publish_changes(account, meetings={meeting.pk})
    return meeting


def cancel_occurrences(occurrences: QuerySet[Occurrence], now: datetime) -> int:
    """Mark upcoming occurrences as cancelled; they are shown as such until their end."""
    upcoming = occurrences.filter(end__gt=now).exclude(
        state__in=(Occurrence.State.CANCELLED, Occurrence.State.OVER)
    )
    return upcoming.update(
        state=Occurrence.State.CANCELLED,
        state_since=now,
        updated_at=now,
        sequence=F("sequence") + 1,
    )


@transaction.atomic
def hide_recordings(
    account: ZoomAccount, uuids: list[str], happened_at: datetime, *, deleted: bool
) -> None:
    """Trashed recordings can come back, deleted ones cannot; neither can be watched now."""
    rows = Recording.objects.filter(account=account, uuid__in=uuids)
    pks = set(rows.exclude(fetched_at__gt=happened_at).values_list("pk", flat=True))
    if not pks:
        return
    column = "removed_at" if deleted else "trashed_at"
    stamp = min(happened_at, timezone.now())
    Recording.objects.filter(pk__in=pks).update(**{column: stamp, "provider_ts": stamp})
    if deleted:
        Transcript.objects.filter(recording__in=pks).delete()
    publish_changes(account, recordings=pks)


def close_past_occurrences(now: datetime) -> int:
    """Occurrences whose end has passed are over; how many changed.

    Unless Zoom has reported that the room is empty, they may run on for some hours.
    """
    planned = Occurrence.objects.filter(state__in=PLANNED_STATES, end__lt=now)
    empty = planned.filter(is_known_to_be_empty()).values_list("pk", flat=True)[:BATCH]
    overran = Occurrence.objects.filter(
        state__in=(*PLANNED_STATES, Occurrence.State.LIVE), end__lt=now - OVERRUN
    ).values_list("pk", flat=True)[:BATCH]
    pks = [*empty, *overran]
    if not pks:
        return 0
    return Occurrence.objects.filter(pk__in=pks).update(
        state=Occurrence.State.OVER, state_since=now
    )


def _get_meeting(account: ZoomAccount, zoom_id: str) -> Meeting | None:
    return Meeting.objects.filter(account=account, zoom_id=zoom_id).first()


def nearest_occurrence(meeting: Meeting, time: datetime) -> Occurrence | None:
    """The occurrence that something which began at this time belongs to."""
    candidates = Occurrence.objects.filter(
        meeting=meeting, start__gte=time - START_MATCH_WINDOW, start__lte=time + START_MATCH_WINDOW
    ).exclude(state=Occurrence.State.CANCELLED)
    return min(candidates, key=lambda occurrence: abs(occurrence.start - time), default=None)
