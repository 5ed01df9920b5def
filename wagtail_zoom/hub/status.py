"""How the deployments are: for the list, the command and monitoring."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from datetime import datetime
from typing import Any

import requests
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..conf import settings
from ..utils.webhook_requests import CHALLENGE, sign
from . import bindings, http
from .models import Delivery, Deployment


def deployments_with_counts() -> QuerySet[Any]:
    """Deployments with ``account_count`` (connected Zoom accounts), ``backlog`` and
    ``dead_count`` (deliveries), in one query."""
    active = Q(bindings__ended_at=None, bindings__client_id=settings.client_id)
    return Deployment.objects.filter(removed_at=None).annotate(
        account_count=Count("bindings__account_zoom_id", filter=active, distinct=True),
        backlog=Count(
            "deliveries", filter=Q(deliveries__state=Delivery.State.PENDING), distinct=True
        ),
        dead_count=Count(
            "deliveries", filter=Q(deliveries__state=Delivery.State.DEAD), distinct=True
        ),
    )


def metrics(now: datetime | None = None) -> dict[str, Any]:
    """Ages in seconds and counts of rows, for monitoring."""
    now = now or timezone.now()
    pending = Delivery.objects.filter(state=Delivery.State.PENDING, deployment__removed_at=None)
    # Of a deployment that answers: another one's backlog says nothing about the hub.
    oldest = pending.filter(deployment__failures=0).aggregate(oldest=Min("run_after"))["oldest"]
    deployments = Deployment.objects.filter(removed_at=None)
    return {
        "deployments": deployments.count(),
        "deployments_failing": deployments.exclude(failing_since=None).count(),
        "deliveries_pending": pending.count(),
        "deliveries_oldest": round(max(0.0, (now - oldest).total_seconds()), 1) if oldest else 0,
        "deliveries_dead": Delivery.objects.filter(state=Delivery.State.DEAD).count(),
    }


def older_keys_problem() -> str:
    """Why older ``ENCRYPTION_KEYS`` are still needed after everything was re-encrypted; empty if
    they are not."""
    count = bindings.under_older_keys().count()
    if len(settings.encryption_keys) < 2 or not count:  # guard: hub-older-keys-needed
        return ""
    return (
        f"{count} connections of deployments are recognised with an older key until the websites "
        "refresh them, which they do within eight days. Keep the older keys and run this again; a "
        "website that is gone can be removed with zoom_hub remove."
    )


def validate_webhook(deployment: Deployment) -> str:
    """Send Zoom's URL validation to a deployment. Returns an empty string when it proves that it
    has the webhook secret, else a sentence that says what is wrong.
    """
    token, secret = secrets.token_urlsafe(16), deployment.webhook_secret.reveal()
    body = json.dumps(
        {"event": CHALLENGE, "event_ts": int(time.time() * 1000), "payload": {"plainToken": token}}
    ).encode()
    stamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "x-zm-request-timestamp": str(stamp),
        "x-zm-signature": sign(body, stamp, secret),
    }
    try:
        with http.checked_session() as session:
            response = session.post(
                deployment.webhook_url, data=body, headers=headers, allow_redirects=False,
                timeout=(http.CONNECT_SECONDS, http.READ_SECONDS), stream=True,
            )  # fmt: skip
            text = response.raw.read(4096, decode_content=True)
    except (requests.RequestException, OSError) as error:
        return _("It does not answer (%(error)s).") % {"error": type(error).__name__}
    if response.status_code == 401:
        return _("It has another webhook secret.")
    if response.status_code != 200:
        return _("It answered with status %(status)s.") % {"status": response.status_code}
    proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    try:
        is_right = json.loads(text).get("encryptedToken") == proof
    except (ValueError, AttributeError):
        is_right = False
    return "" if is_right else _("Something else than wagtail-zoom answers there.")
