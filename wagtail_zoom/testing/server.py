"""Starts the simulated Zoom as a process of its own and speaks to its control API."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any
from urllib.parse import quote, urlencode

import requests


def _twice(thing: int | str) -> str:
    """A UUID in a path: encoded twice, else a slash in it would be one of the path."""
    return quote(quote(str(thing), safe=""), safe="")


class SimulatorControl:
    """The control API of a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, target: str, /, **facts: Any) -> dict[str, Any]:
        """Send a control request; an error of the simulator is raised with its own words.

        Raises:
            ValueError: the simulator refused the request.
        """
        response = self.session.request(
            method, f"{self.url}/_sim/{target}", json=facts or None, timeout=60
        )
        if response.status_code == 400:
            raise ValueError(response.json()["error"])
        response.raise_for_status()
        return response.json()

    def state(self) -> dict[str, Any]:
        """Accounts, users, counts, clock, options and faults."""
        return self.call("GET", "state")

    def reset(self, **facts: Any) -> dict[str, Any]:
        """Start the world anew."""
        return self.call("POST", "reset", **facts)

    def options(self, **changes: Any) -> dict[str, Any]:
        """Change options."""
        return self.call("POST", "options", **changes)

    def create_meeting(self, host: str, **facts: Any) -> dict[str, Any]:
        """Create a meeting or webinar of a host (id, e-mail or key such as ``aurora-0``)."""
        return self.call("POST", "meetings", host=host, **facts)

    def change_meeting(self, number: int, **facts: Any) -> dict[str, Any]:
        """Move, rename or otherwise change a meeting or one date of it."""
        return self.call("PATCH", f"meetings/{number}", **facts)

    def delete_meeting(
        self, number: int, occurrence_id: str = "", *, permanent: bool = False
    ) -> dict[str, Any]:
        """Delete a meeting (``permanent``: it cannot be recovered), or cancel one date of it."""
        query = {"occurrence_id": occurrence_id, "permanent": "1" if permanent else ""}
        suffix = urlencode({name: value for name, value in query.items() if value})
        return self.call("DELETE", f"meetings/{number}?{suffix}")

    def recover_meeting(self, number: int, occurrence_id: str = "") -> dict[str, Any]:
        """Bring back a deleted meeting, or one cancelled date of it."""
        return self.call("POST", f"meetings/{number}/recover", occurrence_id=occurrence_id)

    def meeting(self, number: int) -> dict[str, Any]:
        """A meeting or webinar as the simulator keeps it."""
        return self.call("GET", f"meetings/{number}")

    def meetings(self, account: str = "") -> list[dict[str, Any]]:
        """All meetings and webinars, also deleted ones; of one account (key or id) if given."""
        return self.call("GET", f"meetings?account={account}")["meetings"]

    def start_meeting(self, number: int) -> dict[str, Any]:
        """Open the room."""
        return self.call("POST", f"meetings/{number}/start")

    def end_meeting(self, number: int, *, practice: bool = False) -> dict[str, Any]:
        """Close the room; ``practice``: only the rehearsal of a webinar is over."""
        return self.call("POST", f"meetings/{number}/end", practice=practice)

    def record_meeting(self, number: int, what: str) -> dict[str, Any]:
        """Press record (``start``) or ``stop`` in a running meeting."""
        return self.call("POST", f"meetings/{number}/recording/{what}")

    def create_recording(self, host: str = "", **facts: Any) -> dict[str, Any]:
        """Finish a recording of a host, or of a ``meeting`` (its number)."""
        return self.call("POST", "recordings", host=host, **facts)

    def recordings(self, account: str = "") -> list[dict[str, Any]]:
        """All recordings, whatever their state; of one account (key or id) if given."""
        return self.call("GET", f"recordings?account={account}")["recordings"]

    def change_recording(self, uuid: str, **facts: Any) -> dict[str, Any]:
        """Rename (``topic``), make ready (``processing=False``), add the ``transcript``, ..."""
        return self.call("PATCH", "recordings", uuid=uuid, **facts)["recordings"][0]

    def delete_recordings(self, *uuids: str, permanent: bool = False) -> None:
        """Move recordings to the trash, or delete them for good."""
        self.call("DELETE", "recordings", uuids=uuids, permanent=permanent)

    def recover_recordings(self, *uuids: str) -> None:
        """Bring recordings back from the trash."""
        self.call("PATCH", "recordings", uuids=uuids, action="recover")

    def registrants(self, thing: int | str) -> list[dict[str, Any]]:
        """Everybody who ever registered, also the cancelled; a number, or a recording's UUID."""
        return self.call("GET", f"registrants/{_twice(thing)}")["registrants"]

    def register(self, thing: int | str, **facts: Any) -> dict[str, Any]:
        """Register somebody as on Zoom's own page (``occurrence_ids`` a list)."""
        return self.call("POST", f"registrants/{_twice(thing)}", **facts)

    def decide(
        self, thing: int | str, registrant: str, action: str, occurrence_id: str = ""
    ) -> dict[str, Any]:
        """Let the host ``approve``, ``deny`` or ``cancel`` a registrant (id or e-mail)."""
        target = f"registrants/{_twice(thing)}/{registrant}/{action}"
        return self.call("POST", target, occurrence_id=occurrence_id)

    def create_user(self, account: str, **facts: Any) -> dict[str, Any]:
        """Add a user to an account (key or id)."""
        return self.call("POST", "users", account=account, **facts)

    def users(self, account: str = "") -> list[dict[str, Any]]:
        """All users; of one account (key or id) if given."""
        return self.call("GET", f"users?account={account}")["users"]

    def change_user(self, ref: str, **facts: Any) -> dict[str, Any]:
        """Edit a user (id, e-mail or key); ``status`` active or inactive."""
        return self.call("PATCH", f"users/{ref}", **facts)

    def delete_user(self, ref: str, **facts: Any) -> dict[str, Any]:
        """Delete a user; ``transfer_to`` another one, ``disassociate=True`` only unlinks it."""
        return self.call("DELETE", f"users/{ref}", **facts)

    def change_account(self, ref: str, **facts: Any) -> dict[str, Any]:
        """Change ``name``, ``settings``, ``plan``, ``webinars`` or ``daily_limits``."""
        return self.call("PATCH", f"accounts/{ref}", **facts)

    def deauthorize(self, account: str = "", user: str = "") -> int:
        """Uninstall the app for an account, or for one user; returns how many grants ended."""
        facts = {"user": user} if user else {"account": account}
        return self.call("POST", "deauthorize", **facts)["ended"]

    def deliveries(self, **wanted: Any) -> list[dict[str, Any]]:
        """Every webhook attempt, and what waits for its first; filters by ``event``, ``state``,
        ``status``, ``account_id``, ``request_id``; ``limit`` counts events (default 1000).
        """
        return self.call("GET", f"deliveries?{urlencode(wanted)}")["deliveries"]

    def retry_deliveries(self, **facts: Any) -> bool:
        """Send what is due and wait until it is out; ``all=True``: also what waits for its retry;
        ``event_id``: that event once more. False when it took longer than ``seconds`` (30).
        """
        return self.call("POST", "deliveries/retry", **facts)["done"]

    def send_event(self, message: dict[str, Any], account: str = "") -> dict[str, Any]:
        """Send a message as it is, whether or not Zoom knows its like."""
        facts = {"account": account} if account else {}
        return self.call("POST", "events", message=message, **facts)

    def validate_webhook(self) -> dict[str, Any]:
        """Send the challenge to the webhook URL; ``valid`` tells whether the answer was right."""
        return self.call("POST", "validate")

    def bulk(self, host: str, **facts: Any) -> dict[str, Any]:
        """Create many meetings or recordings at once."""
        return self.call("POST", "bulk", host=host, **facts)

    def fault(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Switch a fault on."""
        return self.call("POST", "faults", kind=kind, **facts)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.call("DELETE", "faults")

    def advance(self, span: float | str) -> dict[str, Any]:
        """Let time pass: seconds, or a text such as ``3d``."""
        return self.call("POST", "clock", advance=span)

    def calls(self, query: str = "") -> list[dict[str, Any]]:
        """The calls that reached the simulator; ``query`` such as ``path=/v2/users``."""
        return self.call("GET", f"calls?{query}")["calls"]

    def forget_calls(self) -> None:
        """Start counting calls anew."""
        self.call("DELETE", "calls")


class SimulatorProcess:
    """A simulator in a process of its own, on a free port of this machine."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "wagtail_zoom.testing.simulator", "--port", "0"]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *arguments], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline() if self.process.stdout else ""
        found = re.search(r"http://\S+", line)
        if found is None:
            self.stop()
            raise RuntimeError("The simulator did not start.")
        self.url = found[0]
        self.client = SimulatorControl(self.url)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
