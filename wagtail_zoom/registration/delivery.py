"""Brings one sign-up to Zoom, or one decision about it. Everything is safe to repeat.

A sign-up may have arrived although its answer was lost. So ``maybe_sent`` is written before the
call and taken back only when it surely did not arrive; while it stands, the person is looked up
by address first (S21), which also saves Zoom's three sign-ups a day and person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from .. import observing
from ..client import Priority, ZoomClient, client_for
from ..crypto import DecryptionError
from ..errors import (
    ZoomConfigurationError,
    ZoomError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from ..models import Activity, Meeting, Registration, touch
from . import mails, outbox, questions
from .payload import body_of, occurrence_ids
from .verdicts import AMBIGUOUS_PAUSE, BLOCKS, Verdict, judge

logger = observing.logger("registration")

State, Task = Registration.State, Registration.Task
LISTED = ("approved", "pending", "denied")
STATES = {"approved": State.APPROVED, "pending": State.PENDING, "denied": State.DENIED}
PATIENCE_DAYS = 3
"""Days after which we give up on a Zoom that does not answer."""
AUTH_DAYS = 14
"""Days after which we give up on a connection that nobody restores."""
LINK_PAUSE = timedelta(minutes=1)
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


def work(pk: int, lease: str) -> tuple[int, datetime] | None:
    """Do what is due for one claimed row: first at Zoom, then its mail.

    Returns:
        The account and until when it is to be left alone, if Zoom said so.
    """
    row = Registration.objects.select_related("account", "meeting", "site").get(pk=pk)
    with observing.at_work(account=row.account_id, site=row.site_id, signup=pk):
        tired = attempt(row) if is_ripe(row) else None
        mails.send_due(pk)
    with outbox.locked(pk) as row:
        outbox.release(row, lease)
        row.save(update_fields=["lease_owner", "lease_until"])
    return tired


def is_ripe(row: Registration) -> bool:
    """Whether a row's task may be tried now; a mail that is due says nothing about it."""
    return bool(row.task) and (row.task_at is None or row.task_at <= timezone.now())


def attempt(
    row: Registration, *, patience: float | None = None, seconds: float | None = None
) -> tuple[int, datetime] | None:
    """One attempt at a claimed row's task; what came of it is saved. Never raises ``ZoomError``.

    Args:
        patience, seconds: within a web request: no waiting, and a short time-out.
    """
    task = row.task
    try:
        given_up = _too_late(row, task)
        found = None if given_up else _perform(row, task, patience, seconds)
    except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
        verdict = judge(error, row.attempts)
        _settle_failure(row, task, verdict)
        if verdict.tired and verdict.retry_at:
            return row.account_id, verdict.retry_at
        return None
    if given_up:
        _settle_failure(row, task, Verdict(given_up))
    else:
        _settle(row, task, found or Found())
    return None


def _perform(row: Registration, task: str, patience: float | None, seconds: float | None) -> Found:
    client = _client(row, patience, seconds)
    if task == Task.ADD:
        return _add(row, client)
    if task == Task.CHECK:
        return _check(row, client)
    return decide(row, client, task)


def _client(row: Registration, patience: float | None, seconds: float | None) -> ZoomClient:
    host = row.meeting.host_zoom_id if row.meeting else row.snapshot.get("host", "")
    timeout = (min(1.0, seconds), seconds) if seconds is not None else None
    client = client_for(
        row.account, host or None, Priority.REGISTRATION, patience=patience, timeout=timeout
    )
    resting = client.grant.retry_at
    if seconds is not None and resting and resting > timezone.now():
        raise ZoomTransient("Zoom was not answering a moment ago.", retry_at=resting)
    return client


def _kind(row: Registration) -> str:
    return str(row.snapshot.get("kind") or (row.meeting.kind if row.meeting else "meeting"))


