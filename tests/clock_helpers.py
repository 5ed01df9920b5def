"""A clock that runs hours ahead. ``looks`` in ``tests/conftest.py`` lets each job look at it."""

from datetime import timedelta

import time_machine
from django.utils import timezone

JUMP = timedelta(hours=5)


def ahead():
    """The clock runs hours ahead."""
    return time_machine.travel(timezone.now() + JUMP, tick=True)
