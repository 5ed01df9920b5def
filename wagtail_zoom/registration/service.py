"""Signing a person up: the same way for the form and for a project's own code.

Saved first, under a key that makes doubles impossible; what follows is the outbox's work.
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

from ..frontend.visibility import Exposure
from ..models import Meeting, Occurrence, Registration, RegistrationDate
from . import dedup, mails, outbox, questions, tokens
from .availability import Availability
from .context import ONE, SEVERAL, SINGLE, Offer
from .form import make_form

State, Task = Registration.State, Registration.Task
UNCONFIRMED_DAYS = 2


class RegistrationClosed(Exception):
    """Nobody can register now; ``availability`` holds the code and the sentence."""

    def __init__(self, availability: Availability) -> None:
        super().__init__(availability.code)
        self.availability = availability


@dataclass(frozen=True)
class Entry:
    """What one person entered, validated."""

    email: str
    answers: dict[str, Any] = field(repr=False)
    dates: Sequence[Occurrence] = ()
    consented_at: datetime | None = None
    key: str = ""
    """A project's own key for "the same sign-up", such as the number of an order."""


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
    """Sign somebody up from a project's own code, for instance after a payment.

    Returns at once; the worker brings it to Zoom, and ``registration_changed`` tells what became
    of it. Safe to repeat: the same person, meeting and dates (or the same ``key``) is one sign-up.

    Args:
        answers: by Zoom's field name or by the title of an own question.
        dates: the chosen dates, where the meeting's registration asks for them.
        confirmed: False asks the person by mail first.

    Raises:
        RegistrationClosed: the gate or Zoom's settings do not allow it.
        django.core.exceptions.ValidationError: an answer is missing or wrong.
    """
    offer = Offer.make(Exposure.for_site(site), site, meeting.pk, page.pk if page else None)
    if not offer.availability.is_open:
        raise RegistrationClosed(offer.availability)
    data: dict[str, Any] = {"email": email, "first_name": first_name, "last_name": last_name}
    titles = {question.title: question.name for question in questions.of(meeting).custom}
    for name, value in (answers or {}).items():
        data[titles.get(name, name)] = value
    chosen = [str(one.public_id) for one in dates]
    data["dates"] = chosen[0] if offer.mode == ONE and chosen else chosen
    with translation.override(locale or get_language()):
        form = make_form(offer, data)
        form.fields.pop("consent", None)
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        entry = entry_of(form, timezone.now() if consented else None, key)
        row = save(offer, entry, confirmed=confirmed)
    outbox.wake()
    return row


def entry_of(form: Any, consented_at: datetime | None = None, key: str = "") -> Entry:
    """What a valid form holds."""
    offer: Offer = form.offer
    dates = form.cleaned_data.get("dates") or ()
    if offer.mode == SINGLE:
        dates = offer.dates[:1]
    email = form.cleaned_data["email"]
    return Entry(email, form.answers(), list(dates), consented_at, key)


def save(offer: Offer, entry: Entry, *, confirmed: bool, lease: str = "") -> Registration:
    """Write the sign-up down, or find the one that is already there. One commit.

    Args:
        lease: a new row is born with it, so that whoever saves it tries it first.
    """
    meeting = offer.meeting
    if meeting is None:
        raise RegistrationClosed(offer.availability)
    text = _identity(offer, meeting, entry)  # guard: registration-stored-once
    known = dedup.find(text).first()
    if known is None:
        row = _fresh(offer, meeting, entry, text, confirmed)
        if lease:
            row.lease_owner, row.lease_until = lease, timezone.now() + outbox.LEASE
        try:
            with transaction.atomic():
                return _create(row, entry)
        except IntegrityError:
            # A double click: the other request was faster.
            known = dedup.find(text).get()
    return _again(known.pk, meeting, entry, confirmed)


def _identity(offer: Offer, meeting: Meeting, entry: Entry) -> str:
    if entry.key:
        return dedup.of_key(offer.site.pk, entry.key)
    chosen = entry.dates if offer.mode in (ONE, SEVERAL) else ()
    return dedup.of_person(offer.site.pk, meeting, entry.email, chosen)


def _fresh(
    offer: Offer, meeting: Meeting, entry: Entry, text: str, confirmed: bool
) -> Registration:
    row = Registration(
        site=offer.site,
        page_id=offer.page_id,
        account=meeting.account,
        meeting=meeting,
        meeting_zoom_id=meeting.zoom_id,
        snapshot=snapshot(offer, meeting, entry),
        locale=(get_language() or "")[:20],
        email_index=tokens.email_index(entry.email),
        idempotency_key=dedup.digest(text),
        purge_on=_last_day(offer, entry, confirmed),
    )
    row.email, row.identity = entry.email, text
    _fill(row, entry, confirmed)
    return row


