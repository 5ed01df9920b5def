"""pytest fixtures: ``pytest_plugins = ["wagtail_zoom.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Iterator

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
