"""Emails to the operators of deployments: a Zoom user has moved, events were lost.

Templates ``wagtail_zoom_hub/mail/moved.txt`` and ``…_subject.txt`` (and so on) may be overridden.
A copy goes to ``OPERATOR_EMAIL``, the operator of the hub.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string

from ..conf import settings
from ..utils.logging import get_logger
from ..utils.text import unlinked_line
from .models import Binding, Delivery, Deployment

logger = get_logger("hub")

BATCH_SIZE = 50
LOST_INTERVAL = timedelta(days=1)
"""At most one email about lost events in this time, for each deployment."""


def send_due_notifications(now: datetime) -> int:
    """Periodic job: send due emails; return how many."""
    return _send_binding_emails() + _send_lost_events(now)


def _send_binding_emails() -> int:
    sent = 0
    rows = Binding.objects.exclude(notice="").select_related("deployment").order_by("pk")
    for binding in rows[:BATCH_SIZE]:
        # Recorded before it is sent: better no email than one every minute.
        if Binding.objects.filter(pk=binding.pk, notice=binding.notice).update(notice=""):
            sent += _send(str(binding.notice), binding.deployment, {})
    return sent


def _send_lost_events(now: datetime) -> int:
    sent = 0
    dead = Delivery.objects.filter(state=Delivery.State.DEAD)
    rows = Deployment.objects.filter(removed_at=None).filter(
        Q(notified_at=None) | Q(notified_at__lt=now - LOST_INTERVAL)
    )
    for deployment in rows.filter(deliveries__in=dead).distinct()[:BATCH_SIZE]:
        lost = dead.filter(deployment=deployment)
        if deployment.notified_at is not None:
            lost = lost.filter(received_at__gt=deployment.notified_at - Delivery.LIFETIME)
        count = lost.count()
        if not count:
            continue
        Deployment.objects.filter(pk=deployment.pk).update(notified_at=now)
        sent += _send("lost_events", deployment, {"count": count})
    return sent


def _send(name: str, deployment: Deployment, context: dict[str, Any]) -> int:
    context = {
        **context,
        "name": unlinked_line(deployment.name),
        "url": deployment.url,
        "webhook_url": deployment.webhook_url,
    }
    template = f"wagtail_zoom_hub/mail/{name}"
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    body = render_to_string(f"{template}.txt", context).strip() + "\n"
    recipients = [deployment.contact_email]
    copies = [settings.operator_email] if settings.operator_email else []
    try:
        EmailMessage(subject, body, to=recipients, cc=copies).send()
    except Exception as error:  # also those of other email backends
        logger.warning("An email to a deployment could not be sent (%s).", type(error).__name__)
        return 0
    return 1
