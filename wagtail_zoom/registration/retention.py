"""Updates the retention of registrations when the settings of their Site change."""

from __future__ import annotations

from typing import Any

from ..models import Registration, ZoomSettings
from ..utils.queue import enqueue


def on_settings_saved(instance: ZoomSettings, **kwargs: Any) -> None:
    """Receiver of ``post_save``: apply a changed retention to the registrations of the Site."""
    if Registration.objects.filter(site=instance.site_id).exists():
        enqueue("apply_registration_retention", instance.site_id)
