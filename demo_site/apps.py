from django.apps import AppConfig


class DemoSiteConfig(AppConfig):
    """The demo's pages."""

    name = "demo_site"
    verbose_name = "Demo site"
    default_auto_field = "django.db.models.BigAutoField"
