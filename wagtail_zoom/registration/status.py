"""Texts and actions of a registered person's status page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from wagtail.models import Page

from ..frontend import datetimes
from ..frontend.form_links import FormLink
from ..models import Registration, ZoomSettings
from ..utils.crypto import DecryptionError
from . import error_policy, mails, tokens
from .context import organiser
from .dates import RegisteredDate, current_date, dates_of
from .payload import answers_of


@dataclass(frozen=True)
class ProgressStep:
    """One step of the progress list. ``state`` is ``done``, ``now`` or empty."""

    label: str
    state: str = ""


@dataclass
class StatusPage:
    """Everything that the status page shows."""

    code: str
    label: str
    tone: str
    heading: str
    title: str
    dates: list[RegisteredDate]
    sentence: str = ""
    contact: str = ""
    steps: list[ProgressStep] = field(default_factory=list)
    join_url: str = ""
    calendar_url: str = ""
    again_url: str = ""
    can_confirm: bool = False
    can_cancel: bool = False
    can_resend: bool = False


def status_page_of(row: Registration, site_settings: ZoomSettings) -> StatusPage:
    """The status page of one registration."""
    dates = dates_of(row)
    next_date = current_date(dates)
    texts = _texts(row, site_settings, dates, next_date)
    over = bool(dates) and all(date.is_over or date.is_cancelled for date in dates)
    page = StatusPage(title=_title(row), dates=dates, **texts)
    if row.state == Registration.State.APPROVED and not over:
        page.join_url = mails.personal_join_path(row, site_settings)
        page.sentence = _how_to_join(row, page.join_url)
        page.calendar_url = f"{tokens.status_path(row)}calendar.ics" if dates else ""
    page.can_confirm = row.state == Registration.State.UNCONFIRMED
    active_states = (
        Registration.State.UNCONFIRMED,
        Registration.State.WAITING,
        Registration.State.PENDING,
        Registration.State.APPROVED,
    )
    page.can_cancel = row.state in active_states and not over
    page.can_resend = (
        row.state
        in (Registration.State.WAITING, Registration.State.PENDING, Registration.State.APPROVED)
        and not over
    )
    if row.state in (Registration.State.CANCELLED, Registration.State.FAILED) and not over:
        page.again_url = _form_url(row)
    return page


def _title(row: Registration) -> str:
    return str(row.snapshot.get("title") or row.snapshot.get("topic") or _("Zoom meeting"))


def _form_url(row: Registration) -> str:
    """The URL of the page with the form, if it still exists; the form's own if it was standalone.

    Empty for registrations from a project's own code: there may be no form at all.
    """
    if row.page_id is None and row.meeting_id and row.snapshot.get("is_standalone"):
        return FormLink(row.site_id, None, row.meeting_id, row.locale).url
    page = Page.objects.filter(pk=row.page_id, live=True).first() if row.page_id else None
    return (page.get_url() if page else "") or ""


def _how_to_join(row: Registration, join_url: str) -> str:
    """As in the email: the join link here, Zoom's own email, or the organiser."""
    parts = []
    if join_url:
        parts.append(_("This link is yours alone. Please do not pass it on."))
    if row.meeting is not None and row.meeting.zoom_sends_details:
        parts.append(_("Zoom sends your joining details in an email of its own."))
    return " ".join(parts) or _("The organiser gives out the link.")


def first_name(row: Registration) -> str:
    """The first name as entered; empty when it cannot be decrypted."""
    try:
        return str(answers_of(row).get("standard", {}).get("first_name", ""))
    except (DecryptionError, ValueError):
        return ""


