"""pytest fixtures: ``pytest_plugins = ["wagtail_zoom.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from .server import SimulatorControl, SimulatorProcess


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
    from .. import queue, webhooks
    from ..sync import inbox
    from .worker import TaskRunner

    runner = TaskRunner()
    at_once = SimpleNamespace(on_commit=lambda work, robust=False: work())
    monkeypatch.setattr(queue, "transaction", at_once)
    monkeypatch.setattr(queue, "_send", runner.send)
    # Wake-ups are rationed, and a real drain looks on for messages that come without one. Here
    # every message wakes, and a drain ends when the inbox is empty.
    monkeypatch.setattr(webhooks, "cache", SimpleNamespace(add=lambda *args, **kwargs: True))
    monkeypatch.setattr(inbox, "LINGER", 0)
    return runner
