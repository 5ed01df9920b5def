"""Records event outcomes: done, to be retried, or dead."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from ..exceptions import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomTransient,
)
from ..models import Activity, WebhookEvent, ZoomSettings
from ..utils import backoff
from ..utils.logging import get_logger, log_context, record_metric
from . import handlers
from .bulk_sql import value_in

logger = get_logger("inbox")

MAX_ATTEMPTS = 10
TRANSIENT_RETRY_SECONDS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
RETRY_SECONDS = (60, 120, 240, 480, 960, 1920, 3600)
"""After an error that will most likely come again."""
MAX_AGE = timedelta(days=3)
AUTH_WAIT = timedelta(minutes=5)
WORKER_LOST = WebhookEvent.WORKER_LOST


def mark_started(events: list[WebhookEvent]) -> None:
    """Count an attempt before anything is done that could kill the process."""
    rows = WebhookEvent.objects.filter(value_in(WebhookEvent, "id", [event.pk for event in events]))
    rows.update(attempts=F("attempts") + 1, error_class=WORKER_LOST, error_code=None)


def undo_started(events: list[WebhookEvent]) -> None:
    """Undo ``mark_started`` for events that have no outcome yet.

    The worker is alive, and what stopped it (mostly the database) was not the fault of the events.
    """
    for event in events:
        rows = WebhookEvent.objects.filter(pk=event.pk, error_class=WORKER_LOST)
        rows.update(
            attempts=event.attempts, error_class=event.error_class, error_code=event.error_code
        )


def drop_poison(events: list[WebhookEvent]) -> list[WebhookEvent]:
    """These events without those that crashed a worker in their last attempt: they are dead."""
    poison = [
        event
        for event in events
        if event.error_class == WORKER_LOST and event.attempts >= MAX_ATTEMPTS
    ]
    for event in poison:
        WebhookEvent.objects.filter(pk=event.pk).update(state=WebhookEvent.State.DEAD)
        _dead_letter(event, event.attempts)
    return [event for event in events if event not in poison]


def mark_done(events: list[WebhookEvent], state: str) -> None:
    """Mark these events as done or ignored, in one statement."""
    now = timezone.now()
    for event in events:
        record_metric("events", outcome=state)
        lag = (now - handlers.event_time(event)).total_seconds()
        record_metric("event_lag_seconds", lag, outcome=state)
    if events:
        pks = [event.pk for event in events]
        rows = WebhookEvent.objects.filter(value_in(WebhookEvent, "id", pks))
        rows.update(state=state, done_at=now, error_class="", error_code=None)


def schedule_retry(events: list[WebhookEvent], error: Exception) -> None:
    """Retry later, or mark as dead. A planned delay does not count as an attempt."""
    now = timezone.now()
    planned = _planned_retry(error, now)
    is_transient = isinstance(error, ZoomTransient)
    seconds = TRANSIENT_RETRY_SECONDS if is_transient else RETRY_SECONDS
    for event in events:
        # ``mark_started`` has counted this attempt in the row, not in the object.
        attempts = event.attempts + (
            planned is None  # guard: planned-delay-is-no-attempt
        )
        values: dict[str, object] = {
            "attempts": attempts,
            "run_after": planned or backoff.retry_at(seconds, attempts, jitter=True),
            "error_class": type(error).__name__[:40],
            "error_code": getattr(error, "code", None),
        }
        if (
            attempts >= MAX_ATTEMPTS or event.received_at < now - MAX_AGE
        ):  # guard: failing-event-dead
            values["state"] = WebhookEvent.State.DEAD
        WebhookEvent.objects.filter(pk=event.pk).update(**values)
        if values.get("state") == WebhookEvent.State.DEAD:
            _dead_letter(event, attempts)


def _dead_letter(event: WebhookEvent, attempts: int) -> None:
    record_metric("events", outcome=WebhookEvent.State.DEAD.value)
    with log_context(event=event.pk):
        logger.error("An event failed permanently after %s attempts.", attempts)
    _log_activity(event)


def _planned_retry(error: Exception, now: datetime) -> datetime | None:
    """When to retry an event that has not failed: it waits for the rate limit or authorisation.

    None: it has failed.
    """
    if isinstance(error, ZoomAuthError | ZoomQuarantined | ZoomConfigurationError):
        return now + AUTH_WAIT
    if isinstance(error, ZoomRateLimited):
        return error.retry_at or now
    return None


def _log_activity(event: WebhookEvent) -> None:
    sites = ZoomSettings.objects.filter(
        account__zoom_id=event.account_zoom_id  # guard: failed-event-told-to-own-sites
    )
    Activity.log(
        sites.values_list("site_id", flat=True), "event", "event_failed",
        outcome=Activity.Outcome.FAILED, data={"event": event.event}, event=event,
    )  # fmt: skip
