"""The message behind a line of the activity: who may see it, and what of it is covered."""

from __future__ import annotations

import json
from typing import Any

from ..models import Activity
from ..utils.redaction import redact

MASK = "••••"


def may_see(row: Activity, hosts: set[str]) -> bool:
    """Whether the message behind a line is about one of these hosts (Zoom's ids).

    A failed message is told to every Site of the account; what stands in it, only to those that
    show its host.
    """
    event = row.event
    if event is None or not isinstance(event.payload, dict):
        return False
    thing = _object(event.payload)
    return str(thing.get("host_id") or "") in hosts


def _object(payload: dict[str, Any]) -> dict[str, Any]:
    """The thing that a message is about."""
    inner = payload.get("payload") if isinstance(payload.get("payload"), dict) else payload
    thing = inner.get("object") if isinstance(inner, dict) else None
    return thing if isinstance(thing, dict) else {}


def raw(row: Activity) -> str:
    """What Zoom sent, cleaned once more, as indented text; empty when it is gone."""
    event = row.event
    if event is None or not event.payload:
        return ""
    body = {"event": event.event, "event_ts": event.event_ts, **_masked(redact(event.payload))}
    return json.dumps(body, indent=2, ensure_ascii=False)


def _masked(value: Any) -> Any:
    """Anything that still looks like an address or a name is covered."""
    hidden = ("email", "name", "first_name", "last_name", "phone", "address")
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {
            key: MASK if key in hidden or "email" in key else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, str) and "@" in value:
        return MASK
    return value
