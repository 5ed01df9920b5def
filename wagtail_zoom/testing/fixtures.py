"""pytest fixtures: ``pytest_plugins = ["wagtail_zoom.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from .server import SimulatorControl, SimulatorProcess

UNPACED = 100_000
"""Calls a second: more than any test makes."""


@pytest.fixture(scope="session")
def zoom_simulator_process() -> Iterator[SimulatorProcess]:
    """One simulated Zoom for the whole run."""
    process = SimulatorProcess()
    yield process
    process.stop()


@pytest.fixture
def zoom_simulator(zoom_simulator_process: SimulatorProcess) -> SimulatorControl:
    """The simulated Zoom in its first state: seed data, no faults, no calls counted."""
    zoom_simulator_process.client.reset()
    return zoom_simulator_process.client


@pytest.fixture
def zoom_app(zoom_simulator: SimulatorControl, settings: Any) -> SimulatorControl:
    """The simulated Zoom, with this project's ``WAGTAIL_ZOOM`` pointing at it."""
    url = zoom_simulator.url
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": url, "API_URL": f"{url}/v2"}
    base = settings.WAGTAIL_ZOOM["BASE_URL"]
    zoom_simulator.options(redirect_uris=[f"{base}/zoom/oauth/callback/"])
    return zoom_simulator


@pytest.fixture
def zoom_worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Collects tasks; ``zoom_worker.run()`` works them off in this process.

    Tasks are taken at once and not at the commit, so it works inside a test's transaction too.
    """
    from .. import webhooks
    from ..sync import inbox
    from ..utils import queue
    from .worker import TaskRunner

    runner = TaskRunner()
    at_once = SimpleNamespace(on_commit=lambda work, robust=False: work())
    monkeypatch.setattr(queue, "transaction", at_once)
    monkeypatch.setattr(queue, "_send", runner.send)
    # Wake-ups are rationed, and a real drain looks on for messages that come without one. Here
    # every message wakes, and a drain ends when the inbox is empty.
    monkeypatch.setattr(webhooks, "debounce", lambda name, seconds: True)
    monkeypatch.setattr(inbox, "LINGER", 0)
    return runner


@pytest.fixture
def zoom_rows(db: None) -> Any:
    """The default Site, connected and showing every kind, made of rows only; no Zoom runs."""
    from .rows import ZoomRows

    return ZoomRows()


@pytest.fixture
def zoom_unpaced(zoom_app: SimulatorControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls leave at once: neither the simulated Zoom nor our own budget holds a rate."""
    from ..client import ratelimit

    zoom_app.options(rate_limit="off")
    for plan, rates in ratelimit.RATES.items():
        monkeypatch.setitem(ratelimit.RATES, plan, dict.fromkeys(rates, UNPACED))


@pytest.fixture
def zoom_connect(
    db: None, zoom_app: SimulatorControl, zoom_unpaced: None, zoom_worker: Any, settings: Any
) -> Callable[..., Any]:
    """``zoom_connect("aurora-0")``: the default Site really connected, chosen and imported.

    See :func:`wagtail_zoom.testing.connect.connect_and_import` for the arguments.
    """
    from .connect import connect_and_import
    from .factories import default_site

    # No pause between two reads of one object.
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0}

    def connect(person: str = "aurora-0", *, site: Any = None, **choice: Any) -> Any:
        return connect_and_import(site or default_site(), person, zoom_worker, **choice)

    return connect


@pytest.fixture
def zoom_deliver(zoom_app: SimulatorControl, zoom_worker: Any) -> Callable[[], list[str]]:
    """``zoom_deliver()``: hands what Zoom has to tell to our endpoint, and works it off.

    Returns the names of the events, in their order. Every message is delivered once.
    """
    from .webhooks import Courier

    return Courier(zoom_app, zoom_worker).deliver
