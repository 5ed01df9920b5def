"""Sends one registration to Zoom, or one decision about it. Everything is safe to repeat.

A registration may have arrived although the response was lost. So ``maybe_sent`` is set before
the call and cleared only when the registration certainly did not arrive. While it is set, the
person is looked up by email first (S21). This also saves Zoom's limit of three registrations a
day and person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from ..client import ZoomClient
from ..exceptions import ZoomConfigurationError, ZoomError, ZoomProtocolError, ZoomTransient
from ..models import Activity, Meeting, Registration
from ..oauth.tokens import RefreshRequired
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, log_context
from . import capacity, mails, outbox, registrants
from .error_policy import AMBIGUOUS_SECONDS, INVALID_ANSWERS, MEETING_ERRORS, ErrorPolicy, classify
from .payload import body_of, occurrence_ids
from .registrants import STATE_BY_STATUS, Registrant

logger = get_logger("registration")

MAX_DAYS_UNREACHABLE = 3
"""Days without an answer from Zoom after which a registration fails."""
MAX_DAYS_WAITING = 14
"""Days of waiting for a connection or for a rate limit after which a registration fails."""
WAITING_ERRORS = {
    **dict.fromkeys(("connection", "scope", "quarantined"), "connection"),
    **dict.fromkeys(("busy", "daily_limit", "personal_limit"), "unreachable"),
}
"""Reasons to wait that do not count as a failed attempt → the error after ``MAX_DAYS_WAITING``."""
JOIN_LINK_DELAY = timedelta(minutes=1)
MAIL_DELAY = timedelta(seconds=45)
"""Zoom usually answers again within this time: then one email reports the outcome."""


@dataclass(frozen=True)
class InlineAttempt:
    """An attempt within a web request: its lease, and how long it may take."""

    lease: str
    seconds: float


def process(pk: int, lease: str) -> tuple[int, datetime] | None:
    """Do what is due for one claimed row: first its task at Zoom, then its email.

    Returns:
        A rate-limited account, and until when; otherwise None.
    """
    row = Registration.objects.select_related("account", "meeting", "site").get(pk=pk)
    with log_context(account=row.account_id, site=row.site_id, registration=pk):
        deferral = attempt(row) if is_task_due(row) else None
        mails.send_due(pk)
    with outbox.lock_row(pk) as row:
        outbox.release(row, lease)
        row.save(update_fields=["lease_owner", "lease_until"])
    return deferral


def is_task_due(row: Registration) -> bool:
    """Whether a row's task may be attempted now. A row may be due for its email only."""
    return bool(row.task) and (row.task_at is None or row.task_at <= timezone.now())


def attempt(
    row: Registration, inline_attempt: InlineAttempt | None = None
) -> tuple[int, datetime] | None:
    """Attempt a claimed row's task and save the outcome. Never raises ``ZoomError``.

    An inline attempt also releases the lease.
    """
    task = row.task
    # The request has just checked that registration is open.
    give_up_error = "" if inline_attempt else _give_up_error(row, task)
    if give_up_error:
        _record_failure(row, task, ErrorPolicy(give_up_error), inline_attempt)
        return None
    try:
        client = (
            registrants.inline_client(row, inline_attempt.seconds)
            if inline_attempt
            else registrants.worker_client(row)
        )
        result = _run_task(row, task, client)
    except RefreshRequired:
        _requeue(row, inline_attempt)
        return None
    except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
        policy = classify(error, row.attempts)
        _record_failure(row, task, policy, inline_attempt)
        if policy.rate_limited and policy.retry_at:
            return row.account_id, policy.retry_at
        return None
    _record_success(row, task, result, inline_attempt)
    return None


def _run_task(row: Registration, task: str, client: ZoomClient) -> Registrant:
    if task == Registration.Task.ADD:
        return _add_registrant(row, client)
    if task == Registration.Task.CHECK:
        return registrants.fetch_registrant(row, client)
    return registrants.set_status(row, client, task)


def _add_registrant(row: Registration, client: ZoomClient) -> Registrant:
    if row.maybe_sent:  # guard: lost-response-looked-up
        registrant = registrants.find_registrant(row, client)
        if registrant is not None:
            return registrant
    body = body_of(row)
    chosen_ids = occurrence_ids(row)
    Registration.objects.filter(pk=row.pk).update(maybe_sent=True)
    row.maybe_sent = True
    try:
        response = client.add_registrant(
            row.meeting_zoom_id, registrants.kind_of(row), body, chosen_ids
        )
    except ZoomTransient as error:
        row.maybe_sent = error.ambiguous
        raise
    except ZoomProtocolError:
        raise
    except (ZoomError, ZoomConfigurationError):
        row.maybe_sent = False
        raise
    join_url = str(response.get("join_url") or "")
    return Registrant(str(response["registrant_id"]), "approved" if join_url else "", join_url)


def _give_up_error(row: Registration, task: str) -> str:
    """Why a registration is not attempted any more; empty when it still is.

    Zoom deletes past meetings, so a missing meeting proves nothing once it is over.
    """
    now, end = timezone.now(), outbox.last_end(row)
    if end is not None and end < now:
        return "over"
    if task != Registration.Task.ADD:
        return ""
    waited = now - row.state_since
    if row.error_class in WAITING_ERRORS:
        return WAITING_ERRORS[row.error_class] if waited > timedelta(days=MAX_DAYS_WAITING) else ""
    return "unreachable" if waited > timedelta(days=MAX_DAYS_UNREACHABLE) else ""


