"""Maps Zoom's payload of a user to the few fields of the directory. No email is stored."""

from __future__ import annotations

from typing import Any

from .parsing import parse_id, parse_int, parse_timezone, single_line


def map_user(payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """``(id, fields)`` of one user.

    Raises:
        InvalidItem: the id is missing (pending users have none in lists).
    """
    first_name = single_line(payload.get("first_name"), 120)
    last_name = single_line(payload.get("last_name"), 120)
    user_type = parse_int(payload.get("type"))
    return parse_id(payload.get("id")), {
        "display_name": single_line(payload.get("display_name"), 255)
        or f"{first_name} {last_name}".strip(),
        "user_type": user_type if user_type in (1, 2, 4, 99) else 0,
        "status": single_line(payload.get("status"), 20),
        "timezone": parse_timezone(payload.get("timezone")),
    }
