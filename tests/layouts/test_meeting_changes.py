"""Changes of meetings with faults and kills at random: two qclusters and PostgreSQL.

``MEETING_CHANGES=200``: as many, as every night.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .test_layouts import ROOT, port_is_open

pytestmark = [pytest.mark.services, pytest.mark.timeout(1200)]
NUMBER = int(os.environ.get("MEETING_CHANGES", "40"))


def test_each_change_is_made_once_whatever_fails():
    pytest.importorskip("gunicorn")
    if not port_is_open(5432):
        pytest.skip("PostgreSQL does not answer on this machine.")
    command = [sys.executable, "-m", "tests.soak.meeting_changes", "--number", str(NUMBER)]
    completed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False
    )
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    [line] = [line for line in completed.stdout.splitlines() if line.startswith("{")]
    print(line)
    result = json.loads(line)
    # It was as bad as it should be.
    assert sum(result["processes"].values()) >= 6
    assert max(result["leased_when_killed"]) > 0
    assert sum(result["faults"].values()) >= NUMBER // 4
    # None is lost, none is doubled, and Zoom has what was wanted.
    assert result["rows"] == result["jobs"] == NUMBER
    assert result["twice"] == result["only_at_zoom"] == result["only_here"] == []
    assert result["wrong"] == result["left"] == []
    assert result["differing_copies"] == []
    assert result["not_shown"] == 0
    assert set(result["states"]) <= {"done", "failed"}
    # What has failed had a sentence, and a way on, except for what is not at Zoom any more.
    assert result["without_sentence"] == []
    assert result["states"].get("failed", 0) == result["gone"]
