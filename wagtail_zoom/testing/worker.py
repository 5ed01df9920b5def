"""A worker for tests: collects enqueued tasks and runs them in this process on request."""

from __future__ import annotations

from collections import deque

from django.utils.module_loading import import_string

from wagtail_zoom import tasks
from wagtail_zoom.utils import queue


class TaskRunner:
    """Replaces the task queue."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, tuple[int | str, ...]]] = deque()
        self.ran: list[str] = []

    def send(self, path: str, ids: tuple[int | str, ...]) -> None:
        """Enqueue a task (replaces ``wagtail_zoom.utils.queue._send``). Of a task in
        ``wagtail_zoom.tasks`` only the name is stored."""
        self.waiting.append((path.removeprefix(f"{queue.TASKS}."), ids))

    def run(self, max_tasks: int = 1000) -> int:
        """Run all tasks, and those they enqueue; returns how many ran.

        Raises:
            AssertionError: more than ``max_tasks`` ran.
        """
        count = 0
        while self.waiting:
            name, ids = self.waiting.popleft()
            task = import_string(name) if "." in name else getattr(tasks, name)
            task(*ids)
            self.ran.append(name)
            count += 1
            if count > max_tasks:
                raise AssertionError("The tasks do not come to an end.")
        return count

    def clear(self) -> None:
        """Delete all waiting tasks, as a broker that lost its data."""
        self.waiting.clear()
