"""Creates the tables and a page, requests it many times at once, and prints what came back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from .application import application

REQUESTS = 120


async def get(path: str) -> int:
    """The status of one response, read to its end."""
    from asgiref.testing import ApplicationCommunicator

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    server = ApplicationCommunicator(application, scope)
    await server.send_input({"type": "http.request", "body": b""})
    status = (await server.receive_output(timeout=120))["status"]
    while (await server.receive_output(timeout=120)).get("more_body"):
        pass
    await server.wait(timeout=120)
    return status


async def get_all(path: str) -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(get(path)) for _number in range(REQUESTS)]
    return [task.result() for task in tasks]


def create_page() -> None:
    from django.core.management import call_command

    from tests.blocks import rows
    from tests.default_site import default_site
    from tests.testapp.models import ZoomPage

    call_command("migrate", verbosity=0)
    site = default_site()
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host)
    rows.occurrence(host)
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {})])
    site.root_page.add_child(instance=page)


def main() -> None:
    from django.db import connection

    create_page()
    connection.close()
    statuses = Counter(map(str, asyncio.run(get_all("/dates/"))))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        connections = cursor.fetchone()[0]
    print(json.dumps({"statuses": statuses, "connections": connections}))
    connection.close()
    connection.close_pool()
    sys.stdout.flush()


main()
