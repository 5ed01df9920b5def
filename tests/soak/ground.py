"""An installation of real processes on a real database of its own, with Django set up for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .stage import SETTINGS, Stage


class Ground:
    """Where everything runs; it stays behind unless ``good`` is set."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.good = False


@contextmanager
def installation(
    database: str, redis: str = "", *, keep: bool = False, web_workers: int = 2
) -> Iterator[Ground]:
    """Processes (not yet started), database and settings; all of it ends with the block.

    ``database`` is ``sqlite`` or ``postgres``; ``redis`` the address of a broker and cache.
    """
    folder = Path(tempfile.mkdtemp(prefix="wagtail-zoom-soak-"))
    extra = {"SOAK_DATABASE": database, "SOAK_REDIS": redis}
    if database == "postgres":
        extra["SOAK_DATABASE_NAME"] = f"wagtail_zoom_soak_{os.getpid()}"
        _postgres(f'CREATE DATABASE "{extra["SOAK_DATABASE_NAME"]}"')
    ground = Ground(Stage(folder, extra, web_workers))
    os.environ.update(ground.stage.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    try:
        import django

        django.setup()
        yield ground
    finally:
        ground.stage.stop()
        if database == "postgres" and not keep:
            from django.db import connections

            connections.close_all()
            _postgres(f'DROP DATABASE "{extra["SOAK_DATABASE_NAME"]}" WITH (FORCE)')
        if ground.good and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"Logs and database: {folder}", flush=True)


def _postgres(sql: str) -> None:
    import psycopg

    facts = {
        "host": os.environ.get("PGHOST", "127.0.0.1"),
        "user": os.environ.get("PGUSER", "postgres"),
        "password": os.environ.get("PGPASSWORD", ""),
    }
    with psycopg.connect(dbname="postgres", autocommit=True, **facts) as connection:
        connection.execute(sql)