def _texts(
    row: Registration,
    site_settings: ZoomSettings,
    dates: list[RegisteredDate],
    next_date: RegisteredDate | None,
) -> dict[str, Any]:
    organiser_name, name = organiser(row.site, site_settings), first_name(row)
    if (
        dates
        and all(date.is_cancelled for date in dates)
        and row.state != Registration.State.CANCELLED
    ):
        return {
            "code": "off",
            "label": _("Cancelled"),
            "tone": "off",
            "heading": _("This meeting is cancelled"),
            "sentence": _("%(organiser)s has cancelled it. There is nothing you need to do.")
            % {"organiser": organiser_name},
        }
    texts = _BY_STATE[row.state](row, organiser_name, name, next_date)
    contact = (
        site_settings.contact_email
        if row.state in (Registration.State.DENIED, Registration.State.FAILED)
        else ""
    )
    return {"code": str(row.state), "contact": contact, **texts}


def _steps(*labels: str, completed: int) -> list[ProgressStep]:
    states = [
        "done" if number < completed else "now" if number == completed else ""
        for number in range(9)
    ]
    return [ProgressStep(label, state) for label, state in zip(labels, states, strict=False)]


def _unconfirmed(row: Any, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    return {
        "label": _("Not confirmed yet"),
        "tone": "moved",
        "heading": _("Please confirm your registration"),
        "sentence": _("Press the button, and we register you in Zoom."),
        "steps": _steps(_("Received"), _("Confirmed by you"), _("Link ready"), completed=1),
    }


def _waiting(row: Registration, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    steps = _steps(_("Received"), _("Confirmed by Zoom"), _("Link ready"), completed=1)
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


def _pending(row: Any, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
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
        % {"organiser": organiser_name},
        "steps": _steps(_("Received"), _("Approved"), _("Link ready"), completed=1),
    }


def _approved(
    row: Registration, organiser_name: str, name: str, next_date: RegisteredDate | None
) -> dict[str, Any]:
    steps = _steps(_("Received"), _("Approved"), _("Link ready"), completed=3)
    if next_date is not None and next_date.is_over:
        return {
            "label": _("Ended"),
            "tone": "off",
            "heading": _("This meeting is over"),
            "sentence": _("Thank you to everyone who came."),
        }
    heading = _("You are registered")
    if next_date is not None:
        start = next_date.when.start
        # A weekday without a date means the next one of that name.
        is_this_week = (
            start.date() < (timezone.now() + timedelta(days=7)).astimezone(start.tzinfo).date()
        )
        day = format_date(start, "l") if is_this_week else datetimes.day(start)
        heading = (
            _("See you on %(day)s, %(name)s") % {"day": day, "name": name}
            if name
            else _("See you on %(day)s") % {"day": day}
        )
    return {
        "label": _("You are registered"),
        "tone": "good",
        "heading": heading,
        "steps": steps,
    }


def _denied(row: Any, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    return {
        "label": _("Not approved"),
        "tone": "off",
        "heading": _("We could not offer you a place"),
        "sentence": _("%(organiser)s has not approved this registration.")
        % {"organiser": organiser_name},
    }


def _cancelled(row: Registration, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    sentence = _("Your place is free again and your link no longer works.")
    if row.task == Registration.Task.CANCEL:
        sentence = _("We pass this on to Zoom as soon as Zoom answers.")
    return {
        "label": _("Cancelled"),
        "tone": "off",
        "heading": _("Your registration is cancelled"),
        "sentence": sentence + " " + _("You are welcome to register once more."),
    }


def _failed(row: Registration, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    reason = error_policy.VISITOR_MESSAGES.get(
        row.error_class, error_policy.VISITOR_MESSAGES["refused"]
    )
    notice = _("%(organiser)s has been told.") % {"organiser": organiser_name}
    return {
        "label": _("Did not work"),
        "tone": "live",
        "heading": _("We could not register you"),
        "sentence": f"{reason} {notice}",
    }


_BY_STATE = {
    Registration.State.UNCONFIRMED: _unconfirmed,
    Registration.State.WAITING: _waiting,
    Registration.State.PENDING: _pending,
    Registration.State.APPROVED: _approved,
    Registration.State.DENIED: _denied,
    Registration.State.CANCELLED: _cancelled,
    Registration.State.FAILED: _failed,
}
