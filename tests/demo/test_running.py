"""Starting and stopping of the demo's processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.run import run_command
from demo_site.config import DemoConfig
from demo_site.processes import Interrupted, Interrupts, Process, port_is_taken
from demo_site.run import check_ports

PARENT_SCRIPT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_taken_port_is_reported() -> None:
    """The message names the port, the setting and the command."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert port_is_taken(port)
        with pytest.raises(SystemExit, match=f"Port {port} is taken.*\n.*DEMO_PORT="):
            check_ports(DemoConfig(port=port, simulator_port=port))
    assert not port_is_taken(port)


def test_ports_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DEMO_PORT`` and ``SIMULATOR_PORT``; invalid values are refused with a message."""
    monkeypatch.setenv("DEMO_PORT", "9000")
    assert DemoConfig.from_environment().base_url == "http://localhost:9000"
    monkeypatch.setenv("SIMULATOR_PORT", "many")
    with pytest.raises(SystemExit, match="must be numbers"):
        DemoConfig.from_environment()


def test_stopping_ends_grandchildren_too(tmp_path: Path) -> None:
    """A worker that forks leaves no process."""
    process = Process("parent", ["-c", PARENT_SCRIPT], tmp_path / "parent.log", {})
    process.start()
    while not process.log_tail():
        time.sleep(0.05)
    grandchild = int(process.log_tail())
    process.stop()
    assert not process.is_running
    for _attempt in range(100):
        with suppress(ChildProcessError):
            os.waitpid(grandchild, os.WNOHANG)
        if not _is_alive(grandchild):
            break
        time.sleep(0.05)
    assert not _is_alive(grandchild)


SERVER_SCRIPT = """
import sys, time
from pathlib import Path
from demo_site.processes import Process
server = Process("server", ["-c", "import time; time.sleep(600)"], Path(sys.argv[2]), {})
server.start()
Path(sys.argv[1]).write_text(f"{server.child.pid}\\n")
time.sleep(600)
"""


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_measurement_that_ends_early_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    """Interrupted, or its time is over; its server is in a group of processes of its own."""
    pid_file, clock, interrupts = tmp_path / "pid", [0.0], Interrupts()
    monkeypatch.setattr("benchmarks.run.INTERRUPTS", interrupts)
    stopped_clock = SimpleNamespace(monotonic=lambda: clock[0], sleep=time.sleep)
    monkeypatch.setattr("benchmarks.run.time", stopped_clock)

    def end_it() -> None:
        while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
            time.sleep(0.05)
        if interrupted:
            interrupts.count = 1
        else:
            clock[0] = 11.0

    threading.Thread(target=end_it, daemon=True).start()
    command = [sys.executable, "-c", SERVER_SCRIPT, str(pid_file), str(tmp_path / "log")]
    with pytest.raises(Interrupted) if interrupted else nullcontext():
        assert run_command(command, dict(os.environ), 10) is None
    assert not _is_alive(int(pid_file.read_text()))


def _is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().split(")")[1].split()[0] == "Z")
