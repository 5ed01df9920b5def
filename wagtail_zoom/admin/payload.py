"""The payload of a webhook event in the activity log: who may see it, and what is masked."""

from __future__ import annotations

import json
from typing import Any

from ..models import Activity
from ..utils.redaction import redact

MASK = "••••"


def can_view(row: Activity, host_ids: set[str]) -> bool:
    """Whether the event of a row is about one of these hosts (Zoom's ids).

    A failed event is listed on every Site of the account; its payload is shown only to Sites that
    show its host.
    """
    event = row.event
    if event is None or not isinstance(event.payload, dict):
        return False
    zoom_object = _event_object(event.payload)
    return str(zoom_object.get("host_id") or "") in host_ids


def _event_object(payload: dict[str, Any]) -> dict[str, Any]:
    """The Zoom object that an event is about."""
    inner = payload.get("payload") if isinstance(payload.get("payload"), dict) else payload
    zoom_object = inner.get("object") if isinstance(inner, dict) else None
    return zoom_object if isinstance(zoom_object, dict) else {}


def formatted_payload(row: Activity) -> str:
    """The redacted payload as indented JSON; empty when it was deleted."""
    event = row.event
    if event is None or not event.payload:
        return ""
    body = {"event": event.event, "event_ts": event.event_ts, **_masked(redact(event.payload))}
    return json.dumps(body, indent=2, ensure_ascii=False)


def _masked(value: Any) -> Any:
    """The payload with everything that looks like an email address or a name masked."""
    masked_keys = ("email", "name", "first_name", "last_name", "phone", "address")
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {
            key: MASK if key in masked_keys or "email" in key else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, str) and "@" in value:
        return MASK
    return value
