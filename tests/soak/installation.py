"""An installation of real processes with its own database; sets up Django for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process_group import SETTINGS, ProcessGroup


class Installation:
    """Processes and folder of the run; the folder is deleted only if ``good`` is set."""

    def __init__(self, stage: ProcessGroup) -> None:
        self.processes = stage
        self.good = False


@contextmanager
def installation(
    database: str, redis: str = "", *, keep: bool = False, web_workers: int = 2
) -> Iterator[Installation]:
    """Processes (not yet started), database and settings; removed at the end of the block.

    ``database`` is ``sqlite`` or ``postgres``; ``redis`` the URL of a broker and cache.
    """
    folder = Path(tempfile.mkdtemp(prefix="wagtail-zoom-soak-"))
    extra = {"SOAK_DATABASE": database, "SOAK_REDIS": redis}
    if database == "postgres":
        extra["SOAK_DATABASE_NAME"] = f"wagtail_zoom_soak_{os.getpid()}"
        _postgres(f'CREATE DATABASE "{extra["SOAK_DATABASE_NAME"]}"')
    installed = Installation(ProcessGroup(folder, extra, web_workers))
    os.environ.update(installed.processes.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    try:
        import django

        django.setup()
        yield installed
    finally:
        installed.processes.stop()
        if database == "postgres" and not keep:
            from django.db import connections

            connections.close_all()
            _postgres(f'DROP DATABASE "{extra["SOAK_DATABASE_NAME"]}" WITH (FORCE)')
        if installed.good and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"Logs and database: {folder}", flush=True)


def _postgres(sql: str) -> None:
    import psycopg

    parameters = {
        "host": os.environ.get("PGHOST", "127.0.0.1"),
        "user": os.environ.get("PGUSER", "postgres"),
        "password": os.environ.get("PGPASSWORD", ""),
    }
    with psycopg.connect(dbname="postgres", autocommit=True, **parameters) as connection:
        connection.execute(sql)
