"""Sends one registration to Zoom, or one decision about it. Everything is safe to repeat.

A registration may have arrived although the response was lost. So ``maybe_sent`` is set before
the call and cleared only when the registration certainly did not arrive. While it is set, the
person is looked up by email first (S21). This also saves Zoom's limit of three registrations a
day and person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ..client import SiteClient
from ..client.error_policy import Affects, ErrorOutcome
from ..exceptions import ZoomConfigurationError, ZoomError, may_have_taken_effect
from ..models import Activity, Registration
from ..models.mirror import ApprovalType
from ..models.outbox import REFUSALS
from ..oauth.tokens import RefreshRequired
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, log_context
from . import capacity, mails, outbox, registrants
from .error_policy import (
    CLOSED_ERRORS,
    INVALID_ANSWERS,
    MEETING_ERRORS,
    classify,
)
from .outbox import Deferral
from .payload import body_of, occurrence_ids
from .registrants import STATE_BY_STATUS, Registrant

logger = get_logger("registration")

MAX_DAYS_UNREACHABLE = 3
"""Days without an answer from Zoom after which a registration fails."""
MAX_DAYS_WAITING = 14
"""Days of waiting for a connection or for a rate limit after which a registration fails."""
WAITING_ERRORS = {
    **dict.fromkeys(("connection", "scope", "quarantined"), "connection"),
    **{refusal: refusal for refusal in REFUSALS},
    **dict.fromkeys(("busy", "daily_limit", "personal_limit"), "unreachable"),
}
"""Reasons to wait that do not count as a failed attempt → the error after ``MAX_DAYS_WAITING``."""
JOIN_LINK_DELAY = timedelta(minutes=1)
CHECK_DELAY = timedelta(minutes=2)
"""Until Zoom is asked again about a registration whose state it did not name."""
UNKNOWN_DELAY = timedelta(hours=1)
MISSING_CHECKS = 3
"""After so many answers without this registrant it is registered again."""
ANSWERS_A_REGISTRATION = (
    Registration.Task.ADD,
    Registration.Task.CHECK,
    Registration.Task.APPROVE,
)


@dataclass(frozen=True)
class InlineAttempt:
    """An attempt within a web request: its lease, and how long it may take."""

    lease: str
    seconds: float
    may_withdraw: bool = False
    """The request shows a refusal that concerns the whole meeting, and withdraws the row."""


@sensitive_variables()
def process(pk: int, lease: str) -> None:
    """Do what is due for one claimed row: first its task at Zoom, then its email."""
    row = Registration.objects.select_related("account", "meeting", "site").get(pk=pk)
    with log_context(account=row.account_id, site=row.site_id, registration=pk):
        deferral = attempt(row) if is_task_due(row) else None
        mails.send_due(pk)
    outbox.release(pk, lease)
    if deferral:
        outbox.defer(deferral)


def is_task_due(row: Registration) -> bool:
    """Whether a row's task may be attempted now. A row may be due for its email only."""
    return bool(row.task) and (row.task_at is None or row.task_at <= timezone.now())


def attempt(row: Registration, inline_attempt: InlineAttempt | None = None) -> Deferral | None:
    """Attempt a claimed row's task and save the outcome. Never raises ``ZoomError``.

    An inline attempt also releases the lease.
    """
    task = row.task
    # The request has just checked that registration is open.
    give_up_error = "" if inline_attempt else _give_up_error(row, task)
    if give_up_error:
        _record_failure(row, task, ErrorOutcome(give_up_error), inline_attempt)
        return None
    try:
        client = (
            registrants.inline_client(row, task, inline_attempt.seconds)
            if inline_attempt
            else registrants.worker_client(row, task)
        )
        result = _run_task(row, task, client)
    except RefreshRequired:
        _requeue(row, inline_attempt)
        return None
    except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
        outcome = classify(error, row.attempts)
        is_unknown = task == Registration.Task.CHECK and row.state == Registration.State.WAITING
        if is_unknown and outcome.retry_at is None:
            # Zoom has taken it: ask for its state until the row is given up.
            outcome = replace(outcome, retry_at=timezone.now() + UNKNOWN_DELAY)
        _record_failure(row, task, outcome, inline_attempt)
        if outcome.affects == Affects.ROW or outcome.retry_at is None:
            return None
        site_id = row.site_id if outcome.affects == Affects.SITE else None
        return Deferral(row.account_id, outcome.retry_at, site_id)
    _record_success(row, task, result, inline_attempt)
    return None


def _run_task(row: Registration, task: str, client: SiteClient) -> Registrant:
    if task == Registration.Task.ADD:
        return _add_registrant(row, client)
    if task == Registration.Task.CHECK:
        return registrants.fetch_registrant(row, client)
    return registrants.set_status(row, client, task)


