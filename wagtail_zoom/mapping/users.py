"""Maps Zoom's payload of a user to the few fields of the directory. No email is stored."""

from __future__ import annotations

from typing import Any

from ..models.mirror import UserType
from ..utils.secret_text import KnownValues
from ..utils.text import without_secrets
from .parsing import parse_id, parse_int, parse_timezone, single_line


def map_user(payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """``(id, fields)`` of one user.

    Raises:
        InvalidItem: the id is missing (pending users have none in lists).
    """
    first_name = single_line(payload.get("first_name"), 120)
    last_name = single_line(payload.get("last_name"), 120)
    pmi = single_line(payload.get("pmi"), 20).replace(" ", "").replace("-", "")
    known_values = KnownValues.of(numbers=[pmi], passcodes=[payload.get("host_key")])
    name = single_line(payload.get("display_name"), 255) or f"{first_name} {last_name}".strip()
    shown_name = without_secrets(name, known_values)  # guard: known-values-cut-from-host
    user_type = parse_int(payload.get("type"))
    return parse_id(payload.get("id")), {
        "display_name": shown_name.strip(),
        "pmi": pmi if pmi.isdecimal() else "",
        "user_type": user_type if user_type in UserType.values else UserType.UNKNOWN.value,
        "status": single_line(payload.get("status"), 20),
        "timezone": parse_timezone(payload.get("timezone")),
    }
