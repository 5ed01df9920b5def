"""The state of the simulator: store, clock, options, faults and recorded calls."""

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
    """Everything that a view needs, protected by one lock.

    ``base_url`` is the URL of this server, used for links in responses.
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
        """Counts changes, so that a waiting thread does not miss one."""
        self.epoch = 0
        """Counts resets: a delivery that started before a reset must not change the new data."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction; wakes the webhook sender after the commit."""
        with self.store.transaction():
            yield
        self.wake()

    def wake(self) -> None:
        """Wake the webhook sender."""
        with self.wakeup:
            self.generation += 1
            self.wakeup.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Wait until something changes after generation ``seen``, at most ``seconds``."""
        with self.wakeup:
            if self.generation == seen:
                self.wakeup.wait(seconds)

    def save(self) -> None:
        """Store options, clock and faults for a restart."""
        self.store.set_meta("options", self.options.dump())
        self.store.set_meta("clock", self.clock.dump())
        self.store.set_meta("faults", self.faults.dump())

    def today(self) -> str:
        """Return the UTC day of the simulated clock."""
        return self.clock.stamp()[:10]

    def account(self, identifier: str) -> Doc:
        """Return an account by id or by the short key of the seed data."""
        account = self.store.get("accounts", identifier)
        if account is None:
            account = next(
                (doc for doc in self.store.find("accounts", "1") if doc.get("key") == identifier),
                None,
            )
        if account is None:
            raise ControlError(f"no account {identifier!r}")
        return account

    def user(self, identifier: str) -> Doc:
        """Return a user by id, email or the short key of the seed data."""
        user = self.store.get("users", identifier) or self.store.first(
            "users", "email = ?", identifier
        )
        if user is None:
            user = self.store.first("users", "json_extract(data, '$.key') = ?", identifier)
        if user is None:
            raise ControlError(f"no user {identifier!r}")
        return user

    def owner(self, account_id: str) -> Doc:
        """Return the owner of an account, the operator in events."""
        users = self.store.find("users", "account_id = ?", account_id, tail="ORDER BY seq LIMIT 50")
        return next((user for user in users if user.get("role_id") == "0"), users[0])

    def meeting(self, number: int | str) -> Doc:
        """Return a meeting or webinar, including deleted ones, for the control API."""
        meeting = self.store.get("meetings", int(number))
        if meeting is None:
            raise ControlError(f"no meeting or webinar {number}")
        return meeting

    def recording(self, uuid: str) -> Doc:
        """Return a recording in any state."""
        recording = self.store.get("recordings", uuid)
        if recording is None:
            raise ControlError(f"no recording {uuid!r}")
        return recording

    def summary(self, uuid: str) -> Doc:
        """Return the summary of an instance in any state."""
        summary = self.store.get("summaries", uuid)
        if summary is None:
            raise ControlError(f"no summary {uuid!r}")
        return summary

    def free_number(self) -> int:
        """Return an unused meeting number."""
        while True:
            number = self.ids.number()
            if self.store.get("meetings", number) is None:
                return number

    def copy(self, doc: Doc) -> Doc:
        """Return a deep copy of a document."""
        copied: Doc = json.loads(json.dumps(doc))
        return copied
