"""Brings one sign-up to Zoom, or one decision about it. Everything is safe to repeat.

A sign-up may have arrived although its answer was lost. So ``maybe_sent`` is written before the
call and taken back only when it surely did not arrive; while it stands, the person is looked up
by address first (S21), which also saves Zoom's three sign-ups a day and person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from ..client import ZoomClient
from ..exceptions import ZoomConfigurationError, ZoomError, ZoomProtocolError, ZoomTransient
from ..models import Activity, Meeting, Registration
from ..oauth.tokens import RenewalDue
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, log_context
from . import capacity, mails, outbox, registrants
from .error_policy import AMBIGUOUS_PAUSE, ANSWERS, BLOCKS, Verdict, judge
from .payload import body_of, occurrence_ids
from .registrants import STATES, Found

logger = get_logger("registration")

State, Task = Registration.State, Registration.Task
PATIENCE_DAYS = 3
"""Days after which we give up on a Zoom that does not answer."""
AUTH_DAYS = 14
"""Days after which we give up on a connection that nobody restores, or a turn that never comes."""
PLANNED = {
    **dict.fromkeys(("connection", "scope", "quarantined"), "connection"),
    **dict.fromkeys(("busy", "daily_limit", "personal_limit"), "unreachable"),
}
"""Reasons to wait that count as no failed try, and what is said when it takes too long."""
LINK_PAUSE = timedelta(minutes=1)
MAIL_PAUSE = timedelta(seconds=45)
"""Zoom is mostly back within it: then one mail, with the outcome, says it all."""


@dataclass(frozen=True)
class Request:
    """An attempt within a web request: the lease that it holds, and how long it may take."""

    lease: str
    seconds: float


def work(pk: int, lease: str) -> tuple[int, datetime] | None:
    """Do what is due for one claimed row: first at Zoom, then its mail.

    Returns:
        The account and until when it is to be left alone, if Zoom said so.
    """
    row = Registration.objects.select_related("account", "meeting", "site").get(pk=pk)
    with log_context(account=row.account_id, site=row.site_id, signup=pk):
        tired = attempt(row) if is_ripe(row) else None
        mails.send_due(pk)
    with outbox.locked(pk) as row:
        outbox.release(row, lease)
        row.save(update_fields=["lease_owner", "lease_until"])
    return tired


def is_ripe(row: Registration) -> bool:
    """Whether a row's task may be tried now; a mail that is due says nothing about it."""
    return bool(row.task) and (row.task_at is None or row.task_at <= timezone.now())


def attempt(row: Registration, within: Request | None = None) -> tuple[int, datetime] | None:
    """One attempt at a claimed row's task; what came of it is saved. Never raises ``ZoomError``.

    Within a request the lease is given back as well.
    """
    task = row.task
    # A request tries what was judged open a moment ago.
    given_up = "" if within else _too_late(row, task)
    if given_up:
        _settle_failure(row, task, Verdict(given_up), within)
        return None
    try:
        client = (
            registrants.hurried_client(row, within.seconds)
            if within
            else registrants.client_of(row)
        )
        found = _perform(row, task, client)
    except RenewalDue:
        _hand_over(row, within)
        return None
    except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
        verdict = judge(error, row.attempts)
        _settle_failure(row, task, verdict, within)
        if verdict.tired and verdict.retry_at:
            return row.account_id, verdict.retry_at
        return None
    _settle(row, task, found, within)
    return None


def _perform(row: Registration, task: str, client: ZoomClient) -> Found:
    if task == Task.ADD:
        return _add(row, client)
    if task == Task.CHECK:
        return registrants.check(row, client)
    return registrants.decide(row, client, task)


def _add(row: Registration, client: ZoomClient) -> Found:
    if row.maybe_sent:  # guard: lost-answer-looked-up
        known = registrants.look_up(row, client)
        if known is not None:
            return known
    body = body_of(row)
    chosen = occurrence_ids(row)
    Registration.objects.filter(pk=row.pk).update(maybe_sent=True)
    row.maybe_sent = True
    try:
        answer = client.add_registrant(row.meeting_zoom_id, registrants.kind_of(row), body, chosen)
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
    if row.error_class in PLANNED:
        return PLANNED[row.error_class] if waited > timedelta(days=AUTH_DAYS) else ""
    return "unreachable" if waited > timedelta(days=PATIENCE_DAYS) else ""


def _hand_over(seen: Registration, within: Request | None) -> None:
    """Nothing was tried: the worker goes on at once."""
    seen.error_class = ""
    if within:
        with outbox.locked(seen.pk) as row:
            row.maybe_sent = seen.maybe_sent
            outbox.release(row, within.lease)
            row.save(update_fields=["maybe_sent", "lease_owner", "lease_until"])


def _settle(seen: Registration, task: str, found: Found, within: Request | None) -> None:
    """Save what Zoom said, unless something else was decided meanwhile."""
    with outbox.locked(seen.pk) as row:
        _share(row, seen)
        if found.registrant_id:
            row.zoom_registrant_id = found.registrant_id[:100]
        if found.join_url:
            row.join_url = found.join_url
        row.maybe_sent, row.attempts = not found.is_sure, 0
        if row.task == task:
            row.error_class, row.error_code = "", None
            _apply(row, task, found)
        if within:
            outbox.release(row, within.lease)
        row.save()
    seen.error_class = ""
    if task == Task.ADD and seen.meeting and seen.meeting.registration_block:
        capacity.set_block(seen.meeting, "")


def _share(row: Registration, seen: Registration) -> None:
    """Spare a query for what was read a moment ago."""
    if seen.meeting_id and row.meeting_id == seen.meeting_id:
        row.meeting = seen.meeting


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


def _settle_failure(
    seen: Registration, task: str, verdict: Verdict, within: Request | None
) -> None:
    now = timezone.now()
    if within and verdict.error == ANSWERS and task == Task.ADD:
        # Perhaps Zoom asks something else by now: the request finds out before it is final.
        verdict = Verdict(ANSWERS, now + MAIL_PAUSE, verdict.code)
    final = verdict.retry_at is None
    with outbox.locked(seen.pk) as row:
        _share(row, seen)
        row.error_class, row.error_code = verdict.error, verdict.code
        row.attempts += verdict.counts
        if task == Task.ADD:
            row.maybe_sent = seen.maybe_sent
        if row.task == task:
            _after_failure(row, task, verdict, now)
        if within:
            outbox.release(row, within.lease)
        row.save()
    seen.error_class = verdict.error
    if task == Task.ADD and seen.meeting and verdict.error in BLOCKS:
        capacity.set_block(seen.meeting, verdict.error)
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
        outbox.post(row, "received", now + MAIL_PAUSE)
