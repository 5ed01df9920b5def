"""``make demo-hub``: a hub, two websites with projects of their own, and one Zoom simulator.

Ports: ``HUB_PORT`` (8000) and the two after it, ``SIMULATOR_PORT`` (8010); data: ``DEMO_DIR``.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from .config import LOOPBACK, DemoConfig, free_port
from .processes import ROOT, Interrupts, Process, ProcessGroup, wait_for
from .run import Website, check_port, run, simulator_arguments, watch
from .sites import AURORA, BOREALIS, PASSWORD, SiteData

COMMAND = "make demo-hub"
SITES = (AURORA, BOREALIS)
"""Zoom sends changes of meetings to both; for accounts without a paid plan it sends none."""
HUB_MANAGE = str(Path(__file__).parent / "hub" / "manage.py")
FOLDER = Path(__file__).resolve().parent / "var" / "hub-demo"
HUB_PATH = "/zoom/hub"
PANEL = "/admin/settings/wagtail_zoom/zoomsettings/"


def hub_config() -> DemoConfig:
    """The hub's port and folder, from the environment.

    Raises:
        SystemExit: a port is not a number.
    """
    config = DemoConfig.from_environment()
    folder = config.folder if os.environ.get("DEMO_DIR") else FOLDER
    try:
        port = int(os.environ.get("HUB_PORT") or DemoConfig.port)
    except ValueError:
        raise SystemExit("HUB_PORT must be a number.") from None
    return replace(config, port=port, folder=folder)


def hub_of(config: DemoConfig, interrupts: Interrupts | None = None) -> Website:
    """Web server and worker of the hub."""
    environment = {
        "HUB_URL": config.base_url,
        "HUB_DIR": str(config.folder / "hub"),
        "SIMULATOR_URL": config.simulator_url,
    }
    return Website(
        replace(config, folder=config.folder / "hub"), interrupts, HUB_MANAGE, environment
    )


class HubDemo(ProcessGroup):
    """The hub, one website for each of ``SITES``, and the Zoom simulator."""

    def __init__(self, config: DemoConfig, ports: tuple[int, ...] = ()) -> None:
        self.config = config
        self.ports = ports or tuple(config.port + 1 + index for index in range(len(SITES)))
        self.interrupts = Interrupts()
        self.hub = hub_of(config, self.interrupts)
        arguments = simulator_arguments(
            config,
            f"{config.base_url}{HUB_PATH}/callback/",
            f"http://{LOOPBACK}:{config.port}{HUB_PATH}/webhook/",
        )
        log = config.folder / "logs" / "simulator.log"
        self.simulator = Process("simulator", arguments, log, config.environment())
        self.websites: list[Website] = []

    @classmethod
    def anywhere(cls, folder: Path) -> HubDemo:
        """A demo with free ports."""
        return cls(DemoConfig.anywhere(folder), tuple(free_port() for _site in SITES))

    @property
    def processes(self) -> list[Process]:
        """In the order in which they are stopped: clients before servers."""
        websites = [process for website in self.websites for process in website.processes]
        return [*websites, *self.hub.processes, self.simulator]

    def start(self) -> None:
        """Start everything. Nothing is connected.

        Raises:
            RuntimeError: a process did not start; with the end of its log.
            Interrupted: see :class:`Interrupts`.
        """
        check = self.interrupts.check
        self.simulator.start()
        self.hub.manage("migrate", "--verbosity", "0")
        self.websites = [
            self._website(site_data, port)
            for site_data, port in zip(SITES, self.ports, strict=True)
        ]
        self._migrate()
        for website in self.websites:
            website.manage("setup_demo")
        wait_for(self.simulator, f"{self.config.simulator_url}/_sim/state", check=check)
        for website in (self.hub, *self.websites):
            website.web.start()
            website.worker.start()
        for website in (self.hub, *self.websites):
            url = f"http://{LOOPBACK}:{website.config.port}/zoom/webhook/"
            wait_for(website.web, url, check=check)

    def _migrate(self) -> None:
        """Create the tables once: this takes longest."""
        first, *others = (website.config.folder / "demo.sqlite3" for website in self.websites)
        self.websites[0].manage("migrate", "--verbosity", "0")
        for file in others:
            if not file.exists():
                shutil.copy(first, file)

    def _website(self, site_data: SiteData, port: int) -> Website:
        """A website of its own, which was added to the hub."""
        folder = self.config.folder / site_data.key
        config = replace(self.config, port=port, folder=folder, sites=(site_data.key,))
        printed = self._added(site_data, config)
        environment = {
            "ZOOM_OAUTH_URL": printed["OAUTH_URL"],
            "ZOOM_CLIENT_ID": printed["CLIENT_ID"],
            "ZOOM_CLIENT_SECRET": printed["CLIENT_SECRET"],
            "ZOOM_WEBHOOK_SECRET_TOKENS": " ".join(printed["WEBHOOK_SECRET_TOKENS"]),
        }
        website = Website(config, self.interrupts, environment=environment)
        website.web.name, website.worker.name = f"{site_data.key} web", f"{site_data.key} worker"
        return website

    def _added(self, site_data: SiteData, config: DemoConfig) -> dict[str, str]:
        """The settings that ``zoom_hub add`` prints for this website, once."""
        file = config.folder / "zoom.json"
        printed = json.loads(file.read_text()) if file.exists() else {}
        if printed.get("BASE_URL") != config.base_url:
            self.hub.process("setup", []).log.unlink(missing_ok=True)
            command = self.hub.manage(
                "zoom_hub", "add", site_data.name, config.base_url, "--email", site_data.email,
                "--webhook-url", config.webhook_url,
            )  # fmt: skip
            text = command.log.read_text()
            printed = ast.literal_eval(text[text.index("{") : text.rindex("}") + 1])
            config.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(printed))
        return dict(printed)


def print_urls(demo: HubDemo) -> None:
    """Print what to open and what to try."""
    config = demo.config
    print("\nReady. Two websites, each with a database of its own, and a hub with the Zoom app:\n")
    for site_data, website in zip(SITES, demo.websites, strict=True):
        url = f"{website.config.base_url}/"
        print(f"  {site_data.name:<15} {url:<32} owner {site_data.key} / {PASSWORD}")
    print(f"  {'Zoom simulator':<15} {config.simulator_url}/")
    first, second = (website.config.base_url for website in demo.websites)
    hub_folder, person = config.folder / "hub", " ".join(BOREALIS.owner)
    print(
        f"""