def _last_day(offer: Offer, entry: Entry, confirmed: bool) -> date:
    """When it is deleted, if no date moves (``outbox.purge_day`` looks again)."""
    now = timezone.now()
    if not confirmed:
        return (now + timedelta(days=UNCONFIRMED_DAYS)).date()
    days = offer.choice.registration_days if offer.choice else outbox.DAYS
    last = max((one.end for one in entry.dates or offer.dates), default=now)
    return last.date() + timedelta(days=days)


def _create(row: Registration, entry: Entry) -> Registration:
    row.save()
    RegistrationDate.objects.bulk_create(
        RegistrationDate(
            registration=row,
            occurrence=chosen,
            zoom_occurrence_id=chosen.zoom_id,
            start=chosen.start,
        )
        for chosen in entry.dates
    )
    return row


def snapshot(offer: Offer, meeting: Meeting, entry: Entry) -> dict[str, Any]:
    """What must be known when the meeting is gone from the mirror."""
    dates = entry.dates or offer.dates
    return {
        "topic": meeting.topic,
        "title": offer.title,
        "kind": meeting.kind,
        "host": meeting.host_zoom_id,
        "timezone": meeting.timezone,
        "duration": meeting.duration,
        "dates": [one.start.isoformat() for one in dates],
        "stands_alone": offer.stands_alone,
    }


def _fill(row: Registration, entry: Entry, confirmed: bool) -> None:
    row.answers = json.dumps(entry.answers)
    row.consented_at = entry.consented_at
    row.error_class, row.error_code, row.attempts, row.mails = "", None, 0, {}
    if confirmed:
        outbox.move(row, State.WAITING)
        outbox.plan(row, Task.ADD)
    else:
        outbox.move(row, State.UNCONFIRMED, mail="confirm")


def _keep_until(row: Registration) -> None:
    day = outbox.purge_day(row)
    if row.state == State.UNCONFIRMED:
        day = (timezone.now() + timedelta(days=UNCONFIRMED_DAYS)).date()
    row.purge_on = day
    row.save(update_fields=["purge_on"])


def _again(pk: int, meeting: Meeting, entry: Entry, confirmed: bool) -> Registration:
    """The person signs up once more. What is settled stays as it is; a mail says how it is."""
    with outbox.locked(pk) as row:
        # The mirror may have lost and found it in between.
        row.meeting, row.account = meeting, meeting.account
        if row.state in (State.CANCELLED, State.FAILED):
            _fill(row, entry, confirmed)
            row.dates.update(cancelled_at=None)
        elif row.state == State.UNCONFIRMED:
            outbox.post(row, "confirm")
        else:
            outbox.post(row, row.mail_due or "again")
            if not row.task:
                outbox.plan(row, Task.CHECK)
        row.save()
        _keep_until(row)
    return row


def confirm(pk: int) -> None:
    """The person has followed the link of the double opt-in."""
    with outbox.locked(pk) as row:
        if row.state == State.UNCONFIRMED:
            outbox.post(row, "")
            outbox.move(row, State.WAITING)
            outbox.plan(row, Task.ADD)
            row.save()
            _keep_until(row)
    outbox.wake()


def cancel(pk: int) -> bool:
    """Take a sign-up back, here at once and at Zoom as soon as it answers."""
    with outbox.locked(pk) as row:
        if row.state not in (State.UNCONFIRMED, State.WAITING, State.PENDING, State.APPROVED):
            return False
        never_sent = not row.zoom_registrant_id and not row.maybe_sent and not row.lease_owner
        outbox.post(row, "")
        outbox.move(row, State.CANCELLED, mail=mails.after_change(row, State.CANCELLED))
        outbox.plan(row, "" if never_sent else Task.CANCEL)
        row.error_class, row.error_code, row.attempts = "", None, 0
        row.save()
    outbox.wake()
    return True


def resend(pk: int) -> None:
    """Send the mail with the status link once more."""
    with outbox.locked(pk) as row:
        outbox.post(row, row.mail_due or "again")
        row.save()
    outbox.wake()


def correct(pk: int, answers: dict[str, Any]) -> None:
    """The same person answered other questions than Zoom asks by now: send what fits."""
    with outbox.locked(pk) as row:
        if row.task == Task.ADD:
            row.answers = json.dumps(answers)
            outbox.plan(row, Task.ADD)
            row.save()
    outbox.wake()


def take_back(row: Registration, since: datetime) -> None:
    """Zoom asks for more, and the person is asked on the spot: nothing of it stays behind."""
    with outbox.locked(row.pk) as found:
        if found.maybe_sent or found.task != Task.ADD:
            return
        if found.created_at >= since:
            found.delete()
            return
        outbox.post(found, "")
        outbox.plan(found, "")
        outbox.move(found, State.FAILED)
        found.save()
