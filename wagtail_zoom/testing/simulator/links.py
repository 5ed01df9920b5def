"""URLs for visitors: join, registration and personal links."""

from __future__ import annotations

from .storage import Doc
from .world import World


def join_url(world: World, doc: Doc) -> str:
    """The public join URL; contains the passcode, as in Zoom's default account setting."""
    path = "w" if doc["kind"] == "webinar" else "j"
    suffix = f"?pwd={doc['password']}" if doc["password"] else ""
    return f"{world.base_url}/{path}/{doc.get('pmi') or doc['id']}{suffix}"


def registration_url(world: World, doc: Doc) -> str:
    """URL of Zoom's own registration page; empty while registration is off."""
    if doc["settings"].get("approval_type") not in (0, 1):
        return ""
    return f"{world.base_url}/{doc['kind']}/register/{doc['id']}"


def personal_url(world: World, item: Doc, registrant: Doc) -> str:
    """The join URL of one registrant, which is secret."""
    base = item["share_url"] if "files" in item else join_url(world, item)
    return f"{base}{'&' if '?' in base else '?'}tk={registrant['token']}"
