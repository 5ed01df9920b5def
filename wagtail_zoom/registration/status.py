"""Texts and actions of a registered person's status page."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from wagtail.models import Page

from ..frontend import datetimes
from ..frontend.form_links import FormLink
from ..models import Registration, WriteAccess, ZoomSettings
from ..models.outbox import REFUSALS
from ..utils.crypto import DecryptionError
from . import error_policy, join_links, mails, registrants, tokens
from .context import availability_for, organiser
from .dates import RegisteredDate, current_date, dates_of
from .payload import entries, entries_digest, greeting_name


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
    entries: list[tuple[str, str]] = field(default_factory=list)
    """What the person confirms, as (label, value)."""
    entries_digest: str = ""
    can_cancel: bool = False
    reaches_zoom: bool = True
    """Whether a cancellation can be passed on to Zoom."""
    notice: str = ""
    can_resend: bool = False

    @property
    def first_dates(self) -> list[RegisteredDate]:
        """What stands above the button to join: the running or next date where there are many."""
        date = current_date(self.dates)
        return [date] if date and len(self.dates) > MAX_DATES else self.dates

    @property
    def further_dates(self) -> list[RegisteredDate]:
        """The other dates, which are folded."""
        return [date for date in self.dates if date not in self.first_dates]

    @property
    def opens_further_dates(self) -> bool:
        """Whether one of them has changed, which has to be seen."""
        return any(date.is_moved or date.is_cancelled for date in self.further_dates)


MAX_DATES = 3
"""More dates of one registration are folded."""


def status_page_of(row: Registration, site_settings: ZoomSettings) -> StatusPage:
    """The status page of one registration."""
    dates = dates_of(row)
    next_date = current_date(dates)
    access = WriteAccess.of(row.site_id)
    texts = _texts(row, site_settings, dates, next_date)
    over = bool(dates) and all(date.is_over or date.is_cancelled for date in dates)
    page = StatusPage(title=_title(row), dates=dates, **texts)
    if row.state == Registration.State.APPROVED and not over:
        page.join_url = join_links.personal_join_path(row, site_settings)
        page.sentence = _how_to_join(row, page.join_url)
        has_events = any(date.occurrence for date in dates)
        page.calendar_url = tokens.calendar_path(row) if has_events else ""
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
    refusal = registrants.refusal(row, access)
    again_states = (
        Registration.State.UNCONFIRMED,
        Registration.State.CANCELLED,
        Registration.State.FAILED,
    )
    availability = availability_for(row) if row.state in again_states else None
    is_open = availability is not None and availability.is_open and not over
    page.again_url = _form_url(row) if is_open else ""
    if row.state == Registration.State.UNCONFIRMED and is_open:
        _show_entries(page, row)
    elif row.state == Registration.State.UNCONFIRMED and availability is not None:
        page.heading, page.steps = page.label, []
        page.sentence = str(availability.sentence) or _("This meeting is over.")
    page.reaches_zoom = not registrants.refusal(row, access, even_if_hidden=True)
    never_sent = not row.zoom_registrant_id and not row.maybe_sent
    if row.state == Registration.State.CANCELLED:
        name = organiser(row.site, site_settings)
        page.sentence = _cancelled_sentence(row, name, page.reaches_zoom or never_sent)
        if is_open:
            page.sentence += " " + _("You can register again at any time.")
    elif row.state == Registration.State.FAILED:
        if is_open and row.error_class in error_policy.WORTH_REPEATING:
            page.sentence += " " + _("Please register again.")
    elif refusal in REFUSALS and not over and row.state in FOLLOWED_STATES:
        page.notice = _(
            "This website no longer receives updates of this meeting from Zoom, so this page may "
            "be out of date. Please ask %(organiser)s."
        ) % {"organiser": organiser(row.site, site_settings)}
    return page


def _show_entries(page: StatusPage, row: Registration) -> None:
    """Anybody may have entered the address: the person sees what she confirms."""
    page.entries_digest = entries_digest(row)
    if page.entries_digest:
        page.entries, page.can_confirm = entries(row), True


FOLLOWED_STATES = (Registration.State.PENDING, Registration.State.APPROVED)


def _cancelled_sentence(row: Registration, organiser_name: str, reaches_zoom: bool) -> str:
    if row.task != Registration.Task.CANCEL:
        return _("Your place is free again and your link no longer works.")
    if reaches_zoom:
        return _("We will send this to Zoom as soon as Zoom answers.")
    return _(
        "It is cancelled on this website only: the website is not connected with this meeting in "
        "Zoom any more, so Zoom still has you on its list. Please write to %(organiser)s."
    ) % {"organiser": organiser_name}


def resend_notice(row: Registration) -> str:
    """When the email is sent, or was sent: what is known, whatever the person has pressed."""
    now = timezone.now()
    if row.mail_due:
        minutes = math.ceil((row.mail_at - now).total_seconds() / 60) if row.mail_at else 0
        if minutes <= 1:
            return _("We are sending the email now.")
        return ngettext(
            "We send the email in %(minutes)d minute.",
            "We send the email in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}
    if row.error_class == "mail":
        return _("Our email could not be delivered to your address.")
    sent_at = mails.last_sent_at(row)
    if sent_at is None:
        return ""
    minutes = max(0, int((now - sent_at).total_seconds() // 60))
    if minutes < 1:
        return _("We sent the email less than a minute ago.")
    return ngettext(
        "We sent the email %(minutes)d minute ago.",
        "We sent the email %(minutes)d minutes ago.",
        minutes,
    ) % {"minutes": minutes}


def _title(row: Registration) -> str:
    return str(row.snapshot.get("title") or row.snapshot.get("topic") or _("Zoom meeting"))


def _form_url(row: Registration) -> str:
    """The URL of the page with the form, if it still exists; the form's own if it was standalone,
    bound to the page that offered it.

    Empty for registrations from a project's own code: there may be no form at all. Also where it is
    not known which page offered the form: it may be private.
    """
    if row.page_id is None and row.meeting_id and row.snapshot.get("is_standalone"):
        offered_by = row.snapshot.get("offered_by", 0)  # guard: form-again-follows-its-page
        is_live = offered_by is None or Page.objects.filter(pk=offered_by, live=True).exists()
        options = {"offered_by": offered_by} if offered_by else {}
        link = FormLink(row.site_id, None, row.meeting_id, row.locale, options)
        return link.url if is_live else ""
    page = Page.objects.filter(pk=row.page_id, live=True).first() if row.page_id else None
    return (page.get_url() if page else "") or ""


def _how_to_join(row: Registration, join_url: str) -> str:
    """As in the email: the join link here, Zoom's own email, or the organiser."""
    parts = []
    if join_url:
        parts.append(_("This link is yours alone. Please do not pass it on."))
    if row.meeting is not None and row.meeting.zoom_sends_details:
        parts.append(_("Zoom will also email you the joining details."))
    return " ".join(parts) or _("The organiser gives out the link.")


