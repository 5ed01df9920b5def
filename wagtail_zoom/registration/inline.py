"""First delivery attempt within the web request: takes equally long for known and unknown people.

Each request makes one short call to Zoom (X25). The registration is already saved and stays in
the outbox until it is finished.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ..conf import settings
from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import Registration
from ..oauth.tokens import RefreshRequired
from ..sync import questions
from ..utils.error_reports import exc_info_of
from ..utils.logging import get_logger
from ..utils.queue import debounce, enqueue
from . import delivery, outbox, registrants
from .delivery import InlineAttempt
from .error_policy import classify

logger = get_logger("registration")

MIN_SECONDS = 0.3
MAX_QUESTIONS_AGE = timedelta(minutes=10)
"""Older questions are read again after a registration."""
LATE_ERRORS = ("unreachable", "daily_limit", "connection", "scope")
"""Errors after which the visitor reads that Zoom does not answer. ``busy`` is over in seconds."""


def seconds_left(began: float) -> float:
    """Seconds that this request may still wait for Zoom (``began`` is a monotonic time)."""
    return max(MIN_SECONDS, settings.registration_seconds - (time.monotonic() - began))


@sensitive_variables()
def attempt(
    row: Registration, seconds: float, lease: str = "", *, may_withdraw: bool = False
) -> bool:
    """Attempt a row's task within a request. Returns whether Zoom answers at present.

    Args:
        row: as it was read or written a moment ago.
        lease: the one that the row was created with; without it, the row is claimed here.
        may_withdraw: the caller shows a refusal of Zoom at once and withdraws the row.
    """
    try:
        if not lease:
            lease = outbox.claim(row.pk)
            if lease and row.task == Registration.Task.ADD:
                # They may have been replaced before the claim.
                row.refresh_from_db(fields=["answers"])
        call_count = registrants.count_calls(row) if lease and delivery.is_task_due(row) else 0
        if call_count:
            delivery.attempt(row, InlineAttempt(lease, seconds / call_count, may_withdraw))
            return row.error_class not in LATE_ERRORS
        if lease:
            outbox.release(row.pk, lease)
        return constant_time_noop(row, seconds)
    except Exception as error:
        # No error may show the person an error page: the row is saved.
        logger.error(
            "The first attempt to deliver a registration failed.", exc_info=exc_info_of(error)
        )
        return False
    finally:
        outbox.wake_worker()


def constant_time_noop(row: Registration, seconds: float) -> bool:
    """A call that takes as long as a delivery, where nothing is to be sent: it reads the questions.

    So the response time does not reveal who is registered. Returns whether Zoom answers.
    """
    try:
        refresh_questions(row, seconds)
    except RefreshRequired:
        return True
    except (ZoomError, ZoomConfigurationError) as error:
        return classify(error, 0).error not in LATE_ERRORS
    return True


def refresh_questions(row: Registration, seconds: float) -> None:
    """Read the questions again within a request.

    Raises:
        ZoomError: Zoom did not answer.
    """
    if row.meeting is not None:
        client = registrants.inline_client(row, "", seconds)
        questions.store(row.meeting, client.questions(row.meeting.zoom_id, row.meeting.kind))


def enqueue_old_questions(row: Registration) -> None:
    """Queue a task that reads the questions again if they are old."""
    meeting = row.meeting
    read_at = meeting.questions_at if meeting else None
    if meeting is None or (read_at and timezone.now() - read_at < MAX_QUESTIONS_AGE):
        return
    if debounce(f"questions:{meeting.pk}", 60):
        enqueue("read_questions", meeting.pk)
