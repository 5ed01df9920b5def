"""``make soak MINUTES=30``: random changes, faults and kills; then the rows are compared."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from .stage import SETTINGS, Stage

SETTLE = 240
"""Seconds that the end may take: leases run out, retries come due."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=None, help="the same dice again")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--redis", default="", help="address of a Redis: broker and cache")
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave logs and database behind")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="wagtail-zoom-soak-"))
    extra = {"SOAK_DATABASE": given.database, "SOAK_REDIS": given.redis}
    if given.database == "postgres":
        extra["SOAK_DATABASE_NAME"] = f"wagtail_zoom_soak_{os.getpid()}"
        _postgres(f'CREATE DATABASE "{extra["SOAK_DATABASE_NAME"]}"')
    stage = Stage(folder, extra)
    os.environ.update(stage.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    print(f"Soak: {given.minutes:g} minutes on {given.database}, "
          f"{'Redis' if given.redis else 'ORM'} broker, seed {seed}.", flush=True)  # fmt: skip
    good = False
    signal.signal(signal.SIGTERM, _end)
    try:
        import django

        django.setup()
        from .run import Soak

        soak = Soak(stage, random.Random(seed))
        soak.prepare()
        soak.shake(given.minutes * 60, kills=not given.no_kills, faults=not given.no_faults)
        soak.settle(SETTLE)
        good = soak.report()
    finally:
        stage.stop()
        if given.database == "postgres" and not given.keep:
            from django.db import connections

            connections.close_all()
            _postgres(f'DROP DATABASE "{extra["SOAK_DATABASE_NAME"]}" WITH (FORCE)')
        if good and not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"Logs and database: {folder}", flush=True)
    return 0 if good else 1


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(1)


def _postgres(sql: str) -> None:
    import psycopg

    facts = {
        "host": os.environ.get("PGHOST", "127.0.0.1"),
        "user": os.environ.get("PGUSER", "postgres"),
        "password": os.environ.get("PGPASSWORD", ""),
    }
    with psycopg.connect(dbname="postgres", autocommit=True, **facts) as connection:
        connection.execute(sql)


if __name__ == "__main__":
    sys.exit(main())
