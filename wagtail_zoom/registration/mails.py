"""Our mails: to the person who signed up, always with the status link, and to the owner.

Zoom's own confirmation is a setting of the meeting and is never repeated: ours is short. All go
through the outbox, so a mail server that is away delays them and loses none.
"""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ..conf import settings
from ..frontend import links
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import JoinPolicy, PasscodePolicy, Registration, ZoomSettings
from ..oauth.notifications import owner_address
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger
from . import error_policy, outbox, tokens
from .context import organiser
from .dates import dates_of
from .fields import one_line
from .payload import answers_of

logger = get_logger("registration")

State = Registration.State
TRIES = "tries"
MOST_TRIES = 12
OWNER_PAUSE = 6 * 3600
"""Seconds between two mails to an owner about the same trouble with the same meeting."""


def after_sign_up(state: str) -> str:
    """The mail that follows when Zoom has taken a sign-up."""
    return {State.APPROVED: "approved", State.PENDING: "pending", State.DENIED: "denied"}[state]


def after_change(row: Registration, state: str) -> str:
    """The mail that follows a later change; none when Zoom tells the person itself."""
    if row.meeting is not None and row.meeting.zoom_notifies:
        return ""
    names = {State.APPROVED: "approved", State.DENIED: "denied", State.CANCELLED: "cancelled"}
    return names.get(state, "")


def send_due(pk: int) -> None:
    """Send the mail that is due for a claimed sign-up, if its time has come."""
    rows = Registration.objects.select_related("site", "account", "meeting__host")
    row = rows.get(pk=pk)
    name, now = row.mail_due, timezone.now()
    if not name or (row.mail_at and row.mail_at > now):
        return
    later, error = None, ""
    if row.account.is_quarantined:
        later = now + timedelta(hours=1)
    else:
        try:
            _message(row, name).send()
        except DecryptionError:
            error = "unreadable"
        except smtplib.SMTPRecipientsRefused:
            error = "mail"
        except (smtplib.SMTPException, OSError) as problem:
            logger.warning("A mail could not be sent (%s).", type(problem).__name__)
            tries = int(row.mails.get(TRIES, 0))
            later = now + timedelta(minutes=5 * 2 ** min(tries, 6))
            error = "mail" if tries + 1 >= MOST_TRIES else ""
    with outbox.locked(pk) as row:
        _note(row, name, None if error else later, error)
        row.save(update_fields=["mails", "mail_due", "mail_at", "next_try_at", "error_class"])
    if name == "failed" and not later:
        tell_owner(row)


def _note(row: Registration, name: str, later: Any, error: str) -> None:
    """Write down what became of a mail, unless another one is due meanwhile."""
    if later:
        row.mails = {**row.mails, TRIES: int(row.mails.get(TRIES, 0)) + 1}
    elif not error:
        sent = {key: value for key, value in row.mails.items() if key != TRIES}
        row.mails = {**sent, name: timezone.now().isoformat(timespec="seconds")}
    if error and not row.task:
        row.error_class = error
    if row.mail_due == name:
        outbox.post(row, name if later else "", later)


def _message(row: Registration, name: str) -> EmailMessage:
    choice = ZoomSettings.for_site(row.site)
    with translation.override(row.locale or django_settings.LANGUAGE_CODE):
        context = _context(row, choice)
        subject = _subjects()[name] % {"title": context["title"]}
        body = render_to_string(f"wagtail_zoom/registration/mail/{name}.txt", context)
    return EmailMessage(
        subject=one_line(subject),
        body=body.strip() + "\n",
        to=[row.email.reveal()],
        reply_to=[choice.contact_email] if choice.contact_email else None,
        headers={"Auto-Submitted": "auto-generated"},
    )


def _subjects() -> dict[str, str]:
    return {
        "confirm": _("Please confirm your registration: %(title)s"),
        "received": _("We have your registration: %(title)s"),
        "pending": _("We have your registration: %(title)s"),
        "approved": _("You are registered: %(title)s"),
        "denied": _("Your registration was not approved: %(title)s"),
        "cancelled": _("Your registration is cancelled: %(title)s"),
        "failed": _("Your registration did not work: %(title)s"),
        "again": _("Your registration: %(title)s"),
    }


def _context(row: Registration, choice: ZoomSettings) -> dict[str, Any]:
    dates = dates_of(row)
    zoom_sends = row.meeting is not None and row.meeting.zoom_sends_details
    may_join = row.state == State.APPROVED and lets_in(row, choice)
    path = way_in(row, choice) if may_join else ""
    passcode = ""
    if may_join and row.meeting and choice.passcode_policy == PasscodePolicy.REGISTRANTS:
        passcode = row.meeting.passcode.reveal()
    return {
        "row": row,
        "title": one_line(row.snapshot.get("title") or row.snapshot.get("topic") or "Zoom"),
        "name": one_line(str(answers_of(row).get("standard", {}).get("first_name", ""))),
        "organiser": organiser(row.site, choice),
        "contact": choice.contact_email,
        "dates": [date.text for date in dates if not date.is_over] or [d.text for d in dates],
        "status_url": tokens.status_url(row, choice),
        "may_join": bool(path),
        "join_url": links.site_origin(choice) + path if path and not zoom_sends else "",
        "passcode": passcode,
        "zoom_sends": zoom_sends,
        "reason": error_policy.VISITOR.get(row.error_class, ""),
        "days": choice.registration_days,
    }


def lets_in(row: Registration, choice: ZoomSettings) -> bool:
    """Whether the owner's policy gives registered people a way in at all (now or later)."""
    if row.meeting_id is None or choice.join_policy == JoinPolicy.NEVER:
        return False
    gate = Exposure(choice)
    return gate.meetings(Audience.REGISTRANT, Surface.PAGE).filter(pk=row.meeting_id).exists()


def way_in(row: Registration, choice: ZoomSettings) -> str:
    """The path of a registered person's own way in; empty where the owner gives none."""
    if not lets_in(row, choice):
        return ""
    try:
        return tokens.join_path(row)
    except NoReverseMatch:
        return ""


def tell_owner(row: Registration) -> None:
    """One mail about a final failure, without a word about the person."""
    choice = ZoomSettings.for_site(row.site)
    to = owner_address(choice)
    if not to:
        return
    key = f"wagtail-zoom:told:{row.site_id}:{row.meeting_zoom_id}:{row.error_class}"
    try:
        first = cache.add(key, 1, timeout=OWNER_PAUSE)
    except Exception:
        first = True
    if not first:
        return
    listing = reverse("wagtail_zoom_registrations:index")
    with translation.override(django_settings.LANGUAGE_CODE):
        title = one_line(str(row.snapshot.get("title") or row.snapshot.get("topic") or "Zoom"))
        context = {
            "title": title,
            "site": row.site,
            "reason": error_policy.OWNER.get(row.error_class, ""),
            "list_url": f"{settings.base_url}{listing}?site={row.site_id}",
        }
        body = render_to_string("wagtail_zoom/registration/mail/owner.txt", context)
        subject = one_line(_("A registration needs you: %(title)s") % {"title": title})
    try:
        EmailMessage(
            subject=subject, body=body, to=[to], headers={"Auto-Submitted": "auto-generated"}
        ).send()
    except (smtplib.SMTPException, OSError) as problem:
        logger.warning("A mail to an owner could not be sent (%s).", type(problem).__name__)
