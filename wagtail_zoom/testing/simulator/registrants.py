"""Registrants as they are filed, and the dates that one registered for."""

from __future__ import annotations

from .content import SERIES
from .storage import Doc
from .world import World


def key(thing: Doc) -> tuple[str, str]:
    """What registrants of a meeting, webinar or recording are filed under."""
    return ("recording" if "files" in thing else thing["kind"]), str(thing["id"])


def find(world: World, thing: Doc, ref: str) -> Doc | None:
    """The registrant of a thing by id or e-mail."""
    where = "target = ? AND object_id = ? AND (id = ? OR email = ?)"
    return world.store.first("registrants", where, *key(thing), ref, ref.lower())


def chosen(thing: Doc, dates: list[str]) -> dict[str, list[Doc]]:
    """``occurrences``: the dates a person registered for; absent for single meetings."""
    if thing["type"] not in SERIES:
        return {}
    found = [date for date in thing["occurrences"] if not dates or date["occurrence_id"] in dates]
    return {"occurrences": sorted(found, key=lambda date: date["start_time"])}
