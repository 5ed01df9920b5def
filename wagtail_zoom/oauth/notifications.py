"""Mail to the owner when the connection needs them: at once, after three days and after seven.

Never more, and none after it is repaired: the list of what was sent is emptied with the repair.
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

logger = get_logger("notices")

AFTER = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""When the mails go out, counted from the moment the connection broke."""
BATCH = 50
"""Grants that one tick looks after; the others wait for the next minute."""


def owner_address(choice: ZoomSettings) -> str:
    """Where mail about problems of a Site goes; empty when nobody is known.

    The address that the owner entered, else that of the person who connected. Several Sites may
    share a permission: who connected another one is told nothing of this one.
    """
    if choice.contact_email:
        return choice.contact_email
    grant = choice.grant
    if grant is None:
        return ""
    person = grant.connected_by
    if person is not None and person.email and may_change(person, choice.site):
        return str(person.email)
    return grant.user_email.reveal() if grant.user_email.readable else ""


def send_due_notices(now: datetime) -> int:
    """The tick: send what is due; how many mails went out."""
    sent = 0
    rows = Grant.objects.filter(
        state=GrantState.NEEDS_RECONNECT, site_settings__isnull=False
    ).select_related("account")
    for grant in rows.distinct().order_by("state_since").iterator(chunk_size=500):
        if not is_due(grant, now) or grant.account.is_quarantined:
            continue
        sent += _send(grant, now)
        if sent >= BATCH:
            break
    return sent


def is_due(grant: Grant, now: datetime) -> bool:
    """Whether the next mail about the present trouble should go out."""
    step = len(grant.notices or [])
    return step < len(AFTER) and now >= grant.state_since + AFTER[step]


def send_about(choice: ZoomSettings, address: str, title: str, text: str) -> bool:
    """A mail that the host's administrator asks for; whether it could be sent.

    Templates ``wagtail_zoom/mail/needs_you.txt`` and ``…_subject.txt``. It counts as none of the
    reminders: those go on by themselves.
    """
    account = choice.account
    if not address or (account is not None and account.is_quarantined):
        return False
    context = _context(choice) | {"title": title, "text": text}
    try:
        _message("needs_you", address, context).send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("A mail to an owner could not be sent (%s).", type(error).__name__)
        return False
    return True


def _send(grant: Grant, now: datetime) -> int:
    """Note the mail first and send it then: rather none than one every minute."""
    if not _claim(grant, now):
        return 0
    sent = 0
    choices = ZoomSettings.objects.filter(grant=grant).select_related(
        "site", "account", "grant__account", "grant__connected_by"
    )
    for choice in choices:
        address = owner_address(choice)
        if not address:
            continue
        context = _context(choice) | {
            "account": choice.account,
            "grant": grant,
            "reason": grant.get_reason_display() if grant.reason else "",
            "since": grant.state_since,
        }
        try:
            with translation.override(language_of(choice)):
                _message("needs_reconnect", address, context).send()
            sent += 1
        except (smtplib.SMTPException, OSError) as error:
            logger.warning("A mail to an owner could not be sent (%s).", type(error).__name__)
    return sent


def _claim(grant: Grant, now: datetime) -> bool:
    """Of two workers one sends."""
    with transaction.atomic():
        row = Grant.objects.select_for_update().get(pk=grant.pk)
        if row.state != GrantState.NEEDS_RECONNECT or not is_due(row, now):
            return False
        row.notices = [*(row.notices or []), now.isoformat()]
        Grant.objects.filter(pk=row.pk).update(notices=row.notices)
        return True


def language_of(choice: ZoomSettings) -> str:
    """The language in which the person who connected uses the admin."""
    person = choice.grant.connected_by if choice.grant else None
    profile = getattr(person, "wagtail_userprofile", None)
    chosen = getattr(profile, "preferred_language", "")
    return str(chosen or django_settings.LANGUAGE_CODE)


def _message(name: str, address: str, context: dict[str, Any]) -> EmailMessage:
    subject = render_to_string(f"wagtail_zoom/mail/{name}_subject.txt", context)
    body = render_to_string(f"wagtail_zoom/mail/{name}.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body.strip() + "\n",
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _context(choice: ZoomSettings) -> dict[str, Any]:
    path = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", choice.site_id])
    return {
        "site": choice.site,
        "site_name": choice.site.site_name or choice.site.hostname,
        "panel_url": f"{settings.base_url}{path}",
    }
