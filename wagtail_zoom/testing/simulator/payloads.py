"""The ``object`` members of webhook events."""

from __future__ import annotations

from typing import Any

from .links import join_url, registration_url
from .storage import Doc
from .world import World

CORE = ("uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone")
FLAT = (
    "topic", "agenda", "type", "start_time", "duration", "timezone", "password", "recurrence",
    "occurrences",
)  # fmt: skip


def operator(world: World, doc: Doc) -> dict[str, Any]:
    """Who made the change: the host if known, otherwise the owner of the account."""
    user = world.store.get("users", doc.get("host_id", "")) or world.owner(doc["account_id"])
    return {"operator": user["email"], "operator_id": user["id"]}


def core(world: World, doc: Doc) -> dict[str, Any]:
    """Common fields of a meeting or webinar; without a start, the time of the event is used."""
    fields = {name: doc[name] for name in CORE if name in doc}
    return {"start_time": world.clock.stamp(), **fields}


def created(world: World, doc: Doc) -> dict[str, Any]:
    """``meeting.created`` and ``webinar.created``."""
    fields = {name: doc[name] for name in CORE if name in doc}
    for name in ("recurrence", "occurrences"):
        if name in doc:
            fields[name] = doc[name]
    settings = {"use_pmi": False, "alternative_hosts": "", **doc["settings"]}
    return {
        **fields,
        "join_url": join_url(world, doc),
        "password": doc["password"],
        "creation_source": doc.get("creation_source", "web_portal"),
        "settings": {name: settings[name] for name in ("use_pmi", "alternative_hosts")},
    }


def delta(world: World, before: Doc, after: Doc) -> tuple[dict[str, Any], dict[str, Any]]:
    """``object`` and ``old_object`` of ``*.updated``: the number and the changed fields only."""
    new: dict[str, Any] = {}
    old: dict[str, Any] = {}
    for name in FLAT:
        if before.get(name) != after.get(name):
            old |= {name: before[name]} if name in before else {}
            new |= {name: after[name]} if name in after else {}
    was, now = before["settings"], after["settings"]
    names = {name for name in (*was, *now) if was.get(name) != now.get(name)}
    if names:
        old["settings"] = {name: was[name] for name in sorted(names) if name in was}
        new["settings"] = {name: now[name] for name in sorted(names) if name in now}
    for target, doc in ((old, before), (new, after)):
        if "approval_type" in names and registration_url(world, doc):
            target["registration_url"] = registration_url(world, doc)
    number = {"id": after["id"]}
    return ({**number, **new}, {**number, **old}) if new or old else ({}, {})


def running(world: World, doc: Doc, instance: Doc) -> dict[str, Any]:
    """``*.started`` and ``*.ended``: the number is a string here, the duration the planned one.

    A meeting in the personal room has that room's number.
    """
    fields = {
        "id": str(doc.get("pmi") or doc["id"]),
        "uuid": instance["id"],
        "host_id": doc["host_id"],
        "host_email": world.user(doc["host_id"])["email"],
        "topic": doc["topic"],
        "type": doc["type"],
        "start_time": instance["start_time"],
        "duration": doc["duration"],
        "timezone": doc["timezone"],
    }
    return {**fields, "end_time": instance["end_time"]} if instance.get("end_time") else fields


def recording_core(doc: Doc) -> dict[str, Any]:
    """Common fields of recording events; ``type`` is a number here, a string in REST responses."""
    names = ("topic", "type", "start_time", "timezone", "duration", "host_id")
    return {"uuid": doc["id"], "id": doc["meeting_id"], **{name: doc[name] for name in names}}


def recording_files(world: World, doc: Doc, files: list[Doc], *, secret: bool) -> dict[str, Any]:
    """The object of events that list files; ``secret`` adds fields that only ``completed`` has."""
    fields = {
        **recording_core(doc),
        "account_id": doc["account_id"],
        "share_url": doc["share_url"],
        "total_size": sum(file["file_size"] for file in files),
        "recording_count": len(files),
        "recording_files": files,
    }
    if secret:
        fields["host_email"] = world.user(doc["host_id"])["email"]
        fields["password"] = fields["recording_play_passcode"] = doc["passcode"]
        fields["on_prem"] = False
    return fields


def person(user: Doc) -> dict[str, Any]:
    """The object of ``user.*`` events."""
    names = ("id", "email", "first_name", "last_name", "display_name", "type")
    return {name: user[name] for name in names if name in user}
