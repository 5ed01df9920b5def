"""A clock that is hours ahead. With ``check_clock`` of ``tests/conftest.py`` each job checks it."""

from datetime import timedelta

import time_machine
from django.utils import timezone

CLOCK_JUMP = timedelta(hours=5)


def clock_ahead():
    """Set the clock hours ahead."""
    return time_machine.travel(timezone.now() + CLOCK_JUMP, tick=True)
