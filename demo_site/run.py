"""``make demo``: simulator, worker and web server in one terminal; Ctrl-C stops all."""

from __future__ import annotations

import argparse
import contextlib
import select
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .config import LOOPBACK, DemoConfig
from .processes import (
    PAUSE,
    Interrupted,
    Interrupts,
    Process,
    ProcessGroup,
    port_is_taken,
    wait_for,
)
from .sites import ADMIN, PASSWORD, SITES

MANAGE = str(Path(__file__).with_name("manage.py"))
SECRET = "simulator-webhook-secret"


class Website(ProcessGroup):
    """Web server and worker of one project.

    ``interrupts``: the signals that end this program, where it counts them.
    """

    def __init__(
        self,
        config: DemoConfig,
        interrupts: Interrupts | None = None,
        manage: str = MANAGE,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.config = config
        self.interrupts = interrupts or Interrupts()
        self.environment = {**config.environment(), **(environment or {})}
        self.manage_file = manage
        self.worker = self.process("worker", [manage, "qcluster"])
        address = f"{LOOPBACK}:{config.port}"
        self.web = self.process("web", [manage, "runserver", "--noreload", address])

    @property
    def processes(self) -> tuple[Process, ...]:
        """In the order in which they are stopped: clients before servers."""
        return self.worker, self.web

    def process(self, name: str, arguments: list[str]) -> Process:
        """A process with the environment of this project."""
        log = self.config.folder / "logs" / f"{name}.log"
        return Process(name, arguments, log, self.environment)

    def manage(self, *arguments: str) -> Process:
        """Run a management command of the project; its log holds the output.

        Raises:
            RuntimeError: it failed; with the end of its output.
            Interrupted: see :class:`Interrupts`.
        """
        process = self.process("setup", [self.manage_file, *arguments])
        process.start()
        try:
            while process.is_running:
                self.interrupts.check()
                time.sleep(PAUSE)
            self.interrupts.check()
            if process.child is not None and process.child.returncode:
                raise RuntimeError(f"{' '.join(arguments)} failed.\n{process.log_tail(40)}")
        finally:
            process.stop()
        return process


def simulator_arguments(config: DemoConfig, redirect_uri: str, webhook_url: str) -> list[str]:
    """The command line of the Zoom simulator, with the data of the demo."""
    return [
        *("-m", "wagtail_zoom.testing.simulator"),
        *("--port", str(config.simulator_port)),
        *("--state", str(config.folder / "simulator.sqlite3")),
        *("--redirect-uri", redirect_uri),
        *("--webhook-url", webhook_url, "--webhook-secret", SECRET),
        *("--demo", "--optional-scheduling"),
    ]


class Demo(Website):
    """The three processes of the demo."""

    def __init__(self, config: DemoConfig, interrupts: Interrupts | None = None) -> None:
        super().__init__(config, interrupts)
        redirect_uri = f"{config.base_url}/zoom/oauth/callback/"
        self.simulator = self.process(
            "simulator", simulator_arguments(config, redirect_uri, config.webhook_url)
        )

    @property
    def processes(self) -> tuple[Process, ...]:
        """In the order in which they are stopped: clients before servers."""
        return self.worker, self.web, self.simulator

    def start(self) -> None:
        """Start everything and connect the Sites that are not connected yet.

        Raises:
            RuntimeError: a process did not start; with the end of its log.
            Interrupted: see :class:`Interrupts`.
        """
        check = self.interrupts.check
        self.config.folder.mkdir(parents=True, exist_ok=True)
        self.simulator.start()
        self.manage("setup_demo")
        wait_for(self.simulator, f"{self.config.simulator_url}/_sim/state", check=check)
        self.web.start()
        self.worker.start()
        self.manage("setup_demo", "--connect")
        wait_for(self.web, f"http://{LOOPBACK}:{self.config.port}/demo/mails/", check=check)


def check_ports(config: DemoConfig) -> None:
    """Check that the ports are free.

    Raises:
        SystemExit: a port is taken.
    """
    check_port("DEMO_PORT", config.port, "make demo")
    check_port("SIMULATOR_PORT", config.simulator_port, "make demo")


def check_port(name: str, port: int, command: str, step: int = 1) -> None:
    """Check that a port is free; the message names a setting and a command.

    Raises:
        SystemExit: it is taken.
    """
    if port_is_taken(port):
        raise SystemExit(
            f"Port {port} is taken by another program.\n"
            f"Stop that program, or choose another port: {name}={port + step} {command}"
        )


def print_urls(config: DemoConfig) -> None:
    """Print all URLs and logins."""
    print(f"\nReady: {config.base_url}/ lists everything.\n")
    for site_data in SITES:
        state = "" if site_data.kinds else "  (not connected yet: try it)"
        url = f"{config.site_url(site_data.hostname)}/"
        print(f"  {site_data.name:<20} {url:<36} owner {site_data.key} / {PASSWORD}{state}")
    print(f"  {'Whole installation':<20} {config.base_url + '/admin/':<36} {ADMIN} / {PASSWORD}")
    print(f"  {'Zoom simulator':<20} {config.simulator_url}/")
    print(f"  {'Emails':<20} {config.base_url}/demo/mails/")
    name = SITES[0].hostname
    print(
        f"\nBrowsers find *.localhost automatically. With curl:\n"
        f"  curl --resolve {name}:{config.port}:{LOOPBACK} http://{name}:{config.port}/\n"
        f"\nw + Enter stops and starts the worker, z + Enter the Zoom simulator. Ctrl-C ends all.\n"
        f"Logs: {config.folder / 'logs'}",
        flush=True,
    )


def toggle(process: Process) -> None:
    """Stop a running process, start a stopped one."""
    if process.is_running:
        process.stop()
        print(f"The {process.name} is stopped.", flush=True)
    else:
        process.start()
        print(f"The {process.name} is running.", flush=True)


def watch(
    processes: Sequence[Process],
    keys: Mapping[str, Process],
    web: Sequence[Process],
    interrupts: Interrupts,
) -> None:
    """Handle keys and report ended processes, until a web server of ``web`` ends.

    Raises:
        RuntimeError: a web server ended.
        Interrupted: see :class:`Interrupts`.
    """
    listen = sys.stdin.isatty()
    reported: set[Process] = set()
    while True:
        interrupts.check()
        for process in processes:
            if process.child is None or process.is_running:
                reported.discard(process)
            elif process in web:
                raise RuntimeError(f"The web server ended.\n{process.log_tail()}")
            elif process not in reported:
                reported.add(process)
                print(f"The {process.name} ended; see {process.log}", flush=True)
        if listen and select.select([sys.stdin], [], [], 0.5)[0]:
            line = ""
            with contextlib.suppress(OSError):  # the terminal was closed
                line = sys.stdin.readline()
            listen = bool(line)
            if chosen := keys.get(line.strip().lower()):
                toggle(chosen)
        elif not listen:
            time.sleep(0.5)


def run(start: Callable[[], None], stop: Callable[[], None]) -> int:
    """Start processes and stop them at Ctrl-C; returns the exit status."""
    try:
        start()
    except Interrupted:
        with contextlib.suppress(OSError):  # nobody reads it in a closed terminal
            print("\nStopping ...", flush=True)
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        stop()
    return 0


def main() -> int:
    """Run the demo until Ctrl-C; ``--reset`` only deletes its data."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="forget everything the demo keeps")
    config = DemoConfig.from_environment()
    if parser.parse_args().reset:
        check_ports(config)
        shutil.rmtree(config.folder, ignore_errors=True)
        print("The demo starts anew with the next `make demo`.")
        return 0
    check_ports(config)
    demo = Demo(config)
    demo.interrupts.again = demo.kill
    demo.interrupts.install()

    def start() -> None:
        print("Starting the demo ...", flush=True)
        demo.start()
        print_urls(config)
        keys = {"w": demo.worker, "z": demo.simulator}
        watch(demo.processes, keys, [demo.web], demo.interrupts)

    return run(start, demo.stop)


if __name__ == "__main__":
    sys.exit(main())
