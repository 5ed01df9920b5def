"""Registrants at Zoom: look up, read, set the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..client import SiteClient, ZoomClient, client_for_request, client_for_site
from ..exceptions import ZoomNotFound, ZoomRejected, ZoomScopeMissing
from ..models import Refusal, Registration, WriteAccess
from .payload import occurrence_ids
from .tokens import normalise_email

LISTED_STATUSES = ("approved", "pending", "denied")
STATE_BY_STATUS = {
    "approved": Registration.State.APPROVED,
    "pending": Registration.State.PENDING,
    "denied": Registration.State.DENIED,
}
UNKNOWN_REGISTRANT = 3079
"""Zoom's error code for a registrant that it does not have (any more)."""


@dataclass(frozen=True)
class Registrant:
    """A registrant at Zoom. ``status`` is empty if Zoom does not have it."""

    registrant_id: str = ""
    status: str = ""
    join_url: str = ""
    is_sure: bool = True
    """False: Zoom has no such meeting at present. Its registrant returns if it is restored."""


WRITING_TASKS = (Registration.Task.ADD, Registration.Task.APPROVE, Registration.Task.DENY)
"""Tasks for which the Site has to show the meeting's kind and host. To cancel or to read a person's
registration, its grant is enough."""


def worker_client(row: Registration, task: str) -> SiteClient:
    """For the worker: waits for the rate limit and refreshes an expired token."""
    return client_for_site(
        row.site_id,
        row.account,
        host_zoom_id(row),
        kind_of(row),
        even_if_hidden=task not in WRITING_TASKS,
    )


def inline_client(
    row: Registration, task: str, seconds: float, *, allow_refresh: bool = False
) -> SiteClient:
    """For a web request: see ``client_for_request``."""
    return client_for_request(
        row.site_id,
        row.account,
        host_zoom_id(row),
        kind_of(row),
        seconds,
        even_if_hidden=task not in WRITING_TASKS,
        allow_refresh=allow_refresh,
    )


def refusal(
    row: Registration, access: WriteAccess | None = None, *, even_if_hidden: bool = False
) -> Refusal | None:
    """Why the registration's Site may not change it at Zoom now; None when it may."""
    access = access or WriteAccess.of(row.site_id)
    return access.refusal(
        row.account_id, host_zoom_id(row), kind_of(row), even_if_hidden=even_if_hidden
    )


def host_zoom_id(row: Registration) -> str:
    """Zoom's id of the meeting's host; empty when it is unknown."""
    return row.meeting.host_zoom_id if row.meeting else str(row.snapshot.get("host", ""))


def kind_of(row: Registration) -> str:
    """``meeting`` or ``webinar``."""
    return str(row.snapshot.get("kind") or (row.meeting.kind if row.meeting else "meeting"))


def count_calls(row: Registration) -> int:
    """How many calls to Zoom the row's task needs; 0 when a request should not wait for it."""
    if row.task == Registration.Task.ADD:
        return 0 if row.maybe_sent else 1
    if not row.zoom_registrant_id:
        return 0
    if row.task == Registration.Task.CANCEL:
        return 1 + (len(occurrence_ids(row)) or 1)
    return int(row.task == Registration.Task.CHECK)


def find_registrant(row: Registration, client: ZoomClient) -> Registrant | None:
    """The registrant with the row's email, if Zoom has it for every chosen occurrence."""
    email = normalise_email(row.email.reveal())
    registrant: Registrant | None = None
    for occurrence_id in occurrence_ids(row) or [""]:
        registrant = _find_for_occurrence(client, row, email, occurrence_id)
        if registrant is None:
            return None
    return registrant


def _find_for_occurrence(
    client: ZoomClient, row: Registration, email: str, occurrence_id: str
) -> Registrant | None:
    for status in LISTED_STATUSES:
        pages = client.registrants(row.meeting_zoom_id, kind_of(row), status, occurrence_id)
        for page in pages:
            for item in page.items:
                if normalise_email(str(item.get("email", ""))) == email:
                    return parse_registrant(item, status)
    return None


