"""Checks and encodes Zoom IDs for URL paths."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..exceptions import ZoomRejected

_ID = re.compile(r"[A-Za-z0-9_@.+/=:-]{1,100}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def meeting_number(value: object) -> str:
    """A meeting or webinar number.

    Raises:
        ZoomRejected: it is not a meeting number; nothing is sent.
    """
    text = str(value)
    if not _NUMBER.fullmatch(text):
        raise ZoomRejected("That is not a meeting number.")
    return text


def path_segment(value: object) -> str:
    """An ID as one path segment. A UUID that begins with ``/`` or contains ``//`` is encoded twice
    (Zoom: "Using Zoom APIs"), others once.

    Raises:
        ZoomRejected: it is not a Zoom ID; nothing is sent.
    """
    text = str(value)
    if not _ID.fullmatch(text) or text in (".", ".."):  # guard: id-checked-before-sending
        raise ZoomRejected("That is not a Zoom ID.")
    encoded = quote(text, safe="")
    return (
        quote(encoded, safe="") if text.startswith("/") or "//" in text else encoded
    )  # guard: id-slashes-encoded-twice