def _add_registrant(row: Registration, client: SiteClient) -> Registrant:
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
    except (ZoomError, ZoomConfigurationError) as error:
        row.maybe_sent = may_have_taken_effect(error)
        raise
    join_url = str(response.get("join_url") or "")
    # Meetings name no status. The link is absent while the registration is not approved; without
    # either, the state is not known.
    status = str(response.get("status") or ("approved" if join_url else ""))
    return Registrant(str(response["registrant_id"]), status, join_url)


def _give_up_error(row: Registration, task: str) -> str:
    """Why a registration is not attempted any more; empty when it still is.

    Zoom deletes past meetings, so a missing meeting proves nothing once it is over.
    """
    now, end = timezone.now(), outbox.last_end(row)
    if end is not None and end < now:
        return "over"
    if row.state != Registration.State.WAITING:
        return ""
    waited = now - row.state_since
    if row.error_class in WAITING_ERRORS:
        return WAITING_ERRORS[row.error_class] if waited > timedelta(days=MAX_DAYS_WAITING) else ""
    return "unreachable" if waited > timedelta(days=MAX_DAYS_UNREACHABLE) else ""


def _requeue(attempted: Registration, inline_attempt: InlineAttempt | None) -> None:
    """Nothing was attempted: leave the row to the worker."""
    attempted.error_class = ""
    if inline_attempt:
        with outbox.edit_row(attempted.pk, inline_attempt.lease) as row:
            row.maybe_sent = attempted.maybe_sent


def _record_success(
    attempted: Registration, task: str, result: Registrant, inline_attempt: InlineAttempt | None
) -> None:
    """Save Zoom's response, unless another task was queued in the meantime."""
    with outbox.edit_row(attempted.pk, inline_attempt.lease if inline_attempt else "") as row:
        _reuse_meeting(row, attempted)
        if result.registrant_id:
            row.zoom_registrant_id = result.registrant_id[:100]
        if result.join_url:
            row.join_url = result.join_url
        row.maybe_sent = not result.is_sure
        if task != Registration.Task.CHECK or row.state != Registration.State.WAITING:
            row.attempts = 0
        if row.task == task:
            row.error_class, row.error_code = "", None
            _apply_result(row, task, result)
    attempted.error_class = ""
    if attempted.meeting is None:
        return
    if task == Registration.Task.ADD and attempted.meeting.registration_block:
        capacity.set_refusal(attempted.meeting, "")
    if task != Registration.Task.CHECK:
        capacity.request_count(attempted.meeting)


def _reuse_meeting(row: Registration, attempted: Registration) -> None:
    """Save a query: the meeting was read a moment ago."""
    if attempted.meeting_id and row.meeting_id == attempted.meeting_id:
        row.meeting = attempted.meeting


def _apply_result(row: Registration, task: str, result: Registrant) -> None:
    """Set the state of a locked row that follows."""
    outbox.queue_task(row, "")
    if row.state == Registration.State.WAITING and task in ANSWERS_A_REGISTRATION:
        _apply_answer(row, task, result)
        return
    if task == Registration.Task.CANCEL and result.status == "denied":
        # The host had denied it before the person cancelled: registering again changes nothing.
        row.cancelled_at = None
    if row.state == Registration.State.UNCONFIRMED:  # guard: older-task-leaves-unconfirmed
        # It was about the registration before this one, which Zoom does not have yet.
        return
    targets: dict[str, str] = {
        Registration.Task.CANCEL: Registration.State.CANCELLED,
        Registration.Task.DENY: Registration.State.DENIED,
    }
    state = targets.get(task) or state_at_zoom(row, result)
    if task == Registration.Task.APPROVE and state != Registration.State.APPROVED:
        outbox.queue_task(row, Registration.Task.CHECK, timezone.now() + CHECK_DELAY)
        return
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


def _apply_answer(row: Registration, task: str, result: Registrant) -> None:
    """What Zoom says about a new registration. Only what is known is told to the person."""
    state = STATE_BY_STATUS.get(result.status)
    if result.status in ("denied", "cancelled") and _comes_back(row):
        if row.meeting is None or row.meeting.approval_type != ApprovalType.AUTOMATIC:
            # The host decides once more, as the first time.
            state = Registration.State.PENDING
        elif task != Registration.Task.APPROVE:
            outbox.queue_task(row, Registration.Task.APPROVE)
            return
        else:
            state, row.cancelled_at = None, None
    elif state == Registration.State.PENDING:
        row.cancelled_at = None
    if state is None:  # guard: unknown-answer-read-back
        _ask_again(row, task, result)
        return
    outbox.set_state(row, state, mail=mails.mail_after_registration(state))
    if state == Registration.State.APPROVED and not row.join_url:
        outbox.queue_task(row, Registration.Task.CHECK, timezone.now() + JOIN_LINK_DELAY)


