"""At the end: what the simulator has and what we have, row by row; and every sign-up."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from wagtail_zoom.models import (
    Host,
    Meeting,
    Occurrence,
    Recording,
    Registration,
    ZoomAccount,
    fetch_scope,
)
from wagtail_zoom.testing.server import SimulatorControl

from .visitors import ACCEPTED, SignUp, rows_of

BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
SETTLED = {"approved", "pending", "denied", "cancelled"}


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Mirror:
    """Compares one account's rows with the simulator's own documents."""

    def __init__(self, zoom: SimulatorControl, account: ZoomAccount) -> None:
        self.zoom, self.account = zoom, account
        self.scope = fetch_scope(account)
        self.hosts = {host.zoom_id: host for host in Host.objects.filter(account=account)}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.now = timezone.now()

    def compare(self) -> list[str]:
        """Everything that differs, in words."""
        self._meetings()
        self._recordings()
        for user in self.zoom.users(self.account.zoom_id):
            if user["status"] == "active":
                host = self.hosts.get(user["id"])
                self._same(f"person {user['id']}", "name", user["display_name"],
                           host.display_name if host else None)  # fmt: skip
                self.counts["people"] += 1
        return self.wrong

    def _same(self, what: str, name: str, theirs: Any, ours: Any) -> None:
        if theirs != ours:
            self.wrong.append(f"{what}: {name} is {theirs!r} at Zoom and {ours!r} here")

    def _wanted(self, kind: str, host: str) -> bool:
        row = self.hosts.get(host)
        return row is not None and self.scope.wants(kind, row.pk)

    def _meetings(self) -> None:
        rows = {
            row.zoom_id: row
            for row in Meeting.objects.filter(account=self.account).prefetch_related("occurrences")
        }
        seen = set()
        for doc in self.zoom.meetings(self.account.zoom_id):
            number = str(doc["id"])
            if doc["state"] == "unlisted" or not self._wanted(doc["kind"], doc["host_id"]):
                continue
            seen.add(number)
            row = rows.get(number)
            ahead = doc["ends"] > self.now.timestamp()
            if doc["state"] == "deleted":
                self._gone(number, row)
            elif row is None and ahead:
                self.wrong.append(f"{doc['kind']} {number} ({doc['topic']}) is missing here")
            elif row is not None and ahead:
                # What is over may have lapsed at Zoom, with or without a copy of ours.
                self._meeting(doc, row)
        for number in set(rows) - seen:
            self._gone(number, rows[number])

    def _gone(self, number: str, row: Meeting | None) -> None:
        """What Zoom no longer has shows no date that is still to come."""
        self.counts["deleted meetings and webinars"] += 1
        if row is None or row.removed_at or row.expired_at:
            return
        shown = [
            date for date in row.occurrences.all()
            if date.end > self.now and date.state != Occurrence.State.CANCELLED
        ]  # fmt: skip
        if shown:
            self.wrong.append(f"{row.kind} {number} was deleted at Zoom and is shown here")

    def _meeting(self, doc: dict[str, Any], row: Meeting) -> None:
        what = f"{doc['kind']} {doc['id']}"
        self.counts[f"{doc['kind']}s"] += 1
        if row.removed_at or row.expired_at:
            self.wrong.append(f"{what} exists at Zoom and is removed here")
            return
        same = {
            "kind": (doc["kind"], row.kind), "type": (doc["type"], row.zoom_type),
            "topic": (BREAKS.sub(" ", doc["topic"]).strip(), row.topic),
            "agenda": (doc["agenda"], row.agenda), "duration": (doc["duration"], row.duration),
            "zone": (doc["timezone"], row.timezone), "host": (doc["host_id"], row.host_zoom_id),
            "registration": (doc["settings"].get("approval_type"), row.approval_type),
            "passcode": (doc["password"], row.passcode.reveal()),
        }  # fmt: skip
        for name, (theirs, ours) in same.items():
            self._same(what, name, theirs, ours)
        ours = {
            (date.zoom_id, date.start, date.duration)
            for date in row.occurrences.all()
            if date.state not in (Occurrence.State.CANCELLED,) and date.end > self.now
        }
        self._same(what, "dates", sorted(self._dates(doc)), sorted(ours))
        self.counts["dates"] += len(ours)

    def _dates(self, doc: dict[str, Any]) -> set[tuple[str, datetime, int]]:
        if doc["type"] in (2, 5):
            found = {("", _when(doc["start_time"]), doc["duration"])}
        else:
            found = {
                (date["occurrence_id"], _when(date["start_time"]), date["duration"])
                for date in doc.get("occurrences", [])
                if date["status"] == "available"
            }
        return {one for one in found if one[1] + timedelta(minutes=one[2]) > self.now}

    def _recordings(self) -> None:
        rows = {
            row.uuid: row
            for row in Recording.objects.filter(account=self.account).prefetch_related("files")
        }
        oldest = self.now - timedelta(days=60)
        for doc in self.zoom.recordings(self.account.zoom_id):
            row = rows.pop(doc["id"], None)
            if not self._wanted("recording", doc["host_id"]) or _when(doc["start_time"]) < oldest:
                continue
            what = f"recording {doc['id']}"
            hidden = row is None or row.removed_at or row.trashed_at
            if doc["state"] != "active":
                self.counts["deleted recordings"] += 1
                # Gone means that nobody can watch it; the second look comes with the next run.
                if not hidden and row.missing_since is None:
                    self.wrong.append(f"{what} is in the trash at Zoom and is shown here")
                continue
            self.counts["recordings"] += 1
            if hidden:
                ready = any(file["status"] == "completed" for file in doc["files"])
                self.wrong.append(f"{what} exists at Zoom ({ready=}) and is not shown here")
                continue
            self._same(what, "topic", BREAKS.sub(" ", doc["topic"]).strip(), row.topic)
            self._same(what, "start", _when(doc["start_time"]), row.start)
            theirs = sorted((file["file_type"], file["status"]) for file in doc["files"])
            ours = sorted((file.file_type, file.status) for file in row.files.all())
            self._same(what, "files", theirs, ours)


class SignUps:
    """Every wish of a visitor, our rows, and the registrants at Zoom."""

    def __init__(self, zoom: SimulatorControl) -> None:
        self.zoom = zoom
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._people: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def compare(self, wishes: list[SignUp]) -> list[str]:
        """Everything lost, doubled or different, in words."""
        keys: dict[tuple[int, str, str], list[SignUp]] = defaultdict(list)
        for mine in wishes:
            keys[mine.site_id, mine.number, mine.email].append(mine)
            self._one(mine)
        known = {row.pk for mine in wishes for row in rows_of(mine)}
        strange = Registration.objects.exclude(pk__in=known).count()
        if strange:
            self.wrong.append(f"{strange} sign-ups that nobody made")
        return self.wrong

    def _one(self, mine: SignUp) -> None:
        rows = list(rows_of(mine))
        what = f"sign-up {mine.email} for {mine.number} ({mine.outcome}, {mine.statuses})"
        if len(rows) > 1:
            self.wrong.append(f"{what}: doubled here, {[row.state for row in rows]}")
        if not rows:
            if mine.outcome == ACCEPTED:
                self.wrong.append(f"{what}: lost")
            elif any(one["status"] != "meeting gone" for one in self._at_zoom(mine)):
                self.wrong.append(f"{what}: at Zoom but not here")
            self.counts[f"{mine.outcome}, no row"] += 1
            return
        row = rows[0]
        self.counts[f"{mine.outcome}, {row.state} {row.error_class}".strip()] += 1
        if row.task and not (row.task == "add" and row.error_class == "personal_limit"):
            self.wrong.append(
                f"{what}: still to do: {row.task} at {row.task_at}, {row.state} {row.error_class}"
                f" {row.error_code} attempts {row.attempts}"
            )
            return
        self._states(what, mine, row)

    def _states(self, what: str, mine: SignUp, row: Registration) -> None:
        there = self._at_zoom(mine)
        if len(there) > 1:
            self.wrong.append(f"{what}: doubled at Zoom")
        status = there[0]["status"] if there else ""
        if (row.state, status) == ("denied", "cancelled"):
            status = "denied"  # no place either way: Zoom tells nobody what became of the denied
        if mine.cancelled and row.state not in ("cancelled", "denied", "failed"):
            self.wrong.append(f"{what}: the person cancelled, and it is {row.state}")
        if status == "meeting gone":
            self.counts["their meeting is gone at Zoom"] += 1
        elif row.state == "cancelled" and status and self._closed(mine.number):
            # Cancelled while the meeting was in the trash; it came back without registration, and
            # nobody can tell Zoom before the owner switches that on again.
            self.counts["cancelled, and registration is switched off at Zoom"] += 1
        elif (
            row.state in SETTLED
            and status != row.state
            and not (row.state == "cancelled" and not status)
        ):
            self.wrong.append(f"{what}: {row.state} here and {status or 'unknown'} at Zoom")
        elif row.state == "failed" and status and row.maybe_sent and self._closed(mine.number):
            # The answer was lost, and then nobody could ask any more; it is asked again when the
            # owner switches registration on again.
            self.counts["no answer came before registration was switched off at Zoom"] += 1
        elif row.state == "failed" and status in ("approved", "pending"):
            self.wrong.append(f"{what}: failed here ({row.error_class}) and {status} at Zoom")
        elif row.state not in SETTLED | {"failed"} and not row.task:
            self.wrong.append(f"{what}: {row.state} with nothing left to do")
        if not row.mails and row.state in ("approved", "pending", "failed"):
            self.wrong.append(f"{what}: no mail")

    def _closed(self, number: str) -> bool:
        return self.zoom.meeting(int(number))["settings"].get("approval_type") not in (0, 1)

    def _at_zoom(self, mine: SignUp) -> list[dict[str, Any]]:
        if mine.number not in self._people:
            people: dict[str, list[dict[str, Any]]] = defaultdict(list)
            try:
                gone = self.zoom.meeting(int(mine.number))["state"] != "active"
                for one in self.zoom.registrants(int(mine.number)):
                    people[one["email"]].append(one)
            except ValueError:
                gone = True
            if gone:
                people = defaultdict(lambda: [{"status": "meeting gone"}])
            self._people[mine.number] = people
        return self._people[mine.number][mine.email]
