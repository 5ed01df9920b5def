"""The dotted paths that django-q2 may run; each only calls into a room."""

from __future__ import annotations

from .sync import schedule


def tick() -> None:
    """The one schedule: runs every minute."""
    schedule.tick()
