"""Runs a call in a thread with a hard deadline, for web requests.

Socket time-outs restart with every byte, and name resolution has none. A response that arrives
byte by byte, or a resolver that does not answer, would block the request without limit. After the
deadline the request continues without the call, whose outcome is then unknown.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from django.views.decorators.debug import sensitive_variables

from ..exceptions import ZoomTransient

T = TypeVar("T")
MAX_PENDING_CALLS = 32
"""Calls of one process that are running, including those past their deadline."""

_slots = BoundedSemaphore(MAX_PENDING_CALLS)


@sensitive_variables()
def call_with_deadline(seconds: float, func: Callable[[], T], *, ambiguous: bool) -> T:
    """Return the result of ``func`` or raise its error. ``func`` uses no database.

    Raises:
        ZoomTransient: it takes longer (``ambiguous`` as given), or too many calls hang already.
    """
    if not _slots.acquire(blocking=False):
        raise ZoomTransient("Too many calls to Zoom are hanging.")
    results: queue.SimpleQueue[tuple[T] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((func(),))
        except Exception as error:
            # Without the frames: their variables hold the token and what a person typed.
            results.put(error.with_traceback(None))
        finally:
            _slots.release()

    try:
        Thread(target=run, daemon=True).start()
    except RuntimeError:
        _slots.release()
        raise ZoomTransient("No thread for a call to Zoom.") from None
    try:
        outcome = results.get(timeout=seconds)
    except queue.Empty:
        raise ZoomTransient("Zoom did not answer in time.", ambiguous=ambiguous) from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome[0]