def parse_registrant(item: dict[str, Any], status: str = "") -> Registrant:
    """A registrant from an API response."""
    item_status = str(item.get("status") or status)
    return Registrant(str(item.get("id") or ""), item_status, str(item.get("join_url") or ""))


def fetch_registrant(row: Registration, client: ZoomClient) -> Registrant:
    """The registrant of a row, with its current status."""
    registrant_id = row.zoom_registrant_id
    if not registrant_id:
        return find_registrant(row, client) or Registrant()
    try:
        item = client.registrant(row.meeting_zoom_id, kind_of(row), registrant_id)
    except ZoomNotFound:
        # Zoom answers the same for a missing registrant and a missing meeting. A missing meeting
        # proves nothing about the person, and a host can restore it.
        return Registrant(
            registrant_id,
            "cancelled"  # guard: missing-meeting-cancels-none
            if _meeting_exists(row, client)
            else "",
        )
    except ZoomScopeMissing:
        # The list needs another scope, which registration requires anyway.
        return find_registrant(row, client) or Registrant(registrant_id, "cancelled")
    except ZoomRejected as error:
        if error.code != UNKNOWN_REGISTRANT:
            raise
        return Registrant(registrant_id, "cancelled")
    return parse_registrant(item)


def _meeting_exists(row: Registration, client: ZoomClient) -> bool:
    try:
        client.meeting(row.meeting_zoom_id, kind_of(row))
    except ZoomNotFound:
        return False
    return True


def set_status(row: Registration, client: SiteClient, task: str) -> Registrant:
    """Cancel, approve or deny. A missing registrant counts as cancelled.

    After an approval the registrant is read back: the status is what Zoom has then.
    """
    registrant_id = row.zoom_registrant_id
    if not registrant_id:
        try:
            registrant = find_registrant(row, client)
        except ZoomNotFound:
            if task != Registration.Task.CANCEL:
                raise
            return Registrant("", "cancelled", is_sure=False)
        if registrant is None:
            # A request whose answer was lost may still arrive at Zoom: it is looked up again.
            status = "cancelled" if task == Registration.Task.CANCEL else ""
            return Registrant("", status, is_sure=not row.maybe_sent)
        registrant_id = registrant.registrant_id
    elif (
        task == Registration.Task.CANCEL
        and not row.attempts
        and fetch_registrant(row, client).status == "denied"
    ):  # guard: denied-cannot-cancel
        # Somebody whom the host has denied cannot become a person who had cancelled.
        return Registrant(registrant_id, "denied")
    try:
        _send_status(row, client, task, [{"id": registrant_id, "email": row.email.reveal()}])
    except (ZoomNotFound, ZoomRejected) as error:
        if task != Registration.Task.CANCEL or error.code not in (
            None,
            404,
            3001,
            UNKNOWN_REGISTRANT,
        ):
            raise
        return Registrant(registrant_id, "cancelled", is_sure=_meeting_exists(row, client))
    if task == Registration.Task.APPROVE:
        row.zoom_registrant_id = registrant_id
        current = fetch_registrant(row, client)
        return Registrant(registrant_id, current.status, current.join_url)
    return Registrant(registrant_id, "cancelled" if task == Registration.Task.CANCEL else "denied")


def _send_status(
    row: Registration, client: SiteClient, task: str, registrants: list[dict[str, str]]
) -> None:
    """One call for each chosen occurrence, or one call where the registration covers all."""
    meeting_zoom_id, kind = row.meeting_zoom_id, kind_of(row)
    for date in list(row.dates.filter(cancelled_at=None).exclude(zoom_occurrence_id="")):
        client.set_registrant_status(
            meeting_zoom_id, kind, task, registrants, occurrence_id=date.zoom_occurrence_id
        )
        if task == Registration.Task.CANCEL:
            row.dates.filter(pk=date.pk).update(cancelled_at=timezone.now())
    if not row.dates.exclude(zoom_occurrence_id="").exists():
        client.set_registrant_status(meeting_zoom_id, kind, task, registrants)
