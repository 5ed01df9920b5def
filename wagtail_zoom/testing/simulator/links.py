"""The links that people follow (section 7 of the reference tells who may see which)."""

from __future__ import annotations

from .storage import Doc
from .world import World


def join_url(world: World, doc: Doc) -> str:
    """The public link; carries the passcode, as the usual account setting has it."""
    room = "w" if doc["kind"] == "webinar" else "j"
    suffix = f"?pwd={doc['password']}" if doc["password"] else ""
    return f"{world.base_url}/{room}/{doc.get('pmi') or doc['id']}{suffix}"


def registration_url(world: World, doc: Doc) -> str:
    """Zoom's own registration page; empty while registration is off."""
    if doc["settings"].get("approval_type") not in (0, 1):
        return ""
    return f"{world.base_url}/{doc['kind']}/register/{doc['id']}"


def personal_url(world: World, thing: Doc, registrant: Doc) -> str:
    """The link that only this registrant may see."""
    base = thing["share_url"] if "files" in thing else join_url(world, thing)
    return f"{base}{'&' if '?' in base else '?'}tk={registrant['token']}"
