"""Child processes of the demo: started in their own process groups, to stop them as a whole.

Also what ends a program that has such children: Ctrl-C, SIGTERM and a closed terminal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from .config import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent
GRACE = 8.0
"""Seconds that a process has to end after SIGTERM."""
PAUSE = 0.05
"""Seconds between two looks at a process."""


class ProcessGroup(ABC):
    """Processes that are stopped together."""

    @property
    @abstractmethod
    def processes(self) -> Sequence[Process]:
        """In the order in which they are stopped: clients before servers."""

    def kill(self) -> None:
        """Kill all processes at once; :meth:`stop` still has to be called."""
        for process in self.processes:
            process.kill()

    def stop(self) -> None:
        """Stop all processes."""
        for process in self.processes:
            process.stop()


class Interrupted(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


class Interrupts:
    """Counts the signals that end a program.

    They raise nothing, so that neither the start nor the stop of a process is left half-way:
    :meth:`check` does, where everything is known. ``again`` is called at each further signal.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def __init__(self, again: Callable[[], None] = lambda: None) -> None:
        self.again = again
        self.count = 0

    def install(self) -> None:
        """Count from now on."""
        for name in self.SIGNALS:
            signal.signal(name, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            self.again()

    def check(self) -> None:
        """Raise if one of the signals came.

        Raises:
            Interrupted: one came.
        """
        if self.count:
            raise Interrupted


class Process:
    """One program with its log file."""

    def __init__(self, name: str, arguments: list[str], log: Path, extra: dict[str, str]) -> None:
        self.name = name
        self.arguments = arguments
        self.log = log
        self.environment = {**os.environ, **extra, "PYTHONUNBUFFERED": "1"}
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.child is not None and self.child.poll() is None

    def start(self) -> None:
        """Start it; its output is written to the log."""
        if self.is_running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *self.arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Terminate it, then kill its process group, so that no grandchild is left."""
        if self.child is None:
            return
        if self.child.poll() is None:
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=GRACE)
        self.kill()
        self.child.wait()
        self.child = None

    def kill(self) -> None:
        """Kill its process group at once; :meth:`stop` still has to be called."""
        if self.child is not None:
            kill_group(self.child.pid)

    def log_tail(self, lines: int = 15) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def kill_group(pid: int) -> None:
    """Kill a process group; nothing happens when it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """PIDs of the children of a process, of their children, and so on."""
    rows = _process_table()
    pids, new = [], [pid]
    while new:
        new = [child for child, parent, _state in rows if parent in new]
        pids += new
    return pids


def wait_until_ended(pids: list[int], seconds: float = GRACE) -> None:
    """Wait for processes that were killed, also for those of other parents.

    A signal only asks for the end: until it has come, a process keeps its ports. A zombie has none.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(pid in pids and state[0] != "Z" for pid, _parent, state in _process_table()):
            return
        time.sleep(PAUSE)


def _process_table() -> list[tuple[int, int, str]]:
    """PID, PID of the parent and state of every process."""
    fields = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,stat="],  # noqa: S607 - where it is differs
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [
        (int(pid), int(parent), state)
        for pid, parent, state in zip(fields[::3], fields[1::3], fields[2::3], strict=True)
    ]


def port_is_taken(port: int) -> bool:
    """Whether a program listens on this port of 127.0.0.1 or ::1."""
    for family, address in ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, port)) == 0:
                return True
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def answers(url: str) -> bool:
    """Whether a web server answers, with any status."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own http address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_for(
    process: Process, url: str, seconds: float = 60, check: Callable[[], None] = lambda: None
) -> None:
    """Wait until a process answers; ``check`` is called again and again, and may raise.

    Raises:
        RuntimeError: it ended or did not answer in time; with the end of its log.
    """
    end = time.monotonic() + seconds
    while not answers(url):
        check()
        if not process.is_running or time.monotonic() > end:
            raise RuntimeError(f"{process.name} did not start.\n{process.log_tail()}")
        time.sleep(PAUSE)
