"""Creates, confirms and cancels registrations, for the form and for a project's own code.

A registration is saved first, under a unique key that prevents duplicates. The outbox then sends
it to Zoom.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import get_language
from wagtail.models import Page, Site

from ..frontend.availability import Availability
from ..frontend.visibility import SiteVisibility
from ..models import Meeting, Occurrence, Registration, RegistrationDate
from . import dedup, mails, outbox, payload, questions, tokens
from .context import ONE, SEVERAL, SINGLE, FormContext
from .form import make_form

UNCONFIRMED_DAYS = 2
SAVE_ATTEMPTS = 3
"""How often a registration is saved when other requests of the same person come between."""


class RegistrationClosed(Exception):
    """Registration is not possible now. ``availability`` holds the code and the message."""

    def __init__(self, availability: Availability) -> None:
        super().__init__(availability.code)
        self.availability = availability


@dataclass(frozen=True)
class Submission:
    """What one person entered, validated."""

    email: str
    answers: dict[str, Any] = field(repr=False)
    dates: Sequence[Occurrence] = ()
    consented_at: datetime | None = None
    key: str = ""
    """A project's own idempotency key, such as an order number."""


def register(
    *,
    site: Site,
    meeting: Meeting,
    email: str,
    first_name: str,
    last_name: str = "",
    answers: dict[str, Any] | None = None,
    dates: Iterable[Occurrence] = (),
    locale: str = "",
    page: Page | None = None,
    consented: bool = False,
    confirmed: bool = True,
    key: str = "",
) -> Registration:
    """Register a person from a project's own code, for instance after a payment.

    Returns immediately. The worker sends the registration to Zoom, and ``registration_changed``
    reports each new state. Safe to repeat: the same person, meeting and dates (or the same
    ``key``) is one registration.

    Args:
        answers: by Zoom's field name or by the title of a custom question.
        dates: the chosen occurrences, where the meeting's registration asks for them.
        confirmed: False sends the person a confirmation email first.

    Raises:
        RegistrationClosed: the visibility rules or Zoom's settings do not allow it.
        django.core.exceptions.ValidationError: an answer is missing or wrong.
    """
    form_context = FormContext.load(
        SiteVisibility.for_site(site), site, meeting.pk, page.pk if page else None
    )
    if not form_context.availability.is_open:
        raise RegistrationClosed(form_context.availability)
    data: dict[str, Any] = {"email": email, "first_name": first_name, "last_name": last_name}
    custom = questions.questions_of(meeting).custom
    names_by_title = {question.title: question.name for question in custom}
    for name, value in (answers or {}).items():
        data[names_by_title.get(name, name)] = value
    chosen = [str(occurrence.public_id) for occurrence in dates]
    data["dates"] = chosen[0] if form_context.mode == ONE and chosen else chosen
    with translation.override(locale or get_language()):
        form = make_form(form_context, data)
        form.fields.pop("consent", None)
        if not form.is_valid():  # guard: own-code-is-validated
            raise ValidationError(form.errors.as_data())
        submission = submission_of(form, timezone.now() if consented else None, key)
        row = save(form_context, submission, confirmed=confirmed)
    outbox.wake_worker()
    return row


def submission_of(form: Any, consented_at: datetime | None = None, key: str = "") -> Submission:
    """The submission of a valid form."""
    form_context: FormContext = form.form_context
    dates = form.cleaned_data.get("dates") or ()
    if form_context.mode == SINGLE:
        dates = form_context.dates[:1]
    email = form.cleaned_data["email"]
    return Submission(email, form.answers(), list(dates), consented_at, key)


def save(
    form_context: FormContext, submission: Submission, *, confirmed: bool, lease: str = ""
) -> Registration:
    """Create the registration, or update the one that exists. One commit.

    Args:
        lease: set on a new row, so that the request that saves it makes the first attempt.

    Raises:
        RegistrationClosed: there is no meeting to register for.
        OperationalError: the database does not work, or other requests came between each time.
    """
    meeting = form_context.meeting
    if meeting is None:
        raise RegistrationClosed(form_context.availability)
    identity = _identity(form_context, meeting, submission)  # guard: registration-stored-once
    # A double click: the other request may insert, or withdraw, the row between two queries.
    for _attempt in range(SAVE_ATTEMPTS):
        existing = dedup.find(identity).first()
        if existing is not None:
            with suppress(Registration.DoesNotExist):
                return _register_again(existing.pk, form_context, meeting, submission, confirmed)
            continue
        row = _new_row(form_context, meeting, submission, identity, confirmed)
        if lease:
            row.set_lease(lease, outbox.OUTBOX.lease)
        with suppress(IntegrityError), transaction.atomic():
            return _insert(row, submission)
    raise OperationalError("A registration was inserted and withdrawn again and again.")


