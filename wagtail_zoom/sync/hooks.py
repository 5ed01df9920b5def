"""Where rooms above the sync hang themselves in: it may not import them (registration, caches)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..models import WebhookEvent, ZoomAccount

RegistrationHandler = Callable[[ZoomAccount, WebhookEvent], None]

registration_handlers: list[RegistrationHandler] = []
"""Called for each ``*.registration_*`` message; may run twice for the same one."""

sweeps: list[Callable[[datetime], object]] = []
"""Called by every tick with the present time (UTC); each must be short and repeatable."""


def on_registration_event(handler: RegistrationHandler) -> None:
    """Register a handler once."""
    if handler not in registration_handlers:
        registration_handlers.append(handler)


def on_tick(sweep: Callable[[datetime], object]) -> None:
    """Register a sweep once."""
    if sweep not in sweeps:
        sweeps.append(sweep)
