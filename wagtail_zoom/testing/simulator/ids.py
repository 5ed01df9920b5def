"""Generates ids in Zoom's formats, repeatable for a given seed."""

from __future__ import annotations

import base64
import random
import secrets
import string

_LETTERS = string.ascii_letters + string.digits + "-_"
_PASSCODE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Ids:
    """Generates ids. With a seed the sequence repeats, without one it does not."""

    def __init__(self, seed: int | str | None = None) -> None:
        self.random = random.Random(seed)

    def random_id(self, length: int = 22) -> str:
        """Return an id of a user, account or registrant."""
        return "".join(self.random.choice(_LETTERS) for _ in range(length))

    def number(self) -> int:
        """Return an 11-digit meeting number."""
        return self.random.randrange(80_000_000_000, 99_999_999_999)

    def personal_number(self) -> int:
        """Return a 10-digit personal meeting number."""
        return self.random.randrange(2_000_000_000, 9_999_999_999)

    def uuid(self, start: str = "", infix: str = "") -> str:
        """Return an instance UUID: base64 of 16 bytes; may contain ``/``, ``+`` and ``=``.

        ``start="/"`` and ``infix="//"`` make UUIDs that need double encoding.
        """
        text = base64.b64encode(self.random.randbytes(16)).decode("ascii")
        text = start + text[len(start) :]
        if infix:
            text = text[:6] + infix + text[6 + len(infix) :]
        return text

    def passcode(self, length: int = 8) -> str:
        """Return a meeting passcode."""
        return "".join(self.random.choice(_PASSCODE) for _ in range(length))

    def file_id(self) -> str:
        """Return the id of a recording file (a plain UUID)."""
        raw = self.random.randbytes(16).hex()
        return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def secret(length: int = 480) -> str:
    """Return an unguessable token as long as Zoom's (never repeatable)."""
    return "eyJ" + secrets.token_urlsafe(length)
