"""What owners do with sign-ups. Each is written into the activity log, without personal data.

The views of the admin call these; they check first that the person may change the Zoom settings
of the sign-up's Site.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise

from ..frontend.visibility import Exposure
from ..models import Activity, Meeting, Registration
from ..utils.crypto import DecryptionError
from . import dedup, error_policy, outbox, tokens
from .context import Offer
from .form import RegistrationForm, form_class
from .payload import answers_of
from .service import cancel as cancel_row

State, Task = Registration.State, Registration.Task


class NotPossible(Exception):
    """The sign-up is in a state that does not allow it (any more)."""


def reason(row: Registration) -> str | Promise:
    """Why a sign-up does not go on, in an owner's words; nothing when all is well."""
    return error_policy.OWNER.get(row.error_class, "") if row.error_class else ""


def actions(row: Registration) -> list[str]:
    """What may be done now: of ``approve``, ``deny``, ``cancel``, ``retry``, ``edit``."""
    possible = {
        State.UNCONFIRMED: ["cancel"],
        State.WAITING: ["retry", "edit", "cancel"],
        State.PENDING: ["approve", "deny", "cancel"],
        State.APPROVED: ["deny", "cancel"],
        State.DENIED: ["approve"],
        State.FAILED: ["retry", "edit"],
    }
    return possible.get(State(row.state), [])


def approve(row: Registration, user: Any) -> None:
    """Give a place. Zoom is told by the worker, the state follows.

    Raises:
        NotPossible: it does not wait for an answer.
    """
    _decide(row, user, Task.APPROVE, "approve", "signup_approved")


def deny(row: Registration, user: Any) -> None:
    """Refuse a place.

    Raises:
        NotPossible: it is cancelled or has failed.
    """
    _decide(row, user, Task.DENY, "deny", "signup_denied")


def _decide(row: Registration, user: Any, task: str, action: str, code: str) -> None:
    with outbox.locked(row.pk) as found:
        if action not in actions(found):
            raise NotPossible(action)
        found.error_class, found.error_code, found.attempts = "", None, 0
        outbox.plan(found, task)
        found.save()
    _log(row, user, code)
    outbox.wake()


def cancel(row: Registration, user: Any) -> None:
    """Take a sign-up back in the person's place.

    Raises:
        NotPossible: there is nothing to cancel.
    """
    if not cancel_row(row.pk):
        raise NotPossible("cancel")
    _log(row, user, "signup_cancelled")


def retry(row: Registration, user: Any) -> None:
    """Try at once.

    Raises:
        NotPossible: it has arrived or is cancelled.
    """
    with outbox.locked(row.pk) as found:
        if "retry" not in actions(found):
            raise NotPossible("retry")
        found.error_class, found.error_code, found.attempts = "", None, 0
        outbox.move(found, State.WAITING)
        found.state_since = timezone.now()
        outbox.plan(found, Task.ADD)
        found.save()
    _log(row, user, "signup_retried")
    outbox.wake()


def edit_form(row: Registration, data: Any = None) -> RegistrationForm:
    """The person's form with the entries, for the owner: without dates and consent.

    Raises:
        NotPossible: the meeting is gone.
    """
    if row.meeting_id is None:
        raise NotPossible("edit")
    gate = Exposure.for_site(row.site)
    meeting = Meeting.objects.select_related("host", "account").get(pk=row.meeting_id)
    offer = Offer(row.site, gate.choice, meeting, page_id=row.page_id)
    try:
        kept, address = answers_of(row), row.email.reveal()
    except DecryptionError:
        kept, address = {}, ""
    initial: dict[str, Any] = {
        **kept.get("standard", {}),
        **kept.get("extra", {}),
        "email": address,
    }
    titles = {each["title"]: each["value"] for each in kept.get("custom", [])}
    form = form_class(row.site, meeting)(data, offer=offer, initial=initial)
    for question in form.questions.custom:
        value = titles.get(question.title, "")
        form.initial[question.name] = value.split(", ") if question.kind == "many" else value
    for name in ("dates", "consent"):
        form.fields.pop(name, None)
    return form


def save_edit(row: Registration, form: RegistrationForm, user: Any) -> None:
    """Keep what the owner corrected, and try again.

    Raises:
        NotPossible: it has arrived meanwhile.
    """
    with outbox.locked(row.pk) as found:
        if "edit" not in actions(found):
            raise NotPossible("edit")
        kept = answers_of(found) if found.answers.readable else {}
        fresh = {**form.answers(), "language": kept.get("language", "")}
        found.answers = json.dumps(fresh)
        address = form.cleaned_data["email"]
        if tokens.normalise(address) != tokens.normalise(_address(found)):
            found.maybe_sent = False
            for name, value in dedup.with_address(found, address).items():
                setattr(found, name, value)
        found.email, found.email_index = address, tokens.email_index(address)
        found.save()
    _log(row, user, "signup_edited")
    retry(row, user)


def _address(row: Registration) -> str:
    try:
        return row.email.reveal()
    except DecryptionError:
        return ""


def _flat(row: Registration) -> list[tuple[str, str]]:
    try:
        kept = answers_of(row)
    except (DecryptionError, ValueError):
        return []
    flat = [(name, str(value)) for name, value in kept.get("standard", {}).items()]
    flat += [(str(each["title"]), str(each["value"])) for each in kept.get("custom", [])]
    return flat + [(name, str(value)) for name, value in kept.get("extra", {}).items()]


def details(row: Registration) -> list[tuple[str, str]]:
    """Everything one person typed, as (question, answer)."""
    return [("email", _address(row)), *_flat(row)]


def _log(row: Registration, user: Any, code: str) -> None:
    Activity.log(
        [row.site_id],
        "registration",
        code,
        data={"topic": row.snapshot.get("topic", "")},
        account=row.account,
        user=user,
    )
