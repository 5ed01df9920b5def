"""Child processes of the demo: started in their own process groups, to stop them as a whole."""

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
from pathlib import Path

from .config import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent
GRACE = 8.0
"""Seconds that a process has to end after SIGTERM."""


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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        self.child = None

    def log_tail(self, lines: int = 15) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


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
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own http address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_for(process: Process, url: str, seconds: float = 60) -> None:
    """Wait until a process answers.

    Raises:
        RuntimeError: it ended or did not answer in time; with the end of its log.
    """
    end = time.monotonic() + seconds
    while not answers(url):
        if not process.is_running or time.monotonic() > end:
            raise RuntimeError(f"{process.name} did not start.\n{process.log_tail}")
        time.sleep(0.1)
