"""The one door to the task queue.

django-q2 has no de-duplication, no priorities, and its brokers lose or repeat tasks when a
worker dies. So a task is only a wake-up for rows that our own tables hold; everything that
is enqueued may run twice or never, and a minutely sweep finds what got lost.
"""

from __future__ import annotations

import time
from functools import partial

from django.core.cache import cache
from django.db import transaction
from django_q.tasks import async_task

from . import observing

logger = observing.logger("queue")

TASKS = "wagtail_zoom.tasks"
Q_OPTIONS = {"ack_failure": True, "save": False, "group": "wagtail-zoom"}


def enqueue(name: str, *ids: int | str) -> None:
    """Wake the worker: run ``wagtail_zoom.tasks.<name>(*ids)`` after the transaction commits.

    Only whole numbers and short strings may travel: the queue stores pickles that anyone with
    database access can read. A broker that is away is logged, not raised: the rows are there,
    the sweep picks them up.
    """
    for value in ids:
        if not isinstance(value, int | str) or (
            isinstance(value, str) and len(value) > 64
        ):  # guard: queue-takes-ids-only
            raise TypeError("Only ids may be put into the task queue.")
    transaction.on_commit(partial(_send, name, ids), robust=True)


def once(name: str, seconds: int) -> bool:
    """Whether nobody has asked for this within the running stretch of ``seconds``.

    For wake-ups that one a second is enough of. The stretch is part of the key: a key that a wrong
    clock has dated would else keep everybody quiet until its time comes.
    """
    try:
        return cache.add(_stretch(name, seconds), 1, timeout=seconds)
    except Exception:
        return True


def forget(name: str, seconds: int) -> None:
    """Whoever asks next is the first again."""
    try:
        cache.delete(_stretch(name, seconds))
    except Exception:
        return


def _stretch(name: str, seconds: int) -> str:
    return f"wagtail-zoom:{name}:{int(time.time()) // seconds}"  # guard: wake-up-not-by-cache-age


def _send(name: str, ids: tuple[int | str, ...]) -> None:
    try:
        async_task(f"{TASKS}.{name}", *ids, q_options=dict(Q_OPTIONS))
    except Exception as error:
        logger.warning("The task queue is away (%s); the sweep will find it.", type(error).__name__)
