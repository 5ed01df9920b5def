"""Reduces webhook events to the data that may be stored: no secrets, no personal data."""

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
"""Members that differ between copies of one event; they are not part of its identity."""

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
    "dynamic_host_key",
    "encrypted_pstn_password",
    "host_key",
    "zak",
    "participant_pin_code",
    "signature",
    "summary_doc_url",
}
WRITTEN = frozenset(
    {
        "topic",
        "agenda",
        "display_name",
        "meeting_topic",
        "summary_title",
        "summary_content",
        "summary_overview",
        "summary_details",
        "next_steps",
        "edited_summary",
    }
)
"""Texts that people write, often with the passcode. Nothing needs them: the object is read."""
PERSONAL = frozenset(
    {
        "operator",
        "host_email",
        "email",
        "owner_email",
        "meeting_host_email",
        "summary_last_modified_user_email",
        "participant_audio_files",
        "authentication_exception",
        "alternative_hosts",
        "tracking_fields",
        "participant",
        "participants",
    }
)
PERSONAL_ENDS = ("email", "emails", "with_users")
"""Ends of further members that hold addresses of anybody: ``user_email``, ``share_with_users``."""
REGISTRANT_FIELDS = frozenset({"id", "status"})
"""Stored fields of a registrant: enough to find the registration it belongs to."""


def may_be_unstorable(text: str) -> bool:
    """Whether decoding this JSON can give any character that ``clean`` replaces.

    In JSON encoded as UTF-8 such characters are escaped.
    """
    return _ESCAPED.search(text) is not None


def clean(value: Any) -> Any:
    """Replace characters that no database stores (U+0000, lone surrogates), also in keys."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def is_deeper_than(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper; without recursion, which has a limit itself."""
    level = [value]
    for _number in range(levels + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return False
        level = [
            child
            for item in containers
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return True


def redact(value: Any) -> Any:
    """The part of a payload that may be stored."""
    if isinstance(value, list):
        return [redact(item) for item in value]
    if not isinstance(value, dict):
        return value
    stored: dict[str, Any] = {}
    for key, item in value.items():
        if key == "registrant" and isinstance(item, dict):  # guard: payload-registrant-reduced
            stored[key] = {name: item[name] for name in REGISTRANT_FIELDS if name in item}
        elif (
            key not in SECRET  # guard: payload-secrets-dropped
            and key not in PERSONAL  # guard: payload-personal-data-dropped
            and not key.lower().endswith(PERSONAL_ENDS)  # guard: payload-addresses-dropped
            and key not in WRITTEN  # guard: payload-texts-dropped
        ):
            stored[key] = redact(item)
    return stored


def _without_volatile(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_volatile(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_volatile(item) for key, item in value.items() if key not in VOLATILE}
    return value


def content_key(body: dict[str, Any]) -> str:
    """Identity of an event by its content, for when the request ID is missing.

    The request ID is not signed, so both keys are unique: neither a changed ID nor a changed
    download token makes a second event of one. An HMAC, not a hash: the digest covers personal data
    that is not stored, and with a copy of the database that data could be brute-forced. The oldest
    key is used, so that adding a newer one duplicates no event; when the oldest key is removed, a
    repeated event costs one more read.
    """
    text = json.dumps(_without_volatile(body), sort_keys=True, separators=(",", ":"))
    return blind_index(text, "message", key=settings.encryption_keys[-1])
