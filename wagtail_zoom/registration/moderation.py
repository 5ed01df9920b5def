"""Actions of owners on registrations. Each is logged as an activity, without personal data.

The admin's views call these. They check first that the user may change the Zoom settings of the
registration's Site.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise

from ..frontend.visibility import SiteVisibility
from ..models import Activity, Meeting, Registration, WriteAccess
from ..models.outbox import CONNECTION_ERRORS
from ..utils.crypto import DecryptionError
from . import dedup, error_policy, outbox, registrants, tokens
from .context import FormContext
from .form import RegistrationForm, form_class
from .payload import answer_pairs, answers_of
from .service import cancel as cancel_row


class ActionNotAllowed(Exception):
    """The registration's state, or the Site's connection, does not allow the action (any more).

    ``reason`` is what the owner reads; empty when the state has changed.
    """

    def __init__(self, action: str, reason: str | Promise = "") -> None:
        super().__init__(action)
        self.reason = reason


def reason(row: Registration, access: WriteAccess | None = None) -> str | Promise:
    """Why a registration does not go on, or cannot be changed, as owners read it."""
    if row.error_class and row.error_class not in CONNECTION_ERRORS:
        return error_policy.OWNER_MESSAGES.get(row.error_class, "")
    code = blocked_by(row, access) or row.error_class
    return error_policy.OWNER_MESSAGES.get(code, "") if code else ""


def blocked_by(row: Registration, access: WriteAccess | None = None) -> str:
    """Why the owner's actions on a registration cannot reach Zoom now; empty when they can."""
    if row.state in (Registration.State.UNCONFIRMED, Registration.State.CANCELLED):
        return (row.error_class if row.task else "") or ""
    return str(registrants.refusal(row, access) or "")


def actions(row: Registration, access: WriteAccess | None = None) -> list[str]:
    """The allowed actions: of ``approve``, ``deny``, ``cancel``, ``retry``, ``edit``.

    None of them while the Site may not change the meeting at Zoom. ``access`` saves two queries.
    """
    possible = {
        Registration.State.UNCONFIRMED: ["cancel"],
        Registration.State.WAITING: ["retry", "edit", "cancel"],
        Registration.State.PENDING: ["approve", "deny", "cancel"],
        Registration.State.APPROVED: ["deny", "cancel"],
        Registration.State.DENIED: ["approve"],
        Registration.State.FAILED: ["retry", "edit"],
    }
    names = possible.get(Registration.State(row.state), [])
    # A decision that is on its way to Zoom is not offered again.
    names = [name for name in names if name != row.task]
    return [] if names and blocked_by(row, access) else names  # guard: moderation-by-linked-site


def _check_allowed(row: Registration, action: str) -> None:
    if action not in actions(row):
        code = blocked_by(row)
        raise ActionNotAllowed(action, error_policy.OWNER_MESSAGES.get(code, "") if code else "")


def approve(row: Registration, user: Any) -> None:
    """Approve a registration. The worker sends it to Zoom; the state changes afterwards.

    Raises:
        ActionNotAllowed: it does not wait for a decision.
    """
    _decide(row, user, Registration.Task.APPROVE, "approve", "registration_approved")


def deny(row: Registration, user: Any) -> None:
    """Deny a registration.

    Raises:
        ActionNotAllowed: it is cancelled or has failed.
    """
    _decide(row, user, Registration.Task.DENY, "deny", "registration_denied")


def _decide(row: Registration, user: Any, task: str, action: str, code: str) -> None:
    with outbox.edit_row(row.pk) as locked:
        _check_allowed(locked, action)
        due_at = outbox.earliest_after(locked.task, locked.error_class)
        locked.clear_error()
        outbox.queue_task(locked, task, due_at)
    _log(row, user, code)
    outbox.wake_worker()


def cancel(row: Registration, user: Any) -> None:
    """Cancel a registration for the person.

    Raises:
        ActionNotAllowed: there is nothing to cancel.
    """
    _check_allowed(row, "cancel")
    if not cancel_row(row.pk):
        raise ActionNotAllowed("cancel")
    _log(row, user, "registration_cancelled")


def retry(row: Registration, user: Any) -> None:
    """Retry immediately.

    Raises:
        ActionNotAllowed: it has arrived or is cancelled.
    """
    with outbox.edit_row(row.pk) as locked:
        _check_allowed(locked, "retry")
        locked.clear_error()
        outbox.set_state(locked, Registration.State.WAITING)
        locked.state_since = timezone.now()
        outbox.queue_task(locked, Registration.Task.ADD)
    _log(row, user, "registration_retried")
    outbox.wake_worker()


def edit_form(row: Registration, data: Any = None) -> RegistrationForm:
    """The person's form with the stored answers, for the owner: without dates and consent.

    Raises:
        ActionNotAllowed: the meeting is gone.
    """
    _check_allowed(row, "edit")
    if row.meeting_id is None:
        raise ActionNotAllowed("edit")
    visibility = SiteVisibility.for_site(row.site)
    meeting = Meeting.objects.select_related("host", "account").get(pk=row.meeting_id)
    form_context = FormContext(row.site, visibility.site_settings, meeting, page_id=row.page_id)
    try:
        stored, email = answers_of(row), row.email.reveal()
    except DecryptionError:
        stored, email = {}, ""
    initial: dict[str, Any] = {
        **stored.get("standard", {}),
        **stored.get("extra", {}),
        "email": email,
    }
    values_by_title = {answer["title"]: answer["value"] for answer in stored.get("custom", [])}
    form = form_class(row.site, meeting)(data, form_context=form_context, initial=initial)
    for question in form.questions.custom:
        value = values_by_title.get(question.title, "")
        form.initial[question.name] = value
    for name in ("dates", "consent"):
        form.fields.pop(name, None)
    return form


def save_edit(row: Registration, form: RegistrationForm, user: Any) -> None:
    """Store what the owner corrected, and retry.

    Raises:
        ActionNotAllowed: it has arrived in the meantime.
    """
    with outbox.edit_row(row.pk) as locked:
        _check_allowed(locked, "edit")
        stored = answers_of(locked) if locked.answers.readable else {}
        new_answers = {**form.answers(), "language": stored.get("language", "")}
        locked.answers = json.dumps(new_answers)
        email = form.cleaned_data["email"]
        if tokens.normalise_email(email) != tokens.normalise_email(_email_of(locked)):
            locked.maybe_sent = False
            for name, value in dedup.columns_for_email(locked, email).items():
                setattr(locked, name, value)
        locked.email, locked.email_index = email, tokens.email_index(email)
    _log(row, user, "registration_edited")
    retry(row, user)


def _email_of(row: Registration) -> str:
    try:
        return row.email.reveal()
    except DecryptionError:
        return ""


def _answer_pairs(row: Registration) -> list[tuple[str, str]]:
    try:
        return answer_pairs(row)
    except (DecryptionError, ValueError):
        return []


def details(row: Registration) -> list[tuple[str, str]]:
    """Everything the person entered, as (question, answer)."""
    return [("email", _email_of(row)), *_answer_pairs(row)]


def _log(row: Registration, user: Any, code: str) -> None:
    Activity.log(
        [row.site_id],
        "registration",
        code,
        data={"topic": row.snapshot.get("topic", "")},
        account=row.account,
        user=user,
    )
