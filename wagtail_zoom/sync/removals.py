"""What a complete listing no longer holds: lapsed, missing, or deleted. Never in a hurry.

Of something already over, absence means that Zoom let the number lapse: it stays shown from our
copy. Of something ahead it takes two sightings (two listings, or a listing and a 404), and a brake
holds back removals that look like a mistake.
"""

from __future__ import annotations

from collections.abc import Collection
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
    touch,
)
from . import changes
from .event_effects import cancel_dates
from .persist import Stored, announce
from .steps import Unit, today

BRAKE_COUNT = 10
BRAKE_SHARE = 0.1
CONFIRMED_AT_ONCE = 50
BATCH = 500


@dataclass(frozen=True)
class Removed:
    """How many rows of a kind went, and how many the brake held back."""

    removed: int = 0
    withheld: int = 0


def mark_missing(
    account: ZoomAccount,
    run: SyncRun,
    unit: Unit,
    host: Host,
    client: ZoomClient,
    listed: Collection[str],
) -> None:
    """After a complete unit: note which rows of it the listing no longer holds.

    Args:
        listed: numbers of the meetings that stood in it (recordings are stamped with the run).
    """
    if unit.kind == Kind.RECORDING:
        first, last = unit.window(today())
        rows = Recording.objects.filter(
            account=account, host=host, start__date__gte=first, start__date__lte=last
        )
        absent = rows.filter(removed_at=None, trashed_at=None, expired_at=None)
        _note(run, absent.exclude(seen_run=run.pk))
        return
    rows = Meeting.objects.filter(account=account, host=host, kind=unit.kind)
    rows = rows.filter(removed_at=None, expired_at=None).exclude(seen_run=run.pk)
    stored = rows.order_by("pk").values_list("pk", "zoom_id")
    gone = [pk for pk, number in stored if number not in listed]
    for first in range(0, len(gone), BATCH):
        absent = Meeting.objects.filter(pk__in=gone[first : first + BATCH])
        ahead = absent.filter(_ahead())  # guard: past-items-not-removed
        _lapse(account, absent.exclude(pk__in=ahead.values("pk")))
        _note(run, ahead)
    if gone:
        ahead = rows.filter(_ahead(), missing_since__gte=run.started_at or run.requested_at)
        _confirm(run, ahead, client)


def _note(run: SyncRun, absent: QuerySet[Meeting] | QuerySet[Recording]) -> None:
    """The first sighting is dated; a later run that looked there too makes the second."""
    begun = run.started_at or run.requested_at
    absent.filter(missing_since__lt=begun).update(missed_run=run.pk)
    absent.filter(missing_since=None).update(missing_since=timezone.now())


def _ahead() -> Q:
    """Something of it is still to come, or it has no date at all."""
    coming = Occurrence.objects.filter(meeting=OuterRef("pk"), end__gt=timezone.now()).exclude(
        state=Occurrence.State.CANCELLED
    )
    return Q(Exists(coming)) | Q(zoom_type__in=(3, 6))


def _lapse(account: ZoomAccount, rows: QuerySet[Meeting]) -> None:
    pks = set(rows.values_list("pk", flat=True))
    if not pks:
        return
    now = timezone.now()
    with transaction.atomic():
        Meeting.objects.filter(pk__in=pks).update(expired_at=now, missing_since=None)
        Occurrence.objects.filter(meeting__in=pks, end__lte=now).exclude(
            state__in=(Occurrence.State.CANCELLED, Occurrence.State.EXPIRED)
        ).update(state=Occurrence.State.EXPIRED, state_since=now, updated_at=now)
        touch(account.pk)


def _confirm(run: SyncRun, rows: QuerySet[Meeting], client: ZoomClient) -> None:
    """A 404 of the detail is the second sighting; an answer is a sign of life."""
    for row in rows.only("pk", "zoom_id", "kind")[:CONFIRMED_AT_ONCE]:
        try:
            client.meeting(row.zoom_id, row.kind)
        except ZoomNotFound:
            Meeting.objects.filter(pk=row.pk).update(missed_run=run.pk)
        except ZoomError:
            continue
        else:
            Meeting.objects.filter(pk=row.pk).update(missing_since=None, seen_run=run.pk)


def apply_removals(account: ZoomAccount, scope: FetchScope, run: SyncRun) -> dict[str, Removed]:
    """At the end of a complete run: remove what was missed twice, unless the brake holds."""
    result: dict[str, Removed] = {}
    for kind in Kind.values:
        if kind == Kind.RECORDING:
            alive = Recording.objects.filter(account=account, removed_at=None)
        else:
            alive = Meeting.objects.filter(account=account, kind=kind, removed_at=None)
        gone = alive.filter(
            missed_run=run.pk,  # guard: removal-needs-two-runs
            missing_since__isnull=False,
        )
        gone = gone.exclude(seen_run=run.pk)
        count, total = gone.count(), alive.count()
        if not count:
            continue
        if (
            count > BRAKE_COUNT and count > total * BRAKE_SHARE and not run.allow_removals
        ):  # guard: mass-removal-limit
            result[kind] = Removed(withheld=count)
            _tell(account, kind, count)
            continue
        result[kind] = Removed(removed=remove(account, scope, list(gone)))
    return result


def _tell(account: ZoomAccount, kind: str, count: int) -> None:
    sites = ZoomSettings.objects.filter(account=account).values_list("site_id", flat=True)
    Activity.log(
        sites, "sync", "removals_withheld", outcome=Activity.Outcome.WAITING,
        data={"kind": kind, "count": count}, account=account,
    )  # fmt: skip


@transaction.atomic
def remove(account: ZoomAccount, scope: FetchScope, rows: list[Meeting] | list[Recording]) -> int:
    """Tombstones. Rows stay, because items, sign-ups and pages refer to them."""
    now = timezone.now()
    pks = {row.pk for row in rows}
    done = Stored()
    for row in rows[:1]:
        if isinstance(row, Recording):
            Recording.objects.filter(pk__in=pks).update(removed_at=now)
            Transcript.objects.filter(recording__in=pks).delete()
            done.recordings = pks
            changes.log_gone(account, scope, rows, "recording_gone")
        else:
            Meeting.objects.filter(pk__in=pks).update(removed_at=now)
            cancel_dates(Occurrence.objects.filter(meeting__in=pks), now)
            done.meetings = pks
            changes.log_gone(account, scope, rows, "meeting_gone")
    announce(account, [done])
    return len(pks)
