"""Emails to the owner of a broken connection: immediately, after three days and after seven.

No more than three, and none after the repair, which clears the list of sent emails.
Templates ``wagtail_zoom/mail/needs_reconnect.txt`` and ``…_subject.txt`` may be overridden.
"""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from ..conf import settings
from ..models import Grant, GrantState, ZoomSettings
from ..permissions import may_change
from ..utils.logging import get_logger

logger = get_logger("notifications")

SEND_AFTER = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""When the emails are sent, counted from when the connection broke."""
BATCH_SIZE = 50
"""Emails sent per tick; the others wait for the next minute."""


def owner_email(site_settings: ZoomSettings) -> str:
    """Email address for problems of a Site; empty when none is known.

    The address that the owner entered, otherwise that of the user who connected. Several Sites may
    share a grant: a user who connected another Site is not notified about this one.
    """
    if site_settings.contact_email:
        return site_settings.contact_email
    grant = site_settings.grant
    if grant is None:
        return ""
    person = grant.connected_by
    if person is not None and person.email and may_change(person, site_settings.site):
        return str(person.email)
    return grant.user_email.reveal() if grant.user_email.readable else ""


def send_due_notifications(now: datetime) -> int:
    """Periodic job: send due emails; return how many were sent."""
    sent = 0
    rows = Grant.objects.filter(
        state=GrantState.NEEDS_RECONNECT, site_settings__isnull=False
    ).select_related("account")
    for grant in rows.distinct().order_by("state_since").iterator(chunk_size=500):
        if not is_due(grant, now) or grant.account.is_quarantined:
            continue
        sent += _send(grant, now)
        if sent >= BATCH_SIZE:
            break
    return sent


def is_due(grant: Grant, now: datetime) -> bool:
    """Whether the next email about the current problem is due."""
    sent_count = len(grant.reminders_sent or [])
    return sent_count < len(SEND_AFTER) and now >= grant.state_since + SEND_AFTER[sent_count]


def send_status_email(site_settings: ZoomSettings, email: str, title: str, text: str) -> bool:
    """Send an email that the operator requests; return whether it could be sent.

    Templates ``wagtail_zoom/mail/needs_you.txt`` and ``…_subject.txt``. It does not count as one of
    the automatic emails.
    """
    account = site_settings.account
    if not email or (account is not None and account.is_quarantined):
        return False
    context = _context(site_settings) | {"title": title, "text": text}
    try:
        _build_email("needs_you", email, context).send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("An email to an owner could not be sent (%s).", type(error).__name__)
        return False
    return True


def _send(grant: Grant, now: datetime) -> int:
    """Record the email before sending it: better none than one every minute."""
    if not _claim(grant, now):
        return 0
    sent = 0
    settings_rows = ZoomSettings.objects.filter(grant=grant).select_related(
        "site", "account", "grant__account", "grant__connected_by"
    )
    for site_settings in settings_rows:
        email = owner_email(site_settings)
        if not email:
            continue
        context = _context(site_settings) | {
            "account": site_settings.account,
            "grant": grant,
            "reason": grant.get_reason_display() if grant.reason else "",
            "since": grant.state_since,
        }
        try:
            with translation.override(language_of(site_settings)):
                _build_email("needs_reconnect", email, context).send()
            sent += 1
        except (smtplib.SMTPException, OSError) as error:
            logger.warning("An email to an owner could not be sent (%s).", type(error).__name__)
    return sent


def _claim(grant: Grant, now: datetime) -> bool:
    """Record the email; of two workers only one succeeds."""
    with transaction.atomic():
        row = Grant.objects.select_for_update().get(pk=grant.pk)
        if row.state != GrantState.NEEDS_RECONNECT or not is_due(row, now):
            return False
        row.reminders_sent = [*(row.reminders_sent or []), now.isoformat()]
        Grant.objects.filter(pk=row.pk).update(reminders_sent=row.reminders_sent)
        return True


def language_of(site_settings: ZoomSettings) -> str:
    """Admin language of the user who connected."""
    person = site_settings.grant.connected_by if site_settings.grant else None
    profile = getattr(person, "wagtail_userprofile", None)
    language = getattr(profile, "preferred_language", "")
    return str(language or django_settings.LANGUAGE_CODE)


def _build_email(template_name: str, email: str, context: dict[str, Any]) -> EmailMessage:
    subject = render_to_string(f"wagtail_zoom/mail/{template_name}_subject.txt", context)
    body = render_to_string(f"wagtail_zoom/mail/{template_name}.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body.strip() + "\n",
        to=[email],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _context(site_settings: ZoomSettings) -> dict[str, Any]:
    path = reverse(
        "wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_settings.site_id]
    )
    return {
        "site": site_settings.site,
        "site_name": site_settings.site.site_name or site_settings.site.hostname,
        "panel_url": f"{settings.base_url}{path}",
    }
