"""Compares the simulator's data with our rows, and every registration, at the end of a run."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from wagtail_zoom.models import (
    Host,
    Meeting,
    Occurrence,
    Recording,
    Registration,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)
from wagtail_zoom.testing.server import SimulatorControl

from .visitors import ACCEPTED, RegistrationAttempt, registrations_of

LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
FINAL_STATES = {"approved", "pending", "denied", "cancelled"}


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class LocalCopyCheck:
    """Compares one account's rows with the simulator's own documents."""

    def __init__(self, zoom: SimulatorControl, account: ZoomAccount) -> None:
        self.zoom, self.account = zoom, account
        self.scope = fetch_scope(account)
        self.hosts = {host.zoom_id: host for host in Host.objects.filter(account=account)}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.now = timezone.now()

    def find_differences(self) -> list[str]:
        """Texts of all differences."""
        self._check_meetings()
        self._check_recordings()
        for user in self.zoom.users(self.account.zoom_id):
            if user["status"] == "active":
                host = self.hosts.get(user["id"])
                self._check_equal(f"person {user['id']}", "name", user["display_name"],
                           host.display_name if host else None)  # fmt: skip
                self.counts["people"] += 1
        return self.wrong

    def _check_equal(self, label: str, name: str, theirs: Any, ours: Any) -> None:
        if theirs != ours:
            self.wrong.append(f"{label}: {name} is {theirs!r} at Zoom and {ours!r} here")

    def _is_in_scope(self, kind: str, host: str) -> bool:
        row = self.hosts.get(host)
        return row is not None and self.scope.includes(kind, row.pk)

    def _check_meetings(self) -> None:
        rows = {
            row.zoom_id: row
            for row in Meeting.objects.filter(account=self.account).prefetch_related("occurrences")
        }
        seen = set()
        for doc in self.zoom.meetings(self.account.zoom_id):
            number = str(doc["id"])
            if doc["state"] == "unlisted" or not self._is_in_scope(doc["kind"], doc["host_id"]):
                continue
            seen.add(number)
            row = rows.get(number)
            ahead = doc["ends"] > self.now.timestamp()
            if doc["state"] == "deleted":
                self._check_deleted(number, row)
            elif row is None and ahead:
                self.wrong.append(f"{doc['kind']} {number} ({doc['topic']}) is missing here")
            elif row is not None and ahead:
                # Past meetings may have expired at Zoom, with or without a local copy.
                self._check_meeting(doc, row)
        for number in set(rows) - seen:
            self._check_deleted(number, rows[number])

    def _check_deleted(self, number: str, row: Meeting | None) -> None:
        """A meeting that was deleted at Zoom shows no upcoming occurrence."""
        self.counts["deleted meetings and webinars"] += 1
        if row is None or row.removed_at or row.expired_at:
            return
        shown = [
            date for date in row.occurrences.all()
            if date.end > self.now and date.state != Occurrence.State.CANCELLED
        ]  # fmt: skip
        if shown:
            self.wrong.append(f"{row.kind} {number} was deleted at Zoom and is shown here")

    def _check_meeting(self, doc: dict[str, Any], row: Meeting) -> None:
        label = f"{doc['kind']} {doc['id']}"
        self.counts[f"{doc['kind']}s"] += 1
        if row.removed_at or row.expired_at:
            self.wrong.append(f"{label} exists at Zoom and is removed here")
            return
        same = {
            "kind": (doc["kind"], row.kind), "type": (doc["type"], row.zoom_type),
            "topic": (LINE_BREAKS.sub(" ", doc["topic"]).strip(), row.topic),
            "agenda": (doc["agenda"], row.agenda), "duration": (doc["duration"], row.duration),
            "zone": (doc["timezone"], row.timezone), "host": (doc["host_id"], row.host_zoom_id),
            "registration": (doc["settings"].get("approval_type"), row.approval_type),
            "passcode": (doc["password"], row.passcode.reveal()),
        }  # fmt: skip
        for name, (theirs, ours) in same.items():
            self._check_equal(label, name, theirs, ours)
        ours = {
            (date.zoom_id, date.start, date.duration)
            for date in row.occurrences.all()
            if date.state not in (Occurrence.State.CANCELLED,) and date.end > self.now
        }
        self._check_equal(label, "dates", sorted(self._dates(doc)), sorted(ours))
        self.counts["dates"] += len(ours)

    def _dates(self, doc: dict[str, Any]) -> set[tuple[str, datetime, int]]:
        if doc["type"] in (2, 5):
            dates = {("", _parse(doc["start_time"]), doc["duration"])}
        else:
            dates = {
                (date["occurrence_id"], _parse(date["start_time"]), date["duration"])
                for date in doc.get("occurrences", [])
                if date["status"] == "available"
            }
        return {item for item in dates if item[1] + timedelta(minutes=item[2]) > self.now}

    def _check_recordings(self) -> None:
        rows = {row.uuid: row for row in Recording.objects.filter(account=self.account)}
        oldest = self.now - timedelta(days=60)
        for doc in self.zoom.recordings(self.account.zoom_id):
            row = rows.pop(doc["id"], None)
            if (
                not self._is_in_scope("recording", doc["host_id"])
                or _parse(doc["start_time"]) < oldest
            ):
                continue
            label = f"recording {doc['id']}"
            hidden = row is None or row.removed_at or row.trashed_at
            if doc["state"] != "active":
                self.counts["deleted recordings"] += 1
                # It must not be visible; a missing recording is removed by the second run.
                if not hidden and row.missing_since is None:
                    self.wrong.append(f"{label} is in the trash at Zoom and is shown here")
                continue
            self.counts["recordings"] += 1
            if hidden:
                ready = any(file["status"] == "completed" for file in doc["files"])
                self.wrong.append(f"{label} exists at Zoom ({ready=}) and is not shown here")
                continue
            self._check_equal(label, "topic", LINE_BREAKS.sub(" ", doc["topic"]).strip(), row.topic)
            self._check_equal(label, "start", _parse(doc["start_time"]), row.start)
            files = doc["files"]
            completed = {file["file_type"] for file in files if file["status"] == "completed"}
            theirs = (len(files), sorted({file["file_type"] for file in files}))
            self._check_equal(label, "files", theirs, (row.file_count, row.file_types))
            self._check_equal(label, "is ready", bool(completed & {"MP4", "M4A"}), row.is_ready)


class RegistrationCheck:
    """Compares the visitors' attempts, our rows, and the registrants at Zoom."""

    def __init__(self, zoom: SimulatorControl) -> None:
        self.zoom = zoom
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._people: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.accounts = dict(ZoomSettings.objects.values_list("site_id", "account_id"))

    def find_differences(self, attempts: list[RegistrationAttempt]) -> list[str]:
        """Texts of all lost, duplicate or different registrations."""
        keys: dict[tuple[int, str, str], list[RegistrationAttempt]] = defaultdict(list)
        for attempt in attempts:
            keys[attempt.site_id, attempt.number, attempt.email].append(attempt)
            self._check(attempt)
        known_ids = {row.pk for attempt in attempts for row in registrations_of(attempt)}
        unexpected = Registration.objects.exclude(pk__in=known_ids).count()
        if unexpected:
            self.wrong.append(f"{unexpected} registrations without an attempt")
        return self.wrong

    def _check(self, attempt: RegistrationAttempt) -> None:
        rows = list(registrations_of(attempt))
        outcome = f"({attempt.outcome}, {attempt.statuses})"
        label = f"registration {attempt.email} for {attempt.number} {outcome}"
        if len(rows) > 1:
            self.wrong.append(f"{label}: doubled here, {[row.state for row in rows]}")
        if not rows:
            if attempt.outcome == ACCEPTED:
                self.wrong.append(f"{label}: lost")
            elif any(
                registrant["status"] != "meeting gone" for registrant in self._at_zoom(attempt)
            ):
                self.wrong.append(f"{label}: at Zoom but not here")
            self.counts[f"{attempt.outcome}, no row"] += 1
            return
        row = rows[0]
        self.counts[f"{attempt.outcome}, {row.state} {row.error_class}".strip()] += 1
        if attempt.account_id != self.accounts[attempt.site_id]:
            self._check_left(label, attempt, row)
            return
        if row.task and not (row.task == "add" and row.error_class == "personal_limit"):
            self.wrong.append(
                f"{label}: still to do: {row.task} at {row.task_at}, {row.state} {row.error_class}"
                f" {row.error_code} attempts {row.attempts}"
            )
            return
        self._check_states(label, attempt, row)

    def _check_left(self, label: str, attempt: RegistrationAttempt, row: Registration) -> None:
        """The Site has another account now: the row stays as it was, and waits for a return."""
        self.counts["of an account that the Site has left"] += 1
        if len(self._at_zoom(attempt)) > 1:
            self.wrong.append(f"{label}: doubled at Zoom")
        if row.task and row.error_class != "left":
            self.wrong.append(f"{label}: {row.task} does not wait for the account's return")
        if attempt.cancelled and row.state not in ("cancelled", "denied", "failed"):
            self.wrong.append(f"{label}: the person cancelled, and it is {row.state}")

    def _check_states(self, label: str, attempt: RegistrationAttempt, row: Registration) -> None:
        registrants = self._at_zoom(attempt)
        if len(registrants) > 1:
            self.wrong.append(f"{label}: doubled at Zoom")
        status = registrants[0]["status"] if registrants else ""
        if (row.state, status) == ("denied", "cancelled"):
            # No place either way: Zoom does not report what happens to a denied registrant later.
            status = "denied"
        if (row.state, status) == ("cancelled", "denied") and row.cancelled_at is None:
            # Denied at Zoom, which was not reported, and then cancelled here: the worker has read
            # the denial, and leaves it in place so that registering again does not undo it.
            self.counts["cancelled here after a denial at Zoom that was not reported"] += 1
            status = "cancelled"
        if attempt.cancelled and row.state not in ("cancelled", "denied", "failed"):
            self.wrong.append(f"{label}: the person cancelled, and it is {row.state}")
        if status == "meeting gone":
            self.counts["their meeting is gone at Zoom"] += 1
        elif row.state == "cancelled" and status and self._closed(attempt.number):
            # Cancelled while the meeting was deleted; it was recovered without registration, and
            # Zoom accepts no cancellation until registration is switched on again.
            self.counts["cancelled, and registration is switched off at Zoom"] += 1
        elif (
            row.state in FINAL_STATES
            and status != row.state
            and self._closed(attempt.number)
            and not self._was_reported(attempt)
        ):
            # The last event about the person was lost, and then registration was switched off: Zoom
            # lists nobody until it is switched on again.
            self.counts["changed unreported, and registration is switched off at Zoom"] += 1
        elif (
            row.state in FINAL_STATES
            and status != row.state
            and not (row.state == "cancelled" and not status)
        ):
            self.wrong.append(f"{label}: {row.state} here and {status or 'unknown'} at Zoom")
        elif row.state == "failed" and status and row.maybe_sent and self._closed(attempt.number):
            # The response was lost, and then registration was switched off at Zoom; the result is
            # fetched when it is switched on again.
            self.counts["no answer came before registration was switched off at Zoom"] += 1
        elif row.state == "failed" and status in ("approved", "pending"):
            self.wrong.append(f"{label}: failed here ({row.error_class}) and {status} at Zoom")
        elif row.state not in FINAL_STATES | {"failed"} and not row.task:
            self.wrong.append(f"{label}: {row.state} with nothing left to do")
        if not row.mails and row.state in ("approved", "pending", "failed"):
            self.wrong.append(f"{label}: no email")

    def _closed(self, number: str) -> bool:
        return self.zoom.meeting(int(number))["settings"].get("approval_type") not in (0, 1)

    def _was_reported(self, attempt: RegistrationAttempt) -> bool:
        """Whether the last event about this person was delivered."""
        states = [
            message["state"]
            for message in self._deliveries
            if "registration_" in message["event"]
            and str(message["body"]["payload"]["object"]["id"]) == attempt.number
            and message["body"]["payload"]["object"]["registrant"]["email"] == attempt.email
        ]
        return bool(states) and states[-1] == "delivered"

    @cached_property
    def _deliveries(self) -> list[dict[str, Any]]:
        """All webhook deliveries, oldest first; a repeated one counts once more."""
        return self.zoom.deliveries(limit=100_000)

    def _at_zoom(self, attempt: RegistrationAttempt) -> list[dict[str, Any]]:
        if attempt.number not in self._people:
            people: dict[str, list[dict[str, Any]]] = defaultdict(list)
            try:
                is_deleted = self.zoom.meeting(int(attempt.number))["state"] != "active"
                for registrant in self.zoom.registrants(int(attempt.number)):
                    people[registrant["email"]].append(registrant)
            except ValueError:
                is_deleted = True
            if is_deleted:
                people = defaultdict(lambda: [{"status": "meeting gone"}])
            self._people[attempt.number] = people
        return self._people[attempt.number][attempt.email]
