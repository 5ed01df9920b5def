"""Starts the simulated Zoom as a process of its own and speaks to its control API."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import requests


class SimulatorControl:
    """The control API of a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, target: str, /, **facts: Any) -> dict[str, Any]:
        """Send a control request; an error of the simulator is raised with its own words.

        Raises:
            ValueError: the simulator refused the request.
        """
        response = self.session.request(
            method, f"{self.url}/_sim/{target}", json=facts or None, timeout=60
        )
        if response.status_code == 400:
            raise ValueError(response.json()["error"])
        response.raise_for_status()
        return response.json()

    def state(self) -> dict[str, Any]:
        """Accounts, users, counts, clock, options and faults."""
        return self.call("GET", "state")

    def reset(self, **facts: Any) -> dict[str, Any]:
        """Start the world anew."""
        return self.call("POST", "reset", **facts)

    def options(self, **changes: Any) -> dict[str, Any]:
        """Change options."""
        return self.call("POST", "options", **changes)

    def create_meeting(self, host: str, **facts: Any) -> dict[str, Any]:
        """Create a meeting or webinar of a host (id, e-mail or key such as ``aurora-0``)."""
        return self.call("POST", "meetings", host=host, **facts)

    def change_meeting(self, number: int, **facts: Any) -> dict[str, Any]:
        """Move, rename or otherwise change a meeting or one date of it."""
        return self.call("PATCH", f"meetings/{number}", **facts)

    def delete_meeting(self, number: int, occurrence_id: str = "") -> dict[str, Any]:
        """Delete a meeting, or cancel one date of it."""
        suffix = f"?occurrence_id={occurrence_id}" if occurrence_id else ""
        return self.call("DELETE", f"meetings/{number}{suffix}")

    def create_recording(self, host: str, **facts: Any) -> dict[str, Any]:
        """Finish a recording of a host."""
        return self.call("POST", "recordings", host=host, **facts)

    def bulk(self, host: str, **facts: Any) -> dict[str, Any]:
        """Create many meetings or recordings at once."""
        return self.call("POST", "bulk", host=host, **facts)

    def fault(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Switch a fault on."""
        return self.call("POST", "faults", kind=kind, **facts)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.call("DELETE", "faults")

    def advance(self, span: float | str) -> dict[str, Any]:
        """Let time pass: seconds, or a text such as ``3d``."""
        return self.call("POST", "clock", advance=span)

    def calls(self, query: str = "") -> list[dict[str, Any]]:
        """The calls that reached the simulator; ``query`` such as ``path=/v2/users``."""
        return self.call("GET", f"calls?{query}")["calls"]

    def forget_calls(self) -> None:
        """Start counting calls anew."""
        self.call("DELETE", "calls")


class SimulatorProcess:
    """A simulator in a process of its own, on a free port of this machine."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "wagtail_zoom.testing.simulator", "--port", "0"]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *arguments], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline() if self.process.stdout else ""
        found = re.search(r"http://\S+", line)
        if found is None:
            self.stop()
            raise RuntimeError("The simulator did not start.")
        self.url = found[0]
        self.client = SimulatorControl(self.url)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