def _add(row: Registration, client: ZoomClient) -> Found:
    if row.maybe_sent:
        known = look_up(row, client)
        if known is not None:
            return known
    body = body_of(row)
    chosen = occurrence_ids(row)
    Registration.objects.filter(pk=row.pk).update(maybe_sent=True)
    row.maybe_sent = True
    try:
        answer = client.add_registrant(row.meeting_zoom_id, _kind(row), body, chosen)
    except ZoomTransient as error:
        row.maybe_sent = error.ambiguous
        raise
    except ZoomProtocolError:
        raise
    except (ZoomError, ZoomConfigurationError):
        row.maybe_sent = False
        raise
    link = str(answer.get("join_url") or "")
    return Found(str(answer["registrant_id"]), "approved" if link else "", link)


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
        pages = client.registrants(row.meeting_zoom_id, _kind(row), status, occurrence)
        for page in pages:
            for item in page.items:
                if str(item.get("email", "")).casefold() == wanted:
                    return read(item, status)
    return None


def read(item: dict[str, Any], status: str = "") -> Found:
    """A registrant of Zoom's as we need it."""
    stated = str(item.get("status") or status)
    return Found(str(item.get("id") or ""), stated, str(item.get("join_url") or ""))


def _check(row: Registration, client: ZoomClient) -> Found:
    if not row.zoom_registrant_id:
        return look_up(row, client) or Found()
    try:
        item = client.registrant(row.meeting_zoom_id, _kind(row), row.zoom_registrant_id)
    except ZoomNotFound:
        # The same answer for a registrant and for a whole meeting that is gone; the latter says
        # nothing about the person, and a host can bring it back.
        is_there = _has_meeting(row, client)
        return Found(row.zoom_registrant_id, "cancelled" if is_there else "")
    except ZoomScopeMissing:
        # The list needs another permission, which registration cannot do without.
        return look_up(row, client) or Found(row.zoom_registrant_id, "cancelled")
    except ZoomRejected as error:
        if error.code != UNKNOWN:
            raise
        return Found(row.zoom_registrant_id, "cancelled")
    return read(item)


def _has_meeting(row: Registration, client: ZoomClient) -> bool:
    try:
        client.meeting(row.meeting_zoom_id, _kind(row))
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
    who = [{"id": known, "email": row.email.reveal()}]
    try:
        for date in list(row.dates.filter(cancelled_at=None).exclude(zoom_occurrence_id="")):
            occurrence = date.zoom_occurrence_id
            client.set_registrant_status(
                row.meeting_zoom_id, _kind(row), task, who, occurrence_id=occurrence
            )
            if task == Task.CANCEL:
                row.dates.filter(pk=date.pk).update(cancelled_at=timezone.now())
        if not row.dates.exclude(zoom_occurrence_id="").exists():
            client.set_registrant_status(row.meeting_zoom_id, _kind(row), task, who)
    except (ZoomNotFound, ZoomRejected) as error:
        if task != Task.CANCEL or error.code not in (None, 404, 3001, UNKNOWN):
            raise
        return Found(known, "cancelled", is_sure=_has_meeting(row, client))
    if task == Task.APPROVE:
        row.zoom_registrant_id = known
        fresh = _check(row, client)
        return Found(known, "approved", fresh.join_url)
    return Found(known, "cancelled" if task == Task.CANCEL else "denied")


def _too_late(row: Registration, task: str) -> str:
    """Why a sign-up is not tried any more.

    Zoom forgets what is over: then nothing can be told from its not being there.
    """
    now, end = timezone.now(), outbox.last_end(row)
    if end is not None and end < now:
        return "over"
    if task != Task.ADD:
        return ""
    waited = now - row.state_since
    if row.error_class in ("connection", "scope", "quarantined"):
        return "connection" if waited > timedelta(days=AUTH_DAYS) else ""
    return "unreachable" if waited > timedelta(days=PATIENCE_DAYS) else ""


def _settle(seen: Registration, task: str, found: Found) -> None:
    """Save what Zoom said, unless something else was decided meanwhile."""
    with outbox.locked(seen.pk) as row:
        if found.registrant_id:
            row.zoom_registrant_id = found.registrant_id[:100]
        if found.join_url:
            row.join_url = found.join_url
        row.maybe_sent, row.attempts = not found.is_sure, 0
        if row.task == task:
            row.error_class, row.error_code = "", None
            _apply(row, task, found)
        row.save()
    if task == Task.ADD and seen.meeting_id and seen.meeting.registration_block:
        _block(seen, "", None)


