"""``make demo-hub`` starts, listens on this machine only, and ends with everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo_site.config import free_port
from demo_site.hub_demo import HubDemo, hub_config
from demo_site.processes import ROOT, answers, port_is_taken

LOOPBACK = "0100007F"
"""127.0.0.1 in ``/proc/net/tcp``."""
LISTENING = "0A"


def free_ports_in_a_row(number: int) -> int:
    """The first of so many ports that nobody has."""
    while True:
        port = free_port()
        if port + number < 65536 and not any(port_is_taken(port + i) for i in range(number)):
            return port


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HUB_PORT": str(free_ports_in_a_row(3)),
        "SIMULATOR_PORT": str(free_port()),
        "DEMO_DIR": str(tmp_path),
    }


def listening_on(port: int) -> set[str]:
    """The addresses at which this machine listens on a port, as in ``/proc/net/tcp``."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return {
        local.partition(":")[0]
        for _number, local, _remote, state, *_rest in rows
        if state == LISTENING and int(local.partition(":")[2], 16) == port
    }


@pytest.mark.slow
def test_it_starts_on_this_machine_only_and_ends(environment: dict[str, str]) -> None:
    """All of what it prints answers; Ctrl-C frees all ports."""
    hub = int(environment["HUB_PORT"])
    ports = [hub, hub + 1, hub + 2, int(environment["SIMULATOR_PORT"])]
    program = subprocess.Popen(
        [sys.executable, "-m", "demo_site.hub_demo"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    try:
        printed = ""
        for line in program.stdout:
            printed += line
            if "Ctrl-C ends all" in line:
                break
        assert f"http://borealis.localhost:{hub + 2}/" in printed
        assert all(answers(f"http://127.0.0.1:{port}/") for port in ports)
        if sys.platform == "linux":
            assert [listening_on(port) for port in ports] == [{LOOPBACK}] * 4
    finally:
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=60) == 0
    assert not any(port_is_taken(port) for port in ports)


def test_ports_of_the_hub_demo_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """``HUB_PORT`` and the two after it; another one than a number is refused with a message."""
    monkeypatch.setenv("HUB_PORT", "9000")
    demo = HubDemo(hub_config())
    assert (demo.config.port, demo.ports) == (9000, (9001, 9002))
    monkeypatch.setenv("HUB_PORT", "many")
    with pytest.raises(SystemExit, match="HUB_PORT must be a number"):
        hub_config()
