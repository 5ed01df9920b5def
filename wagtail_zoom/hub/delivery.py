"""Sends the deliveries: many at a time, few to one deployment, and one that is away delays nobody.

One process acquires rows by lease, sends them in threads, and stores the outcome itself: threads
use no database. A deployment that does not answer is left alone for a while, and only one delivery
at a time finds out whether it is back. What a killed process had acquired is sent again when the
lease ends: a deployment may receive an event twice, with the same ``x-zm-request-id``, as from
Zoom.
"""

from __future__ import annotations

import queue
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import requests
from django.db import close_old_connections
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ..utils import backoff, leases
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, record_metric
from ..utils.webhook_requests import sign
from . import http
from .models import DEAUTHORIZED, Binding, Delivery, Deployment

logger = get_logger("hub")

MAX_THREADS = 24
MAX_FAILING_THREADS = 6
"""Threads that may wait for deployments that failed before; the others stay free."""
PER_DEPLOYMENT = 4
LEASE = timedelta(seconds=30)
"""Longer than a delivery can last."""
POLL_SECONDS = 0.05
RETRY_SECONDS = (2, 5, 15, 30, 60, 120, 300, 600)
"""Seconds until a deployment, or an event that it refuses, is tried again."""
RETRIED_STATUS = {401, 403, 404, 405, 408, 410, 429}
"""Status below 500 that concern the deployment: wrong secret, wrong address, rate limit. Another
one concerns the event, and the next event is sent at once."""
MAX_ROWS = 200


@dataclass
class _Call:
    """One delivery under way in a thread."""

    row: Delivery
    owner: str
    started_at: float
    is_probe: bool
    sockets: list[socket.socket] = field(default_factory=list)
    is_over: bool = False


@dataclass(frozen=True)
class _Response:
    call: _Call
    status: int | None
    error: str = ""


