"""pytest fixtures: ``pytest_plugins = ["wagtail_zoom.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from .server import SimulatorControl, SimulatorProcess

NO_RATE_LIMIT = 100_000
"""Calls a second: more than any test makes."""


@pytest.fixture(scope="session")
def zoom_simulator_process() -> Iterator[SimulatorProcess]:
    """One Zoom simulator for the whole test session."""
    process = SimulatorProcess()
    yield process
    process.stop()


@pytest.fixture
def zoom_simulator(zoom_simulator_process: SimulatorProcess) -> SimulatorControl:
    """The Zoom simulator, reset: seed data, no faults, no recorded calls."""
    zoom_simulator_process.client.reset()
    return zoom_simulator_process.client


@pytest.fixture
def zoom_app(zoom_simulator: SimulatorControl, settings: Any) -> SimulatorControl:
    """The Zoom simulator, with this project's ``WAGTAIL_ZOOM`` pointing at it."""
    url = zoom_simulator.url
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": url, "API_URL": f"{url}/v2"}
    base = settings.WAGTAIL_ZOOM["BASE_URL"]
    zoom_simulator.options(redirect_uris=[f"{base}/zoom/oauth/callback/"])
    return zoom_simulator


@pytest.fixture
def zoom_worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Collects tasks; ``zoom_worker.run()`` runs them in this process.

    Tasks are enqueued immediately and not on commit, so it works inside a test's transaction too.
    """
    from .. import webhooks
    from ..sync import inbox
    from ..utils import queue
    from .worker import TaskRunner

    runner = TaskRunner()
    immediate_transaction = SimpleNamespace(on_commit=lambda work, robust=False: work())
    monkeypatch.setattr(queue, "transaction", immediate_transaction)
    monkeypatch.setattr(queue, "_send", runner.send)
    # In production, enqueueing is debounced, and the task polls for events that were not enqueued.
    # Here every event enqueues the task, and the task ends when the inbox is empty.
    monkeypatch.setattr(webhooks, "debounce", lambda name, seconds: True)
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0)
    return runner


@pytest.fixture
def zoom_rows(db: None) -> Any:
    """The default Site, connected and showing every kind: rows only, without the simulator."""
    from .rows import ZoomRows

    return ZoomRows()


@pytest.fixture
def zoom_no_rate_limit(zoom_app: SimulatorControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rate limit: neither in the simulator nor in the client."""
    from ..client import ratelimit

    zoom_app.options(rate_limit="off")
    for plan, rates in ratelimit.RATES.items():
        monkeypatch.setitem(ratelimit.RATES, plan, dict.fromkeys(rates, NO_RATE_LIMIT))


@pytest.fixture
def zoom_connect(
    db: None, zoom_app: SimulatorControl, zoom_no_rate_limit: None, zoom_worker: Any, settings: Any
) -> Callable[..., Any]:
    """``zoom_connect("aurora-0")``: connects the default Site, sets what to show, imports it.

    See :func:`wagtail_zoom.testing.connect.connect_and_import` for the arguments.
    """
    from .connect import connect_and_import
    from .factories import default_site

    # No pause between two fetches of one object.
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0}

    def connect(person: str = "aurora-0", *, site: Any = None, **site_settings: Any) -> Any:
        return connect_and_import(site or default_site(), person, zoom_worker, **site_settings)

    return connect


@pytest.fixture
def zoom_deliver(zoom_app: SimulatorControl, zoom_worker: Any) -> Callable[[], list[str]]:
    """``zoom_deliver()``: delivers new webhook events to the endpoint and processes them.

    Returns the names of the events, in order. Every event is delivered once.
    """
    from .webhooks import EventDelivery

    return EventDelivery(zoom_app, zoom_worker).deliver
