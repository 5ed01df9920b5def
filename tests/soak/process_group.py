"""The processes: Zoom simulator, web server, two workers; started, killed, restarted."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo_site.config import LOOPBACK, DemoConfig
from demo_site.processes import Process, descendants, wait_for
from demo_site.run import SECRET

SETTINGS = "tests.soak.settings"


class ProcessGroup:
    """All processes of one installation."""

    def __init__(self, folder: Path, extra: dict[str, str], web_workers: int = 2) -> None:
        self.config = DemoConfig.anywhere(folder)
        self.environment = {
            **self.config.environment(), **extra, "DJANGO_SETTINGS_MODULE": SETTINGS
        }  # fmt: skip
        self.counts: Counter[str] = Counter()
        self.simulator = self._process(
            "simulator",
            "-m", "wagtail_zoom.testing.simulator",
            "--port", str(self.config.simulator_port),
            "--redirect-uri", f"{self.config.base_url}/zoom/oauth/callback/",
            "--webhook-url", self.config.webhook_url, "--webhook-secret", SECRET, "--demo",
        )  # fmt: skip
        self.web = self._process(
            "web",
            "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()",
            "--bind", f"{LOOPBACK}:{self.config.port}",
            "--workers", str(web_workers), "--threads", "4", "--timeout", "30",
        )  # fmt: skip
        self.workers = [
            self._process(f"worker-{number}", "-m", "django", "qcluster") for number in (1, 2)
        ]

    def _process(self, name: str, *arguments: str) -> Process:
        log = self.config.folder / "logs" / f"{name}.log"
        return Process(name, list(arguments), log, self.environment)

    def start_zoom(self) -> None:
        """Start the Zoom simulator only."""
        self.simulator.start()
        wait_for(self.simulator, f"{self.config.simulator_url}/_sim/state")

    def start(self) -> None:
        """Start web server and workers, unless they are running."""
        for process in (self.web, *self.workers):
            process.start()
        wait_for(self.web, f"http://{LOOPBACK}:{self.config.port}/zoom/webhook/")

    def stop(self) -> None:
        """Stop everything."""
        for process in (*self.workers, self.web, self.simulator):
            process.stop()

    def kill(self, rng: random.Random, candidates: Sequence[Process] = ()) -> None:
        """SIGKILL one process group or one child process. Children are restarted by their parent,
        process groups by :meth:`restart`."""
        process = rng.choice(candidates or [self.web, *self.workers, *self.workers])
        if process.child is None or not process.is_running:
            return
        if rng.random() < 0.5:
            children = descendants(process.child.pid)
            if children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(children), signal.SIGKILL)
                self.counts[f"child of {process.name} killed"] += 1
                return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.child.pid, signal.SIGKILL)
        process.child.wait()
        self.counts[f"{process.name} killed whole"] += 1

    def restart(self) -> None:
        """Start the processes that are not running."""
        for process in (self.web, *self.workers):
            if not process.is_running:
                process.stop()
                process.start()
