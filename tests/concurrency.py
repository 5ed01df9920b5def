"""Runs a function in many processes and threads at once on one database."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, connections


def run_concurrently(
    func: Callable[[], Any], folder: Path, *, processes: int, threads: int
) -> list[Any]:
    """Call ``func`` in each thread of each (forked) process; return results or error texts.

    SQLite in memory cannot be shared, so the processes use a copy in ``folder``. This process then
    uses the copy too, until :func:`restore_test_database`.
    """
    is_copy = connection.vendor == "sqlite" and connection.is_in_memory_db()
    if is_copy:
        _move_to_file(folder / "processes.sqlite3")
    else:
        connections.close_all()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    workers = [
        context.Process(target=_run_threads, args=(func, threads, queue)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    results = [result for _worker in workers for result in queue.get()]
    for worker in workers:
        worker.join(timeout=60)
    return results


def share_database(folder: Path) -> dict[str, str]:
    """Environment with which other programs (settings: ``tests.settings``) find this test's
    database. SQLite in memory is copied to ``folder``, until :func:`restore_test_database`."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        _move_to_file(folder / "shared.sqlite3")
        return {"TMPDIR": str(folder), "TEST_DATABASE_NAME": "shared"}
    connections.close_all()
    return {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}


_memory: list[Any] = []


def _move_to_file(path: Path) -> None:
    import sqlite3

    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
        # As after `migrate`: the change to WAL needs exclusive access and does not wait, so that
        # parallel processes would fail in their init_command on a file without it.
        copy.execute("PRAGMA journal_mode=WAL")
    copy.close()
    _memory.append((connections["default"], connections.settings["default"]["NAME"]))
    del connections["default"]
    connections.settings["default"]["NAME"] = str(path)


def restore_test_database() -> None:
    """Switch back to the database of the test run."""
    if _memory:
        wrapper, name = _memory.pop()
        connections["default"].close()
        connections.settings["default"]["NAME"] = name
        connections["default"] = wrapper


def _run_threads(func: Callable[[], Any], threads: int, queue: Any) -> None:
    connections.close_all()
    results: list[Any] = []
    start = threading.Barrier(threads)

    def run_once() -> None:
        start.wait()
        try:
            results.append(func())
        except Exception as error:
            results.append(f"{type(error).__name__}: {error}")
        finally:
            connections.close_all()

    workers = [threading.Thread(target=run_once) for _ in range(threads)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    queue.put(results)
