"""Waiting for a call no longer than a visitor can, whatever the other side does.

Time-outs of sockets count anew with every byte, and looking up a name has none: an answer that
drips, or a resolver that is away, holds whoever waits for as long as it likes. So the call runs in
a thread of its own, and the request goes on without it. What becomes of the call is then unknown.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from threading import BoundedSemaphore, Thread
from typing import Any, TypeVar

from django.views.decorators.debug import sensitive_variables

from ..exceptions import ZoomTransient

T = TypeVar("T")
MOST = 32
"""Calls of one process at once that are waited for, or were given up and have not ended yet."""

_places = BoundedSemaphore(MOST)


@sensitive_variables("work", "found", "result")
def call_with_deadline(seconds: float, work: Callable[[], T], *, ambiguous: bool) -> T:
    """The result of ``work``, or its error, if it comes in time. ``work`` touches no database.

    Raises:
        ZoomTransient: it takes longer (``ambiguous`` as given), or too many hang already.
    """
    if not _places.acquire(blocking=False):
        raise ZoomTransient("Too many calls to Zoom are hanging.")
    found: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put((work(), None))
        except Exception as error:
            # Without the frames: the token and what a person typed stand in their variables.
            found.put((None, error.with_traceback(None)))
        finally:
            _places.release()

    try:
        Thread(target=run, daemon=True).start()
    except RuntimeError:
        _places.release()
        raise ZoomTransient("No thread for a call to Zoom.") from None
    try:
        result, error = found.get(timeout=seconds)
    except queue.Empty:
        raise ZoomTransient("Zoom did not answer in time.", ambiguous=ambiguous) from None
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
