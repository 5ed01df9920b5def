"""Fixtures for the whole suite. Zoom is the simulator, over real HTTP."""

import pytest
from django.core.cache import cache

from tests.contract.checker import check, check_delivery

pytest_plugins = ["wagtail_zoom.testing.fixtures"]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Wagtail keeps the paths of Sites in the cache, which would outlive a test's rows."""
    cache.clear()


@pytest.fixture
def zoom_app(zoom_app):
    """Every request that we send and every answer that we get is held against the contract."""
    zoom_app.options(record_exchanges=True)
    yield zoom_app
    found = zoom_app.call("GET", "exchanges")["exchanges"]
    wrong = [text for exchange in found for text in check(exchange)]
    wrong += [text for one in zoom_app.deliveries() for text in check_delivery(one)]
    assert wrong == []


@pytest.fixture
def looks(monkeypatch):
    """Each job looks at the clock, as jobs that are some seconds apart do."""
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew.OFTEN", 0.0)
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew._next_look", 0.0)
