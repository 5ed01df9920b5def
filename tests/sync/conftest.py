import pytest
from django.test import Client

from tests.planting import default_site
from wagtail_zoom.models import ExposedHost, Host, ZoomSettings
from wagtail_zoom.sync import choices
from wagtail_zoom.testing.connect import connect_site


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def admin_user(django_user_model, db):
    return django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")


@pytest.fixture
def connect(site, admin_user, zoom_app, zoom_worker, settings):
    """``connect("aurora-0")``: connected, everything chosen, imported."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0, "RATE_SHARE": 1.0}
    zoom_app.options(rate_limit="off")

    def run(
        person, *, on=None, hosts=None, kinds=("meetings", "webinars", "recordings"), work=True
    ):
        client = Client()
        client.force_login(admin_user)
        place = on or site
        connect_site(client, place, person)
        zoom_worker.run()
        choice = ZoomSettings.for_site(place)
        choice.account.plan = "business"
        choice.account.save()
        for name in kinds:
            setattr(choice, f"show_{name}", True)
        choice.save()
        rows = Host.objects.filter(account=choice.account)
        if hosts is not None:
            rows = rows.filter(zoom_id__in=hosts)
        for host in rows:
            ExposedHost.objects.get_or_create(settings=choice, host=host)
        choices.apply_exposure(choice, admin_user)
        if work:
            zoom_worker.run()
        return choice

    return run
