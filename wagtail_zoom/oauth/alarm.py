"""What must not be cut off between Zoom's answer and our commit."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def alarm_held() -> Iterator[None]:
    """Hold django-q2's time-out (SIGALRM, at any line) back until the pair is stored."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    # A handler and no signal mask: a mask holds for one thread, the alarm may reach another.
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if rang:
            signal.raise_signal(signal.SIGALRM)