class EventSender:
    """Sends what is due. Not for several threads; several processes may each have one."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.results: queue.SimpleQueue[_Response] = queue.SimpleQueue()
        self.sent = 0

    def run(self, seconds: float, *, idle_seconds: float = 0.0) -> int:
        """Send until nothing is due for ``idle_seconds``, or for ``seconds``; return how many
        deliveries were tried. Calls under way are always waited for."""
        end = time.monotonic() + seconds
        idle_since = time.monotonic()
        while True:
            started = self._start_due() if time.monotonic() < end else 0
            self._store_results(POLL_SECONDS if self.calls else 0)
            now = time.monotonic()
            if started or self.calls:
                idle_since = now
            elif now >= end or now - idle_since >= idle_seconds:
                return self.sent
            else:
                time.sleep(POLL_SECONDS)
                close_old_connections()

    def _start_due(self) -> int:
        """Start as many calls as there are threads; return how many."""
        free = MAX_THREADS - len(self.calls)
        if free <= 0:
            return 0
        per_deployment = Counter(call.row.deployment_id for call in self.calls)
        probes = {call.row.deployment_id for call in self.calls if call.is_probe}
        full = [pk for pk, count in per_deployment.items() if count >= PER_DEPLOYMENT]
        rows = due(timezone.now()).exclude(deployment_id__in=[*full, *probes])
        chosen: list[int] = []
        failing_free = MAX_FAILING_THREADS - len(probes)
        candidates = rows.order_by("run_after", "pk").values_list(
            "pk", "deployment_id", "deployment__failures"
        )
        for pk, deployment_id, failures in candidates[:MAX_ROWS]:
            if len(chosen) == free:
                break
            if failures:
                if failing_free <= 0 or deployment_id in probes:
                    continue
                failing_free -= 1
                probes.add(deployment_id)
            elif per_deployment[deployment_id] >= PER_DEPLOYMENT:
                continue
            per_deployment[deployment_id] += 1
            chosen.append(pk)
        if not chosen:
            return 0
        owner = leases.acquire(
            Delivery.objects.filter(pk__in=chosen, state=Delivery.State.PENDING), LEASE
        )
        if not owner:
            return 0
        acquired = Delivery.objects.filter(lease_owner=owner).select_related("deployment")
        for row in acquired:
            self._start(row, owner)
        return len(acquired)

    def _start(self, row: Delivery, owner: str) -> None:
        call = _Call(row, owner, time.monotonic(), is_probe=row.deployment.failures > 0)
        self.calls.append(call)
        self.sent += 1
        try:
            body = row.body.reveal().encode()
            secrets = _secrets(row.deployment)
        except DecryptionError:
            self.results.put(_Response(call, None, "DecryptionError"))
            return
        Thread(target=self._send, args=(call, body, secrets), daemon=True).start()

    def _send(self, call: _Call, body: bytes, secrets: list[str]) -> None:
        """In a thread: no database."""
        try:
            for secret in secrets:
                timestamp = int(time.time())
                headers = {
                    "x-zm-request-timestamp": str(timestamp),
                    "x-zm-signature": sign(body, timestamp, secret),
                    "x-zm-request-id": call.row.request_id or call.row.content_key,
                }
                status = http.post(call.row.deployment.webhook_url, body, headers, call.sockets)
                if status != 401:
                    break
            self.results.put(_Response(call, status))
        except Exception as error:
            cause = error
            while isinstance(cause, requests.ConnectionError) and cause.args:
                inner = getattr(cause.args[0], "reason", cause.args[0])
                if not isinstance(inner, Exception):
                    break
                cause = inner
            self.results.put(_Response(call, None, type(cause).__name__[:40]))

    def _store_results(self, seconds: float) -> None:
        """Store the outcome of calls that have ended, and end those that last too long."""
        try:
            result = self.results.get(timeout=seconds) if seconds else self.results.get_nowait()
            while True:
                if not result.call.is_over:
                    self._finish(result)
                result = self.results.get_nowait()
        except queue.Empty:
            pass
        for call in [*self.calls]:
            if time.monotonic() - call.started_at > http.MAX_SECONDS:
                http.end_connections(call.sockets)
                self._finish(_Response(call, None, "Timeout"))

    def _finish(self, result: _Response) -> None:
        result.call.is_over = True
        self.calls.remove(result.call)
        record_outcome(result.call.row, result.call.owner, result.status, result.error)


def _secrets(deployment: Deployment) -> list[str]:
    """The secrets to sign with: after a rotation the previous one too, until it is over. A
    deployment that refuses the first one (401) gets the event with the second."""
    secrets = [deployment.webhook_secret.reveal()]
    if deployment.has_previous_secrets and deployment.previous_webhook_secret:
        secrets.append(deployment.previous_webhook_secret.reveal())
    return secrets


def due(now: datetime) -> QuerySet[Delivery]:
    """Deliveries to try now."""
    return Delivery.objects.filter(
        leases.is_free(now),
        Q(deployment__retry_at=None) | Q(deployment__retry_at__lte=now),
        state=Delivery.State.PENDING,
        run_after__lte=now,
        deployment__removed_at=None,
    )


def record_outcome(row: Delivery, owner: str, status: int | None, error: str = "") -> None:
    """Store what came of an attempt."""
    now = timezone.now()
    rows = Delivery.objects.filter(pk=row.pk)
    is_delivered = status is not None and 200 <= status < 300
    record_metric("hub_deliveries", outcome="delivered" if is_delivered else "failed")
    attempts = row.attempts + 1
    values: dict[str, Any] = {"attempts": attempts, "last_status": status, "error": error}
    if is_delivered:
        row.body = ""
        values |= {"state": Delivery.State.DELIVERED, "delivered_at": now, "body": row.body}
        leases.release(rows, owner, **values)
        record_metric("hub_delivery_seconds", (now - row.received_at).total_seconds())
        _record_success(row.deployment_id, now)
        return
    concerns_deployment = status is None or status >= 500 or status < 400 or (
        status in RETRIED_STATUS
    )  # fmt: skip
    values["run_after"] = now if concerns_deployment else backoff.retry_at(RETRY_SECONDS, attempts)
    leases.release(rows, owner, **values)
    if concerns_deployment:
        _record_failure(row.deployment_id, now)


def _record_success(deployment_pk: int, now: datetime) -> None:
    Deployment.objects.filter(pk=deployment_pk).update(
        last_delivered_at=now, failures=0, failing_since=None, retry_at=None
    )


def _record_failure(deployment_pk: int, now: datetime) -> None:
    """Leave the deployment alone for a while. Calls that ran at the same time are one failure."""
    deployment = Deployment.objects.get(pk=deployment_pk)
    if deployment.retry_at is not None and deployment.retry_at > now:
        return
    Deployment.objects.filter(pk=deployment_pk, failures=deployment.failures).update(
        failures=F("failures") + 1,
        failing_since=deployment.failing_since or now,
        retry_at=backoff.retry_at(RETRY_SECONDS, deployment.failures + 1),
    )


def give_up_outdated(now: datetime) -> int:
    """Periodic job: end what was tried for a day."""
    rows = Delivery.objects.filter(
        state=Delivery.State.PENDING, received_at__lt=now - Delivery.LIFETIME
    )
    return rows.filter(leases.is_free(now)).update(state=Delivery.State.DEAD)


def may_send_again() -> Q:
    """Condition for deliveries that were given up: their content is still stored, and the Zoom
    account is still connected with the deployment."""
    bound = Binding.objects.active().filter(
        deployment=OuterRef("deployment"), account_zoom_id=OuterRef("account_zoom_id")
    )
    return (
        Q(state=Delivery.State.DEAD, deployment__removed_at=None)
        & (Q(Exists(bound)) | Q(event=DEAUTHORIZED))  # guard: hub-again-while-bound
        & ~Q(body="")  # guard: hub-again-with-content
    )


def send_again(rows: QuerySet[Delivery]) -> int:
    """Try deliveries again that were given up, and their deployments at once; return how many."""
    now = timezone.now()
    dead = rows.filter(may_send_again())
    Deployment.objects.filter(deliveries__in=dead).update(retry_at=None)
    return dead.update(
        state=Delivery.State.PENDING, run_after=now, received_at=now, **leases.RELEASED
    )
