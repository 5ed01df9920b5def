"""Changes of users and accounts, and the end of an installation."""

from __future__ import annotations

from typing import Any

from . import payloads
from .errors import ControlError
from .outbox import emit
from .storage import Doc
from .world import World

EDITABLE = ("first_name", "last_name", "display_name", "email", "type", "timezone", "dept")


def tell(world: World, user: Doc, what: str, payload: dict[str, Any], *, who: bool = True) -> None:
    """Queue ``user.<what>``; the owner of the account is the operator."""
    by = payloads.operator(world, {"account_id": user["account_id"]}) if who else {}
    event = f"user.{what}"
    emit(world, event, user["account_id"], {**by, **payload}, user_id=user["id"])


def create(world: World, account: Doc, facts: dict[str, Any]) -> Doc:
    """Add a user; ``status`` pending means that the invitation is still open."""
    first, last = str(facts.get("first_name", "New")), str(facts.get("last_name", "Person"))
    identity = world.ids.opaque()
    doc = {
        "id": identity,
        "account_id": account["id"],
        "email": str(facts.get("email") or f"user-{identity.lower()}@example.org"),
        "first_name": first,
        "last_name": last,
        "display_name": str(facts.get("display_name") or f"{first} {last}".strip()),
        "type": int(facts.get("type", 1 if account["plan"] == "free" else 2)),
        "status": str(facts.get("status", "active")),
        "timezone": str(facts.get("timezone", "Europe/Berlin")),
        "role_id": str(facts.get("role_id", "2")),
        "pmi": world.ids.personal_number(),
    }
    if "key" in facts:
        doc["key"] = str(facts["key"])
    world.store.put("users", doc)
    how = facts.get("creation_type", "create")
    tell(world, doc, "created", {"creation_type": how, "object": payloads.person(doc)})
    return doc


def change(world: World, doc: Doc, facts: dict[str, Any]) -> Doc:
    """Edit a user; ``status`` inactive deactivates, active activates or accepts the invitation."""
    old = {name: doc[name] for name in EDITABLE if name in facts and name in doc}
    doc.update({name: facts[name] for name in EDITABLE if name in facts})
    new = {name: doc[name] for name in EDITABLE if name in facts and old.get(name) != doc[name]}
    was, status = doc["status"], str(facts.get("status", doc["status"]))
    if status not in ("active", "inactive", "pending"):
        raise ControlError("status is active, inactive or pending")
    doc["status"] = status
    world.store.put("users", doc)
    if new:
        number, now = {"id": doc["id"]}, int(world.clock.time() * 1000)
        changed = {name: value for name, value in old.items() if name in new}
        payload = {"object": {**number, **new}, "old_object": {**number, **changed}}
        tell(world, doc, "updated", {**payload, "time_stamp": now})
    if status != was and status == "active":
        accepted = was == "pending"
        what = "invitation_accepted" if accepted else "activated"
        tell(world, doc, what, {"object": payloads.person(doc)}, who=not accepted)
    elif status != was and status == "inactive":
        end_grants(world, doc)
        tell(world, doc, "deactivated", {"object": payloads.person(doc)})
    return doc


def remove(world: World, doc: Doc, *, transfer_to: Doc | None, disassociate: bool = False) -> None:
    """Delete a user or unlink it from the account; what it hosts goes to another user or ends."""
    for table in ("meetings", "recordings"):
        mine = world.store.find(table, "host_id = ?", doc["id"])
        for thing in mine:
            if transfer_to is not None:
                thing["host_id"] = transfer_to["id"]
            else:
                thing["state"] = "deleted"
        if mine:
            world.store.put(table, *mine)
    # The event first: a user-managed app would lose it together with its grant.
    what = "disassociated" if disassociate else "deleted"
    tell(world, doc, what, {"object": payloads.person(doc)})
    end_grants(world, doc)
    world.store.delete("users", "id = ?", doc["id"])


def end_grants(world: World, user: Doc) -> None:
    """The tokens of somebody who left are dead (4735)."""
    for grant in world.store.find("grants", "user_id = ?", user["id"]):
        world.store.delete("tokens", "grant_id = ?", grant["id"])
        world.store.delete("grants", "id = ?", grant["id"])


def change_account(world: World, doc: Doc, facts: dict[str, Any]) -> Doc:
    """Change ``name``, ``settings``, ``plan``, ``webinars`` or ``daily_limits`` of an account."""
    names = ("name", "settings", "plan", "webinars", "daily_limits")
    before = world.copy(doc)
    doc.update({name: facts[name] for name in names if name in facts})
    world.store.put("accounts", doc)
    pairs = (("name", "updated", "account_name"), ("settings", "settings_updated", "settings"))
    for name, what, member in pairs:
        if before.get(name) == doc.get(name):
            continue
        number = {"id": doc["id"]}
        payload = {
            **payloads.operator(world, {"account_id": doc["id"]}),
            "object": {**number, member: doc[name]},
            "old_object": {**number, member: before.get(name, {})},
        }
        emit(world, f"account.{what}", doc["id"], payload)
    return doc


def deauthorize(world: World, grants: list[Doc]) -> int:
    """Uninstall the app; published apps hear of it (5.7). Returns how many installations ended."""
    for grant in grants:
        world.store.delete("tokens", "grant_id = ?", grant["id"])
        world.store.delete("grants", "id = ?", grant["id"])
        if not world.options.published:
            continue
        now = world.clock.time()
        payload = {
            "user_id": grant["user_id"],
            "client_id": grant["client_id"],
            "deauthorization_time": world.clock.stamp(),
            "signature": world.ids.opaque(64),
            "event_ts": int(now * 1000),
        }
        emit(world, "app_deauthorized", grant["account_id"], payload, always=True)
    return len(grants)
