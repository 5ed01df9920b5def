"""The processes: simulated Zoom, web server, two workers; started, killed, started again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo_site.places import LOOPBACK, Places
from demo_site.processes import Process, wait_for
from demo_site.run import SECRET

SETTINGS = "tests.soak.settings"


class Stage:
    """All processes of one installation."""

    def __init__(self, folder: Path, extra: dict[str, str], web_workers: int = 2) -> None:
        self.places = Places.anywhere(folder)
        self.environment = {
            **self.places.environment(), **extra, "DJANGO_SETTINGS_MODULE": SETTINGS
        }  # fmt: skip
        self.counts: Counter[str] = Counter()
        self.simulator = self._process(
            "simulator",
            "-m", "wagtail_zoom.testing.simulator",
            "--port", str(self.places.simulator_port),
            "--redirect-uri", f"{self.places.base_url}/zoom/oauth/callback/",
            "--webhook-url", self.places.webhook_url, "--webhook-secret", SECRET, "--demo",
        )  # fmt: skip
        self.web = self._process(
            "web",
            "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()",
            "--bind", f"{LOOPBACK}:{self.places.port}",
            "--workers", str(web_workers), "--threads", "4", "--timeout", "30",
        )  # fmt: skip
        self.workers = [
            self._process(f"worker-{number}", "-m", "django", "qcluster") for number in (1, 2)
        ]

    def _process(self, name: str, *arguments: str) -> Process:
        log = self.places.folder / "logs" / f"{name}.log"
        return Process(name, list(arguments), log, self.environment)

    def start_zoom(self) -> None:
        """Only the simulated Zoom."""
        self.simulator.start()
        wait_for(self.simulator, f"{self.places.simulator_url}/_sim/state")

    def start(self) -> None:
        """Web server and workers, those that do not run."""
        for process in (self.web, *self.workers):
            process.start()
        wait_for(self.web, f"http://{LOOPBACK}:{self.places.port}/zoom/webhook/")

    def stop(self) -> None:
        """End everything."""
        for process in (*self.workers, self.web, self.simulator):
            process.stop()

    def kill(self, dice: random.Random, among: Sequence[Process] = ()) -> None:
        """SIGKILL one process, with or without what it started; it is started again by itself
        (children) or by ``revive``."""
        process = dice.choice(among or [self.web, *self.workers, *self.workers])
        if process.child is None or not process.is_running:
            return
        if dice.random() < 0.5:
            children = _children(process.child.pid)
            if children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dice.choice(children), signal.SIGKILL)
                self.counts[f"child of {process.name} killed"] += 1
                return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.child.pid, signal.SIGKILL)
        process.child.wait()
        self.counts[f"{process.name} killed whole"] += 1

    def revive(self) -> None:
        """Start what does not run."""
        for process in (self.web, *self.workers):
            if not process.is_running:
                process.stop()
                process.start()


def _children(pid: int) -> list[int]:
    """All processes below one."""
    rows = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split()
    parents = dict(zip(map(int, rows[::2]), map(int, rows[1::2]), strict=True))
    found, fresh = [], [pid]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found
