"""A worker for tests: collects what is enqueued and runs it in this process, when told to."""

from __future__ import annotations

from collections import deque

from wagtail_zoom import tasks


class TaskRunner:
    """Stands in for the task queue. Tasks may run twice or never, as with a real one."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, tuple[int | str, ...]]] = deque()
        self.ran: list[str] = []

    def send(self, name: str, ids: tuple[int | str, ...]) -> None:
        """Take a task (replaces ``wagtail_zoom.utils.queue._send``)."""
        self.waiting.append((name, ids))

    def run(self, most: int = 1000) -> int:
        """Run what waits, and what that enqueues, until nothing is left; how many ran.

        Raises:
            AssertionError: it does not come to an end.
        """
        count = 0
        while self.waiting:
            name, ids = self.waiting.popleft()
            getattr(tasks, name)(*ids)
            self.ran.append(name)
            count += 1
            if count > most:
                raise AssertionError("The tasks do not come to an end.")
        return count

    def lose(self) -> None:
        """Lose everything that waits, as an emptied broker does."""
        self.waiting.clear()
