"""Sign-ups by the hundred through gunicorn, two qclusters, PostgreSQL (issue 5, shows 2 and 3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from .test_layouts import REDIS, ROOT, answers

pytestmark = pytest.mark.services


def rush(what: str, *more: str) -> dict[str, Any]:
    """Run it as a process of its own, whose settings are those of real processes."""
    pytest.importorskip("gunicorn")
    if not answers(5432):
        pytest.skip("PostgreSQL does not answer on this machine.")
    command = [sys.executable, "-m", "tests.soak.rush", what, "--database", "postgres", *more]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = [line for line in done.stdout.splitlines() if line.startswith("{")]
    print(told[-1])
    return json.loads(told[-1])


def agree(seen: dict[str, Any], people: int) -> None:
    """Nobody is lost, nobody is doubled, and both sides say the same."""
    assert (seen["rows"], seen["registrants"]) == (people, people)
    assert seen["rows_twice"] == seen["registrants_twice"] == []
    assert seen["only_here"] == seen["only_there"] == []
    assert seen["left"] == {}
    assert seen["other_state"] == 0
    assert seen["without_mail"] == 0
    # Not one of Zoom's three sign-ups a day and person is wasted.
    assert seen["adds"]["201"] == people


def test_200_sign_ups_while_workers_are_killed():
    """SIGKILL of real qclusters and of their processes, while Zoom fails now and then."""
    seen = rush("killed")
    kills = seen["processes"]
    assert sum(kills.values()) >= 6, kills
    assert any("whole" in what for what in kills), kills
    # Some of them were in the middle of a sign-up.
    assert max(seen["rows_at_work_when_killed"]) > 0
    agree(seen, 200)


def test_1000_sign_ups_in_a_minute_stay_within_the_rate():
    """The simulated account allows 30 calls a second, and counts. Taken within a minute; what does
    not fit into our share of the rate is brought to Zoom afterwards."""
    # Limits are counted on the cache: on files, counting is slow and not exact.
    if not answers(6379):
        pytest.skip("Redis does not answer on this machine.")
    # A machine that is busy with other things says nothing about how long it takes.
    idle = os.getloadavg()[0] <= (os.cpu_count() or 1)
    seen = rush("minute", "--redis", REDIS)
    assert seen["statuses"] == {"303": 1000}
    if idle:
        assert seen["seconds"][0] <= 60
        assert seen["slowest"] <= 5
    assert seen["calls_429"] == 0
    assert seen["busiest_second"] <= 30
    agree(seen, 1000)