def _ask_again(row: Registration, task: str, result: Registrant) -> None:
    """Zoom has taken a registration without naming its state: read the registrant."""
    if result.status == "cancelled" and row.attempts >= MISSING_CHECKS:
        # Zoom does not have it after all: look it up, then register the person again.
        row.maybe_sent, row.attempts = True, 0
        outbox.queue_task(row, Registration.Task.ADD)
        return
    is_first = task == Registration.Task.ADD
    row.attempts += not is_first
    due_at = timezone.now() + (timedelta(0) if is_first else CHECK_DELAY)
    outbox.queue_task(row, Registration.Task.CHECK, due_at)


def _comes_back(row: Registration) -> bool:
    """Whether the person had cancelled before, and no host has denied her.

    It may be another registration of hers, for other dates.
    """
    others = Registration.objects.filter(
        site=row.site_id,
        account=row.account_id,
        meeting_zoom_id=row.meeting_zoom_id,
        email_index=row.email_index,
    ).exclude(pk=row.pk)
    if others.filter(state=Registration.State.DENIED).exists():  # guard: denied-stays-denied
        return False
    return row.cancelled_at is not None or others.filter(cancelled_at__isnull=False).exists()


def state_at_zoom(row: Registration, registrant: Registrant) -> str:
    """The state of a row according to Zoom, which has who cancelled among the denied."""
    keeps_cancellation = row.cancelled_at is not None and row.state in (
        Registration.State.CANCELLED,
        Registration.State.PENDING,
    )
    if registrant.status in ("denied", "cancelled") and keeps_cancellation:
        return str(row.state)
    if registrant.status == "cancelled":
        return Registration.State.CANCELLED
    return STATE_BY_STATUS.get(registrant.status, row.state)


def _record_failure(
    attempted: Registration, task: str, outcome: ErrorOutcome, inline_attempt: InlineAttempt | None
) -> None:
    now = timezone.now()
    if inline_attempt and outcome.error == INVALID_ANSWERS and task == Registration.Task.ADD:
        # Zoom's questions may have changed: the request checks that before the failure is final.
        outcome = ErrorOutcome(INVALID_ANSWERS, now + outbox.MAIL_DELAY, outcome.code)
    elif inline_attempt and inline_attempt.may_withdraw and outcome.error in CLOSED_ERRORS:
        # Final for the worker, should the request end before it has withdrawn the row.
        outcome = ErrorOutcome(outcome.error, now + outbox.MAIL_DELAY, outcome.code)
    final = outcome.retry_at is None
    with outbox.edit_row(attempted.pk, inline_attempt.lease if inline_attempt else "") as row:
        _reuse_meeting(row, attempted)
        if task == Registration.Task.ADD:
            row.maybe_sent = attempted.maybe_sent
        if row.task == task:  # guard: older-task-counts-no-failure
            row.error_class, row.error_code = outcome.error, outcome.code
            row.attempts += outcome.counts_as_failure
            _apply_failure(row, task, outcome, now)
        elif row.task and row.task_at is not None:
            # Another task was queued in the meantime.
            earliest = outbox.earliest_after(task, outcome.error)
            outbox.queue_task(row, row.task, max(row.task_at, earliest))
    attempted.error_class = outcome.error
    if task == Registration.Task.ADD and attempted.meeting and outcome.error in MEETING_ERRORS:
        capacity.set_refusal(attempted.meeting, outcome.error)
    is_waiting = attempted.state == Registration.State.WAITING
    if final and (is_waiting or task != Registration.Task.CHECK):
        Activity.log(
            [attempted.site_id],
            "registration",
            "registration_failed",
            outcome=Activity.Outcome.FAILED,
            data={
                "topic": attempted.snapshot.get("topic", ""),
                "task": task,
                "error": outcome.error,
            },
            account=attempted.account,
        )


def _apply_failure(row: Registration, task: str, outcome: ErrorOutcome, now: datetime) -> None:
    """Retry a locked row later, or mark its failure as final."""
    if outcome.retry_at is None:
        outbox.queue_task(row, "")
        if task == Registration.Task.ADD or row.state == Registration.State.WAITING:
            outbox.set_state(row, Registration.State.FAILED, mail="failed")
        elif task == Registration.Task.CHECK or outcome.error == "over":
            row.error_class, row.error_code = "", None
        return
    earliest = now + timedelta(seconds=outbox.AMBIGUOUS_SECONDS) if row.maybe_sent else now
    outbox.queue_task(row, task, max(outcome.retry_at, earliest))
    if task == Registration.Task.ADD and not row.mails and not row.mail_due:
        outbox.queue_mail(row, "received", now + outbox.MAIL_DELAY)
