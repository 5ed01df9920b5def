"""The words of a person's status page: where things stand, and what is or is not to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from wagtail.models import Page

from ..frontend import datetimes
from ..frontend.form_links import Ref
from ..models import Registration, ZoomSettings
from ..utils.crypto import DecryptionError
from . import error_policy, mails, tokens
from .context import organiser
from .dates import SignedDate, dates_of, next_of
from .payload import answers_of

State, Task = Registration.State, Registration.Task


@dataclass(frozen=True)
class Step:
    """One step of the way; ``state`` is ``done``, ``now`` or nothing."""

    label: str
    state: str = ""


@dataclass
class Status:
    """Everything that the page shows."""

    code: str
    label: str
    tone: str
    heading: str
    title: str
    dates: list[SignedDate]
    sentence: str = ""
    contact: str = ""
    steps: list[Step] = field(default_factory=list)
    join_url: str = ""
    calendar_url: str = ""
    again_url: str = ""
    can_confirm: bool = False
    can_cancel: bool = False
    can_resend: bool = False


def status_of(row: Registration, choice: ZoomSettings) -> Status:
    """The status page of one sign-up."""
    dates = dates_of(row)
    coming = next_of(dates)
    words = _words(row, choice, dates, coming)
    over = bool(dates) and all(date.is_over or date.is_off for date in dates)
    page = Status(title=_title(row), dates=dates, **words)
    if row.state == State.APPROVED and not over:
        page.join_url = mails.way_in(row, choice)
        page.sentence = _how_to_join(row, page.join_url)
        page.calendar_url = f"{tokens.status_path(row)}calendar.ics" if dates else ""
    page.can_confirm = row.state == State.UNCONFIRMED
    alive = (State.UNCONFIRMED, State.WAITING, State.PENDING, State.APPROVED)
    page.can_cancel = row.state in alive and not over
    page.can_resend = row.state in (State.WAITING, State.PENDING, State.APPROVED) and not over
    if row.state in (State.CANCELLED, State.FAILED) and not over:
        page.again_url = _form_url(row)
    return page


def _title(row: Registration) -> str:
    return str(row.snapshot.get("title") or row.snapshot.get("topic") or _("Zoom meeting"))


def _form_url(row: Registration) -> str:
    """The page with the form, if it is still there; the form itself where it stood alone.

    Nothing for whom a project's own code signed up: there may be no form at all, on purpose.
    """
    if row.page_id is None and row.meeting_id and row.snapshot.get("stands_alone"):
        return Ref(row.site_id, None, row.meeting_id, row.locale).url
    page = Page.objects.filter(pk=row.page_id, live=True).first() if row.page_id else None
    return (page.get_url() if page else "") or ""


def _how_to_join(row: Registration, join_url: str) -> str:
    """The same as the mail says: the way in here, Zoom's own mail, or else the organiser."""
    parts = []
    if join_url:
        parts.append(_("This link is yours alone. Please do not pass it on."))
    if row.meeting is not None and row.meeting.zoom_sends_details:
        parts.append(_("Zoom sends your joining details in an email of its own."))
    return " ".join(parts) or _("The organiser gives out the link.")


def first_name(row: Registration) -> str:
    """As it was typed; nothing when it cannot be read."""
    try:
        return str(answers_of(row).get("standard", {}).get("first_name", ""))
    except (DecryptionError, ValueError):
        return ""


def _words(
    row: Registration, choice: ZoomSettings, dates: list[SignedDate], coming: SignedDate | None
) -> dict[str, Any]:
    who, name = organiser(row.site, choice), first_name(row)
    if dates and all(date.is_off for date in dates) and row.state != State.CANCELLED:
        return {
            "code": "off",
            "label": _("Cancelled"),
            "tone": "off",
            "heading": _("This meeting is cancelled"),
            "sentence": _("%(organiser)s has cancelled it. There is nothing you need to do.")
            % {"organiser": who},
        }
    made = _BY_STATE[row.state](row, who, name, coming)
    contact = choice.contact_email if row.state in (State.DENIED, State.FAILED) else ""
    return {"code": str(row.state), "contact": contact, **made}


def _steps(*labels: str, done: int) -> list[Step]:
    states = ["done" if place < done else "now" if place == done else "" for place in range(9)]
    return [Step(label, state) for label, state in zip(labels, states, strict=False)]


