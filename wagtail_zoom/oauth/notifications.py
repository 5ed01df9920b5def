"""Emails to owners about their connection.

About a broken one: immediately, after three days and after seven. No more than three, and none
after the repair, which clears the list of sent emails. Once when the app was removed in Zoom, when
an invited person has connected, and when somebody has renewed a shared permission.
Templates ``wagtail_zoom/mail/needs_reconnect.txt`` and ``…_subject.txt`` (and so on) may be
overridden.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from ..conf import settings
from ..frontend import datetimes
from ..models import Activity, Grant, GrantState, Invitation, ZoomAccount, ZoomSettings
from ..permissions import may_change
from ..utils.logging import get_logger
from ..utils.text import unlinked_line

logger = get_logger("notifications")

SEND_AFTER = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""When the emails are sent, counted from when the connection broke."""
BATCH_SIZE = 50
"""Emails sent per tick; the others wait for the next minute."""


def persons_of(site_settings: ZoomSettings) -> list[Any]:
    """The users of the admin who connected this Site or invited somebody to do so."""
    grant = site_settings.grant
    persons = (site_settings.linked_by, grant.connected_by if grant else None)
    return [person for person in persons if person is not None and person.email]


def owner_email(
    site_settings: ZoomSettings, changing_pairs: Collection[tuple[int, int]] = ()
) -> str:
    """Email address for problems of a Site; empty when none is known.

    The address that the owner entered, otherwise that of the user who connected this Site or
    invited somebody to do so, otherwise that of the Zoom user. Several Sites may share a grant: a
    user who connected another Site is not notified about this one.

    Args:
        changing_pairs: what is known already of ``permissions.changing_pairs``.
    """
    if site_settings.contact_email:
        return site_settings.contact_email
    grant = site_settings.grant
    site = site_settings.site
    for person in persons_of(site_settings):
        if (person.pk, site.pk) in changing_pairs or may_change(person, site):
            return str(person.email)
    return grant.user_email.reveal() if grant is not None and grant.user_email.readable else ""


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
    if not email or (account is not None and account.is_quarantined):  # guard: copy-emails-no-owner
        return False
    try:
        status_email(site_settings, email, title, text).send()
    except Exception as error:  # also those of other email backends
        logger.warning("An email to an owner could not be sent (%s).", type(error).__name__)
        return False
    return True


def status_email(site_settings: ZoomSettings, email: str, title: str, text: str) -> EmailMessage:
    """The email that ``send_status_email`` sends, for who wants to read it first."""
    context = _context(site_settings) | {
        "title": unlinked_line(title),
        "text": "\n".join(map(unlinked_line, text.splitlines())),
    }
    return _build_email("needs_you", email, context)


def _send(grant: Grant, now: datetime) -> int:
    """Record the email before sending it: better none than one every minute."""
    if not _claim(grant, now):
        return 0
    sent = 0
    settings_rows = ZoomSettings.objects.filter(grant=grant).select_related(
        "site", "account", "linked_by", "grant__account", "grant__connected_by"
    )
    for site_settings in settings_rows:
        context = {
            "reason": grant.get_reason_display() if grant.reason else "",
            "since": grant.state_since,
        }
        sent += _send_about_grant("needs_reconnect", site_settings, grant, context)
    return sent


def send_renewed(grant: Grant, settings_rows: QuerySet[ZoomSettings]) -> None:
    """Tell the owners of these Sites that somebody has authorised their broken grant again.

    Templates ``wagtail_zoom/mail/renewed.txt`` and ``…_subject.txt``.
    """
    if grant.account.is_quarantined:
        return
    for site_settings in settings_rows.select_related(
        "site", "linked_by", "grant__account", "grant__connected_by"
    ):
        _send_about_grant("renewed", site_settings, grant, {})


def _send_about_grant(
    template_name: str, site_settings: ZoomSettings, grant: Grant, context: dict[str, Any]
) -> bool:
    """Send an email about a grant to the owner of one Site, in the owner's language."""
    context = {"grant": grant, **context}
    return _send_to(owner_email(site_settings), template_name, site_settings, context)


