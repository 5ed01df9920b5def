"""What a web request may ask of Zoom: one short call, and the same one whoever signs up (X25).

Whatever happens here, the sign-up is saved and stays in the outbox until it is settled.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from ..conf import settings
from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import Registration
from ..oauth.tokens import RenewalDue
from ..sync import questions
from ..utils.logging import get_logger
from ..utils.queue import debounce, enqueue
from . import delivery, outbox, registrants
from .delivery import Request
from .error_policy import judge

logger = get_logger("registration")

LEAST_SECONDS = 0.3
QUESTIONS_AGE = timedelta(minutes=10)
"""Older ones are read anew after a sign-up."""
LATE = ("unreachable", "daily_limit", "connection", "scope")
"""Failures of which the visitor is told that Zoom does not answer; for a busy second it is not
worth it."""


def left(began: float) -> float:
    """Seconds that this request may still wait for Zoom (``began`` by the monotonic clock)."""
    return max(LEAST_SECONDS, settings.registration_seconds - (time.monotonic() - began))


def attempt(row: Registration, seconds: float, lease: str = "") -> bool:
    """Try a row's task within a request; whether Zoom answers at present.

    Args:
        row: as it was read or written a moment ago.
        lease: the one with which the row was born; without it, it is claimed here.
    """
    try:
        lease = lease or outbox.claim(row.pk)
        calls = registrants.calls_of(row) if lease and delivery.is_ripe(row) else 0
        if calls:
            delivery.attempt(row, Request(lease, seconds / calls))
            return row.error_class not in LATE
        if lease:
            _give_back(row, lease)
        return like_the_others(row, seconds)
    except Exception:
        # Not even a mistake of ours may show the person an error page: the row is saved.
        logger.exception("The first try of a sign-up broke off.")
        return False
    finally:
        outbox.wake()


def _give_back(row: Registration, lease: str) -> None:
    with outbox.locked(row.pk) as found:
        outbox.release(found, lease)
        found.save(update_fields=["lease_owner", "lease_until"])


def like_the_others(row: Registration, seconds: float) -> bool:
    """A call of the same kind where nothing is to be sent, so that the time of the answer does
    not tell who is known; whether Zoom answers at present. It reads the questions anew."""
    try:
        refresh_questions(row, seconds)
    except RenewalDue:
        return True
    except (ZoomError, ZoomConfigurationError) as error:
        return judge(error, 0).error not in LATE
    return True


def refresh_questions(row: Registration, seconds: float) -> None:
    """Read the questions anew within a request.

    Raises:
        ZoomError: Zoom did not answer.
    """
    if row.meeting is not None:
        client = registrants.hurried_client(row, seconds)
        questions.keep(row.meeting, client.questions(row.meeting.zoom_id, row.meeting.kind))


def read_questions_later(row: Registration) -> None:
    """Have old questions read by the worker, for whoever comes next."""
    meeting = row.meeting
    read_at = meeting.questions_at if meeting else None
    if meeting is None or (read_at and timezone.now() - read_at < QUESTIONS_AGE):
        return
    if debounce(f"questions:{meeting.pk}", 60):
        enqueue("read_questions", meeting.pk)
