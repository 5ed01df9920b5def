"""Starts the Zoom simulator as a process and calls its control API."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any
from urllib.parse import quote, urlencode

import requests


def _encode_twice(identifier: int | str) -> str:
    """Encode a UUID twice for use in a path; otherwise a slash in it would separate segments."""
    return quote(quote(str(identifier), safe=""), safe="")


class SimulatorControl:
    """The control API of a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, path: str, /, **fields: Any) -> dict[str, Any]:
        """Send a control request; an error is raised with the simulator's text.

        Raises:
            ValueError: the simulator refused the request.
        """
        response = self.session.request(
            method, f"{self.url}/_sim/{path}", json=fields or None, timeout=60
        )
        if response.status_code == 400:
            raise ValueError(response.json()["error"])
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def _rows(self, path: str, member: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.call("GET", path)[member]
        return rows

    def state(self) -> dict[str, Any]:
        """Accounts, users, counts, clock, options and faults."""
        return self.call("GET", "state")

    def reset(self, **fields: Any) -> dict[str, Any]:
        """Delete all data and seed it again."""
        return self.call("POST", "reset", **fields)

    def take_snapshot(self, name: str) -> None:
        """Store the present state under a name, until the process ends."""
        self.call("POST", f"snapshots/{name}")

    def restore_snapshot(self, name: str) -> None:
        """Return to that state: data, clock, options, faults and recorded calls."""
        self.call("POST", f"snapshots/{name}/restore")

    def options(self, **changes: Any) -> dict[str, Any]:
        """Change options."""
        return self.call("POST", "options", **changes)

    def create_meeting(self, host: str, **fields: Any) -> dict[str, Any]:
        """Create a meeting or webinar of a host (id, e-mail or key such as ``aurora-0``)."""
        return self.call("POST", "meetings", host=host, **fields)

    def change_meeting(self, number: int, **fields: Any) -> dict[str, Any]:
        """Change a meeting or one occurrence of it."""
        return self.call("PATCH", f"meetings/{number}", **fields)

    def delete_meeting(
        self, number: int, occurrence_id: str = "", *, permanent: bool = False
    ) -> dict[str, Any]:
        """Delete a meeting (``permanent``: cannot be recovered), or cancel one occurrence."""
        query = {"occurrence_id": occurrence_id, "permanent": "1" if permanent else ""}
        suffix = urlencode({name: value for name, value in query.items() if value})
        return self.call("DELETE", f"meetings/{number}?{suffix}")

    def recover_meeting(self, number: int, occurrence_id: str = "") -> dict[str, Any]:
        """Recover a deleted meeting, or one cancelled occurrence of it."""
        return self.call("POST", f"meetings/{number}/recover", occurrence_id=occurrence_id)

    def meeting(self, number: int) -> dict[str, Any]:
        """A meeting or webinar as the simulator stores it."""
        return self.call("GET", f"meetings/{number}")

    def meetings(self, account: str = "") -> list[dict[str, Any]]:
        """All meetings and webinars, including deleted ones; optionally of one account."""
        return self._rows(f"meetings?account={account}", "meetings")

    def start_meeting(self, number: int) -> dict[str, Any]:
        """Start a meeting."""
        return self.call("POST", f"meetings/{number}/start")

    def end_meeting(self, number: int, *, practice: bool = False) -> dict[str, Any]:
        """End a meeting; ``practice``: only the practice session of a webinar has ended."""
        return self.call("POST", f"meetings/{number}/end", practice=practice)

    def add_participants(
        self, number: int, *participants: dict[str, Any], strangers: int = 0, uuid: str = ""
    ) -> dict[str, Any]:
        """Who took part in the newest instance of a meeting, or in that with ``uuid``.

        Each row: ``registrant`` (id or email), or ``name`` and ``email`` of a guest; ``join`` and
        ``leave`` (seconds after the start, or such as ``5m``), ``status`` (``in_waiting_room``),
        ``late`` (seconds after the end until it is listed), ``known=False``: without the id.
        ``strangers``: so many guests more. The host is added when the meeting ends.
        """
        fields = {"participants": participants, "strangers": strangers, "uuid": uuid}
        return self.call("POST", f"meetings/{number}/participants", **fields)

    def record_meeting(self, number: int, what: str) -> dict[str, Any]:
        """Start (``start``) or stop (``stop``) recording in a running meeting."""
        return self.call("POST", f"meetings/{number}/recording/{what}")

    def create_recording(self, host: str = "", **fields: Any) -> dict[str, Any]:
        """Create a finished recording of a host, or of a ``meeting`` (its number)."""
        return self.call("POST", "recordings", host=host, **fields)

    def recordings(self, account: str = "") -> list[dict[str, Any]]:
        """All recordings in any state; optionally of one account (key or id)."""
        return self._rows(f"recordings?account={account}", "recordings")

    def change_recording(self, uuid: str, **fields: Any) -> dict[str, Any]:
        """Rename (``topic``), finish processing (``processing=False``), add ``transcript``, ..."""
        answer = self.call("PATCH", "recordings", uuid=uuid, **fields)
        return dict(answer["recordings"][0])

    def delete_recordings(self, *uuids: str, permanent: bool = False) -> None:
        """Move recordings to the trash, or delete them for good."""
        self.call("DELETE", "recordings", uuids=uuids, permanent=permanent)

    def recover_recordings(self, *uuids: str) -> None:
        """Recover recordings from the trash."""
        self.call("PATCH", "recordings", uuids=uuids, action="recover")

    def create_summary(self, host: str = "", **fields: Any) -> dict[str, Any]:
        """AI Companion writes a summary of an instance: ``uuid``, or the last of a ``meeting``."""
        return self.call("POST", "summaries", host=host, **fields)

    def summaries(self, account: str = "") -> list[dict[str, Any]]:
        """All summaries in any state; optionally of one account (key or id)."""
        return self._rows(f"summaries?account={account}", "summaries")

    def change_summary(self, uuid: str, **fields: Any) -> dict[str, Any]:
        """Edit a summary at Zoom (``edited_summary``, ``summary_content``), or ``share`` it."""
        return self.call("PATCH", "summaries", uuid=uuid, **fields)

    def delete_summary(self, uuid: str, *, permanent: bool = False) -> None:
        """Move a summary to the trash, or delete it for good."""
        self.call("PATCH", "summaries", uuid=uuid, action="delete" if permanent else "trash")

    def recover_summary(self, uuid: str) -> None:
        """Take a summary out of the trash."""
        self.call("PATCH", "summaries", uuid=uuid, action="recover")

    def registrants(self, item: int | str) -> list[dict[str, Any]]:
        """All registrants, including cancelled ones; ``item``: a number, or a recording's UUID."""
        return self._rows(f"registrants/{_encode_twice(item)}", "registrants")

    def register(self, item: int | str, **fields: Any) -> dict[str, Any]:
        """Register a person as Zoom's own page does (``occurrence_ids``: a list)."""
        return self.call("POST", f"registrants/{_encode_twice(item)}", **fields)

    def decide(
        self, item: int | str, registrant: str, action: str, occurrence_id: str = ""
    ) -> dict[str, Any]:
        """As the host, ``approve``, ``deny`` or ``cancel`` a registrant (id or email)."""
        target = f"registrants/{_encode_twice(item)}/{registrant}/{action}"
        return self.call("POST", target, occurrence_id=occurrence_id)

    def create_user(self, account: str, **fields: Any) -> dict[str, Any]:
        """Add a user to an account (key or id)."""
        return self.call("POST", "users", account=account, **fields)

    def users(self, account: str = "") -> list[dict[str, Any]]:
        """All users; of one account (key or id) if given."""
        return self._rows(f"users?account={account}", "users")

    def change_user(self, identifier: str, **fields: Any) -> dict[str, Any]:
        """Edit a user (id, email or key); ``status`` active or inactive.

        ``can_host=False``: Zoom refuses to schedule for them; ``meeting_defaults``: whether their
        meetings have a ``passcode`` and a ``waiting_room`` if the app sends neither.
        """
        return self.call("PATCH", f"users/{identifier}", **fields)

    def delete_user(self, identifier: str, **fields: Any) -> dict[str, Any]:
        """Delete a user; ``transfer_to``: another user, ``disassociate=True`` only unlinks it."""
        return self.call("DELETE", f"users/{identifier}", **fields)

    def change_account(self, identifier: str, **fields: Any) -> dict[str, Any]:
        """Change ``name``, ``settings``, ``plan``, ``webinars``, ``daily_limits``, ...

        ``security_policy`` is what every meeting must have: passcode, waiting_room or either;
        ``daily_limits={"SCHEDULE": 5}``: requests to create or change meetings a day and host.
        """
        return self.call("PATCH", f"accounts/{identifier}", **fields)

    def deauthorize(self, account: str = "", user: str = "") -> int:
        """Uninstall the app for an account, or for one user; returns how many grants ended."""
        fields = {"user": user} if user else {"account": account}
        return int(self.call("POST", "deauthorize", **fields)["ended"])

    def deliveries(self, **filters: Any) -> list[dict[str, Any]]:
        """Every delivery attempt, and events before their first; filters ``event``, ``state``,
        ``status``, ``account_id``, ``request_id``; ``limit`` counts events (default 1000).
        """
        return self._rows(f"deliveries?{urlencode(filters)}", "deliveries")

    def retry_deliveries(self, **fields: Any) -> bool:
        """Send due events and wait for them; ``all=True``: also those that wait for a retry;
        ``event_id``: send that event again. False when it took longer than ``seconds`` (30).
        """
        return bool(self.call("POST", "deliveries/retry", **fields)["finished"])

    def send_event(self, body: dict[str, Any], account: str = "") -> dict[str, Any]:
        """Send any webhook event body unchanged, even of an unknown event."""
        fields = {"account": account} if account else {}
        return self.call("POST", "events", body=body, **fields)

    def validate_webhook(self) -> dict[str, Any]:
        """Send the URL validation to the webhook URL; ``valid``: the response was correct."""
        return self.call("POST", "validate")

    def bulk(self, host: str, **fields: Any) -> dict[str, Any]:
        """Create many meetings or recordings at once."""
        return self.call("POST", "bulk", host=host, **fields)

    def fault(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Switch a fault on."""
        return self.call("POST", "faults", kind=kind, **fields)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.call("DELETE", "faults")

    def advance(self, span: float | str) -> dict[str, Any]:
        """Advance the clock: seconds, or a text such as ``3d``."""
        return self.call("POST", "clock", advance=span)

    def calls(self, query: str = "") -> list[dict[str, Any]]:
        """The calls that the simulator received; ``query`` such as ``path=/v2/users``."""
        return self._rows(f"calls?{query}", "calls")

    def clear_calls(self) -> None:
        """Delete the recorded calls."""
        self.call("DELETE", "calls")


class SimulatorProcess:
    """A simulator process on a free local port."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "wagtail_zoom.testing.simulator", "--port", "0"]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *arguments], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline() if self.process.stdout else ""
        match = re.search(r"http://\S+", line)
        if match is None:
            self.stop()
            raise RuntimeError("The simulator did not start.")
        self.url = match[0]
        self.client = SimulatorControl(self.url)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