Try:
  1. {second}{PANEL}
     Log in and press Connect Zoom. The hub names the website: press Continue to Zoom,
     choose {person} and press Allow. Then choose what to show.
  2. Change one of their meetings in the simulator, and reload {second}/events/
  3. {first}{PANEL}
     Connect as {person} too: a Zoom user can be connected with one website only.
  4. h + Enter stops the worker of the hub. Change meetings, press h + Enter: all arrive.
  5. HUB_DIR={hub_folder} \\
       {sys.executable} {Path(HUB_MANAGE).relative_to(ROOT)} zoom_hub list

Emails of the hub: {hub_folder / "mails"}
Logs: {config.folder}/*/logs
Ctrl-C ends all.""",
        flush=True,
    )


def main() -> int:
    """Run the demo until Ctrl-C; ``--reset`` only deletes its data."""
    config = hub_config()
    demo = HubDemo(config)
    for index, port in enumerate((config.port, *demo.ports)):
        check_port("HUB_PORT", port, COMMAND, len(SITES) + 1 - index)
    check_port("SIMULATOR_PORT", config.simulator_port, COMMAND)
    if sys.argv[1:] == ["--reset"]:
        shutil.rmtree(config.folder, ignore_errors=True)
        print(f"The demo starts again with the next `{COMMAND}`.")
        return 0
    demo.interrupts.again = demo.kill
    demo.interrupts.install()

    def start() -> None:
        print("Starting the hub and two websites ...", flush=True)
        demo.start()
        print_urls(demo)
        web = [website.web for website in (demo.hub, *demo.websites)]
        watch(demo.processes, {"h": demo.hub.worker}, web, demo.interrupts)

    return run(start, demo.stop)


if __name__ == "__main__":
    sys.exit(main())