def _identity(form_context: FormContext, meeting: Meeting, submission: Submission) -> str:
    if submission.key:
        return dedup.identity_of_key(form_context.site.pk, submission.key)
    occurrences = submission.dates if form_context.mode in (ONE, SEVERAL) else ()
    return dedup.identity_of_person(form_context.site.pk, meeting, submission.email, occurrences)


def _new_row(
    form_context: FormContext,
    meeting: Meeting,
    submission: Submission,
    identity: str,
    confirmed: bool,
) -> Registration:
    row = Registration(
        site=form_context.site,
        account=meeting.account,
        meeting=meeting,
        meeting_zoom_id=meeting.zoom_id,
        email_index=tokens.email_index(submission.email),
        idempotency_key=dedup.digest(identity),
        purge_on=_purge_day(form_context, submission, confirmed),
    )
    row.email, row.identity = submission.email, identity
    _store_submission(row, form_context, meeting, submission)
    _start(row, confirmed)
    return row


def _purge_day(form_context: FormContext, submission: Submission, confirmed: bool) -> date:
    """When the row is deleted if no date moves (``outbox.purge_day`` checks again)."""
    now = timezone.now()
    if not confirmed:
        return (now + timedelta(days=UNCONFIRMED_DAYS)).date()
    days = (
        form_context.site_settings.registration_days
        if form_context.site_settings
        else outbox.DEFAULT_RETENTION_DAYS
    )
    last = max(
        (occurrence.end for occurrence in submission.dates or form_context.dates), default=now
    )
    return last.date() + timedelta(days=days)


def _insert(row: Registration, submission: Submission) -> Registration:
    row.save()
    _create_dates(row, submission)
    return row


def _create_dates(row: Registration, submission: Submission) -> None:
    RegistrationDate.objects.bulk_create(
        RegistrationDate(
            registration=row,
            occurrence=occurrence,
            zoom_occurrence_id=occurrence.zoom_id,
            start=occurrence.start,
        )
        for occurrence in submission.dates
    )


def snapshot(form_context: FormContext, meeting: Meeting, submission: Submission) -> dict[str, Any]:
    """What must be known when the local copy no longer has the meeting."""
    dates = submission.dates or form_context.dates
    return {
        "topic": meeting.topic,
        "title": form_context.title,
        "kind": meeting.kind,
        "host": meeting.host_zoom_id,
        "timezone": meeting.timezone,
        "duration": meeting.duration,
        "dates": [occurrence.start.isoformat() for occurrence in dates],
        "is_standalone": form_context.is_standalone,
        "offered_by": form_context.offered_by,
    }


def _store_submission(
    row: Registration, form_context: FormContext, meeting: Meeting, submission: Submission
) -> None:
    """Set what a person enters, where and in which language. The address stays as spelt first."""
    row.page_id, row.locale = form_context.page_id, (get_language() or "")[:20]
    row.snapshot = snapshot(form_context, meeting, submission)
    row.answers = json.dumps(submission.answers)
    row.consented_at = submission.consented_at


def _replace_submission(
    row: Registration, form_context: FormContext, meeting: Meeting, submission: Submission
) -> None:
    """The newest submission counts. Dates that Zoom may have are needed to cancel them there."""
    _store_submission(row, form_context, meeting, submission)
    if row.zoom_registrant_id or row.maybe_sent:
        return
    stored = set(row.dates.values_list("occurrence_id", flat=True))
    if stored != {occurrence.pk for occurrence in submission.dates}:
        row.dates.all().delete()
        _create_dates(row, submission)


def _start(row: Registration, confirmed: bool) -> None:
    due_at = outbox.earliest_after(row.task, row.error_class)
    row.error_class, row.error_code, row.mails = "", None, {}
    row.submission_count = 1
    if confirmed:
        row.attempts = 0
        outbox.set_state(row, Registration.State.WAITING)
        outbox.queue_task(row, Registration.Task.ADD, due_at)
    else:
        # The task of an older cancellation goes on, with its count of attempts.
        row.attempts = row.attempts if row.task else 0
        outbox.set_state(row, Registration.State.UNCONFIRMED, mail="confirm")


def _update_purge_day(row: Registration) -> None:
    day = outbox.purge_day(row)
    if row.state == Registration.State.UNCONFIRMED:
        day = (timezone.now() + timedelta(days=UNCONFIRMED_DAYS)).date()
    row.purge_on = day
    row.save(update_fields=["purge_on"])