def _block(seen: Registration, why: str, now: datetime | None) -> None:
    """Note why Zoom refuses sign-ups for the whole meeting: the form makes room for a sentence."""
    with transaction.atomic():
        Meeting.objects.filter(pk=seen.meeting_id).update(
            registration_block=why, registration_block_at=now
        )
        touch(seen.account_id)


def _apply(row: Registration, task: str, found: Found) -> None:
    """The state that follows. ``row`` is locked and saved by the caller."""
    outbox.plan(row, "")
    if task == Task.ADD:
        manual = row.meeting is not None and (
            row.meeting.approval_type == Meeting.ApprovalType.MANUAL
        )
        state = STATES.get(found.status, State.PENDING if manual else State.APPROVED)
        outbox.move(row, state, mail=mails.after_sign_up(state))
        if state == State.APPROVED and not row.join_url:
            outbox.plan(row, Task.CHECK, timezone.now() + LINK_PAUSE)
        return
    targets = {
        Task.CANCEL: State.CANCELLED,
        Task.DENY: State.DENIED,
        Task.APPROVE: State.APPROVED,
    }
    state = targets.get(task) or follow(row, found)
    if state == State.CANCELLED and task == Task.CHECK and row.mail_due == "again":
        # Cancelled at Zoom without our knowing, and the person has just signed up once more.
        outbox.post(row, "")
        outbox.move(row, State.WAITING)
        outbox.plan(row, Task.ADD)
        return
    if state != row.state:
        outbox.move(row, state, mail=mails.after_change(row, state))


def follow(row: Registration, found: Found) -> str:
    """The state of a row that was compared with Zoom."""
    if found.status == "cancelled":
        return State.CANCELLED
    return STATES.get(found.status, row.state)


def _settle_failure(seen: Registration, task: str, verdict: Verdict) -> None:
    now = timezone.now()
    final = verdict.retry_at is None
    with outbox.locked(seen.pk) as row:
        row.error_class, row.error_code = verdict.error, verdict.code
        row.attempts += verdict.counts
        if task == Task.ADD:
            row.maybe_sent = seen.maybe_sent
        if row.task == task:
            _after_failure(row, task, verdict, now)
        row.save()
    if task == Task.ADD and seen.meeting_id and verdict.error in BLOCKS:
        _block(seen, verdict.error, now)
    if final and task != Task.CHECK:
        Activity.log(
            [seen.site_id],
            "registration",
            "signup_failed",
            outcome=Activity.Outcome.FAILED,
            data={"topic": seen.snapshot.get("topic", ""), "task": task, "error": verdict.error},
            account=seen.account,
        )


def _after_failure(row: Registration, task: str, verdict: Verdict, now: datetime) -> None:
    """Try again later, or tell that it is final. ``row`` is locked and saved by the caller."""
    if verdict.retry_at is None:
        outbox.plan(row, "")
        if task == Task.ADD:
            outbox.move(row, State.FAILED, mail="failed")
        elif task == Task.CHECK or verdict.error == "over":
            row.error_class, row.error_code = "", None
        return
    earliest = now + timedelta(seconds=AMBIGUOUS_PAUSE) if row.maybe_sent else now
    outbox.plan(row, task, max(verdict.retry_at, earliest))
    if task == Task.ADD and not row.mails and not row.mail_due:
        outbox.post(row, "received")


def refresh_questions(
    meeting: Meeting, *, patience: float | None = None, seconds: float | None = None
) -> bool:
    """Read the questions anew; whether they differ from what was stored.

    Raises:
        ZoomError: Zoom did not answer.
    """
    timeout = (min(1.0, seconds), seconds) if seconds is not None else None
    client = client_for(
        meeting.account,
        meeting.host_zoom_id,
        Priority.REGISTRATION,
        patience=patience,
        timeout=timeout,
    )
    return questions.store(meeting, client.questions(meeting.zoom_id, meeting.kind))
