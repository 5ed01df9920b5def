"""Who receives an event: a delivery for each deployment that is bound to its account.

An account-level binding receives all events of the account, a user-level one those of its own user.
Where nothing says whose event it is, it is not sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, DataError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..conf import settings
from ..exceptions import ZoomConfigurationError
from ..utils.logging import record_metric
from ..utils.queue import debounce, enqueue
from ..utils.redaction import content_key
from ..utils.webhook_requests import SignedEvent, WebhookRefused
from . import bindings, own_sites
from .models import DEAUTHORIZED, Binding, Delivery

TASKS = "wagtail_zoom.hub.tasks"
HOST_MEMBERS = ("host_id", "meeting_host_id")
"""Members of ``payload.object`` that name the host: of meetings, webinars and recordings, and of
summaries (Zoom: webhook events)."""


def store_event(event: SignedEvent) -> None:
    """Store an event for deployments and own Sites, committed before the response.

    Zoom repeats an event that was not stored; each part ignores what it has.

    Raises:
        WebhookRefused: it could not be stored.
    """
    own_sites.store_event(event)
    if not event.is_well_formed:
        return
    count = 0
    try:
        with transaction.atomic():
            count = _store_deliveries(event)
    except DataError as error:
        raise WebhookRefused(400, "the database does not take this value") from error
    except DatabaseError as error:
        raise WebhookRefused(503, "the event could not be stored") from error  # guard: hub-unsaved
    except ZoomConfigurationError as error:
        raise WebhookRefused(503, "no encryption key is configured") from error
    if count:
        wake_worker()
    record_metric("hub_events", outcome="routed" if count else "for_no_deployment")


def wake_worker() -> None:
    """Enqueue deliveries, at most once a second; the task sends what comes in between."""
    if debounce("hub-deliver", 1):
        enqueue("deliver", tasks=TASKS)


def _store_deliveries(event: SignedEvent) -> int:
    recipients = {binding.deployment_id for binding in recipients_of(event)}
    if not recipients:
        return 0
    key, body = content_key(event.data), _body(event)
    rows = []
    for deployment_id in sorted(recipients):
        row = Delivery(
            deployment_id=deployment_id,
            request_id=event.request_id or None,
            content_key=key,
            account_zoom_id=str(event.payload["account_id"]),
            event=event.name,
        )
        row.body = body
        rows.append(row)
    # A repeated event makes no second delivery.
    Delivery.objects.bulk_create(
        rows,
        ignore_conflicts=True,  # guard: hub-event-once
    )
    if event.name == DEAUTHORIZED:
        user = event.payload.get("user_id")
        bindings.deauthorize(
            str(event.payload["account_id"]), user if isinstance(user, str) else "",
            _removed_at(event),
        )  # fmt: skip
    return len(rows)


def recipients_of(event: SignedEvent) -> list[Binding]:
    """The bindings whose deployments receive this event."""
    account = event.payload.get("account_id")
    if not isinstance(account, str) or not 0 < len(account) <= 100:
        return []
    rows = Binding.objects.active().filter(account_zoom_id=account)  # guard: hub-event-own-account
    return [binding for binding in rows if _concerns(event, binding)]


def _concerns(event: SignedEvent, binding: Binding) -> bool:
    users = set(_users_of(event))
    if event.name == DEAUTHORIZED:
        return binding.user_zoom_id in users  # guard: hub-deauthorization-to-its-user
    return (
        binding.account_level or binding.user_zoom_id in users  # guard: hub-event-own-host
    )


def _users_of(event: SignedEvent) -> Iterable[str]:
    """Ids of the Zoom user whose event it is."""
    if event.name == DEAUTHORIZED:
        values: list[Any] = [event.payload.get("user_id")]
    else:
        item = event.payload.get("object")
        item = item if isinstance(item, dict) else {}
        names = ("id",) if event.name.startswith("user.") else HOST_MEMBERS
        values = [item.get(name) for name in names]
    return [value for value in values if isinstance(value, str) and value]


def _body(event: SignedEvent) -> str:
    """The event as a deployment receives it; its ``client_id`` is not the hub's."""
    payload = event.payload
    if event.name != DEAUTHORIZED or payload.get("client_id") != settings.client_id:
        return event.body.decode("utf-8")
    shown = {name: value for name, value in payload.items() if name != "client_id"}
    return json.dumps({**event.data, "payload": shown}, separators=(",", ":"))


def _removed_at(event: SignedEvent) -> datetime:
    """When the app was removed: the payload's time, else that of the event, else now."""
    text = event.payload.get("deauthorization_time")
    try:
        parsed = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        parsed = None
    if parsed is not None:
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    stamp = event.data.get("event_ts")
    if isinstance(stamp, int) and 0 < stamp < 10**14:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    return timezone.now()