def _unconfirmed(row: Any, who: str, name: str, coming: Any) -> dict[str, Any]:
    return {
        "label": _("Not confirmed yet"),
        "tone": "moved",
        "heading": _("Please confirm your registration"),
        "sentence": _("Press the button, and we register you in Zoom."),
        "steps": _steps(_("Received"), _("Confirmed by you"), _("Link ready"), done=1),
    }


def _waiting(row: Registration, who: str, name: str, coming: Any) -> dict[str, Any]:
    steps = _steps(_("Received"), _("Confirmed by Zoom"), _("Link ready"), done=1)
    sentence = _(
        "Your registration is saved and on its way to Zoom. You do not need to do anything."
    )
    if row.error_class == "personal_limit":
        sentence = _(
            "Zoom takes only a few registrations of one person a day. Yours is saved, and we write "
            "to you as soon as Zoom takes it, at the latest tomorrow. You do not need to do "
            "anything."
        )
    elif row.error_class:
        sentence = _(
            "Zoom is not answering at the moment. Your registration is saved, and we write to you "
            "as soon as Zoom has it. You do not need to do anything."
        )
    return {
        "label": _("Waiting for Zoom"),
        "tone": "moved",
        "heading": _("We have your registration"),
        "sentence": sentence,
        "steps": steps,
    }


def _pending(row: Any, who: str, name: str, coming: Any) -> dict[str, Any]:
    heading = (
        _("Thank you, %(name)s. We have your registration") % {"name": name}
        if name
        else _("Thank you. We have your registration")
    )
    return {
        "label": _("Pending"),
        "tone": "moved",
        "heading": heading,
        "sentence": _("%(organiser)s will read it and answer by email, usually within two days.")
        % {"organiser": who},
        "steps": _steps(_("Received"), _("Approved"), _("Link ready"), done=1),
    }


def _approved(row: Registration, who: str, name: str, coming: SignedDate | None) -> dict[str, Any]:
    done = _steps(_("Received"), _("Approved"), _("Link ready"), done=3)
    if coming is not None and coming.is_over:
        return {
            "label": _("Ended"),
            "tone": "off",
            "heading": _("This meeting is over"),
            "sentence": _("Thank you to everyone who came."),
        }
    heading = _("You are registered")
    if coming is not None:
        start = coming.when.start
        # A weekday by itself is the next one of its name.
        near = start.date() < (timezone.now() + timedelta(days=7)).astimezone(start.tzinfo).date()
        day = format_date(start, "l") if near else datetimes.day(start)
        heading = (
            _("See you on %(day)s, %(name)s") % {"day": day, "name": name}
            if name
            else _("See you on %(day)s") % {"day": day}
        )
    return {
        "label": _("You are registered"),
        "tone": "good",
        "heading": heading,
        "steps": done,
    }


def _denied(row: Any, who: str, name: str, coming: Any) -> dict[str, Any]:
    return {
        "label": _("Not approved"),
        "tone": "off",
        "heading": _("We could not offer you a place"),
        "sentence": _("%(organiser)s has not approved this registration.") % {"organiser": who},
    }


def _cancelled(row: Registration, who: str, name: str, coming: Any) -> dict[str, Any]:
    sentence = _("Your place is free again and your link no longer works.")
    if row.task == Task.CANCEL:
        sentence = _("We pass this on to Zoom as soon as Zoom answers.")
    return {
        "label": _("Cancelled"),
        "tone": "off",
        "heading": _("Your registration is cancelled"),
        "sentence": sentence + " " + _("You are welcome to register once more."),
    }


def _failed(row: Registration, who: str, name: str, coming: Any) -> dict[str, Any]:
    reason = error_policy.VISITOR.get(row.error_class, error_policy.VISITOR["refused"])
    told = _("%(organiser)s has been told.") % {"organiser": who}
    return {
        "label": _("Did not work"),
        "tone": "live",
        "heading": _("We could not register you"),
        "sentence": f"{reason} {told}",
    }


_BY_STATE = {
    State.UNCONFIRMED: _unconfirmed,
    State.WAITING: _waiting,
    State.PENDING: _pending,
    State.APPROVED: _approved,
    State.DENIED: _denied,
    State.CANCELLED: _cancelled,
    State.FAILED: _failed,
}
