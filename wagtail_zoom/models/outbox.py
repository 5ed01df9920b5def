"""Outboxes: rows that say what is to be done at Zoom, delivered without loss or duplicates.

A row is saved before Zoom is asked. ``next_try_at`` says when something is due; a worker claims the
row with a lease that expires, so a killed worker only costs two minutes. Everything here may run
twice or in parallel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..conf import settings
from ..utils import leases
from ..utils.error_reports import exc_info_of
from ..utils.leases import Leased
from ..utils.logging import get_logger
from ..utils.queue import debounce, enqueue, reset_debounce
from .write_access import Refusal

logger = get_logger("outbox")

REFUSALS = frozenset(str(refusal) for refusal in Refusal) - {"connection"}
"""Errors of a Site that may not change the meeting at Zoom, although Zoom would answer."""
CONNECTION_ERRORS = REFUSALS | {"connection", "scope", "quarantined"}
"""Errors that end when somebody connects again, or shows the kind and the host again."""
CONNECTION_DELAY = timedelta(minutes=15)
"""Wait after one of them; connecting again does not wait for it."""

BATCH_SIZE = 20
MAX_SLEEP_SECONDS = 5.0
"""The worker itself waits for rows that are due within so many seconds."""


class OutboxRow(Leased):
    """A row of an outbox: when something is due, and how the last attempt ended."""

    next_try_at = models.DateTimeField(null=True, db_index=True)
    """Nothing is due when empty."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Failures in a row; waiting for a rate limit does not count."""
    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.IntegerField(null=True)

    class Meta:
        abstract = True

    def clear_error(self) -> None:
        """Start again: nothing has failed yet."""
        self.error_class, self.error_code, self.attempts = "", None, 0


RowT = TypeVar("RowT", bound=OutboxRow)


@dataclass
class Outbox(Generic[RowT]):
    """The delivery of the rows of one model."""

    model: type[RowT]
    task: str
    """Name of the task that calls ``run``."""
    lease: timedelta = timedelta(minutes=2)
    """Longer than any single attempt."""

    def wake_worker(self) -> None:
        """Queue the worker after the commit, at most about once a second for all rows."""

        def enqueue_worker() -> None:
            if debounce(self.task, 1):
                enqueue(self.task)

        transaction.on_commit(enqueue_worker, robust=True)

    def due(self, now: datetime) -> QuerySet[RowT]:
        """Rows with something due that no process works on."""
        rows: QuerySet[RowT] = self.model._default_manager.all()
        return rows.filter(leases.is_free(now), next_try_at__lte=now)

    def claim(self, pk: int, now: datetime | None = None) -> str:
        """Claim one row. Returns its lease; empty if nothing is due or another process has it."""
        now = now or timezone.now()
        rows = self.model._default_manager.filter(pk=pk, next_try_at__lte=now)
        return leases.acquire(rows, self.lease, now)

    def release(self, pk: int, lease: str) -> None:
        """Release the lease of a row, if it still has it."""
        leases.release(self.model._default_manager.filter(pk=pk), lease)

    @contextmanager
    def edit_row(self, pk: int, lease: str = "") -> Iterator[RowT]:
        """The current row, locked. At the end of the block, ``lease`` is released and all saved."""
        with transaction.atomic():
            row = self.model._default_manager.select_for_update().get(pk=pk)
            names = {field.name: field.attname for field in row._meta.concrete_fields}
            stored = {name: deepcopy(row.__dict__[attname]) for name, attname in names.items()}
            yield row
            if row.lease_owner == lease:
                row.lease_owner, row.lease_until = "", None
            changed = [name for name in names if row.__dict__[names[name]] != stored[name]]
            if row.pk and changed:
                row.save(update_fields=changed)

    def run(self, process: Callable[[int, str], object], seconds: float = 0) -> int:
        """Process due rows for some seconds (``process(pk, lease)``). Returns how many."""
        # A row that is saved from now on queues the worker again: this run may not see it.
        reset_debounce(self.task, 1)
        started, count = time.monotonic(), 0
        limit = seconds or settings.slice_seconds
        while time.monotonic() - started < limit:
            now = timezone.now()
            rows = self.due(now).order_by("next_try_at", "pk")
            pks = list(rows.values_list("pk", flat=True)[:BATCH_SIZE])
            if not pks and not self._sleep_until_due(now, limit - (time.monotonic() - started)):
                return count
            for pk in pks:
                lease = self.claim(pk)
                if not lease:
                    continue
                count += 1
                try:
                    process(pk, lease)
                except Exception as error:
                    # No process takes this row until its lease expires; the others continue.
                    name = self.model._meta.object_name
                    logger.error("A %s could not be processed.", name, exc_info=exc_info_of(error))
                if time.monotonic() - started >= limit:
                    break
        if self.due(timezone.now()).exists():
            self.wake_worker()
        return count

    def _sleep_until_due(self, now: datetime, seconds_left: float) -> bool:
        """Wait for rows that are due within seconds, if there is time for it."""
        soon = self.due(now + timedelta(seconds=min(MAX_SLEEP_SECONDS, seconds_left)))
        next_try_at = soon.order_by("next_try_at").values_list("next_try_at", flat=True).first()
        if next_try_at is None:
            return False
        time.sleep(max(0.0, (next_try_at - now).total_seconds()) + 0.01)
        return True

    def sweep(self, now: datetime) -> int:
        """Every minute: queue the worker for due rows. Returns how many."""
        count = self.due(now).count()
        if count:
            enqueue(self.task)
        return count
