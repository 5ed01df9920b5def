"""Zoom users: payload → the few fields of the directory. No e-mail address is kept."""

from __future__ import annotations

from typing import Any

from .parsing import identifier, line, whole, zone


def map_user(payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """``(id, fields)`` of one user.

    Raises:
        BadItem: the id is missing (pending users have none in lists).
    """
    names = f"{line(payload.get('first_name'), 120)} {line(payload.get('last_name'), 120)}".strip()
    kind = whole(payload.get("type"))
    return identifier(payload.get("id")), {
        "display_name": line(payload.get("display_name"), 255) or names,
        "user_type": kind if kind in (1, 2, 4, 99) else 0,
        "status": line(payload.get("status"), 20),
        "timezone": zone(payload.get("timezone")),
    }
