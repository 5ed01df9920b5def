"""Delivers the simulator's webhook events to the endpoint through Django's test client.

For tests without a web server: the simulator has no webhook URL and stores its events;
:class:`EventDelivery` posts them, signed as Zoom does.
"""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from ..conf import settings
from .server import SimulatorControl
from .signing import sign
from .worker import TaskRunner


def post_event(
    event: dict[str, Any],
    *,
    client: Client | None = None,
    request_id: str | None = None,
    host: str = "localhost",
) -> Any:
    """Post one signed event (``event``, ``event_ts``, ``payload``) and return the response."""
    raw = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = sign(raw, settings.webhook_secret_tokens[0], request_id=request_id)
    content_type = headers.pop("content-type")
    return (client or Client()).post(
        reverse("wagtail_zoom:webhook"),
        raw,
        content_type=content_type,
        headers={**headers, "host": host},
    )


class EventDelivery:
    """Delivers every event of the simulator once."""

    def __init__(self, zoom: SimulatorControl, worker: TaskRunner) -> None:
        self.zoom = zoom
        self.worker = worker
        self._delivered = {
            delivery["event_id"] for delivery in zoom.deliveries(state="unsubscribed")
        }

    def deliver(self) -> list[str]:
        """Deliver new events and process them; returns the names of the events, in order.

        Raises:
            AssertionError: the endpoint refused an event.
        """
        events = []
        for delivery in self.zoom.deliveries(state="unsubscribed"):
            if delivery["event_id"] in self._delivered:
                continue
            response = post_event(delivery["body"], request_id=delivery["request_id"])
            if response.status_code != 200:
                raise AssertionError(
                    f"{delivery['event']} was answered with {response.status_code}."
                )
            self._delivered.add(delivery["event_id"])
            events.append(delivery["event"])
        self.worker.run()
        return events
