"""Sends emails to the registered person, always with the status link, and to the owner.

What they say is in ``mail_content``. Zoom's own confirmation is a setting of the meeting and is not
repeated here. Emails to the person go through the outbox, so an unreachable mail server only delays
them.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..conf import settings
from ..models import Registration, ZoomSettings
from ..oauth.notifications import owner_email
from ..utils import backoff
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger
from . import error_policy, mail_content, outbox, ratelimit, tokens
from .fields import one_line

logger = get_logger("registration")

ATTEMPTS_KEY = "tries"
HELD_KEY = "held"
"""Entries of ``Registration.mails`` that are no email: attempts so far, held back by the limit."""
MAX_ATTEMPTS = 12
RETRY_SECONDS = (300, 600, 1200, 2400, 4800, 9600, 19200)
MAX_PARTS = 20
"""Most registrations in one email."""
OWNER_MAIL_SECONDS = 6 * 3600
"""Seconds between two emails to an owner about the same error of the same meeting."""


def mail_after_registration(state: str) -> str:
    """The email that follows when Zoom has accepted a registration."""
    names: dict[str, str] = {
        Registration.State.APPROVED: "approved",
        Registration.State.PENDING: "pending",
        Registration.State.DENIED: "denied",
    }
    return names[state]


def mail_after_change(row: Registration, state: str) -> str:
    """The email that follows a later change; empty when Zoom notifies the person itself.

    Who has read "You are registered" from us reads from us that it is so no more.
    """
    is_corrected = state == Registration.State.DENIED and "approved" in row.mails
    if row.meeting is not None and row.meeting.zoom_notifies and not is_corrected:
        return ""
    names: dict[str, str] = {
        Registration.State.APPROVED: "approved",
        Registration.State.DENIED: "denied",
        Registration.State.CANCELLED: "cancelled",
    }
    return names.get(state, "")


@dataclass
class _HeldRow:
    """Another registration whose email was held back, and the lease on it."""

    row: Registration
    lease: str


def last_sent_at(row: Registration) -> datetime | None:
    """When the last email was sent to the person; None if there was none."""
    times = [value for key, value in row.mails.items() if key not in (ATTEMPTS_KEY, HELD_KEY)]
    return datetime.fromisoformat(max(times)) if times else None


def send_due(pk: int) -> None:
    """Send the email of a claimed registration if it is due."""
    rows = Registration.objects.select_related("site", "account", "meeting__host")
    row = rows.get(pk=pk)
    name, now = row.mail_due, timezone.now()
    if not name or (row.mail_at and row.mail_at > now):
        return
    if row.account.is_quarantined:
        _record(row, name, now + timedelta(hours=1), "")
        return
    wait = _seconds_to_wait(row)
    if wait:
        _hold_back(row, name, now + timedelta(seconds=wait))
        return
    others = _claim_held(row) if HELD_KEY in row.mails else []
    retry_at, error = _send(row, name, others)
    _record(row, name, retry_at, error)
    for other in others:
        _record_part(other, retry_at, error)


def _seconds_to_wait(row: Registration) -> int:
    """Count an email to an address, over all meetings and Sites. A repeated attempt is no more."""
    if row.mails.get(ATTEMPTS_KEY):
        return 0
    try:
        mailbox = tokens.mailbox_of(row.email.reveal())  # guard: emails-counted-by-mailbox
    except DecryptionError:
        return 0
    return ratelimit.seconds_to_wait("address", "emails", mailbox)  # guard: email-count-limit


def _hold_back(row: Registration, name: str, until: datetime) -> None:
    """Send an email later, then together with the others of the same person on the same Site."""
    with outbox.edit_row(row.pk) as locked:
        if locked.mail_due == name:
            locked.mails = {**locked.mails, HELD_KEY: True}
            outbox.queue_mail(locked, name, until)


def _claim_held(row: Registration) -> list[_HeldRow]:
    """Other emails to the person that were held back and are due now."""
    now = timezone.now()
    rows = Registration.objects.select_related("site", "account", "meeting__host").filter(
        site=row.site_id, email_index=row.email_index, mail_at__lte=now
    )
    claimed: list[_HeldRow] = []
    for other in rows.exclude(mail_due="").exclude(pk=row.pk).order_by("mail_at", "pk"):
        if len(claimed) + 1 >= MAX_PARTS:
            break
        is_readable = other.email.readable and other.answers.readable
        is_ready = HELD_KEY in other.mails and is_readable and not other.account.is_quarantined
        lease = outbox.claim(other.pk, now) if is_ready else ""
        if lease:
            claimed.append(_HeldRow(other, lease))
    return claimed


def _send(row: Registration, name: str, others: list[_HeldRow]) -> tuple[datetime | None, str]:
    """Send an email. Returns when to retry it, and the error after which that is of no use."""
    try:
        mail_content.message(row, name, [other.row for other in others]).send()
    except DecryptionError:
        return None, "unreadable"
    except smtplib.SMTPRecipientsRefused:
        return None, "mail"
    except (ValueError, MessageError) as problem:
        # The email itself cannot be written, and never will be: its address or a header is broken.
        logger.error("An email could not be written (%s).", type(problem).__name__)
        return None, "mail"
    except (OperationalError, InterfaceError):
        raise  # the database: nothing can be recorded now
    except Exception as problem:
        # Also the exceptions of other email backends.
        logger.warning("An email could not be sent (%s).", type(problem).__name__)
        attempts = int(row.mails.get(ATTEMPTS_KEY, 0)) + 1
        retry_at = backoff.retry_at(RETRY_SECONDS, attempts)
        return retry_at, "mail" if attempts >= MAX_ATTEMPTS else ""
    return None, ""


def _record(row: Registration, name: str, retry_at: datetime | None, error: str) -> None:
    with outbox.edit_row(row.pk) as locked:
        _record_attempt(locked, name, None if error else retry_at, error)
    if name == "failed" and not retry_at:
        notify_owner(locked)


def _record_part(other: _HeldRow, retry_at: datetime | None, error: str) -> None:
    """Store the outcome for another registration of the same email.

    A repeated attempt belongs to the first one only: these are held back until then.
    """
    name = other.row.mail_due
    if retry_at and not error:
        _hold_back(other.row, name, retry_at)
    else:
        # What could not be read concerns the first one only.
        _record(other.row, name, None, "mail" if error else "")
    outbox.release(other.row.pk, other.lease)


def _record_attempt(row: Registration, name: str, retry_at: Any, error: str) -> None:
    """Store the outcome of an email, unless another one is due by now."""
    if retry_at:
        row.mails = {**row.mails, ATTEMPTS_KEY: int(row.mails.get(ATTEMPTS_KEY, 0)) + 1}
    elif not error:
        bookkeeping = (ATTEMPTS_KEY, HELD_KEY)
        sent = {key: value for key, value in row.mails.items() if key not in bookkeeping}
        row.mails = {**sent, name: timezone.now().isoformat(timespec="seconds")}
    if error and not row.task:
        row.error_class = error
    if row.mail_due == name:
        outbox.queue_mail(row, name if retry_at else "", retry_at)


def sent_emails(row: Registration) -> list[tuple[str, datetime]]:
    """Subject and time of this site's emails to the person, of each the last one, oldest first."""
    sent = [
        (subject, sent_at)
        for name, value in row.mails.items()
        if (subject := mail_content.subject_of(name, row))
        and (sent_at := parse_datetime(str(value)))
    ]
    return sorted(sent, key=lambda entry: entry[1])


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
        title = mail_content.title_of(row)
        context = {
            "title": title,
            "site": row.site,
            "reason": error_policy.OWNER_MESSAGES.get(row.error_class, ""),
            "list_url": f"{settings.base_url}{list_path}?site={row.site_id}",
        }
        body = render_to_string("wagtail_zoom/registration/mail/owner.txt", context)
        subject = one_line(_("A registration needs attention: %(title)s") % {"title": title})
    try:
        EmailMessage(
            subject=subject, body=body, to=[recipient], headers={"Auto-Submitted": "auto-generated"}
        ).send()
    except Exception as problem:  # also those of other email backends
        logger.warning("An email to an owner could not be sent (%s).", type(problem).__name__)
