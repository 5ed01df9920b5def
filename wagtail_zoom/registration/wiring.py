"""Hangs registration into the rooms below, which may not import it."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from ..models import Registration, ZoomSettings
from ..queue import enqueue
from ..sync import hooks
from . import events, outbox, reconcile


def connect() -> None:
    """Called once when the app starts."""
    hooks.on_registration_event(events.apply)
    hooks.on_tick(outbox.sweep)
    hooks.on_tick(reconcile.sweep)
    post_save.connect(
        retention_may_have_changed,
        sender=ZoomSettings,
        dispatch_uid="wagtail_zoom.registration.retention",
    )


def retention_may_have_changed(instance: ZoomSettings, **kwargs: Any) -> None:
    """The owner saved the choices of a Site that has sign-ups."""
    if Registration.objects.filter(site=instance.site_id).exists():
        enqueue("date_registrations", instance.site_id)
