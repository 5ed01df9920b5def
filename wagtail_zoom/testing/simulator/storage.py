"""Storage of the simulator: JSON documents in one SQLite file.

Every table has the documents plus the columns that lists filter by, so that a page of a list costs
the same in an account of ten meetings and in one of fifty thousand.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Doc = dict[str, Any]
Columns = dict[str, Callable[[Doc], Any]]


def _same(name: str) -> Callable[[Doc], Any]:
    return lambda doc: doc.get(name)


def _columns(*names: str) -> Columns:
    return {name: _same(name) for name in names}


TABLES: dict[str, Columns] = {
    "accounts": {},
    "users": _columns("account_id", "email", "status"),
    "meetings": _columns(
        "account_id", "host_id", "kind", "state", "status", "starts", "ends", "expires", "pmi_room"
    ),
    "instances": _columns("account_id", "meeting_id", "started"),
    "participants": _columns("instance_id", "late"),
    "recordings": _columns("account_id", "host_id", "meeting_id", "state", "started"),
    "summaries": _columns("account_id", "host_id", "meeting_id", "state", "started"),
    "registrants": _columns("target", "object_id", "email", "status"),
    "grants": _columns("account_id", "user_id", "client_id"),
    "tokens": _columns("grant_id", "kind"),
    "events": _columns("state", "next_try"),
    "attempts": _columns("event_id"),
}
INDEXES: dict[str, tuple[str, ...]] = {
    "users": ("account_id, status, seq", "email"),
    "meetings": (
        "host_id, kind, state, expires, seq",
        "host_id, kind, state, ends, seq",
        "account_id, state, ends, seq",
        "status, host_id",
    ),
    "instances": ("meeting_id, started",),
    "participants": ("instance_id, late, seq",),
    "recordings": ("host_id, state, started", "account_id, state, started", "meeting_id, started"),
    "summaries": ("account_id, state, started", "meeting_id, started"),
    "registrants": ("target, object_id, status, seq", "target, object_id, email"),
    "grants": ("account_id",),
    "tokens": ("grant_id",),
    "events": ("state, next_try",),
    "attempts": ("event_id",),
}


def _schema() -> str:
    lines = ["CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, data TEXT NOT NULL);"]
    lines.append(
        "CREATE TABLE IF NOT EXISTS counts (name TEXT, day TEXT, n INTEGER,"
        " PRIMARY KEY (name, day)) WITHOUT ROWID;"
    )
    for table, columns in TABLES.items():
        extra = "".join(f", {name}" for name in columns)
        lines.append(
            f"CREATE TABLE IF NOT EXISTS {table} (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            f" id NOT NULL UNIQUE, data TEXT NOT NULL{extra});"
        )
        for number, index in enumerate(INDEXES.get(table, ())):
            lines.append(f"CREATE INDEX IF NOT EXISTS {table}_{number} ON {table} ({index});")
    return "\n".join(lines)


def _encode(doc: Any) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


class Store:
    """One SQLite connection behind one lock; a request holds the lock for its transaction."""

    def __init__(self, path: str = ":memory:") -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.executescript(_schema())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and commit at the end; nested transactions join the outermost."""
        with self.lock:
            if not self._depth:
                self.connection.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self.connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self.connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, table: str, key: Any) -> Doc | None:
        """Return the document with this id."""
        rows = self.rows(f"SELECT data FROM {table} WHERE id = ?", key)
        return json.loads(rows[0]["data"]) if rows else None

    def put(self, table: str, *docs: Doc) -> None:
        """Insert or replace documents by their ``id``."""
        names = list(TABLES[table])
        marks = ", ".join("?" * (2 + len(names)))
        columns = ", ".join(["id", "data", *names])
        changes = ", ".join(f"{name} = excluded.{name}" for name in ["data", *names])
        sql = (
            f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            f" ON CONFLICT (id) DO UPDATE SET {changes}"
        )
        getters = TABLES[table].values()
        values = [(doc["id"], _encode(doc), *(get(doc) for get in getters)) for doc in docs]
        with self.lock:
            self.connection.executemany(sql, values)

    def delete(self, table: str, where: str, *args: Any) -> int:
        """Delete rows; returns how many."""
        with self.lock:
            return self.connection.execute(
                f"DELETE FROM {table} WHERE {where}",
                args,
            ).rowcount

    def rows(self, sql: str, *args: Any) -> list[sqlite3.Row]:
        """Run a query."""
        with self.lock:
            return self.connection.execute(sql, args).fetchall()

    def find(self, table: str, where: str, *args: Any, tail: str = "ORDER BY seq") -> list[Doc]:
        """Return the documents that match."""
        sql = f"SELECT data FROM {table} WHERE {where} {tail}"
        return [json.loads(row["data"]) for row in self.rows(sql, *args)]

    def first(self, table: str, where: str, *args: Any, tail: str = "ORDER BY seq") -> Doc | None:
        """Return the first document that matches."""
        docs = self.find(table, where, *args, tail=f"{tail} LIMIT 1")
        return docs[0] if docs else None

    def count(self, table: str, where: str = "1", *args: Any) -> int:
        """Count the rows that match."""
        sql = f"SELECT COUNT(*) FROM {table} WHERE {where}"
        return int(self.rows(sql, *args)[0][0])

    def page(
        self, table: str, where: str, args: Iterable[Any], after: int, limit: int, skipped: int = 0
    ) -> tuple[list[Doc], int | None]:
        """Return up to ``limit`` documents after ``after`` and the position to continue from."""
        order = "ORDER BY seq LIMIT ? OFFSET ?"
        sql = f"SELECT seq, data FROM {table} WHERE {where} AND seq > ? {order}"
        rows = self.rows(sql, *args, after, limit + 1, skipped)
        has_more = len(rows) > limit
        rows = rows[:limit]
        return [json.loads(row["data"]) for row in rows], rows[-1]["seq"] if has_more else None

    def meta(self, name: str, default: Any = None) -> Any:
        """Return a stored setting."""
        rows = self.rows("SELECT data FROM meta WHERE name = ?", name)
        return json.loads(rows[0]["data"]) if rows else default

    def set_meta(self, name: str, value: Any) -> None:
        """Store a setting."""
        self.rows("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, _encode(value))

    def bump(self, name: str, day: str) -> int:
        """Increment the counter ``name`` of that day and return it."""
        self.rows(
            "INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", name, day
        )
        return int(self.rows("SELECT n FROM counts WHERE name = ? AND day = ?", name, day)[0]["n"])

    def copy_to_memory(self) -> sqlite3.Connection:
        """Return a copy of everything."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.connection.backup(copy)
        return copy

    def replace(self, copy: sqlite3.Connection) -> None:
        """Replace everything by a copy."""
        with self.lock:
            copy.backup(self.connection)

    def clear(self) -> None:
        """Delete everything."""
        for table in (*TABLES, "meta", "counts"):
            self.rows(f"DELETE FROM {table}")
