"""Carries the simulator's messages to our endpoint through Django's test client.

For tests without a web server: the simulator has no address to post to, keeps its messages, and
:class:`Courier` brings them, signed like Zoom's.
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
    message: dict[str, Any],
    *,
    client: Client | None = None,
    request_id: str | None = None,
    host: str = "localhost",
) -> Any:
    """Post one message (``event``, ``event_ts``, ``payload``), signed, and return the answer."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    headers = sign(body, settings.webhook_secret_tokens[0], request_id=request_id)
    content_type = headers.pop("content-type")
    return (client or Client()).post(
        reverse("wagtail_zoom:webhook"),
        body,
        content_type=content_type,
        headers={**headers, "host": host},
    )


class Courier:
    """Brings every message of the simulator once."""

    def __init__(self, zoom: SimulatorControl, worker: TaskRunner) -> None:
        self.zoom = zoom
        self.worker = worker
        self._brought = {one["event_id"] for one in zoom.deliveries(state="unsubscribed")}

    def deliver(self) -> list[str]:
        """Bring what is new and work it off; the names of the events, in their order.

        Raises:
            AssertionError: our endpoint refused a message.
        """
        events = []
        for one in self.zoom.deliveries(state="unsubscribed"):
            if one["event_id"] in self._brought:
                continue
            answer = post_event(one["message"], request_id=one["request_id"])
            if answer.status_code != 200:
                raise AssertionError(f"{one['event']} was answered with {answer.status_code}.")
            self._brought.add(one["event_id"])
            events.append(one["event"])
        self.worker.run()
        return events
