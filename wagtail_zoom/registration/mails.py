"""Emails to the registered person, always with the status link, and to the owner.

Zoom's own confirmation is a setting of the meeting and is not repeated here. Emails to the person
go through the outbox, so an unreachable mail server only delays them.
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
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import JoinPolicy, PasscodePolicy, Registration, ZoomSettings
from ..oauth.notifications import owner_email
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger
from . import error_policy, outbox, tokens
from .context import organiser
from .dates import dates_of
from .fields import one_line
from .payload import answers_of

logger = get_logger("registration")

ATTEMPTS_KEY = "tries"
MAX_ATTEMPTS = 12
OWNER_MAIL_SECONDS = 6 * 3600
"""Seconds between two emails to an owner about the same error of the same meeting."""


def mail_after_registration(state: str) -> str:
    """The email that follows when Zoom has accepted a registration."""
    return {
        Registration.State.APPROVED: "approved",
        Registration.State.PENDING: "pending",
        Registration.State.DENIED: "denied",
    }[state]


def mail_after_change(row: Registration, state: str) -> str:
    """The email that follows a later change; empty when Zoom notifies the person itself."""
    if row.meeting is not None and row.meeting.zoom_notifies:
        return ""
    names = {
        Registration.State.APPROVED: "approved",
        Registration.State.DENIED: "denied",
        Registration.State.CANCELLED: "cancelled",
    }
    return names.get(state, "")


def send_due(pk: int) -> None:
    """Send the email of a claimed registration if it is due."""
    rows = Registration.objects.select_related("site", "account", "meeting__host")
    row = rows.get(pk=pk)
    name, now = row.mail_due, timezone.now()
    if not name or (row.mail_at and row.mail_at > now):
        return
    retry_at, error = None, ""
    if row.account.is_quarantined:
        retry_at = now + timedelta(hours=1)
    else:
        try:
            _message(row, name).send()
        except DecryptionError:
            error = "unreadable"
        except smtplib.SMTPRecipientsRefused:
            error = "mail"
        except (smtplib.SMTPException, OSError) as problem:
            logger.warning("An email could not be sent (%s).", type(problem).__name__)
            attempts = int(row.mails.get(ATTEMPTS_KEY, 0))
            retry_at = now + timedelta(minutes=5 * 2 ** min(attempts, 6))
            error = "mail" if attempts + 1 >= MAX_ATTEMPTS else ""
    with outbox.lock_row(pk) as row:
        _record_attempt(row, name, None if error else retry_at, error)
        row.save(update_fields=["mails", "mail_due", "mail_at", "next_try_at", "error_class"])
    if name == "failed" and not retry_at:
        notify_owner(row)


def _record_attempt(row: Registration, name: str, retry_at: Any, error: str) -> None:
    """Store the outcome of an email, unless another one is due by now."""
    if retry_at:
        row.mails = {**row.mails, ATTEMPTS_KEY: int(row.mails.get(ATTEMPTS_KEY, 0)) + 1}
    elif not error:
        sent = {key: value for key, value in row.mails.items() if key != ATTEMPTS_KEY}
        row.mails = {**sent, name: timezone.now().isoformat(timespec="seconds")}
    if error and not row.task:
        row.error_class = error
    if row.mail_due == name:
        outbox.queue_mail(row, name if retry_at else "", retry_at)


def _message(row: Registration, name: str) -> EmailMessage:
    site_settings = ZoomSettings.for_site(row.site)
    with translation.override(row.locale or django_settings.LANGUAGE_CODE):
        context = _context(row, site_settings)
        subject = _subjects()[name] % {"title": context["title"]}
        body = render_to_string(f"wagtail_zoom/registration/mail/{name}.txt", context)
    return EmailMessage(
        subject=one_line(subject),
        body=body.strip() + "\n",
        to=[row.email.reveal()],
        reply_to=[site_settings.contact_email] if site_settings.contact_email else None,
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


def _context(row: Registration, site_settings: ZoomSettings) -> dict[str, Any]:
    dates = dates_of(row)
    zoom_sends = row.meeting is not None and row.meeting.zoom_sends_details
    may_join = row.state == Registration.State.APPROVED and join_allowed(row, site_settings)
    path = personal_join_path(row, site_settings) if may_join else ""
    passcode = ""
    if may_join and row.meeting and site_settings.passcode_policy == PasscodePolicy.REGISTRANTS:
        passcode = row.meeting.passcode.reveal()
    return {
        "row": row,
        "title": one_line(row.snapshot.get("title") or row.snapshot.get("topic") or "Zoom"),
        "name": one_line(str(answers_of(row).get("standard", {}).get("first_name", ""))),
        "organiser": organiser(row.site, site_settings),
        "contact": site_settings.contact_email,
        "dates": [date.text for date in dates if not date.is_over] or [d.text for d in dates],
        "status_url": tokens.status_url(row, site_settings),
        "may_join": bool(path),
        "join_url": links.site_origin(site_settings) + path if path and not zoom_sends else "",
        "passcode": passcode,
        "zoom_sends": zoom_sends,
        "reason": error_policy.VISITOR_MESSAGES.get(row.error_class, ""),
        "days": site_settings.registration_days,
    }


def join_allowed(row: Registration, site_settings: ZoomSettings) -> bool:
    """Whether the owner's policy lets registered people join here at all (now or later)."""
    if row.meeting_id is None or site_settings.join_policy == JoinPolicy.NEVER:
        return False
    visibility = SiteVisibility(site_settings)
    return visibility.meetings(Audience.REGISTRANT, Channel.PAGE).filter(pk=row.meeting_id).exists()


def personal_join_path(row: Registration, site_settings: ZoomSettings) -> str:
    """The path of a registered person's join link; empty where the owner's policy gives none."""
    if not join_allowed(row, site_settings):
        return ""
    try:
        return tokens.join_path(row)
    except NoReverseMatch:
        return ""


def notify_owner(row: Registration) -> None:
    """Send one email about a final failure, without personal data."""
    site_settings = ZoomSettings.for_site(row.site)
    recipient = owner_email(site_settings)
    if not recipient:
        return
    key = f"wagtail-zoom:owner-notified:{row.site_id}:{row.meeting_zoom_id}:{row.error_class}"
    try:
        is_first = cache.add(key, 1, timeout=OWNER_MAIL_SECONDS)
    except Exception:
        is_first = True
    if not is_first:
        return
    list_path = reverse("wagtail_zoom_registrations:index")
    with translation.override(django_settings.LANGUAGE_CODE):
        title = one_line(str(row.snapshot.get("title") or row.snapshot.get("topic") or "Zoom"))
        context = {
            "title": title,
            "site": row.site,
            "reason": error_policy.OWNER_MESSAGES.get(row.error_class, ""),
            "list_url": f"{settings.base_url}{list_path}?site={row.site_id}",
        }
        body = render_to_string("wagtail_zoom/registration/mail/owner.txt", context)
        subject = one_line(_("A registration needs you: %(title)s") % {"title": title})
    try:
        EmailMessage(
            subject=subject, body=body, to=[recipient], headers={"Auto-Submitted": "auto-generated"}
        ).send()
    except (smtplib.SMTPException, OSError) as problem:
        logger.warning("An email to an owner could not be sent (%s).", type(problem).__name__)
