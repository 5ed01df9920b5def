"""The simulated Zoom as a whole: its store, clock, options, faults and records."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .clock import Clock
from .errors import ControlError
from .faults import Faults
from .ids import Ids
from .limits import Limits
from .options import Options
from .recorder import Recorder
from .storage import Doc, Store


class World:
    """Everything a request handler needs, behind one lock.

    ``base_url`` is where this server answers; links in answers point there.
    """

    def __init__(self, path: str = ":memory:", base_url: str = "http://127.0.0.1:8010") -> None:
        self.store = Store(path)
        self.base_url = base_url.rstrip("/")
        self.ids = Ids()
        self.options = Options()
        self.options.update(self.store.meta("options", {}))
        self.clock = Clock(**self.store.meta("clock", {}))
        self.faults = Faults(self.store.meta("faults", []))
        self.limits = Limits()
        self.recorder = Recorder()
        self.baseline: dict[str, Any] = {}
        self.seed_args: dict[str, Any] = {}
        self.wakeup = threading.Condition()
        self.generation = 0
        """Counts changes, so that nobody who looked just before one sleeps through it."""
        self.epoch = 0
        """Counts resets, so that a delivery under way does not touch the new world."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One change of the world; wakes the webhook sender once it is committed."""
        with self.store.transaction():
            yield
        self.wake()

    def wake(self) -> None:
        """Let the webhook sender look whether something is due."""
        with self.wakeup:
            self.generation += 1
            self.wakeup.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Sleep until something changes after generation ``seen``, at most so many seconds."""
        with self.wakeup:
            if self.generation == seen:
                self.wakeup.wait(seconds)

    def save(self) -> None:
        """Keep options, clock and faults for a restart."""
        self.store.set_meta("options", self.options.dump())
        self.store.set_meta("clock", self.clock.dump())
        self.store.set_meta("faults", self.faults.dump())

    def today(self) -> str:
        """Return the UTC day of the simulated clock."""
        return self.clock.stamp()[:10]

    def account(self, ref: str) -> Doc:
        """Return an account by id or by the short key of the seed data."""
        found = self.store.get("accounts", ref)
        if found is None:
            found = next(
                (doc for doc in self.store.find("accounts", "1") if doc.get("key") == ref), None
            )
        if found is None:
            raise ControlError(f"no account {ref!r}")
        return found

    def user(self, ref: str) -> Doc:
        """Return a user by id, e-mail or the short key of the seed data."""
        found = self.store.get("users", ref) or self.store.first("users", "email = ?", ref)
        if found is None:
            found = self.store.first("users", "json_extract(data, '$.key') = ?", ref)
        if found is None:
            raise ControlError(f"no user {ref!r}")
        return found

    def owner(self, account_id: str) -> Doc:
        """Return the owner of an account, who stands as operator in events."""
        users = self.store.find("users", "account_id = ?", account_id, tail="ORDER BY seq LIMIT 50")
        return next((user for user in users if user.get("role_id") == "0"), users[0])

    def meeting(self, number: int | str) -> Doc:
        """Return a meeting or webinar, also a deleted one, for the control API."""
        found = self.store.get("meetings", int(number))
        if found is None:
            raise ControlError(f"no meeting or webinar {number}")
        return found

    def recording(self, uuid: str) -> Doc:
        """Return a recording, whatever its state."""
        found = self.store.get("recordings", uuid)
        if found is None:
            raise ControlError(f"no recording {uuid!r}")
        return found

    def free_number(self) -> int:
        """Return a meeting number nobody has."""
        while True:
            number = self.ids.number()
            if self.store.get("meetings", number) is None:
                return number

    def copy(self, doc: Doc) -> Doc:
        """Return a deep copy of a document."""
        copied: Doc = json.loads(json.dumps(doc))
        return copied
