"""Connects Sites as :mod:`wagtail_zoom.testing.connect` does, but equal ones once in a while.

To connect and import takes seven hundred statements and fifty calls, and most tests need the result
only. It is stored, rows and simulator, and a test that starts from the same state gets it back.
What is part of that state is in :func:`_starting_point`; a test that patches something, or has the
mark ``full_import``, connects really.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache as cached
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction

from wagtail_zoom.models import ZoomSettings
from wagtail_zoom.testing.connect import connect_and_import
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.testing.worker import TaskRunner

MAX_AGE = 900.0
"""Seconds: less than an access token lasts, and than what is read again because it is old."""
STATIC_TABLES = {"auth_permission", "django_content_type", "django_migrations"}
NOT_COMPARED = {
    *("datetime", "data_version"),
    *("password", "session_key", "session_data"),
    *("translation_key", "uuid", "slug", "url_path"),
}
"""Types and names of columns that differ in each test, or are numbered."""

Row = tuple[Any, ...]
Rows = dict[Row, Row]


class SimulatorChanges:
    """What a test changed in the simulator since the last reset, by its control API."""

    def __init__(self, simulator: SimulatorControl) -> None:
        self.changes: list[str] = []
        self._call = simulator.call
        simulator.call = self.call  # type: ignore[method-assign]

    def call(self, method: str, path: str, /, **fields: Any) -> dict[str, Any]:
        """Remember the call, and send it."""
        if path == "reset":
            self.changes.clear()
        if method != "GET" and not path.startswith("snapshots/"):
            self.changes.append(f"{method} {path} {fields}")
        return self._call(method, path, **fields)


@dataclass(frozen=True)
class Table:
    """A table of the SQLite database."""

    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    compared: tuple[int, ...]

    def rows(self) -> Rows:
        """All rows by their key, with the values that SQLite stores."""
        # A plus sign, so that the values are not converted.
        columns = ", ".join(f'+"{name}"' for name in self.columns)
        cursor = connection.connection.execute(f'SELECT {columns} FROM "{self.name}"')  # noqa: S608
        return {tuple(row[index] for index in self.key): row for row in cursor}

    def replace(self, before: Rows, after: Rows) -> None:
        """Change the rows that differ, as far as they differ."""
        execute = connection.connection.execute
        where = " AND ".join(f'"{self.columns[index]}" = ?' for index in self.key)
        for key in before.keys() - after.keys():
            execute(f'DELETE FROM "{self.name}" WHERE {where}', key)  # noqa: S608
        for key, row in after.items():
            if key not in before:
                names = ", ".join(f'"{name}"' for name in self.columns)
                marks = ", ".join("?" * len(row))
                sql = f'INSERT INTO "{self.name}" ({names}) VALUES ({marks})'  # noqa: S608
                execute(sql, row)
                continue
            changed = [index for index, value in enumerate(row) if value != before[key][index]]
            if changed:
                names = ", ".join(f'"{self.columns[index]}" = ?' for index in changed)
                values = [row[index] for index in changed]
                sql = f'UPDATE "{self.name}" SET {names} WHERE {where}'  # noqa: S608
                execute(sql, [*values, *key])


@cached
def _tables() -> tuple[Table, ...]:
    execute = connection.connection.execute
    names = [row[0] for row in execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    # The rows of the search index write those of its virtual tables.
    return tuple(_table(name) for name in names if name not in STATIC_TABLES and "_fts" not in name)


def _table(name: str) -> Table:
    columns = list(connection.connection.execute(f'PRAGMA table_info("{name}")'))
    key = [index for index, column in enumerate(columns) if column[5]]
    return Table(
        name,
        tuple(column[1] for column in columns),
        tuple(key or [0]),
        tuple(
            index
            for index, (_, column, kind, *_) in enumerate(columns)
            if not {kind, column} & NOT_COMPARED
        ),
    )


def _all_rows() -> dict[Table, Rows]:
    return {table: table.rows() for table in _tables()}


def _overridden_settings() -> Iterator[str]:
    """The settings that the test changed."""
    holder = settings._wrapped
    while "default_settings" in vars(holder):
        yield from sorted(
            f"{name} = {value}" for name, value in vars(holder).items() if name.isupper()
        )
        holder = holder.default_settings


@dataclass
class ConnectedSite:
    """What connecting changed."""

    time: float
    name: str
    changes: dict[Table, tuple[Rows, Rows]]
    cache: tuple[OrderedDict[str, Any], dict[str, Any]]
    outbox: list[Any]
    ran: list[str]
    waiting: list[Any]


class ConnectedSites:
    """Connects, or restores what an equal, recent connection changed."""

    def __init__(self, simulator: SimulatorControl, *, through_hub: bool = False) -> None:
        self.simulator, self.through_hub = simulator, through_hub
        self.control = SimulatorChanges(simulator)
        self.connected: dict[str, ConnectedSite] = {}

    def once_in_a_while(
        self, arguments: str, connect: Callable[[], Any], worker: TaskRunner
    ) -> None:
        """Call ``connect``, or restore what it changed when it was called with these arguments."""
        if not self._can_be_stored(worker):
            connect()
            return
        before = _all_rows()
        name = self._starting_point(before, arguments)
        stored = self.connected.get(name)
        if stored and 0 <= time.time() - stored.time <= MAX_AGE:
            self._restore(stored, worker)
        else:
            began, mails, ran = time.time(), len(mail.outbox), len(worker.ran)
            connect()
            self.simulator.take_snapshot(name)
            after = _all_rows()
            self.connected[name] = ConnectedSite(
                time=began,
                name=name,
                changes={
                    table: (before[table], rows)
                    for table, rows in after.items()
                    if rows != before[table]
                },
                cache=(cache._cache.copy(), cache._expire_info.copy()),  # type: ignore[attr-defined]
                outbox=mail.outbox[mails:],
                ran=worker.ran[ran:],
                waiting=list(worker.waiting),
            )
        self.control.changes.append(f"connected {name}")

    def _can_be_stored(self, worker: TaskRunner) -> bool:
        """Whether rows, cache and simulator are of the kinds that can be stored."""
        return (
            connection.vendor == "sqlite"
            and isinstance(caches["default"], LocMemCache)
            and not worker.waiting
            and not self.through_hub
            and not self.simulator.calls()
            and not any("webhook_url" in change for change in self.control.changes)
        )

    def _starting_point(self, rows: dict[Table, Rows], arguments: str) -> str:
        """A name for everything on which the result of connecting depends."""
        digest = sha256(arguments.encode())
        for text in (*self.control.changes, *_overridden_settings()):
            digest.update(text.encode() + b"\0")
        for table, table_rows in rows.items():
            for row in table_rows.values():
                values = tuple(row[index] for index in table.compared)
                digest.update(f"{table.name} {values}".encode())
        return digest.hexdigest()

    def _restore(self, stored: ConnectedSite, worker: TaskRunner) -> None:
        self.simulator.restore_snapshot(stored.name)
        with transaction.atomic():
            for table, (before, after) in stored.changes.items():
                table.replace(before, after)
        cache._cache.update(stored.cache[0])  # type: ignore[attr-defined]
        cache._expire_info.update(stored.cache[1])  # type: ignore[attr-defined]
        mail.outbox += copy.deepcopy(stored.outbox)
        worker.ran += stored.ran
        worker.waiting.extend(stored.waiting)


@pytest.fixture(scope="session")
def connected_sites(zoom_simulator_process: Any, hub_between: Any) -> ConnectedSites:
    """What tests of this process have connected. What a hub stores cannot be restored."""
    return ConnectedSites(zoom_simulator_process.client, through_hub=hub_between is not None)


@pytest.fixture
def once_in_a_while(
    request: pytest.FixtureRequest,
    connected_sites: ConnectedSites,
    monkeypatch: pytest.MonkeyPatch,
    zoom_app: SimulatorControl,
    zoom_worker: TaskRunner,
) -> Any:
    """``once_in_a_while("arguments", connect)``: calls ``connect`` or restores what it changed."""
    patches = len(monkeypatch._setattr) + len(monkeypatch._setitem)

    def once(arguments: str, connect: Callable[[], Any]) -> None:
        is_patched = len(monkeypatch._setattr) + len(monkeypatch._setitem) > patches
        if is_patched or request.node.get_closest_marker("full_import"):
            connect()
        else:
            connected_sites.once_in_a_while(arguments, connect, zoom_worker)

    return once


@pytest.fixture
def import_once_in_a_while(zoom_no_rate_limit: None, once_in_a_while: Any, zoom_worker: Any) -> Any:
    """:func:`wagtail_zoom.testing.connect.connect_and_import`, or its stored result."""

    def connect(site: Any, person: str, **options: Any) -> ZoomSettings:
        once_in_a_while(
            f"import {site.pk} {person} {sorted(options.items())}",
            lambda: connect_and_import(site, person, zoom_worker, **options),
        )
        return ZoomSettings.objects.get(site=site)

    return connect
