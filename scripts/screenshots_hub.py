"""Picture of the page on which the hub names a deployment, taken in a project of its own.

``python scripts/screenshots_hub.py [--folder docs/images]``. Needs the extra ``testing`` and a
Chromium; takes some seconds.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.screenshots_admin import CHROMIUM, shrink  # noqa: E402
from tests.docs import hub_project  # noqa: E402

VIEW = {"width": 760, "height": 620}
NAME, URL = "Harbour House", "https://harbour.example"


def free_port() -> int:
    """A port that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_served(port: int) -> None:
    """Wait for the web server, half a minute at most."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("The hub did not start.")


def authorize_url(port: int, client_id: str) -> str:
    """The hub's page, as a deployment opens it."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": f"{URL}/zoom/oauth/callback/",
        "state": "state",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    return f"http://localhost:{port}/zoom/hub/oauth/authorize?{urlencode(query)}"


def take_hub(folder: Path) -> None:
    """Start a hub with one deployment, and take the picture."""
    from playwright.sync_api import sync_playwright

    settings, port = hub_project.SIMULATOR, free_port()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        project = hub_project.make_project(Path(place))
        hub_project.run(project, "migrate", settings=settings)
        add = ("zoom_hub", "add", NAME, URL, "--email", "operator@harbour.example")
        printed = hub_project.settings_of(hub_project.run(project, *add, settings=settings))
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", str(port), "--noreload"],
            cwd=project,
            env=hub_project.environment(settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_served(port)
            browser = playwright.chromium.launch(
                executable_path=str(CHROMIUM) if CHROMIUM.exists() else None, args=["--no-sandbox"]
            )
            page = browser.new_context(viewport=VIEW, locale="en-GB").new_page()
            page.goto(authorize_url(port, str(printed["CLIENT_ID"])))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / "hub.png", full_page=True)
            browser.close()
        finally:
            server.terminate()
            server.wait(timeout=10)
    shrink(folder / "hub.png")
    print("hub", flush=True)


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    take_hub(parser.parse_args().folder)


if __name__ == "__main__":
    main()
