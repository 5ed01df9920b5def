"""Registrants as Zoom has them: looked up, read, decided about. Reading changes no row of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..client import Priority, ZoomClient, client_for
from ..exceptions import ZoomNotFound, ZoomRejected, ZoomScopeMissing, ZoomTransient
from ..models import Registration
from ..oauth import tokens
from .payload import occurrence_ids

State, Task = Registration.State, Registration.Task
LISTED = ("approved", "pending", "denied")
STATES = {"approved": State.APPROVED, "pending": State.PENDING, "denied": State.DENIED}
UNKNOWN = 3079
"""Zoom's code for a registrant that it does not know (any more)."""


@dataclass(frozen=True)
class Found:
    """A registrant as Zoom has it. ``status`` is empty for one that it no longer has."""

    registrant_id: str = ""
    status: str = ""
    join_url: str = ""
    is_sure: bool = True
    """False: Zoom has no such meeting just now, so that it could not be told; should the meeting
    come back, so does the registrant."""


def client_of(row: Registration) -> ZoomClient:
    """For the worker: waits its turn, renews what has run out."""
    return client_for(row.account, host_of(row) or None, Priority.REGISTRATION)


def hurried_client(row: Registration, seconds: float, *, renew: bool = False) -> ZoomClient:
    """For a web request: one short call, or none. ``renew``: an owner may wait for a new token.

    Raises:
        ZoomTransient: Zoom was not answering a moment ago, or the permission has to be renewed
            first, which must not be cut short and is the worker's business.
        ZoomError: as ``client_for``.
    """
    client = client_for(
        row.account,
        host_of(row) or None,
        Priority.REGISTRATION,
        patience=0,
        within=seconds,
        renew=renew,
    )
    resting = client.grant.retry_at
    if resting and resting > timezone.now():
        raise ZoomTransient("Zoom was not answering a moment ago.", retry_at=resting)
    if not renew and not tokens.is_fresh(client.grant):
        raise tokens.RenewalDue
    return client


def host_of(row: Registration) -> str:
    """Zoom's id of the person whose meeting it is; empty when nobody knows any more."""
    return row.meeting.host_zoom_id if row.meeting else str(row.snapshot.get("host", ""))


def kind_of(row: Registration) -> str:
    """``meeting`` or ``webinar``."""
    return str(row.snapshot.get("kind") or (row.meeting.kind if row.meeting else "meeting"))


def calls_of(row: Registration) -> int:
    """How many calls to Zoom the row's task takes; 0 when a request had better not wait."""
    if row.task == Task.ADD:
        return 0 if row.maybe_sent else 1
    if not row.zoom_registrant_id:
        return 0
    if row.task == Task.CANCEL:
        return len(occurrence_ids(row)) or 1
    return int(row.task == Task.CHECK)


def look_up(row: Registration, client: ZoomClient) -> Found | None:
    """The registrant with this address, if Zoom has it for every chosen date."""
    wanted = row.email.reveal().casefold()
    found: Found | None = None
    for occurrence in occurrence_ids(row) or [""]:
        found = _listed(client, row, wanted, occurrence)
        if found is None:
            return None
    return found


def _listed(client: ZoomClient, row: Registration, wanted: str, occurrence: str) -> Found | None:
    for status in LISTED:
        pages = client.registrants(row.meeting_zoom_id, kind_of(row), status, occurrence)
        for page in pages:
            for item in page.items:
                if str(item.get("email", "")).casefold() == wanted:
                    return read(item, status)
    return None


def read(item: dict[str, Any], status: str = "") -> Found:
    """A registrant of Zoom's as we need it."""
    stated = str(item.get("status") or status)
    return Found(str(item.get("id") or ""), stated, str(item.get("join_url") or ""))


def check(row: Registration, client: ZoomClient) -> Found:
    """How things stand for this sign-up."""
    known = row.zoom_registrant_id
    if not known:
        return look_up(row, client) or Found()
    try:
        item = client.registrant(row.meeting_zoom_id, kind_of(row), known)
    except ZoomNotFound:
        # The same answer for a registrant and for a whole meeting that is gone; the latter says
        # nothing about the person, and a host can bring it back.
        return Found(
            known,
            "cancelled"  # guard: missing-meeting-cancels-nobody
            if _has_meeting(row, client)
            else "",
        )
    except ZoomScopeMissing:
        # The list needs another permission, which registration cannot do without.
        return look_up(row, client) or Found(known, "cancelled")
    except ZoomRejected as error:
        if error.code != UNKNOWN:
            raise
        return Found(known, "cancelled")
    return read(item)


def _has_meeting(row: Registration, client: ZoomClient) -> bool:
    try:
        client.meeting(row.meeting_zoom_id, kind_of(row))
    except ZoomNotFound:
        return False
    return True


def decide(row: Registration, client: ZoomClient, task: str) -> Found:
    """Cancel, approve or deny; what is no longer there needs no cancelling."""
    known = row.zoom_registrant_id
    if not known:
        try:
            there = look_up(row, client)
        except ZoomNotFound:
            if task != Task.CANCEL:
                raise
            return Found("", "cancelled", is_sure=False)
        if there is None:
            return Found("", "cancelled" if task == Task.CANCEL else "")
        known = there.registrant_id
    try:
        _tell(row, client, task, [{"id": known, "email": row.email.reveal()}])
    except (ZoomNotFound, ZoomRejected) as error:
        if task != Task.CANCEL or error.code not in (None, 404, 3001, UNKNOWN):
            raise
        return Found(known, "cancelled", is_sure=_has_meeting(row, client))
    if task == Task.APPROVE:
        row.zoom_registrant_id = known
        fresh = check(row, client)
        return Found(known, "approved", fresh.join_url)
    return Found(known, "cancelled" if task == Task.CANCEL else "denied")


def _tell(row: Registration, client: ZoomClient, task: str, who: list[dict[str, str]]) -> None:
    """For each chosen date, or once where one registration covers all."""
    number, kind = row.meeting_zoom_id, kind_of(row)
    for date in list(row.dates.filter(cancelled_at=None).exclude(zoom_occurrence_id="")):
        client.set_registrant_status(number, kind, task, who, occurrence_id=date.zoom_occurrence_id)
        if task == Task.CANCEL:
            row.dates.filter(pk=date.pk).update(cancelled_at=timezone.now())
    if not row.dates.exclude(zoom_occurrence_id="").exists():
        client.set_registrant_status(number, kind, task, who)