def _requeue(attempted: Registration, inline_attempt: InlineAttempt | None) -> None:
    """Nothing was attempted: leave the row to the worker."""
    attempted.error_class = ""
    if inline_attempt:
        with outbox.lock_row(attempted.pk) as row:
            row.maybe_sent = attempted.maybe_sent
            outbox.release(row, inline_attempt.lease)
            row.save(update_fields=["maybe_sent", "lease_owner", "lease_until"])


def _record_success(
    attempted: Registration, task: str, result: Registrant, inline_attempt: InlineAttempt | None
) -> None:
    """Save Zoom's response, unless another task was queued in the meantime."""
    with outbox.lock_row(attempted.pk) as row:
        _reuse_meeting(row, attempted)
        if result.registrant_id:
            row.zoom_registrant_id = result.registrant_id[:100]
        if result.join_url:
            row.join_url = result.join_url
        row.maybe_sent, row.attempts = not result.is_sure, 0
        if row.task == task:
            row.error_class, row.error_code = "", None
            _apply_result(row, task, result)
        if inline_attempt:
            outbox.release(row, inline_attempt.lease)
        row.save()
    attempted.error_class = ""
    if task == Registration.Task.ADD and attempted.meeting and attempted.meeting.registration_block:
        capacity.set_refusal(attempted.meeting, "")


def _reuse_meeting(row: Registration, attempted: Registration) -> None:
    """Save a query: the meeting was read a moment ago."""
    if attempted.meeting_id and row.meeting_id == attempted.meeting_id:
        row.meeting = attempted.meeting


def _apply_result(row: Registration, task: str, result: Registrant) -> None:
    """Set the state that follows. ``row`` is locked and saved by the caller."""
    outbox.queue_task(row, "")
    if task == Registration.Task.ADD:
        manual = row.meeting is not None and (
            row.meeting.approval_type == Meeting.ApprovalType.MANUAL
        )
        state = STATE_BY_STATUS.get(
            result.status, Registration.State.PENDING if manual else Registration.State.APPROVED
        )
        outbox.set_state(row, state, mail=mails.mail_after_registration(state))
        if state == Registration.State.APPROVED and not row.join_url:
            outbox.queue_task(row, Registration.Task.CHECK, timezone.now() + JOIN_LINK_DELAY)
        return
    targets = {
        Registration.Task.CANCEL: Registration.State.CANCELLED,
        Registration.Task.DENY: Registration.State.DENIED,
        Registration.Task.APPROVE: Registration.State.APPROVED,
    }
    state = targets.get(task) or state_at_zoom(row, result)
    if (
        state == Registration.State.CANCELLED
        and task == Registration.Task.CHECK
        and row.mail_due == "again"
    ):
        # Cancelled at Zoom without a webhook, and the person has just registered again.
        outbox.queue_mail(row, "")
        outbox.set_state(row, Registration.State.WAITING)
        outbox.queue_task(row, Registration.Task.ADD)
        return
    if state != row.state:
        outbox.set_state(row, state, mail=mails.mail_after_change(row, state))


def state_at_zoom(row: Registration, registrant: Registrant) -> str:
    """The state of a row according to Zoom."""
    if registrant.status == "cancelled":
        return Registration.State.CANCELLED
    return STATE_BY_STATUS.get(registrant.status, row.state)


def _record_failure(
    attempted: Registration, task: str, policy: ErrorPolicy, inline_attempt: InlineAttempt | None
) -> None:
    now = timezone.now()
    if inline_attempt and policy.error == INVALID_ANSWERS and task == Registration.Task.ADD:
        # Zoom's questions may have changed: the request checks that before the failure is final.
        policy = ErrorPolicy(INVALID_ANSWERS, now + MAIL_DELAY, policy.code)
    final = policy.retry_at is None
    with outbox.lock_row(attempted.pk) as row:
        _reuse_meeting(row, attempted)
        row.error_class, row.error_code = policy.error, policy.code
        row.attempts += policy.counts_as_failure
        if task == Registration.Task.ADD:
            row.maybe_sent = attempted.maybe_sent
        if row.task == task:
            _apply_failure(row, task, policy, now)
        if inline_attempt:
            outbox.release(row, inline_attempt.lease)
        row.save()
    attempted.error_class = policy.error
    if task == Registration.Task.ADD and attempted.meeting and policy.error in MEETING_ERRORS:
        capacity.set_refusal(attempted.meeting, policy.error)
    if final and task != Registration.Task.CHECK:
        Activity.log(
            [attempted.site_id],
            "registration",
            "registration_failed",
            outcome=Activity.Outcome.FAILED,
            data={
                "topic": attempted.snapshot.get("topic", ""),
                "task": task,
                "error": policy.error,
            },
            account=attempted.account,
        )


def _apply_failure(row: Registration, task: str, policy: ErrorPolicy, now: datetime) -> None:
    """Retry later, or mark the failure as final. ``row`` is locked and saved by the caller."""
    if policy.retry_at is None:
        outbox.queue_task(row, "")
        if task == Registration.Task.ADD:
            outbox.set_state(row, Registration.State.FAILED, mail="failed")
        elif task == Registration.Task.CHECK or policy.error == "over":
            row.error_class, row.error_code = "", None
        return
    earliest = now + timedelta(seconds=AMBIGUOUS_SECONDS) if row.maybe_sent else now
    outbox.queue_task(row, task, max(policy.retry_at, earliest))
    if task == Registration.Task.ADD and not row.mails and not row.mail_due:
        outbox.queue_mail(row, "received", now + MAIL_DELAY)
