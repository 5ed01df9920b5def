from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings


class DemoSiteConfig(AppConfig):
    """App configuration of the demo."""

    name = "demo_site"
    verbose_name = "Demo site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Delete a person's emails when their registrations are deleted."""
        from wagtail_zoom.signals import person_forgotten

        person_forgotten.connect(_delete_emails, dispatch_uid="demo_site.emails")


def _delete_emails(email: str, **kwargs: Any) -> None:
    from .emails import delete_emails

    delete_emails(Path(settings.EMAIL_FILE_PATH), email)
