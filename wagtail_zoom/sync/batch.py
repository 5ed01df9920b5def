"""Handles the events of some objects of one account: apply each, then read each object once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from django.utils import timezone

from ..exceptions import ZoomError
from ..mapping.parsing import InvalidItem
from ..models import WebhookEvent, ZoomAccount
from ..utils.error_reports import exc_info_of
from ..utils.logging import get_logger, log_context
from . import handlers, locks, outcomes, refetch, refetch_meetings, summaries
from .handlers import RefetchRequest
from .locks import AcquiredLocks

logger = get_logger("inbox")

BURST = 3
"""Events of one object at once from which on its reads are ``DEBOUNCE_SECONDS`` apart."""
ObjectKey = tuple[str, str]
"""What is read: ``meeting`` (also a webinar: a number is one of the two), ``recording``,
``summary``, ``user``; and its id."""


@dataclass
class EventBatch:
    """What the events of a batch require."""

    refetches: dict[ObjectKey, tuple[RefetchRequest, WebhookEvent]] = field(default_factory=dict)
    keys_by_lock: dict[str, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    """Objects to read, by lock key."""
    handled: dict[str, list[WebhookEvent]] = field(default_factory=lambda: defaultdict(list))
    """Events with a handler, by lock key."""
    unknown: list[WebhookEvent] = field(default_factory=list)
    needed: set[ObjectKey] = field(default_factory=set)
    """Objects that were read because some Site needs them."""
    errors: dict[ObjectKey, Exception] = field(default_factory=dict)
    """Objects that could not be read."""

    def add(self, event: WebhookEvent, result: handlers.HandlerResult) -> None:
        """Add an event; of several about one object the last one counts."""
        for request in result.refetches:
            family = "meeting" if request.family == "webinar" else request.family
            earlier = self.refetches.get((family, request.key))
            host = request.host_zoom_id or (earlier[0].host_zoom_id if earlier else "")
            self.refetches[family, request.key] = (replace(request, host_zoom_id=host), event)
            self.keys_by_lock[event.lock_key].add((family, request.key))
        if result.is_known:
            self.handled[event.lock_key].append(event)
        else:
            self.unknown.append(event)


def handle_events(
    account: ZoomAccount, acquired: AcquiredLocks, events: list[WebhookEvent]
) -> None:
    """Apply each event, read the objects again, then record the outcome of every event."""
    outcomes.mark_started(events)
    event_batch = EventBatch()
    for event in events:
        try:
            with log_context(event=event.pk):
                event_batch.add(event, handlers.apply_event(account, event))
        except Exception as error:
            # A poison event must not delay the others of its object.
            logger.error("Event %s cannot be handled.", event.pk, exc_info=exc_info_of(error))
            outcomes.schedule_retry([event], error)
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        counts[event.lock_key] += 1
    try:
        _refetch(account, event_batch)
    finally:
        used_locks = [lock for key, lock in acquired.locks.items() if key in counts]
        locks.throttle(used_locks, [key for key, count in counts.items() if count >= BURST])
    _record_outcomes(account, acquired, event_batch)
    ZoomAccount.objects.filter(pk=account.pk).update(last_event_at=timezone.now())


def _refetch(account: ZoomAccount, event_batch: EventBatch) -> None:
    """Read each object once, and note in the batch which of them a Site needs, and the errors."""
    targets = []
    for object_key, (request, event) in event_batch.refetches.items():
        kind = handlers.kind_of(request)
        target = refetch.RefetchTarget(account, kind, request.key, request.host_zoom_id, event)
        if object_key[0] == "meeting":
            targets.append(target)
            continue
        try:
            if object_key[0] == "user":
                refetch.refetch_host(account, request.key)
                event_batch.needed.add(object_key)
            elif object_key[0] == "summary":
                if summaries.refetch(target):
                    event_batch.needed.add(object_key)
            elif refetch.refetch_recording(target):
                event_batch.needed.add(object_key)
        except Exception as error:
            event_batch.errors[object_key] = error
    result = refetch_meetings.refetch_all(account, targets)
    event_batch.needed |= {("meeting", number) for number in result.needed}
    event_batch.errors |= {("meeting", number): error for number, error in result.errors.items()}


def _record_outcomes(
    account: ZoomAccount, acquired: AcquiredLocks, event_batch: EventBatch
) -> None:
    """Record the outcome of each object's events: an object that fails affects no other."""
    done_events: list[WebhookEvent] = []
    ignored_events = list(event_batch.unknown)
    for key, events in event_batch.handled.items():
        object_keys = event_batch.keys_by_lock[key]
        try:
            if failed := object_keys & event_batch.errors.keys():
                raise event_batch.errors[min(failed)]
            if object_keys:
                _reapply_live_events(account, events)
        except Exception as error:
            # Whatever it is, it concerns this object only.
            if not isinstance(error, ZoomError | InvalidItem):
                logger.error(
                    "The object of lock %s cannot be read.",
                    acquired.locks[key].pk,
                    exc_info=exc_info_of(error),
                )
            outcomes.schedule_retry(events, error)
            continue
        # If no Site shows it, there was nothing to do.
        is_ignored = object_keys and not object_keys & event_batch.needed
        (ignored_events if is_ignored else done_events).extend(events)
    outcomes.mark_done(done_events, WebhookEvent.State.DONE)
    outcomes.mark_done(ignored_events, WebhookEvent.State.IGNORED)


def _reapply_live_events(account: ZoomAccount, events: list[WebhookEvent]) -> None:
    """Apply starts and ends again: a meeting that was created just before is stored only now."""
    for event in events:
        if event.event.endswith((".started", ".ended")):
            handlers.apply_event(account, event)
