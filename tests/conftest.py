"""Fixtures of the whole suite. Zoom is replaced by the simulator, over real HTTP."""

import pytest
from django.core.cache import cache

from tests.contract.checker import check, check_delivery

pytest_plugins = ["wagtail_zoom.testing.fixtures"]


@pytest.fixture(autouse=True)
def _clear_cache():
    """Wagtail caches the paths of Sites; without this they would outlive a test's rows."""
    cache.clear()


@pytest.fixture
def zoom_app(zoom_app):
    """Check every request to the simulator and every response against the contract."""
    zoom_app.options(record_exchanges=True)
    yield zoom_app
    exchanges = zoom_app.call("GET", "exchanges")["exchanges"]
    violations = [text for exchange in exchanges for text in check(exchange)]
    violations += [text for delivery in zoom_app.deliveries() for text in check_delivery(delivery)]
    assert violations == []


@pytest.fixture
def check_clock(monkeypatch):
    """Each job checks the clock, as jobs that are some seconds apart do."""
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew.CHECK_INTERVAL", 0.0)
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew._next_check", 0.0)
