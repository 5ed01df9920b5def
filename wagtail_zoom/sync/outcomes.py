"""What became of messages: done, to be tried again, or for a person to look at."""

from __future__ import annotations

import random
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
from ..utils.logging import get_logger, log_context, record_metric
from . import handlers
from .bulk_sql import among

logger = get_logger("inbox")

State = WebhookEvent.State
MOST_ATTEMPTS = 10
LONGEST_WAIT = 3600
GIVE_UP = timedelta(days=3)
AUTH_WAIT = timedelta(minutes=5)
LOST = WebhookEvent.WORKER_LOST


def begin(events: list[WebhookEvent]) -> None:
    """Count a try before anything is done that the process might not survive."""
    rows = WebhookEvent.objects.filter(among(WebhookEvent, "id", [event.pk for event in events]))
    rows.update(attempts=F("attempts") + 1, error_class=LOST, error_code=None)


def break_off(events: list[WebhookEvent]) -> None:
    """The worker lives on, and what stopped it (the database, mostly) says nothing about these
    messages: the try does not count for those whose fate it has not come to."""
    for event in events:
        rows = WebhookEvent.objects.filter(pk=event.pk, error_class=LOST)
        rows.update(
            attempts=event.attempts, error_class=event.error_class, error_code=event.error_code
        )


def without_deadly(events: list[WebhookEvent]) -> list[WebhookEvent]:
    """These messages without those with which a worker has died for the last time that is allowed:
    they are set aside for a person, so that the next one lives."""
    deadly = [one for one in events if one.error_class == LOST and one.attempts >= MOST_ATTEMPTS]
    for event in deadly:
        WebhookEvent.objects.filter(pk=event.pk).update(state=State.DEAD)
        _given_up(event, event.attempts)
    return [event for event in events if event not in deadly]


def settle(events: list[WebhookEvent], state: str) -> None:
    """These messages are through, in one statement."""
    now = timezone.now()
    for event in events:
        record_metric("messages", outcome=state)
        lag = (now - handlers.event_time(event)).total_seconds()
        record_metric("message_lag_seconds", lag, outcome=state)
    if events:
        rows = WebhookEvent.objects.filter(among(WebhookEvent, "id", [one.pk for one in events]))
        rows.update(state=state, done_at=now, error_class="", error_code=None)


def fail(events: list[WebhookEvent], error: Exception) -> None:
    """Later again, or for a person to look at. A planned delay costs no attempt."""
    now = timezone.now()
    pause = _planned(error, now)
    for event in events:
        # Whoever claimed it has counted this try in the row, not in the object.
        attempts = event.attempts + (
            pause is None  # guard: planned-delay-is-no-attempt
        )
        values: dict[str, object] = {
            "attempts": attempts,
            "run_after": pause or now + _wait(attempts, error),
            "error_class": type(error).__name__[:40],
            "error_code": getattr(error, "code", None),
        }
        if (
            attempts >= MOST_ATTEMPTS or event.received_at < now - GIVE_UP
        ):  # guard: failing-message-given-up
            values["state"] = State.DEAD
        WebhookEvent.objects.filter(pk=event.pk).update(**values)
        if values.get("state") == State.DEAD:
            _given_up(event, attempts)


def _given_up(event: WebhookEvent, attempts: int) -> None:
    record_metric("messages", outcome=State.DEAD.value)
    with log_context(event=event.pk):
        logger.error("A message is given up after %s tries.", attempts)
    _tell(event)


def _planned(error: Exception, now: datetime) -> datetime | None:
    """Until when a message waits that nothing is wrong with: for our turn at Zoom, or for a
    permission. None: it has failed."""
    if isinstance(error, ZoomAuthError | ZoomQuarantined | ZoomConfigurationError):
        return now + AUTH_WAIT
    if isinstance(error, ZoomRateLimited):
        return error.retry_at or now
    return None


def _wait(attempts: int, error: Exception) -> timedelta:
    """Exponential with full jitter, at most an hour; what repeating cannot mend goes there fast."""
    base = 2 if isinstance(error, ZoomTransient) else 30
    most = min(LONGEST_WAIT, base * 2**attempts)
    return timedelta(seconds=random.uniform(1, most))  # noqa: S311 - spreads load, no secret


def _tell(event: WebhookEvent) -> None:
    sites = ZoomSettings.objects.filter(account__zoom_id=event.account_zoom_id)
    Activity.log(
        sites.values_list("site_id", flat=True), "event", "event_failed",
        outcome=Activity.Outcome.FAILED, data={"event": event.event}, event=event,
    )  # fmt: skip
