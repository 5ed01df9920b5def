"""How the deployments are: for the list, the command and monitoring."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from ..conf import settings
from ..exceptions import ZoomTransient
from ..utils.crypto import DecryptionError
from ..utils.health import age_seconds, is_worker_running
from ..utils.webhook_requests import CHALLENGE, sign
from . import bindings, http, zoom
from .models import Binding, Delivery, Deployment, JobRun

UNKNOWN_TOKEN = "zoom_hub doctor"  # noqa: S105 - a token that nobody has
DELIVERIES_LATE = timedelta(minutes=5)


@dataclass(frozen=True)
class DeploymentCounts:
    """A deployment, how many Zoom accounts are connected, and its deliveries by state."""

    deployment: Deployment
    account_count: int
    backlog: int
    """Deliveries that wait."""
    dead_count: int
    """Deliveries that were given up."""

    @property
    def pk(self) -> int:
        return self.deployment.pk


def deployments_with_counts(rows: QuerySet[Deployment] | None = None) -> list[DeploymentCounts]:
    """These deployments, or all, with what is to be said of them. Three queries."""
    if rows is None:
        rows = Deployment.objects.filter(removed_at=None)
    deployments = list(rows)
    pks = [deployment.pk for deployment in deployments]
    bound = Binding.objects.active().filter(deployment__in=pks).values("deployment_id")
    accounts = {
        row["deployment_id"]: row["n"]
        for row in bound.annotate(n=Count("account_zoom_id", distinct=True)).order_by()
    }
    # Without those that were delivered, which are nearly all of them.
    states = Delivery.objects.filter(
        deployment__in=pks, state__in=[Delivery.State.PENDING, Delivery.State.DEAD]
    ).values("deployment_id", "state")
    counts = {
        (row["deployment_id"], row["state"]): row["n"]
        for row in states.annotate(n=Count("pk")).order_by()
    }
    return [
        DeploymentCounts(
            deployment,
            account_count=accounts.get(deployment.pk, 0),
            backlog=counts.get((deployment.pk, Delivery.State.PENDING), 0),
            dead_count=counts.get((deployment.pk, Delivery.State.DEAD), 0),
        )
        for deployment in deployments
    ]


def metrics(now: datetime | None = None) -> dict[str, Any]:
    """Ages in seconds and counts of rows, for monitoring. Seven queries."""
    now = now or timezone.now()
    pending = Delivery.objects.filter(state=Delivery.State.PENDING, deployment__removed_at=None)
    # Of a deployment that answers: another one's backlog says nothing about the hub.
    oldest = pending.filter(deployment__failures=0).aggregate(oldest=Min("run_after"))["oldest"]
    # One that has just come back is still getting what waited for it: that is not late.
    late = pending.filter(
        Q(deployment__last_delivered_at=None)
        | Q(deployment__last_delivered_at__lt=now - DELIVERIES_LATE),
        deployment__failures=0,
        run_after__lt=now - DELIVERIES_LATE,
    )
    deployments = Deployment.objects.filter(removed_at=None)
    last_tick = JobRun.objects.filter(name="tick").values_list("ran_at", flat=True).first()
    return {
        "tick_age": age_seconds(last_tick, now),
        "deployments": deployments.count(),
        "deployments_failing": deployments.exclude(failing_since=None).count(),
        "deliveries_pending": pending.count(),
        "deliveries_oldest": max(0.0, age_seconds(oldest, now) or 0.0),
        "deliveries_late": late.count(),
        "deliveries_dead": Delivery.objects.filter(state=Delivery.State.DEAD).count(),
    }


def checks(numbers: dict[str, Any]) -> dict[str, bool]:
    """Results by name: ``worker``, ``deliveries``; True means healthy.

    A deployment that does not answer does not affect the result; its operator is notified.
    """
    return {
        "worker": is_worker_running(numbers["tick_age"]),
        "deliveries": not numbers["deliveries_late"],
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


def zoom_problem() -> str:
    """Why the hub cannot pass calls on to Zoom; empty if Zoom knows it."""
    try:
        zoom.request_token(grant_type="refresh_token", refresh_token=UNKNOWN_TOKEN)
    except zoom.OAuthError as error:
        if error.status >= 500:
            return _("Zoom cannot be reached, or does not know CLIENT_ID and CLIENT_SECRET.")
    return ""


def validate_webhook(deployment: Deployment) -> str:
    """Send Zoom's URL validation to a deployment. Returns an empty string when it proves that it
    has the webhook secret, else a sentence that says what is wrong.
    """
    try:
        token, secret = secrets.token_urlsafe(16), deployment.webhook_secret.reveal()
    except DecryptionError:
        return _("Its webhook secret cannot be decrypted. Rotate its secrets.")
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
        status_code, text = http.ask(deployment.webhook_url, body, headers)
    except (requests.RequestException, OSError, HTTPError, ZoomTransient) as error:
        return _("It does not answer (%(error)s).") % {"error": type(error).__name__}
    if status_code == 401:
        return _("It has another webhook secret.")
    if status_code != 200:
        return _("It answered with status %(status)s.") % {"status": status_code}
    proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    try:
        is_right = json.loads(text).get("encryptedToken") == proof
    except (ValueError, AttributeError):
        is_right = False
    return "" if is_right else _("Something else than wagtail-zoom answers there.")
