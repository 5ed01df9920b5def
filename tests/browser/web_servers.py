"""Further web servers beside the demo's own, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from demo_site.config import LOOPBACK, DemoConfig
from demo_site.processes import Process, wait_for


@contextmanager
def web_server(config: DemoConfig, settings: str, port: int) -> Iterator[int]:
    """A web server with the demo's data and with settings of this folder; yields its port."""
    environment = {
        **config.environment(),
        "DJANGO_SETTINGS_MODULE": f"tests.browser.{settings}",
    }
    arguments = ["-m", "django", "runserver", "--noreload", f"{LOOPBACK}:{port}"]
    web = Process(settings, arguments, config.folder / "logs" / f"{settings}.log", environment)
    web.start()
    try:
        wait_for(web, f"http://{LOOPBACK}:{port}/demo/mails/")
        yield port
    finally:
        web.stop()