def first_name(row: Registration) -> str:
    """The first name to greet; empty when it cannot be decrypted or may be spam."""
    try:
        return greeting_name(row)
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
        "sentence": _(
            "Press the button to register with the details on this page. Do not press it if they "
            "are not yours."
        ),
        "steps": _steps(_("Received"), _("Confirmed by you"), _("Link ready"), completed=1),
    }


def _waiting(row: Registration, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    steps = _steps(_("Received"), _("Confirmed by Zoom"), _("Link ready"), completed=1)
    sentence = _(
        "Your registration is saved and on its way to Zoom. You do not need to do anything."
    )
    if row.error_class in REFUSALS:
        sentence = _(
            "Your registration is saved. This website is not connected with this meeting in Zoom "
            "at the moment. We will email you as soon as Zoom has your registration. You do not "
            "need to do anything."
        )
    elif row.zoom_registrant_id and not row.error_class and row.task != Registration.Task.ADD:
        sentence = _(
            "Zoom has received your registration, but has not confirmed your place yet. We will "
            "email you as soon as it does. You do not need to do anything."
        )
    elif row.error_class == "personal_limit":
        sentence = _(
            "Zoom accepts only a few registrations per person a day. Yours is saved, and we will "
            "email you as soon as Zoom has accepted it, tomorrow at the latest. You do not need "
            "to do anything."
        )
    elif row.error_class:
        sentence = _(
            "Zoom is not answering at the moment. Your registration is saved, and we will email "
            "you as soon as Zoom has it. You do not need to do anything."
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
        "sentence": _("%(organiser)s will read it and answer by email.")
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
    return {
        "label": pgettext("registration", "Cancelled"),
        "tone": "off",
        "heading": _("Your registration is cancelled"),
    }


def _failed(row: Registration, organiser_name: str, name: str, next_date: Any) -> dict[str, Any]:
    reason = error_policy.VISITOR_MESSAGES.get(
        row.error_class, error_policy.VISITOR_MESSAGES["refused"]
    )
    notice = _("%(organiser)s has been informed.") % {"organiser": organiser_name}
    return {
        "label": _("Not registered"),
        "tone": "live",
        "heading": _("We could not register you"),
        "sentence": f"{reason} {notice}",
    }


_BY_STATE: dict[str, Callable[[Registration, str, str, RegisteredDate | None], dict[str, Any]]] = {
    Registration.State.UNCONFIRMED: _unconfirmed,
    Registration.State.WAITING: _waiting,
    Registration.State.PENDING: _pending,
    Registration.State.APPROVED: _approved,
    Registration.State.DENIED: _denied,
    Registration.State.CANCELLED: _cancelled,
    Registration.State.FAILED: _failed,
}
