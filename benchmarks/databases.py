"""Temporary databases: migrated once, copied for each measurement, dropped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from demo_site.config import DemoConfig
from demo_site.processes import Interrupts
from demo_site.run import Demo

ROOT = Path(__file__).resolve().parent.parent


class Database:
    """SQLite: a file that is copied."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = f"bench{os.getpid()}"
        self.environment = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "TEST_DATABASE": "sqlite", "TEST_DATABASE_NAME": self.base, "TMPDIR": str(folder),
            "BENCH_LOG": str(folder / "django.log"),
        }  # fmt: skip

    def prepare(self) -> None:
        """Make the template that each measurement copies."""
        self._migrate()
        (self.folder / f"{self.base}.sqlite3").rename(self.folder / "template.sqlite3")

    def _migrate(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.prepare"], cwd=ROOT, env=self.environment, check=True
        )

    def empty_copy(self) -> None:
        """An empty database under the same name."""
        for path in self.folder.glob(f"{self.base}.sqlite3*"):
            path.unlink()
        shutil.copy(self.folder / "template.sqlite3", self.folder / f"{self.base}.sqlite3")

    def version(self) -> str:
        """For the report."""
        import sqlite3

        return f"SQLite {sqlite3.sqlite_version}"

    def drop(self) -> None:
        """Nothing to do: the folder is deleted."""


class Postgres(Database):
    """PostgreSQL: a template database."""

    name = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment |= {"TEST_DATABASE": "postgres"}

    def _execute(self, sql: str) -> str:
        import psycopg

        parameters = {
            "host": os.environ.get("PGHOST", "127.0.0.1"),
            "user": os.environ.get("PGUSER", "postgres"),
        }
        with psycopg.connect(dbname="postgres", autocommit=True, **parameters) as connection:
            cursor = connection.execute(sql)
            return str(cursor.fetchone()[0]) if cursor.description else ""

    def prepare(self) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self.base}" WITH (FORCE)')
        self._execute(f'CREATE DATABASE "{self.base}"')
        self._migrate()
        self._execute(f'ALTER DATABASE "{self.base}" RENAME TO "{self.base}t"')

    def empty_copy(self) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self.base}" WITH (FORCE)')
        self._execute(f'CREATE DATABASE "{self.base}" TEMPLATE "{self.base}t"')

    def version(self) -> str:
        return f"PostgreSQL {self._execute('SHOW server_version')}"

    def drop(self) -> None:
        for name in (self.base, f"{self.base}t"):
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def prepare_demo(config: DemoConfig, interrupts: Interrupts) -> None:
    """The demo's sites and pages, for the measurement that runs the whole demo."""
    config.folder.mkdir(parents=True)
    Demo(config, interrupts).manage("setup_demo")


def all_databases(folder: Path) -> list[Database]:
    """PostgreSQL where it answers on this machine, then SQLite."""
    try:
        with socket.create_connection(("127.0.0.1", 5432), 2):
            postgres = Postgres(folder)
            postgres.version()
            return [postgres, Database(folder)]
    except (OSError, ImportError):
        return [Database(folder)]
    except Exception as error:
        print(f"PostgreSQL is left out: {error}")
        return [Database(folder)]
