"""What a complete listing no longer holds: expired, missing, or deleted.

If it is already over, absence means that Zoom has dropped the number: it stays shown from our
copy. If it is upcoming, removal needs two sightings (two listings, or a listing and a 404), and a
mass delete guard withholds removals that look like a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ..client import ZoomClient
from ..exceptions import ZoomError, ZoomNotFound
from ..models import (
    Activity,
    FetchScope,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SyncRun,
    Transcript,
    ZoomAccount,
    ZoomSettings,
    bump_rows,
)
from ..models.mirror import UNDATED_TYPES, is_live_at
from ..models.versions import publish_changes
from . import changes
from .event_effects import cancel_occurrences
from .persist import WriteResult
from .steps import Step, today

MASS_REMOVAL_COUNT = 10
MASS_REMOVAL_SHARE = 0.1
MAX_CONFIRMATIONS = 50
BATCH = 500


@dataclass(frozen=True)
class RemovalCounts:
    """How many rows of a kind were removed, and how many the mass delete guard withheld."""

    removed: int = 0
    withheld: int = 0


def mark_missing(
    account: ZoomAccount,
    run: SyncRun,
    step: Step,
    host: Host,
    client: ZoomClient,
    listed: Collection[str],
) -> None:
    """After a complete step: mark its rows that the listing no longer holds.

    Args:
        listed: numbers of the meetings in the listing (recordings are stamped with the run).
    """
    if step.kind == Kind.RECORDING:
        first, last = step.window(today())
        recordings = Recording.objects.filter(
            account=account, host=host, start__date__gte=first, start__date__lte=last
        ).filter(removed_at=None, trashed_at=None, expired_at=None)
        _record_missing(run, recordings.exclude(seen_run=run.pk))
        return
    rows = Meeting.objects.filter(account=account, host=host, kind=step.kind)
    rows = rows.filter(
        removed_at=None,  # guard: removed-not-removed-again
        expired_at=None,  # guard: expired-not-expired-again
    ).exclude(seen_run=run.pk)
    stored = rows.order_by("pk").values_list("pk", "zoom_id")
    gone = [pk for pk, number in stored if number not in listed]
    for begin in range(0, len(gone), BATCH):
        absent = Meeting.objects.filter(pk__in=gone[begin : begin + BATCH])
        upcoming = absent.filter(_is_upcoming())  # guard: past-items-not-removed
        _mark_expired(account, absent.exclude(pk__in=upcoming.values("pk")))
        _record_missing(run, upcoming)
    if gone:
        upcoming = rows.filter(
            _is_upcoming(), missing_since__gte=run.started_at or run.requested_at
        )
        _confirm_missing(run, upcoming, client)


def _record_missing(run: SyncRun, absent: QuerySet[Meeting] | QuerySet[Recording]) -> None:
    """Record the time of the first sighting; a later run that finds it missing is the second."""
    started = run.started_at or run.requested_at
    absent.filter(missing_since__lt=started).update(missed_run=run.pk)
    absent.filter(missing_since=None).update(missing_since=timezone.now())


def _is_upcoming() -> Q:
    """It has an upcoming occurrence, or no fixed time."""
    upcoming = Occurrence.objects.filter(meeting=OuterRef("pk"), end__gt=timezone.now()).exclude(
        state=Occurrence.State.CANCELLED
    )
    return Q(Exists(upcoming)) | Q(zoom_type__in=UNDATED_TYPES)


def _mark_expired(account: ZoomAccount, rows: QuerySet[Meeting]) -> None:
    pks = set(rows.values_list("pk", flat=True))
    if not pks:
        return
    now = timezone.now()
    with transaction.atomic():
        Meeting.objects.filter(pk__in=pks).update(expired_at=now, missing_since=None)
        Occurrence.objects.filter(meeting__in=pks, end__lte=now).exclude(
            is_live_at(now) | Q(state__in=(Occurrence.State.CANCELLED, Occurrence.State.EXPIRED))
        ).update(state=Occurrence.State.EXPIRED, state_since=now, updated_at=now)
        bump_rows(account.pk, pks)


def _confirm_missing(run: SyncRun, rows: QuerySet[Meeting], client: ZoomClient) -> None:
    """A 404 of the detail is the second sighting; with an answer the meeting still exists."""
    for row in rows.only("pk", "zoom_id", "kind")[:MAX_CONFIRMATIONS]:
        try:
            client.meeting(row.zoom_id, row.kind)
        except ZoomNotFound:
            Meeting.objects.filter(pk=row.pk).update(missed_run=run.pk)
        except ZoomError:
            continue
        else:
            Meeting.objects.filter(pk=row.pk).update(missing_since=None, seen_run=run.pk)


def apply_removals(
    account: ZoomAccount, scope: FetchScope, run: SyncRun
) -> dict[str, RemovalCounts]:
    """At the end of a complete run: remove what was missed twice, unless the guard withholds it."""
    result: dict[str, RemovalCounts] = {}
    for kind in Kind.values:
        alive: QuerySet[Meeting] | QuerySet[Recording]
        if kind == Kind.RECORDING:
            alive = Recording.objects.filter(account=account, removed_at=None)
        else:
            alive = Meeting.objects.filter(
                account=account,
                kind=kind,
                removed_at=None,  # guard: mass-removal-of-what-is-left
            )
        gone = alive.filter(
            missed_run=run.pk,  # guard: removal-needs-two-runs
            missing_since__isnull=False,
        )
        gone = gone.exclude(seen_run=run.pk)
        count, total = gone.count(), alive.count()
        if not count:
            continue
        if (
            count > MASS_REMOVAL_COUNT
            and count > total * MASS_REMOVAL_SHARE
            and not run.allow_removals
        ):  # guard: mass-removal-limit
            result[kind] = RemovalCounts(withheld=count)
            _log_withheld(account, kind, count)
            continue
        result[kind] = RemovalCounts(removed=remove(account, scope, list(gone)))
    return result


def _log_withheld(account: ZoomAccount, kind: str, count: int) -> None:
    sites = ZoomSettings.objects.filter(account=account).values_list("site_id", flat=True)
    Activity.log(
        sites, "sync", "removals_withheld", outcome=Activity.Outcome.WAITING,
        data={"kind": kind, "count": count}, account=account,
    )  # fmt: skip


@transaction.atomic
def remove(account: ZoomAccount, scope: FetchScope, rows: Sequence[Meeting | Recording]) -> int:
    """Soft delete: rows stay, because items, registrations and pages refer to them."""
    now = timezone.now()
    pks = {row.pk for row in rows}
    result = WriteResult()
    for row in rows[:1]:
        if isinstance(row, Recording):
            Recording.objects.filter(pk__in=pks).update(removed_at=now)
            Transcript.objects.filter(recording__in=pks).delete()
            result.recordings = pks
            changes.log_removed(account, scope, rows, "recording_gone")
        else:
            Meeting.objects.filter(pk__in=pks).update(removed_at=now)
            cancel_occurrences(Occurrence.objects.filter(meeting__in=pks), now)
            result.meetings = pks
            changes.log_removed(account, scope, rows, "meeting_gone")
    publish_changes(account, result.meetings, result.recordings)
    return len(pks)
