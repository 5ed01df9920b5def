"""Many requests at once under ASGI, with the documented connections."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from .test_layouts import ROOT, port_is_open

pytestmark = pytest.mark.services


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The environment of a project with a PostgreSQL database of its own."""
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("psycopg_pool")
    if not port_is_open(5432):
        pytest.skip("PostgreSQL does not answer on this machine.")
    name = f"wagtail_zoom_asgi_{os.getpid()}"
    server = {
        "host": os.environ.get("PGHOST", "127.0.0.1"),
        "user": os.environ.get("PGUSER", "postgres"),
        "password": os.environ.get("PGPASSWORD", ""),
        "dbname": "postgres",
    }
    with psycopg.connect(autocommit=True, **server) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            settings = {"DJANGO_SETTINGS_MODULE": "tests.projects.asgi.settings"}
            yield {**os.environ, **settings, "ASGI_DATABASE": name}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout + result.stderr


def test_120_parallel_requests(environment):
    """Each request has a thread of its own; with ``CONN_MAX_AGE`` each would leave a connection
    open, until the database has too many clients."""
    result = json.loads(run(environment, "-m", "tests.projects.asgi").splitlines()[-1])
    assert result["statuses"] == {"200": 120}
    assert result["connections"] < 20


def test_the_documented_connections_are_not_reported(environment):
    output = run(environment, "-m", "django", "check")
    assert "wagtail_zoom" not in output
