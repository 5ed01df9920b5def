"""``make demo``: simulator, worker and web server in one terminal; Ctrl-C ends all of it."""

from __future__ import annotations

import argparse
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from .places import LOOPBACK, Places
from .processes import ROOT, Process, port_is_taken, wait_for
from .sites import ADMIN, PASSWORD, SITES

MANAGE = str(Path(__file__).with_name("manage.py"))
SECRET = "simulator-webhook-secret"


class Demo:
    """The three processes of the demo and the order in which they start and end."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.simulator = self._process("simulator", ["-m", "wagtail_zoom.testing.simulator"])
        self.simulator.arguments += [
            *("--port", str(places.simulator_port)),
            *("--state", str(places.folder / "simulator.sqlite3")),
            *("--redirect-uri", f"{places.base_url}/zoom/oauth/callback/"),
            *("--webhook-url", places.webhook_url, "--webhook-secret", SECRET),
            "--demo",
        ]
        self.worker = self._process("worker", [MANAGE, "qcluster"])
        address = f"{LOOPBACK}:{places.port}"
        self.web = self._process("web", [MANAGE, "runserver", "--noreload", address])

    @property
    def processes(self) -> tuple[Process, Process, Process]:
        """In the order in which they end: first who asks, then who answers."""
        return self.worker, self.web, self.simulator

    def _process(self, name: str, arguments: list[str]) -> Process:
        log = self.places.folder / "logs" / f"{name}.log"
        return Process(name, arguments, log, self.places.environment())

    def manage(self, *arguments: str) -> None:
        """Run one of the demo's commands to its end.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, MANAGE, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.places.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed.\n{done.stdout[-3000:]}")

    def start(self) -> None:
        """Start everything and connect what is not connected yet.

        Raises:
            RuntimeError: something did not start; says what and why.
        """
        self.places.folder.mkdir(parents=True, exist_ok=True)
        self.simulator.start()
        self.manage("setup_demo")
        wait_for(self.simulator, f"{self.places.simulator_url}/_sim/state")
        self.web.start()
        self.worker.start()
        self.manage("setup_demo", "--connect")
        wait_for(self.web, f"http://{LOOPBACK}:{self.places.port}/demo/mails/")

    def stop(self) -> None:
        """End everything that runs."""
        for process in self.processes:
            process.stop()


def check_ports(places: Places) -> None:
    """Say in words when a port is taken.

    Raises:
        SystemExit: one is.
    """
    ports = (("DEMO_PORT", places.port), ("SIMULATOR_PORT", places.simulator_port))
    for name, port in ports:
        if port_is_taken(port):
            raise SystemExit(
                f"Port {port} is taken by another program.\n"
                f"Stop that program, or choose another port: {name}={port + 1} make demo"
            )


def announce(places: Places) -> None:
    """Print where everything is."""
    print(f"\nReady: {places.base_url}/ lists everything.\n")
    for facts in SITES:
        state = "" if facts.kinds else "  (not connected yet: try it)"
        url = f"{places.site_url(facts.hostname)}/"
        print(f"  {facts.name:<20} {url:<36} owner {facts.key} / {PASSWORD}{state}")
    print(f"  {'Whole installation':<20} {places.base_url + '/admin/':<36} {ADMIN} / {PASSWORD}")
    print(f"  {'Simulated Zoom':<20} {places.simulator_url}/")
    print(f"  {'Mails':<20} {places.base_url}/demo/mails/")
    name = SITES[0].hostname
    print(
        f"\nBrowsers find names under localhost by themselves. With curl:\n"
        f"  curl --resolve {name}:{places.port}:{LOOPBACK} http://{name}:{places.port}/\n"
        f"\nw + Enter stops and starts the worker, z + Enter the simulated Zoom. Ctrl-C ends all.\n"
        f"Logs: {places.folder / 'logs'}",
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


def watch(demo: Demo) -> None:
    """Obey the keyboard and tell when a process ends by itself; without the web server, end.

    Raises:
        RuntimeError: the web server ended.
    """
    keys = {"w": demo.worker, "z": demo.simulator}
    listen = sys.stdin.isatty()
    told: set[str] = set()
    while True:
        for process in demo.processes:
            if process.child is None or process.is_running:
                told.discard(process.name)
            elif process is demo.web:
                raise RuntimeError(f"The web server ended.\n{process.last_words()}")
            elif process.name not in told:
                told.add(process.name)
                print(f"The {process.name} ended; see {process.log}", flush=True)
        if listen and select.select([sys.stdin], [], [], 0.5)[0]:
            line = sys.stdin.readline()
            listen = bool(line)
            if chosen := keys.get(line.strip().lower()):
                toggle(chosen)
        elif not listen:
            time.sleep(0.5)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo until Ctrl-C; ``--reset`` only forgets its state."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="forget everything the demo keeps")
    places = Places.from_environment()
    if parser.parse_args().reset:
        check_ports(places)
        shutil.rmtree(places.folder, ignore_errors=True)
        print("The demo starts anew with the next `make demo`.")
        return 0
    check_ports(places)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    demo = Demo(places)
    print("Starting the demo ...", flush=True)
    try:
        demo.start()
        announce(places)
        watch(demo)
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
