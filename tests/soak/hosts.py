"""Random changes by Zoom hosts: every change that the simulator supports."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from typing import Any

from wagtail_zoom.testing.server import SimulatorControl

WORDS = ("Flow", "Lecture", "Évening", "読書会", "<b>Studio</b>", "Repair & care", "=SUM(1)", "Yin")
ACCOUNTS = ("aurora", "borealis", "harbour")
MARK = re.compile(r"([a-z]+)(-\d+)_(meeting|webinar|recording|person)_\d+")
"""A mark in a title: account, host, kind and a number that no other title has."""


class Hosts:
    """Makes random changes as the hosts of three accounts. Titles say whose they are."""

    def __init__(self, zoom: SimulatorControl, rng: random.Random) -> None:
        self.zoom, self.rng = zoom, rng
        self.counts: Counter[str] = Counter()
        users = {name: zoom.users(name) for name in ACCOUNTS}
        self.people = {
            name: [user["key"] for user in users[name] if user.get("type") == 2]
            for name in ACCOUNTS
        }
        self.keys = {user["id"]: user["key"] for rows in users.values() for user in rows}
        self._numbers = itertools.count(1)
        self.actions = (
            (self.create, 5), (self.rename, 6), (self.move, 6), (self.delete, 2),
            (self.recover, 4), (self.settings, 3), (self.move_date, 4), (self.cancel_date, 3),
            (self.recover_date, 2), (self.begin, 2), (self.finish, 2), (self.record, 3),
            (self.ready, 2), (self.rename_recording, 2), (self.trash, 2), (self.untrash, 2),
            (self.destroy, 1), (self.decide, 6), (self.register_at_zoom, 2), (self.person, 1),
        )  # fmt: skip

    def act(self) -> None:
        """Make one change; impossible ones are counted separately."""
        action = self.rng.choices(
            [action for action, _ in self.actions], [odds for _, odds in self.actions]
        )
        try:
            if action[0]() is not False:
                self.counts[action[0].__name__] += 1
        except (ValueError, IndexError):
            self.counts["not possible"] += 1

    def _title(self, person: str, kind: str) -> str:
        return f"{self.rng.choice(WORDS)} {person}_{kind}_{next(self._numbers)}"

    def _title_of(self, doc: dict[str, Any]) -> str:
        return self._title(self.keys[doc["host_id"]], doc.get("kind", "recording"))

    def _when(self) -> str:
        hours, minutes = self.rng.randrange(24), self.rng.choice((0, 15, 30))
        return f"+{self.rng.randrange(2, 60)}d {hours:02}:{minutes:02}"

    def _meeting(self, state: str = "active", *, series: bool | None = None) -> dict[str, Any]:
        rows = [
            row
            for row in self.zoom.meetings(self.rng.choice(ACCOUNTS))
            if row["state"] == state
            and row["type"] in (2, 5, 8, 9)
            and (series is None or (row["type"] in (8, 9)) == series)
        ]
        return self.rng.choice(rows)

    def _recording(self, state: str = "active") -> dict[str, Any]:
        rows = self.zoom.recordings(self.rng.choice(ACCOUNTS))
        return self.rng.choice([row for row in rows if row["state"] == state])

    def create(self) -> None:
        account = self.rng.choice(ACCOUNTS)
        person = self.rng.choice(self.people[account])
        is_webinar = account == "borealis" and self.rng.random() < 0.3
        fields: dict[str, Any] = {
            "topic": self._title(person, "webinar" if is_webinar else "meeting"),
            "start_time": self._when(),
            "duration": self.rng.choice((30, 45, 60, 90)),
            "agenda": self.rng.choice(("", "What it is about.\n\nAnd more.")),
            "registration": self.rng.choice(("auto", "auto", "manual", "none")),
        }  # fmt: skip
        if is_webinar:
            fields["kind"] = "webinar"
        if self.rng.random() < 0.3:
            count = self.rng.randrange(2, 7)
            fields["recurrence"] = {"type": 2, "repeat_interval": 1, "end_times": count}
            fields["settings"] = {"registration_type": self.rng.choice((1, 2, 3))}
        self.zoom.create_meeting(person, **fields)

    def rename(self) -> None:
        doc = self._meeting()
        self.zoom.change_meeting(doc["id"], topic=self._title_of(doc))

    def move(self) -> None:
        self.zoom.change_meeting(self._meeting(series=False)["id"], start_time=self._when())

    def settings(self) -> None:
        registration = self.rng.choice(("auto", "manual", "none", "auto"))
        doc = self._meeting()
        agenda = self._title_of(doc)
        self.zoom.change_meeting(doc["id"], registration=registration, agenda=agenda)

    def delete(self) -> None:
        number, final = self._meeting()["id"], self.rng.random() < 0.15
        self.zoom.delete_meeting(number, permanent=final)

    def recover(self) -> None:
        self.zoom.recover_meeting(self._meeting("deleted")["id"])

    def _date(self, status: str) -> tuple[int, str]:
        row = self._meeting(series=True)
        dates = [date for date in row["occurrences"] if date["status"] == status]
        return row["id"], self.rng.choice(dates)["occurrence_id"]

    def move_date(self) -> None:
        number, date = self._date("available")
        self.zoom.change_meeting(number, occurrence_id=date, start_time=self._when())

    def cancel_date(self) -> None:
        self.zoom.delete_meeting(*self._date("available"))

    def recover_date(self) -> None:
        self.zoom.recover_meeting(*self._date("deleted"))

    def begin(self) -> None:
        self.zoom.start_meeting(self._meeting()["id"])

    def finish(self) -> None:
        rows = self.zoom.meetings(self.rng.choice(ACCOUNTS))
        live = [row["id"] for row in rows if row["status"] == "started"]
        self.zoom.end_meeting(self.rng.choice(live))

    def record(self) -> None:
        person = self.rng.choice(self.people[self.rng.choice(ACCOUNTS)])
        self.zoom.create_recording(
            person, topic=self._title(person, "recording"),
            start_time=f"-{self.rng.randrange(1, 20)}d 18:00",
            processing=self.rng.random() < 0.3,
            transcript=self.rng.choice((True, False, "later")),
        )  # fmt: skip

    def ready(self) -> None:
        self.zoom.change_recording(self._recording()["id"], processing=False, transcript=True)

    def rename_recording(self) -> None:
        doc = self._recording()
        self.zoom.change_recording(doc["id"], topic=self._title_of(doc))

    def trash(self) -> None:
        self.zoom.delete_recordings(self._recording()["id"])

    def untrash(self) -> None:
        self.zoom.recover_recordings(self._recording("trashed")["id"])

    def destroy(self) -> None:
        self.zoom.delete_recordings(self._recording("trashed")["id"], permanent=True)

    def decide(self) -> None:
        number = self._meeting()["id"]
        people = [
            person for person in self.zoom.registrants(number) if person["status"] != "cancelled"
        ]
        waiting = [person for person in people if person["status"] == "pending"]
        person = self.rng.choice(waiting or people)
        action = self.rng.choice(("approve", "approve", "deny", "cancel"))
        self.zoom.decide(number, person["id"], action)

    def register_at_zoom(self) -> None:
        number = self._meeting()["id"]
        name = f"walk-in-{self.rng.randrange(10**6)}@example.net"
        self.zoom.register(number, email=name, first_name="Walk", last_name="In")

    def person(self) -> None:
        key = self.rng.choice(self.people[self.rng.choice(ACCOUNTS)])
        self.zoom.change_user(key, display_name=self._title(key, "person"))