def _register_again(
    pk: int,
    form_context: FormContext,
    meeting: Meeting,
    submission: Submission,
    confirmed: bool,
) -> Registration:
    """The person registers again. What is not confirmed or not sent yet gets the newest answers.

    A registration that Zoom may have stays unchanged; an email reports it.
    """
    with outbox.edit_row(pk) as row:
        # The meeting may have been removed and imported again.
        row.meeting, row.account = meeting, meeting.account
        if row.state in (Registration.State.CANCELLED, Registration.State.FAILED):
            _replace_submission(row, form_context, meeting, submission)
            _start(row, confirmed)
            if confirmed:
                row.dates.update(cancelled_at=None)
        elif row.state == Registration.State.UNCONFIRMED:
            _replace_submission(row, form_context, meeting, submission)
            outbox.queue_mail(row, "confirm")
        else:
            row.submission_count += 1
            if confirmed and _is_unsent(row):  # guard: confirmed-answers-kept
                _replace_submission(row, form_context, meeting, submission)
            outbox.queue_mail(row, row.mail_due or "again")
            if not row.task:
                outbox.queue_task(row, Registration.Task.CHECK)
        _update_purge_day(row)
    return row


def _is_unsent(row: Registration) -> bool:
    """Whether a waiting registration has certainly not been sent, and is not being sent now."""
    return (
        row.state == Registration.State.WAITING
        and row.task == Registration.Task.ADD
        and not row.maybe_sent
        and not row.zoom_registrant_id
        and not row.is_leased
    )


def confirm(pk: int, digest: str) -> bool:
    """Double opt-in: the person has confirmed the registration.

    Args:
        digest: of what was shown to the person (``payload.entries_digest``).

    Returns:
        False: it has other entries by now, and stays unconfirmed.
    """
    with outbox.edit_row(pk) as row:
        if row.state == Registration.State.UNCONFIRMED:
            if not digest or payload.entries_digest(row) != digest:  # guard: confirmed-as-shown
                return False
            due_at = outbox.earliest_after(row.task, row.error_class)
            row.clear_error()
            row.dates.update(cancelled_at=None)
            outbox.queue_mail(row, "")
            outbox.set_state(row, Registration.State.WAITING)
            outbox.queue_task(row, Registration.Task.ADD, due_at)
            _update_purge_day(row)
    outbox.wake_worker()
    return True


def cancel(pk: int) -> bool:
    """Cancel a registration: here immediately, at Zoom as soon as it answers.

    Returns:
        False: its state does not allow it.
    """
    with outbox.edit_row(pk) as row:
        if row.state not in (
            Registration.State.UNCONFIRMED,
            Registration.State.WAITING,
            Registration.State.PENDING,
            Registration.State.APPROVED,
        ):
            return False
        never_sent = not row.zoom_registrant_id and not row.maybe_sent and not row.lease_owner
        # Zoom has the cancellation of the registration before, and no new one.
        is_cancelled_at_zoom = (
            row.state == Registration.State.UNCONFIRMED
            and row.cancelled_at is not None
            and row.task != Registration.Task.CANCEL
        )
        if row.task != Registration.Task.CANCEL:
            row.attempts = 0
        due_at = outbox.earliest_after(row.task, row.error_class)
        outbox.queue_mail(row, "")
        outbox.set_state(
            row,
            Registration.State.CANCELLED,
            mail=mails.mail_after_change(row, Registration.State.CANCELLED),
        )
        is_done = never_sent or is_cancelled_at_zoom
        outbox.queue_task(row, "" if is_done else Registration.Task.CANCEL, due_at)
        row.error_class, row.error_code = "", None
    outbox.wake_worker()
    return True


def resend(pk: int) -> None:
    """Send the email with the status link again."""
    with outbox.edit_row(pk) as row:
        outbox.queue_mail(row, row.mail_due or "again")
    outbox.wake_worker()


def hold_back(pk: int, lease: str, *, since: datetime, until: datetime) -> None:
    """Send to Zoom later what was queued since ``since``: the address is at its limit."""
    with outbox.edit_row(pk, lease) as row:
        is_ours = row.task in (Registration.Task.ADD, Registration.Task.CHECK)
        if is_ours and row.task_at is not None and row.task_at >= since:
            outbox.queue_task(row, row.task, until)
    outbox.wake_worker()


def replace_answers(pk: int, answers: dict[str, Any]) -> None:
    """Zoom's questions have changed since the person answered: send the answers that still fit."""
    with outbox.edit_row(pk) as row:
        if row.task == Registration.Task.ADD:
            row.answers = json.dumps(answers)
            outbox.queue_task(row, Registration.Task.ADD)
    outbox.wake_worker()


def withdraw(row: Registration, since: datetime) -> None:
    """Undo a registration that this request answers with a refusal, or with the form again.

    A row created after ``since`` is deleted; one that this request has restarted is marked as
    failed. If another request had its part in the row, that one has thanked the person: the row
    stays, and the worker reports by email what Zoom answers.
    """
    with outbox.edit_row(row.pk) as locked:
        if locked.maybe_sent or locked.task != Registration.Task.ADD:
            return
        if locked.submission_count > 1:  # guard: thanked-registration-stays
            return
        if locked.created_at >= since:
            locked.delete()
            return
        outbox.queue_mail(locked, "")
        outbox.queue_task(locked, "")
        outbox.set_state(locked, Registration.State.FAILED)
