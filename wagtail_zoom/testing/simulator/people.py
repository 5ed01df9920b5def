"""Changes of users and accounts, and deauthorisation of the app."""

from __future__ import annotations

from typing import Any

from . import payloads
from .errors import ControlError
from .outbox import emit
from .storage import Doc
from .world import World

EDITABLE = ("first_name", "last_name", "display_name", "email", "type", "timezone", "dept")
WITHOUT_EVENT = ("can_host", "meeting_defaults", "templates")
"""Whether the user may host, the default ``passcode`` and ``waiting_room`` of their meetings, and
their templates; no event is known for a change."""


def queue_event(
    world: World, user: Doc, what: str, payload: dict[str, Any], *, with_operator: bool = True
) -> None:
    """Queue ``user.<what>``; the owner of the account is the operator."""
    operator = payloads.operator(world, {"account_id": user["account_id"]}) if with_operator else {}
    event = f"user.{what}"
    emit(world, event, user["account_id"], {**operator, **payload}, user_id=user["id"])


def create(world: World, account: Doc, fields: dict[str, Any]) -> Doc:
    """Add a user; ``status`` pending: the invitation is still open."""
    first, last = str(fields.get("first_name", "New")), str(fields.get("last_name", "Person"))
    identity = world.ids.random_id()
    doc = {
        "id": identity,
        "account_id": account["id"],
        "email": str(fields.get("email") or f"user-{identity.lower()}@example.org"),
        "first_name": first,
        "last_name": last,
        "display_name": str(fields.get("display_name") or f"{first} {last}".strip()),
        "type": int(fields.get("type", 1 if account["plan"] == "free" else 2)),
        "status": str(fields.get("status", "active")),
        "timezone": str(fields.get("timezone", "Europe/Berlin")),
        "role_id": str(fields.get("role_id", "2")),
        "pmi": world.ids.personal_number(),
    }
    if "key" in fields:
        doc["key"] = str(fields["key"])
    doc.update({name: fields[name] for name in WITHOUT_EVENT if name in fields})
    world.store.put("users", doc)
    how = fields.get("creation_type", "create")
    queue_event(world, doc, "created", {"creation_type": how, "object": payloads.person(doc)})
    return doc


def change(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Edit a user; ``status`` inactive deactivates, active activates or accepts the invitation."""
    old = {name: doc[name] for name in EDITABLE if name in fields and name in doc}
    doc.update({name: fields[name] for name in (*EDITABLE, *WITHOUT_EVENT) if name in fields})
    new = {name: doc[name] for name in EDITABLE if name in fields and old.get(name) != doc[name]}
    was, status = doc["status"], str(fields.get("status", doc["status"]))
    if status not in ("active", "inactive", "pending"):
        raise ControlError("status is active, inactive or pending")
    doc["status"] = status
    world.store.put("users", doc)
    if new:
        number, now = {"id": doc["id"]}, int(world.clock.time() * 1000)
        changed = {name: value for name, value in old.items() if name in new}
        payload = {"object": {**number, **new}, "old_object": {**number, **changed}}
        queue_event(world, doc, "updated", {**payload, "time_stamp": now})
    if status != was and status == "active":
        accepted = was == "pending"
        what = "invitation_accepted" if accepted else "activated"
        queue_event(world, doc, what, {"object": payloads.person(doc)}, with_operator=not accepted)
    elif status != was and status == "inactive":
        end_grants(world, doc)
        queue_event(world, doc, "deactivated", {"object": payloads.person(doc)})
    return doc


def remove(world: World, doc: Doc, *, transfer_to: Doc | None, disassociate: bool = False) -> None:
    """Delete a user or unlink it from the account; its data is transferred or deleted."""
    for table in ("meetings", "recordings"):
        items = world.store.find(table, "host_id = ?", doc["id"])
        for item in items:
            if transfer_to is not None:
                item["host_id"] = transfer_to["id"]
            else:
                item["state"] = "deleted"
        if items:
            world.store.put(table, *items)
    # The event first: without its grant a user-managed app would not receive it.
    what = "disassociated" if disassociate else "deleted"
    queue_event(world, doc, what, {"object": payloads.person(doc)})
    end_grants(world, doc)
    world.store.delete("users", "id = ?", doc["id"])


def end_grants(world: World, user: Doc) -> None:
    """Revoke the tokens of a removed user (error 4735)."""
    for grant in world.store.find("grants", "user_id = ?", user["id"]):
        world.store.delete("tokens", "grant_id = ?", grant["id"])
        world.store.delete("grants", "id = ?", grant["id"])


def change_account(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Change an account: its name, settings, plan, webinars, limits or security policy.

    ``ai_companion``: whether its hosts have summaries, on a paid plan.

    ``security_policy``: what every meeting must have: passcode, waiting_room or either.
    """
    names = ["name", "settings", "plan", "webinars", "ai_companion", "daily_limits"]
    names.append("security_policy")
    before = world.copy(doc)
    doc.update({name: fields[name] for name in names if name in fields})
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
    """Uninstall the app; published apps get an event. Returns how many grants were removed."""
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
            "signature": world.ids.random_id(64),
            "event_ts": int(now * 1000),
        }
        emit(world, "app_deauthorized", grant["account_id"], payload, always=True)
    return len(grants)
