"""Limits of registrations. Where nothing can be counted there is no limit: a registration is more
important.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError, InterfaceError

from ..conf import settings
from ..models import LimitCounter
from ..utils.crypto import blind_index
from ..utils.logging import get_logger
from ..utils.ratelimit import count, log_once

logger = get_logger("registration")

PURPOSE = "registration-limit"
"""Purpose of the blind index of what is counted."""


def seconds_to_wait(name: str, *parts: str | int) -> int:
    """Count one request. Returns 0, or the seconds to wait when the limit is exceeded.

    The window begins with the first request. That of ``address`` ends when nothing was counted for
    its whole length, so that no hour has more than is allowed.
    """
    for problem in settings.registration_limit_problems:
        log_once(problem)
    times, seconds = settings.registration_limits[name]
    text = ":".join(str(part) for part in parts)
    # Keyed: the row does not reveal which email address was counted.
    digest = blind_index(text, PURPOSE)  # guard: rate-limit-keys-keyed
    try:
        return count(
            LimitCounter,
            f"{name}:{digest}",
            times,
            timedelta(seconds=seconds),
            extends_window=name == "address",
        )
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Registrations cannot be counted (%s).", type(error).__name__)
        return 0
