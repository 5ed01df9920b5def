"""What of a message from Zoom may be stored: cleaned, without secrets, without personal data."""

from __future__ import annotations

import json
import re
from typing import Any

from ..conf import settings
from .crypto import blind_index

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")

VOLATILE = frozenset(
    {
        "download_url",
        "download_token",
        "download_access_token",
        "play_url",
        "share_url",
        "password",
        "passcode",
        "recording_play_passcode",
    }
)
"""Members that differ between twins of one event; they say nothing about its identity."""

SECRET = VOLATILE | {
    "join_url",
    "start_url",
    "registration_url",
    "chat_join_url",
    "encrypted_password",
    "encrypted_passcode",
    "pstn_password",
    "h323_password",
    "h323_passcode",
    "host_key",
    "participant_pin_code",
    "signature",
}
PERSONAL = frozenset(
    {
        "operator",
        "host_email",
        "email",
        "owner_email",
        "participant_audio_files",
        "authentication_exception",
        "alternative_hosts",
        "tracking_fields",
    }
)
REGISTRANT_KEPT = frozenset({"id", "status"})
"""All that is kept of a registrant: enough to find the sign-up it belongs to."""


def may_be_unstorable(text: str) -> bool:
    """Whether decoding this JSON can give anything that ``clean`` replaces.

    In JSON that was UTF-8 such letters stand as escapes only.
    """
    return _ESCAPED.search(text) is not None


def clean(value: Any) -> Any:
    """Replace what a database cannot hold (U+0000, lone surrogates) in keys and values."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def redact(value: Any) -> Any:
    """The part of a payload that may be stored."""
    if isinstance(value, list):
        return [redact(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key == "registrant" and isinstance(item, dict):  # guard: payload-registrant-reduced
            kept[key] = {name: item[name] for name in REGISTRANT_KEPT if name in item}
        elif (
            key not in SECRET  # guard: payload-secrets-dropped
            and key not in PERSONAL  # guard: payload-personal-data-dropped
        ):
            kept[key] = redact(item)
    return kept


def _stable(value: Any) -> Any:
    if isinstance(value, list):
        return [_stable(item) for item in value]
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items() if key not in VOLATILE}
    return value


def content_key(body: dict[str, Any]) -> str:
    """Identity of an event by what it says, for when the request id is missing.

    The request id is not signed, so both keys are unique: neither a changed id nor a changed
    download token makes a second event of one. Keyed, because it covers what is not stored: most
    of the message stands beside it in the row, and with a copy of the database addresses and names
    could else be tried out until the digest fits. The oldest key is used, so that adding a newer
    one doubles no event; where that one is taken away, a repetition costs one more read.
    """
    text = json.dumps(_stable(body), sort_keys=True, separators=(",", ":"))
    return blind_index(text, "message", key=settings.encryption_keys[-1])
