"""Reads calendar files with ``vobject``, which is independent of the library that writes them."""

from __future__ import annotations

from typing import Any

import vobject


def read_with_vobject(text: str) -> Any:
    """The VCALENDAR, with the zones of this file only: vobject keeps those that it has read."""
    vars(vobject.icalendar)["__tzidMap"].clear()
    return vobject.readOne(text)
