"""Hangs registration into the rooms below, which may not import it."""

from __future__ import annotations

from ..sync import hooks
from . import events, outbox, reconcile


def connect() -> None:
    """Called once when the app starts."""
    hooks.on_registration_event(events.apply)
    hooks.on_tick(outbox.sweep)
    hooks.on_tick(reconcile.sweep)
