"""Errors of the Zoom API and of the control API."""

from __future__ import annotations

from typing import Any

WEBINAR_PLAN_MISSING = (
    "Webinar plan is missing. Enable webinar for this user once the plan is there."
)


class Problem(Exception):
    """A REST error: HTTP status, Zoom's own code and its English text."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        fields: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            body["errors"] = self.fields
        return body


class ControlError(Exception):
    """A request to the control API that cannot be carried out; answered with 400."""


def invalid(field: str, message: str) -> Problem:
    """Return the validation error 400/300 for one field."""
    return Problem(400, 300, "Validation Failed.", fields=[{"field": field, "message": message}])


def no_user(identifier: str) -> Problem:
    """Return 404/1001."""
    return Problem(404, 1001, f"User does not exist: {identifier}.")


def no_meeting(identifier: object) -> Problem:
    """Return 404/3001, which also covers expired, foreign and unreachable meetings."""
    return Problem(404, 3001, f"Meeting does not exist: {identifier}.")


def no_endpoint() -> Problem:
    """Return 404/2300: no call has this path and method."""
    return Problem(404, 2300, "This API endpoint is not recognized.")


def no_recording() -> Problem:
    """Return 404/3301: no recording, or still processing."""
    return Problem(404, 3301, "This recording does not exist.")
