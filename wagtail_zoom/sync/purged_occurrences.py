"""Registrations find their meeting and dates again when the local copy is deleted and comes back.

An owner unticks a host and ticks it again, disconnects and connects again: the rows are deleted and
stored anew. What people hold (personal links, calendar entries) refers to our ids of the dates. So
these are saved as long as somebody is registered, and restored before Zoom's answer is matched to
the dates: one that has moved meanwhile is a moved date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from ..models import (
    FetchScope,
    Meeting,
    Occurrence,
    PurgedOccurrence,
    Registration,
    RegistrationDate,
    ZoomAccount,
)

COPIED = ("public_id", "zoom_id", "start", "end", "duration", "previous_start", "sequence")


def save(meeting_pks: Collection[int]) -> None:
    """Save the dates of meetings that are about to be deleted, where people are registered."""
    rows = Occurrence.objects.filter(
        Exists(_registrations(account=OuterRef("account"), number=OuterRef("meeting__zoom_id"))),
        meeting__in=meeting_pks,
    )
    purged = [
        PurgedOccurrence(
            account_id=row.account_id,
            meeting_zoom_id=row.meeting.zoom_id,
            state=row.state,
            **{name: getattr(row, name) for name in COPIED},
        )
        for row in rows.select_related("meeting")
    ]
    if not purged:
        return
    PurgedOccurrence.objects.filter(public_id__in=[row.public_id for row in purged]).delete()
    PurgedOccurrence.objects.bulk_create(purged, batch_size=500)
    current = Occurrence.objects.filter(pk=OuterRef("occurrence"))
    RegistrationDate.objects.filter(occurrence__meeting__in=meeting_pks).update(
        start=Subquery(current.values("start")),
        zoom_occurrence_id=Subquery(current.values("zoom_id")),
    )


def restore(account: ZoomAccount, scope: FetchScope, meetings: Iterable[Meeting]) -> list[str]:
    """Link the registrations of meetings that were just created, and restore their purged dates.

    Only registrations of Sites that may read the meeting: a Site that left keeps the snapshots.
    Call it before Zoom's dates are stored, and ``link_dates`` afterwards with what this returns:
    the numbers of meetings whose registrations were linked.
    """
    by_number = {meeting.zoom_id: meeting for meeting in meetings}
    waiting = Registration.objects.filter(
        account=account, meeting=None, meeting_zoom_id__in=list(by_number)
    )
    numbers = set(waiting.values_list("meeting_zoom_id", flat=True)) if by_number else set()
    for number in numbers:
        sites = scope.sites(by_number[number].kind, by_number[number].host_id)
        rows = waiting.filter(meeting_zoom_id=number)
        rows = rows.filter(site__in=sites)  # guard: registrations-of-left-sites-stay-apart
        rows.update(meeting=by_number[number])  # guard: registrations-find-their-meeting
    if numbers:
        _restore_dates(account, {number: by_number[number] for number in numbers})
    return sorted(numbers)


def link_to_stored(site_id: int, account: ZoomAccount, usable: QuerySet[Meeting]) -> None:
    """Link a Site's registrations to stored meetings that it may read again."""
    waiting = Registration.objects.filter(site=site_id, account=account, meeting=None)
    numbers = set(waiting.values_list("meeting_zoom_id", flat=True))
    meetings = usable.filter(zoom_id__in=numbers).only("pk", "zoom_id") if numbers else []
    linked = []
    for meeting in meetings:
        waiting.filter(meeting_zoom_id=meeting.zoom_id).update(meeting=meeting)
        linked.append(meeting.zoom_id)
    link_dates(account, linked)


def _restore_dates(account: ZoomAccount, meetings: dict[str, Meeting]) -> None:
    purged = list(
        PurgedOccurrence.objects.filter(account=account, meeting_zoom_id__in=list(meetings))
    )
    if not purged:
        return
    now = timezone.now()
    occurrences = [
        Occurrence(
            meeting=meetings[row.meeting_zoom_id],
            account=account,
            state=_state(row),
            state_since=now,
            updated_at=now,
            **{name: getattr(row, name) for name in COPIED},
        )
        for row in purged
    ]
    Occurrence.objects.bulk_create(occurrences, batch_size=500)
    PurgedOccurrence.objects.filter(pk__in=[row.pk for row in purged]).delete()
    link_dates(account, list(meetings))


def _state(row: PurgedOccurrence) -> str:
    if row.state != Occurrence.State.LIVE:
        return row.state
    return Occurrence.State.MOVED if row.previous_start else Occurrence.State.SCHEDULED


def link_dates(account: ZoomAccount, numbers: list[str]) -> None:
    """Link the chosen dates of registrations, by Zoom's id of the date or else by its start."""
    if not numbers:
        return
    occurrences: dict[str, dict[str | datetime | None, Occurrence]] = defaultdict(dict)
    for row in Occurrence.objects.filter(
        account=account, meeting__zoom_id__in=numbers
    ).select_related("meeting"):
        occurrences[row.meeting.zoom_id] |= {row.start: row, row.zoom_id: row}
    dates = RegistrationDate.objects.filter(
        occurrence=None,
        registration__account=account,
        registration__meeting_zoom_id__in=numbers,
        registration__meeting__isnull=False,  # guard: dates-of-left-sites-stay-apart
    ).annotate(number=F("registration__meeting_zoom_id"))
    linked = []
    for date in dates:
        by_key = occurrences[date.number]
        date.occurrence = by_key.get(date.zoom_occurrence_id) or by_key.get(date.start)
        if date.occurrence is not None:
            linked.append(date)
    RegistrationDate.objects.bulk_update(linked, ["occurrence"], batch_size=200)


def unneeded() -> QuerySet[PurgedOccurrence]:
    """Purged dates for which nobody is registered any more."""
    registrations = _registrations(account=OuterRef("account"), number=OuterRef("meeting_zoom_id"))
    return PurgedOccurrence.objects.exclude(Exists(registrations))


def _registrations(account: OuterRef, number: OuterRef) -> QuerySet[Registration]:
    return Registration.objects.filter(account=account, meeting_zoom_id=number)
