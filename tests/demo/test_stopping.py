"""Ctrl-C, SIGTERM and a closed terminal end the demo with everything that it has started."""

from __future__ import annotations

import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from demo_site.config import DemoConfig
from demo_site.processes import port_is_taken

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 15.0
"""Within which nothing is left after the second signal; a single process may take eight."""
START_SECONDS = 600.0
"""For everything to run, on a busy machine."""


def _ps(flags: str) -> list[str]:
    """A row for each process: pid, command; with ``e`` in the flags also its environment."""
    command = ["ps", flags, "-o", "pid=,command="]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


class Terminal:
    """``make demo`` in a terminal of its own, with the present virtual environment."""

    def __init__(self, folder: Path) -> None:
        self.config = DemoConfig.anywhere(folder / "demo")
        python = folder / "venv/bin/python"
        if not python.exists():
            python.parent.mkdir(parents=True)
            python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            python.chmod(0o755)
            python.with_name("pip").write_text("")
            (folder / "venv/.demo").write_text("")
        self.output = ""
        environment = {**os.environ, **self.config.environment()}
        command = ["make", "-C", str(ROOT), "demo", f"VENV={folder / 'venv'}"]
        self.pid, self.screen = pty.fork()
        if not self.pid:
            os.execvpe(command[0], command, environment)  # noqa: S606

    def wait_until(self, reached: Callable[[], bool], seconds: float) -> float:
        """Read what is printed until something is reached; returns when (monotonic clock)."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"{self.output}\n{self.leftovers()}"
            self._read()
        return time.monotonic()

    def _read(self) -> None:
        if self.screen < 0 or not select.select([self.screen], [], [], 0.05)[0]:
            time.sleep(0.05)
            return
        with suppress(OSError):  # nobody writes any more
            self.output += os.read(self.screen, 4096).decode(errors="replace")

    def send(self, kind: str) -> None:
        """Ctrl-C, SIGTERM to all processes of the terminal, or close the window."""
        if kind == "interrupt" and self.screen >= 0:
            with suppress(OSError):
                os.write(self.screen, b"\x03")
        elif kind == "hangup" and self.screen >= 0:
            os.close(self.screen)
            self.screen = -1
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGHUP if kind == "hangup" else signal.SIGTERM)

    def leftovers(self) -> list[str]:
        """The running processes of this demo, and its taken ports."""
        mark = f" DEMO_DIR={self.config.folder} "
        pids = {row.split()[0] for row in _ps("axeww") if mark in f"{row} "}
        ports = (self.config.port, self.config.simulator_port)
        return [
            *(row for row in _ps("axww") if row.split()[0] in pids),
            *(f"port {port}" for port in ports if port_is_taken(port)),
        ]

    def count(self, text: str) -> int:
        """How many processes have this text in their command."""
        return sum(text in row for row in self.leftovers())

    def close(self) -> None:
        """Kill whatever is left, and forget the terminal."""
        for row in self.leftovers():
            if not row.startswith("port"):
                with suppress(ProcessLookupError):
                    os.kill(int(row.split()[0]), signal.SIGKILL)
        if self.screen >= 0:
            os.close(self.screen)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: the second start is faster."""
    return tmp_path_factory.mktemp("terminal")


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(folder)
    yield terminal
    terminal.close()


KINDS = ["interrupt", "terminate", "hangup"]


def send_twice(terminal: Terminal, kind: str, between: float) -> None:
    print(f"{between:.3f} seconds between the two")
    terminal.send(kind)
    time.sleep(between)
    terminal.send(kind)
    terminal.wait_until(lambda: not terminal.leftovers(), SECONDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_signal_while_it_starts_leaves_nothing(terminal: Terminal, kind: str) -> None:
    begin = terminal.wait_until(lambda: "Starting" in terminal.output, START_SECONDS)
    interrupt_at = begin + random.uniform(0, 6)
    terminal.wait_until(lambda: time.monotonic() > interrupt_at, START_SECONDS)
    send_twice(terminal, kind, random.uniform(0, 0.5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_signal_while_it_stops_leaves_nothing(terminal: Terminal, kind: str) -> None:
    """The worker has children of its own, and takes longest."""
    terminal.wait_until(lambda: terminal.count("qcluster") > 3, START_SECONDS)
    assert terminal.count("runserver") and terminal.count("wagtail_zoom.testing.simulator")
    send_twice(terminal, kind, random.uniform(0, 1.5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_signal_while_a_running_demo_stops_leaves_nothing(
    terminal: Terminal, kind: str
) -> None:
    terminal.wait_until(lambda: "Ctrl-C ends all" in terminal.output, START_SECONDS)
    send_twice(terminal, kind, random.uniform(0, 1.5))
