import pytest
from django.test import Client

from tests.default_site import default_site
from wagtail_zoom.models import ZoomSettings
from wagtail_zoom.testing.connect import connect_site


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def account(site, django_user_model, zoom_app, zoom_no_rate_limit, zoom_worker, once_in_a_while):
    """The connected account of aurora."""
    admin = django_user_model.objects.create_superuser("admin", "a@example.org", "pw")

    def connect():
        browser = Client()
        browser.force_login(admin)
        connect_site(browser, site, "aurora-0")

    once_in_a_while("connect aurora-0", connect)
    zoom_worker.clear()
    account = ZoomSettings.for_site(site).account
    account.plan = "business"
    account.save()
    zoom_app.clear_calls()
    return account
