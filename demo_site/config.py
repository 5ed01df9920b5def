"""Ports and data folder of the demo, from the environment, so that several demos can run.

``DEMO_PORT`` (8000), ``SIMULATOR_PORT`` (8010), ``DEMO_DIR`` (``demo_site/var``); ``DEMO_SITES``,
keys of the sites: all by default.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
DEFAULT_FOLDER = Path(__file__).resolve().parent / "var"


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class DemoConfig:
    """Ports and data folder of one demo."""

    port: int = 8000
    simulator_port: int = 8010
    folder: Path = DEFAULT_FOLDER
    admin_hosts: tuple[str, ...] = ()
    """Further hosts with their ports, such as those of a second web server."""
    sites: tuple[str, ...] = ()
    """Keys of the sites; empty: all of them."""

    @classmethod
    def from_environment(cls) -> DemoConfig:
        """Values of the environment, or the defaults.

        Raises:
            SystemExit: a port is not a number.
        """
        try:
            port = int(os.environ.get("DEMO_PORT") or cls.port)
            simulator_port = int(os.environ.get("SIMULATOR_PORT") or cls.simulator_port)
        except ValueError:
            raise SystemExit("DEMO_PORT and SIMULATOR_PORT must be numbers.") from None
        folder = Path(os.environ.get("DEMO_DIR") or cls.folder).resolve()
        return cls(
            port,
            simulator_port,
            folder,
            tuple(os.environ.get("DEMO_ADMIN_HOSTS", "").split()),
            tuple(os.environ.get("DEMO_SITES", "").split()),
        )

    @classmethod
    def anywhere(cls, folder: Path, admin_hosts: tuple[str, ...] = ()) -> DemoConfig:
        """A configuration with free ports."""
        return cls(free_port(), free_port(), folder, admin_hosts)

    def environment(self) -> dict[str, str]:
        """Environment variables for a child process."""
        return {
            "DEMO_PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "DEMO_DIR": str(self.folder),
            "DEMO_ADMIN_HOSTS": " ".join(self.admin_hosts),
            "DEMO_SITES": " ".join(self.sites),
        }

    @property
    def base_url(self) -> str:
        """The base URL: landing page, OAuth callback, webhook. That of the site if there is one."""
        hostname = f"{self.sites[0]}.localhost" if len(self.sites) == 1 else "localhost"
        return f"http://{hostname}:{self.port}"

    def has_site(self, key: str) -> bool:
        """Whether this demo has the site with this key."""
        return not self.sites or key in self.sites

    @property
    def simulator_url(self) -> str:
        """URL of the Zoom simulator."""
        return f"http://{LOOPBACK}:{self.simulator_port}"

    @property
    def webhook_url(self) -> str:
        """Webhook URL for the simulator. With an IP address, so that no name has to be resolved."""
        return f"http://{LOOPBACK}:{self.port}/zoom/webhook/"

    def site_url(self, hostname: str) -> str:
        """Origin of one of the sites."""
        return f"http://{hostname}:{self.port}"
