"""Ids of Zoom's in paths: checked and encoded in one place."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..exceptions import ZoomRejected

_ID = re.compile(r"[A-Za-z0-9_@.+/=:-]{1,100}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def number(value: object) -> str:
    """A meeting or webinar number.

    Raises:
        ZoomRejected: it is none; nothing is sent.
    """
    text = str(value)
    if not _NUMBER.fullmatch(text):
        raise ZoomRejected("That is no meeting number.")
    return text


def segment(value: object) -> str:
    """An id as one path segment. A UUID that begins with ``/`` or holds ``//`` is encoded twice
    (Zoom: "Using Zoom APIs"), others once.

    Raises:
        ZoomRejected: it is no id of Zoom's; nothing is sent.
    """
    text = str(value)
    if not _ID.fullmatch(text) or text in (".", ".."):  # guard: id-checked-before-sending
        raise ZoomRejected("That is no id of Zoom's.")
    once = quote(text, safe="")
    return (
        quote(once, safe="") if text.startswith("/") or "//" in text else once
    )  # guard: id-slashes-encoded-twice
