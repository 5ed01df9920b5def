import pytest

from tests.default_site import default_site


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def admin_user(django_user_model, db):
    return django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")


@pytest.fixture
def connect(site, admin_user, import_once_in_a_while, settings):
    """``connect("aurora-0")``: connected, all kinds selected, imported."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0}

    def run(person, *, on=None, kinds=("meetings", "webinars", "recordings"), **site_settings):
        return import_once_in_a_while(
            on or site,
            person,
            show=kinds,
            plan="business",
            host="testserver",
            **site_settings,
        )

    return run
