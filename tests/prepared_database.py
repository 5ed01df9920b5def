"""Tables of the test database, copied instead of migrated again.

Two hundred migrations take longer than most test files. With SQLite the migrated tables are kept in
``build/``, under a name made of everything that decides what they look like; other databases
and ``tests/migrations`` migrate as usual.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.core.management.commands.migrate import Command
from django.db import connections

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "test-database"
PACKAGES = ("django", "wagtail", "django-q2", "django-taggit", "django-modelcluster")


def _sources() -> Iterator[Path]:
    package = ROOT / "wagtail_zoom"
    yield from (ROOT / "tests" / "settings.py", package / "apps.py", package / "utils" / "queue.py")
    yield from sorted((package / "models").glob("*.py"))
    yield from sorted((ROOT / "tests" / "testapp").glob("*.py"))
    for folder in (package, ROOT / "tests"):
        yield from sorted(folder.rglob("migrations/*.py"))


def database_file() -> Path:
    """Where the migrated tables of this state of the project are kept."""
    digest = hashlib.sha256(repr((sys.version_info[:2], sqlite3.sqlite_version)).encode())
    for package in PACKAGES:
        digest.update(version(package).encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return FOLDER / f"{digest.hexdigest()[:16]}.sqlite3"


class PreparedMigrate:
    """While it is active, ``migrate`` fills an SQLite database from the file, or makes the file."""

    def __init__(self) -> None:
        self.handle = Command.handle

    def start(self) -> None:
        prepared = self

        def handle(command: Command, *args: Any, **options: Any) -> None:
            prepared.migrate(command, *args, **options)

        Command.handle = handle  # type: ignore[method-assign]

    def stop(self) -> None:
        Command.handle = self.handle  # type: ignore[method-assign]

    def migrate(self, command: Command, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "sqlite":
            self.handle(command, *args, **options)
            return
        path = database_file()
        connection.ensure_connection()
        if path.exists():
            stored = sqlite3.connect(path)
            stored.backup(connection.connection)
            stored.close()
            return
        self.handle(command, *args, **options)
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        stored = sqlite3.connect(unfinished)
        connection.connection.backup(stored)
        stored.close()
        unfinished.replace(path)
