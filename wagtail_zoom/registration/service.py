"""Creates, confirms and cancels registrations, for the form and for a project's own code.

A registration is saved first, under a unique key that prevents duplicates. The outbox then sends
it to Zoom.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import get_language
from wagtail.models import Page, Site

from ..frontend.visibility import SiteVisibility
from ..models import Meeting, Occurrence, Registration, RegistrationDate
from . import dedup, mails, outbox, questions, tokens
from .availability import Availability
from .context import ONE, SEVERAL, SINGLE, FormContext
from .form import make_form

UNCONFIRMED_DAYS = 2


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
        if not form.is_valid():
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
    """
    meeting = form_context.meeting
    if meeting is None:
        raise RegistrationClosed(form_context.availability)
    identity = _identity(form_context, meeting, submission)  # guard: registration-stored-once
    existing = dedup.find(identity).first()
    if existing is None:
        row = _new_row(form_context, meeting, submission, identity, confirmed)
        if lease:
            row.lease_owner, row.lease_until = lease, timezone.now() + outbox.LEASE
        try:
            with transaction.atomic():
                return _insert(row, submission)
        except IntegrityError:
            # A double click: the other request was faster.
            existing = dedup.find(identity).get()
    return _register_again(existing.pk, meeting, submission, confirmed)


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
        page_id=form_context.page_id,
        account=meeting.account,
        meeting=meeting,
        meeting_zoom_id=meeting.zoom_id,
        snapshot=snapshot(form_context, meeting, submission),
        locale=(get_language() or "")[:20],
        email_index=tokens.email_index(submission.email),
        idempotency_key=dedup.digest(identity),
        purge_on=_purge_day(form_context, submission, confirmed),
    )
    row.email, row.identity = submission.email, identity
    _apply_submission(row, submission, confirmed)
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
    RegistrationDate.objects.bulk_create(
        RegistrationDate(
            registration=row,
            occurrence=occurrence,
            zoom_occurrence_id=occurrence.zoom_id,
            start=occurrence.start,
        )
        for occurrence in submission.dates
    )
    return row


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
    }


def _apply_submission(row: Registration, submission: Submission, confirmed: bool) -> None:
    row.answers = json.dumps(submission.answers)
    row.consented_at = submission.consented_at
    row.error_class, row.error_code, row.attempts, row.mails = "", None, 0, {}
    if confirmed:
        outbox.set_state(row, Registration.State.WAITING)
        outbox.queue_task(row, Registration.Task.ADD)
    else:
        outbox.set_state(row, Registration.State.UNCONFIRMED, mail="confirm")


def _update_purge_day(row: Registration) -> None:
    day = outbox.purge_day(row)
    if row.state == Registration.State.UNCONFIRMED:
        day = (timezone.now() + timedelta(days=UNCONFIRMED_DAYS)).date()
    row.purge_on = day
    row.save(update_fields=["purge_on"])


def _register_again(
    pk: int, meeting: Meeting, submission: Submission, confirmed: bool
) -> Registration:
    """The person registers again. A finished registration stays unchanged; an email reports it."""
    with outbox.lock_row(pk) as row:
        # The meeting may have been removed and imported again.
        row.meeting, row.account = meeting, meeting.account
        if row.state in (Registration.State.CANCELLED, Registration.State.FAILED):
            _apply_submission(row, submission, confirmed)
            row.dates.update(cancelled_at=None)
        elif row.state == Registration.State.UNCONFIRMED:
            outbox.queue_mail(row, "confirm")
        else:
            outbox.queue_mail(row, row.mail_due or "again")
            if not row.task:
                outbox.queue_task(row, Registration.Task.CHECK)
        row.save()
        _update_purge_day(row)
    return row


def confirm(pk: int) -> None:
    """Double opt-in: the person has confirmed the registration."""
    with outbox.lock_row(pk) as row:
        if row.state == Registration.State.UNCONFIRMED:
            outbox.queue_mail(row, "")
            outbox.set_state(row, Registration.State.WAITING)
            outbox.queue_task(row, Registration.Task.ADD)
            row.save()
            _update_purge_day(row)
    outbox.wake_worker()


def cancel(pk: int) -> bool:
    """Cancel a registration: here immediately, at Zoom as soon as it answers.

    Returns:
        False: its state does not allow it.
    """
    with outbox.lock_row(pk) as row:
        if row.state not in (
            Registration.State.UNCONFIRMED,
            Registration.State.WAITING,
            Registration.State.PENDING,
            Registration.State.APPROVED,
        ):
            return False
        never_sent = not row.zoom_registrant_id and not row.maybe_sent and not row.lease_owner
        outbox.queue_mail(row, "")
        outbox.set_state(
            row,
            Registration.State.CANCELLED,
            mail=mails.mail_after_change(row, Registration.State.CANCELLED),
        )
        outbox.queue_task(row, "" if never_sent else Registration.Task.CANCEL)
        row.error_class, row.error_code, row.attempts = "", None, 0
        row.save()
    outbox.wake_worker()
    return True


def resend(pk: int) -> None:
    """Send the email with the status link again."""
    with outbox.lock_row(pk) as row:
        outbox.queue_mail(row, row.mail_due or "again")
        row.save()
    outbox.wake_worker()


def replace_answers(pk: int, answers: dict[str, Any]) -> None:
    """Zoom's questions have changed since the person answered: send the answers that still fit."""
    with outbox.lock_row(pk) as row:
        if row.task == Registration.Task.ADD:
            row.answers = json.dumps(answers)
            outbox.queue_task(row, Registration.Task.ADD)
            row.save()
    outbox.wake_worker()


def withdraw(row: Registration, since: datetime) -> None:
    """Undo a registration that this request shows as a form again, because Zoom asks for more.

    A row created after ``since`` is deleted; an older one is marked as failed.
    """
    with outbox.lock_row(row.pk) as locked:
        if locked.maybe_sent or locked.task != Registration.Task.ADD:
            return
        if locked.created_at >= since:
            locked.delete()
            return
        outbox.queue_mail(locked, "")
        outbox.queue_task(locked, "")
        outbox.set_state(locked, Registration.State.FAILED)
        locked.save()
