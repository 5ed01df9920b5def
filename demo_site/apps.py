from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings


class DemoSiteConfig(AppConfig):
    """The demo's pages."""

    name = "demo_site"
    verbose_name = "Demo site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Whoever is to be forgotten is forgotten by the mailbox too."""
        from wagtail_zoom.signals import person_forgotten

        person_forgotten.connect(_forget_mails, dispatch_uid="demo_site.mails")


def _forget_mails(email: str, **kwargs: Any) -> None:
    from .mails import forget

    forget(Path(settings.EMAIL_FILE_PATH), email)
