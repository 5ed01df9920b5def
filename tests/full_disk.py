"""A full disk: SQLite with a real limit, other databases with a simulated error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

DISK_FULL_MESSAGE = "could not extend file: No space left on device"


@contextmanager
def full_disk() -> Iterator[list[str]]:
    """Refuse writes that need more space; yields the statements that were refused.

    SQLite refuses them itself (``database or disk is full``) and rolls back open transactions. For
    tests with real transactions.
    """
    refused: list[str] = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if connection.vendor != "sqlite" and sql.startswith("INSERT"):
            refused.append(sql)
            raise OperationalError(DISK_FULL_MESSAGE)
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            if "full" in str(error):
                refused.append(sql)
            raise

    with _fill_sqlite(), connection.execute_wrapper(note):
        yield refused


@contextmanager
def _fill_sqlite() -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ballast (weight BLOB)")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        for size in (4000, 400, 40):  # also uses up the free space inside the file
            try:
                for _ in range(10_000):
                    cursor.execute("INSERT INTO ballast VALUES (zeroblob(%s))", [size])
            except OperationalError:
                continue
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")
            cursor.execute("DROP TABLE ballast")