def _send_to(
    email: str, template_name: str, site_settings: ZoomSettings, context: dict[str, Any]
) -> bool:
    """Send an email about a Site in its owner's language; return whether it could be sent."""
    if not email:
        return False
    try:
        with owners_locale(site_settings):
            if since := context.get("since"):
                context = {**context, "time": datetimes.day_and_time(timezone.localtime(since))}
            _build_email(
                template_name, email, {**_context(site_settings), **_names(context), **context}
            ).send()
    except Exception as error:  # also those of other email backends
        logger.warning("An email to an owner could not be sent (%s).", type(error).__name__)
        return False
    return True


def send_app_removed(
    site_settings: ZoomSettings, email: str, account: ZoomAccount, removed_at: datetime
) -> None:
    """Tell the owner of a Site at once that its app was removed in Zoom.

    Templates ``wagtail_zoom/mail/app_removed.txt`` and ``…_subject.txt``. The address is that of
    before: the Site has no connection any more.
    """
    if not account.is_quarantined:  # guard: copy-emails-no-removal
        context = {"zoom_account": account, "since": removed_at}
        if _send_to(email, "app_removed", site_settings, context):
            Activity.log([site_settings.site_id], "connection", "removal_mailed", account=account)


def send_invited_connected(site_settings: ZoomSettings, invitation: Invitation) -> None:
    """Tell the user who made an invitation that it was used, and that they are to confirm.

    Templates ``wagtail_zoom/mail/invited_connected.txt`` and ``…_subject.txt``.
    """
    context = {
        "grant": site_settings.grant,
        "zoom_account": site_settings.account,
        "needs_confirmation": site_settings.needs_confirmation,
    }
    email = str(invitation.created_by.email)
    _send_to(email, "invited_connected", site_settings, context)


def _claim(grant: Grant, now: datetime) -> bool:
    """Record the email; of two workers only one succeeds."""
    with transaction.atomic():
        row = Grant.objects.select_for_update().get(pk=grant.pk)
        if row.state != GrantState.NEEDS_RECONNECT or not is_due(row, now):
            return False
        row.reminders_sent = [*(row.reminders_sent or []), now.isoformat()]
        Grant.objects.filter(pk=row.pk).update(reminders_sent=row.reminders_sent)
        return True


@contextmanager
def owners_locale(site_settings: ZoomSettings) -> Iterator[None]:
    """Admin language and time zone of the user who connected the Site."""
    person = site_settings.linked_by
    if person is None and site_settings.grant is not None:
        person = site_settings.grant.connected_by
    profile = getattr(person, "wagtail_userprofile", None)
    language = getattr(profile, "preferred_language", "") or django_settings.LANGUAGE_CODE
    zone = getattr(profile, "current_time_zone", "") or django_settings.TIME_ZONE
    with translation.override(language), timezone.override(datetimes.get_zone(zone)):
        yield


def _build_email(template_name: str, email: str, context: dict[str, Any]) -> EmailMessage:
    subject = render_to_string(f"wagtail_zoom/mail/{template_name}_subject.txt", context)
    body = render_to_string(f"wagtail_zoom/mail/{template_name}.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body.strip() + "\n",
        to=[email],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _names(context: dict[str, Any]) -> dict[str, str]:
    """Person and account as emails say them: both names are written in Zoom, by anybody there."""
    grant: Grant | None = context.get("grant")
    account = context.get("zoom_account") or (grant.account if grant else None)
    names = (str(account), account.number, account.zoom_id) if account else ()
    person = grant.user_name if grant else ""
    return {
        "person": unlinked_line(person),  # guard: email-names-without-links
        "account": next(filter(None, map(unlinked_line, names)), ""),
    }


def _context(site_settings: ZoomSettings) -> dict[str, Any]:
    path = reverse(
        "wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_settings.site_id]
    )
    return {
        "site": site_settings.site,
        "site_name": site_settings.site.site_name or site_settings.site.hostname,
        "panel_url": f"{settings.base_url}{path}",
    }
