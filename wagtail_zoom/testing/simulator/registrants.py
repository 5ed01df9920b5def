"""Look-up of registrants, and the occurrences that a person registered for."""

from __future__ import annotations

from .content import SERIES
from .storage import Doc
from .world import World


def key(item: Doc) -> tuple[str, str]:
    """``(target, object_id)`` of the registrants of a meeting, webinar or recording."""
    return ("recording" if "files" in item else item["kind"]), str(item["id"])


def find(world: World, item: Doc, identifier: str) -> Doc | None:
    """The registrant of a meeting, webinar or recording by id or email."""
    where = "target = ? AND object_id = ? AND (id = ? OR email = ?)"
    return world.store.first("registrants", where, *key(item), identifier, identifier.lower())


def listed_status(args: dict[str, str]) -> str:
    """The status of the registrants to list; an unknown one is ignored."""
    status = args.get("status", "")
    return status if status in ("pending", "denied") else "approved"


def chosen(item: Doc, dates: list[str]) -> dict[str, list[Doc]]:
    """``occurrences`` that a person registered for; absent for single meetings."""
    if item["type"] not in SERIES:
        return {}
    selected = [date for date in item["occurrences"] if not dates or date["occurrence_id"] in dates]
    return {"occurrences": sorted(selected, key=lambda date: date["start_time"])}
