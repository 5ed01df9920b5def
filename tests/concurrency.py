"""Many processes and threads at once on one database, to prove that exactly one of them acts."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, connections


def run_crowd(work: Callable[[], Any], place: Path, *, processes: int, threads: int) -> list[Any]:
    """Call ``work`` in each thread of each (forked) process; their results, or their errors.

    SQLite in memory cannot be shared, so the crowd works on a copy in ``place``. Afterwards the
    copy is what this process sees as well (until :func:`leave_copy`).
    """
    swapped = connection.vendor == "sqlite" and connection.is_in_memory_db()
    if swapped:
        _move_to_file(place / "crowd.sqlite3")
    else:
        connections.close_all()
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    crowd = [
        context.Process(target=_member, args=(work, threads, answers)) for _ in range(processes)
    ]
    for member in crowd:
        member.start()
    found = [result for _member in crowd for result in answers.get()]
    for member in crowd:
        member.join(timeout=60)
    return found


def share_database(place: Path) -> dict[str, str]:
    """Environment with which other programs (settings: ``tests.settings``) find this test's
    database. SQLite in memory is copied to ``place``, until :func:`leave_copy`."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        _move_to_file(place / "shared.sqlite3")
        return {"TMPDIR": str(place), "TEST_DATABASE_NAME": "shared"}
    connections.close_all()
    return {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}


_memory: list[Any] = []


def _move_to_file(path: Path) -> None:
    import sqlite3

    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
        # As after `migrate`: the change to WAL needs the file alone and waits for nobody, so that
        # a crowd that finds a file without it would fall over its own init_command.
        copy.execute("PRAGMA journal_mode=WAL")
    copy.close()
    _memory.append((connections["default"], connections.settings["default"]["NAME"]))
    del connections["default"]
    connections.settings["default"]["NAME"] = str(path)


def leave_copy() -> None:
    """Back to the database of the test run."""
    if _memory:
        wrapper, name = _memory.pop()
        connections["default"].close()
        connections.settings["default"]["NAME"] = name
        connections["default"] = wrapper


def _member(work: Callable[[], Any], threads: int, answers: Any) -> None:
    connections.close_all()
    results: list[Any] = []
    start = threading.Barrier(threads)

    def one() -> None:
        start.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(f"{type(error).__name__}: {error}")
        finally:
            connections.close_all()

    some = [threading.Thread(target=one) for _ in range(threads)]
    for thread in some:
        thread.start()
    for thread in some:
        thread.join()
    answers.put(results)
