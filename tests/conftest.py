"""Fixtures of the whole suite. Zoom is replaced by the simulator, over real HTTP."""

import gc

import pytest
from django.core.cache import cache
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from wagtail.models import Locale

from tests.contract.checker import check, check_delivery
from tests.prepared_database import PreparedMigrate
from wagtail_zoom.testing.webhooks import EventDelivery

gc.set_threshold(10_000, 20, 20)
# pytest --hypothesis-profile=nightly
hypothesis_settings.register_profile("nightly", max_examples=1000, deadline=None)

pytest_plugins = ["wagtail_zoom.testing.fixtures", "tests.connected_sites", "tests.through_hub"]


def pytest_collection_finish():
    """What is imported stays; looking through it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def prepared_migrate():
    """Active while the test database is set up."""
    prepared = PreparedMigrate()
    prepared.start()
    yield prepared
    prepared.stop()


@pytest.fixture(scope="session")
def django_db_setup(prepared_migrate, django_db_setup):
    prepared_migrate.stop()


@pytest.fixture(autouse=True)
def _fresh_process():
    """Wagtail caches the paths of Sites; a request leaves its language active in its thread."""
    cache.clear()
    translation.deactivate()


@pytest.fixture
def zoom_app(connected_sites, zoom_app, hub_between, settings):
    """Check every request to the simulator and every response against the contract."""
    if hub_between is not None:
        hub_between.put_before(zoom_app, settings)
    zoom_app.options(record_exchanges=True)
    yield zoom_app
    exchanges = zoom_app.call("GET", "exchanges")["exchanges"]
    violations = [text for exchange in exchanges for text in check(exchange)]
    violations += [text for delivery in zoom_app.deliveries() for text in check_delivery(delivery)]
    assert violations == []


@pytest.fixture
def zoom_deliver(hub_between, zoom_app, zoom_worker):
    """The kit's fixture; with ``--through-hub`` the hub delivers."""
    kind = EventDelivery if hub_between is None else hub_between.event_delivery
    return kind(zoom_app, zoom_worker).deliver


@pytest.fixture
def check_clock(monkeypatch):
    """Each job checks the clock, as jobs that are some seconds apart do."""
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew.CHECK_INTERVAL", 0.0)
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew._next_check", 0.0)


@pytest.fixture
def languages(settings, db):
    """Pages have two languages; the locale of the second one, German."""
    settings.WAGTAIL_I18N_ENABLED = True
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("de", "German")]
    return Locale.objects.create(language_code="de")
