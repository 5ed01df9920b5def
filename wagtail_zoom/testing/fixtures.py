"""pytest fixtures: ``pytest_plugins = ["wagtail_zoom.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Iterator
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
