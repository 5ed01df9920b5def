"""Hundreds of registrations with gunicorn, two qclusters and PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from .test_layouts import REDIS, ROOT, port_is_open

pytestmark = pytest.mark.services


def run_rush(scenario: str, *options: str) -> dict[str, Any]:
    """Run a scenario as a separate process, with the settings of real processes."""
    pytest.importorskip("gunicorn")
    if not port_is_open(5432):
        pytest.skip("PostgreSQL does not answer on this machine.")
    command = [
        sys.executable,
        "-m",
        "tests.soak.rush",
        scenario,
        "--database",
        "postgres",
        *options,
    ]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    json_lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    print(json_lines[-1])
    return json.loads(json_lines[-1])


def assert_same_registrations(result: dict[str, Any], count: int) -> None:
    """No registration is lost or duplicated, and both sides agree."""
    assert (result["rows"], result["registrants"]) == (count, count)
    assert result["rows_twice"] == result["registrants_twice"] == []
    assert result["only_here"] == result["only_there"] == []
    assert result["left"] == {}
    assert result["other_state"] == 0
    assert result["without_mail"] == 0
    # None of Zoom's three registrations per day and person is wasted.
    assert result["adds"]["201"] == count


def test_200_registrations_while_workers_are_killed():
    """SIGKILL of real qclusters and of their processes, while Zoom fails now and then."""
    result = run_rush("killed")
    kills = result["processes"]
    assert sum(kills.values()) >= 6, kills
    assert any("whole" in target for target in kills), kills
    # Some of them were processing a registration.
    assert max(result["rows_at_work_when_killed"]) > 0
    assert_same_registrations(result, 200)


def test_1000_registrations_in_a_minute_stay_within_the_rate():
    """The simulated account allows 30 calls a second. All are accepted within a minute; those that
    exceed our share of the rate are sent to Zoom afterwards."""
    # Limits are counted in the cache; a file-based cache is slow and inexact.
    if not port_is_open(6379):
        pytest.skip("Redis does not answer on this machine.")
    # On a busy machine the duration is not meaningful.
    idle = os.getloadavg()[0] <= (os.cpu_count() or 1)
    result = run_rush("minute", "--redis", REDIS)
    assert result["statuses"] == {"303": 1000}
    if idle:
        assert result["seconds"][0] <= 60
        assert result["slowest"] <= 5
    assert result["calls_429"] == 0
    assert result["busiest_second"] <= 30
    assert_same_registrations(result, 1000)
