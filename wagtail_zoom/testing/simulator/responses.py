"""The JSON of Zoom's REST responses."""

from __future__ import annotations

import hashlib
from typing import Any

from . import default_settings
from .clock import epoch
from .links import join_url, personal_url, registration_url
from .registrants import chosen, key
from .registration_form import FIELDS
from .storage import Doc
from .world import World


def user_item(user: Doc) -> dict[str, Any]:
    """One row of ``GET /users``."""
    names = ("id", "email", "first_name", "last_name", "display_name", "type", "status")
    fields = {name: user[name] for name in (*names, "timezone", "role_id") if name in user}
    if user["status"] == "pending":
        del fields["id"]  # nobody has accepted the invitation yet
    return {**fields, "pmi": user["pmi"], "dept": user.get("dept", "")}


def user_detail(world: World, user: Doc) -> dict[str, Any]:
    """``GET /users/{id}``: adds the account."""
    account = world.account(user["account_id"])
    role = {"0": "Owner", "1": "Admin"}.get(user.get("role_id", "2"), "Member")
    return {
        **user_item(user),
        "id": user["id"],
        "account_id": account["id"],
        "account_number": account["number"],
        "role_name": role,
        "language": "en-US",
    }


def meeting_item(world: World, doc: Doc) -> dict[str, Any]:
    """One row of a list: the agenda is cut at 250 characters, a series is one row."""
    item = {
        name: doc[name]
        for name in ("id", "uuid", "host_id", "topic", "type", "duration", "timezone", "created_at")
    }
    item["join_url"] = join_url(world, doc)
    if doc["agenda"]:
        item["agenda"] = doc["agenda"][:250]
    for name in ("start_time", "pmi"):
        if name in doc:
            item[name] = doc[name]
    if doc["kind"] == "webinar":
        for name in ("is_simulive", "is_events_webinar"):
            item[name] = bool(doc.get(name))
    return item


def meeting_detail(
    world: World, doc: Doc, *, show_previous: bool, date: Doc | None = None
) -> dict[str, Any]:
    """``GET /meetings/{id}`` and ``GET /webinars/{id}``; ``date``: as on that occurrence."""
    host = world.user(doc["host_id"])
    is_meeting = doc["kind"] == "meeting"
    settings = default_settings.MEETING if is_meeting else default_settings.WEBINAR
    contact = {"contact_name": host["display_name"], "contact_email": host["email"]}
    detail = {
        **{name: doc[name] for name in ("id", "uuid", "host_id", "topic", "type", "duration")},
        "host_email": host["email"],
        "timezone": doc["timezone"],
        "created_at": doc["created_at"],
        "agenda": doc["agenda"],
        "join_url": join_url(world, doc),
        "start_url": f"{world.base_url}/s/{doc['id']}?zak=secret-of-the-host",
        "password": doc["password"],
        "creation_source": doc.get("creation_source", "web_portal"),
        "settings": {**settings, **contact, **doc["settings"]},
        **_derived_passcodes(doc),
    }
    if is_meeting:
        detail |= {"status": doc["status"], "pre_schedule": False}
    if not world.options.custom_keys_returned:
        detail["settings"].pop("custom_keys", None)
    for name in ("start_time", "recurrence", "pmi", "is_simulive", "template_id"):
        if name in doc:
            detail[name] = doc[name]
    if "occurrences" in doc:
        now = world.clock.time()
        detail["occurrences"] = [
            date
            for date in doc["occurrences"]
            if show_previous or epoch(date["start_time"]) + date["duration"] * 60 > now
        ]
    if registration_url(world, doc):
        detail["registration_url"] = registration_url(world, doc)
    if date is not None:
        own = doc.get("date_details", {}).get(date["occurrence_id"], {})
        detail |= {name: date[name] for name in ("start_time", "duration")}
        detail["agenda"] = own.get("agenda", doc["agenda"])
        detail["settings"] |= own.get("settings", {})
    return detail


def _derived_passcodes(doc: Doc) -> dict[str, str]:
    """The other ways to write the passcode, all of them secret."""
    if not doc["password"]:
        return {}
    digest = hashlib.sha256(doc["password"].encode()).hexdigest()
    number = str(int(digest[:8], 16) % 10**6)
    if doc["kind"] == "webinar":
        return {"encrypted_passcode": digest[:32], "h323_passcode": number}
    return {"encrypted_password": digest[:32], "pstn_password": number, "h323_password": number}


def recording(doc: Doc) -> dict[str, Any]:
    """One recording of a list."""
    return {
        "uuid": doc["id"],
        "id": doc["meeting_id"],
        "account_id": doc["account_id"],
        "host_id": doc["host_id"],
        "topic": doc["topic"],
        "type": str(doc["type"]),
        "start_time": doc["start_time"],
        "timezone": doc["timezone"],
        "duration": doc["duration"],
        "auto_delete": doc["settings"]["auto_delete"],
        "total_size": sum(file["file_size"] for file in doc["files"]),
        "recording_count": len(doc["files"]),
        "share_url": doc["share_url"],
        "recording_play_passcode": doc["passcode"],
        "recording_files": doc["files"],
    }


def registrant(world: World, meeting: Doc, doc: Doc) -> dict[str, Any]:
    """A person who registered for a meeting or webinar."""
    fields = {**viewer(doc), "create_time": doc["create_time"]}
    if doc["status"] == "approved":
        fields["join_url"] = personal_url(world, meeting, doc)
    if meeting["kind"] == "meeting":
        fields["participant_pin_code"] = doc["pin"]
        fields.pop("language", None)
    return fields


def viewer(doc: Doc) -> dict[str, Any]:
    """A person who registered for a recording."""
    names = ("first_name", *FIELDS, "custom_questions")
    fields = {name: doc[name] for name in names if name in doc}
    email, status = doc["address_as_given"], public_status(doc)
    return {**fields, "id": doc["id"], "email": email, "status": status}


def registered(world: World, meeting: Doc, doc: Doc) -> dict[str, Any]:
    """Response to adding a registrant: no join URL until the host has approved.

    Webinars have status and share URL since 2026-09-21; who was cancelled is among the denied.
    """
    fields = {"id": meeting["id"], "registrant_id": doc["id"], "topic": meeting["topic"]}
    if "start_time" in meeting:
        fields["start_time"] = meeting["start_time"]
    fields |= chosen(meeting, doc["occurrences"])
    if meeting["kind"] == "meeting":
        fields["participant_pin_code"] = doc["pin"]
    else:
        fields |= {"status": public_status(doc), "share_url": registration_url(world, meeting)}
    if doc["status"] == "approved":
        fields["join_url"] = personal_url(world, meeting, doc)
    return fields


def public_status(doc: Doc) -> str:
    """The status that Zoom names: approved, pending or denied."""
    return "denied" if doc["status"] == "cancelled" else str(doc["status"])


def tracking_source(world: World, webinar: Doc, source: Doc) -> dict[str, Any]:
    """One tracking source with its number of registrations."""
    where = "target = ? AND object_id = ? AND json_extract(data, '$.source_id') = ?"
    number = world.store.count("registrants", where, *key(webinar), source["id"])
    return {"visitor_count": number, **source, "registration_count": number}


def past_meeting(world: World, instance: Doc) -> dict[str, Any]:
    """``GET /past_meetings/{id}``."""
    host = world.store.get("users", instance["host_id"]) or {}
    minutes = (epoch(instance["end_time"]) - epoch(instance["start_time"])) // 60
    return {
        "uuid": instance["id"],
        "id": instance["meeting_id"],
        "host_id": instance["host_id"],
        "type": instance["type"],
        "topic": instance["topic"],
        "user_name": host.get("display_name", ""),
        "user_email": host.get("email", ""),
        "start_time": instance["start_time"],
        "end_time": instance["end_time"],
        "duration": minutes,
        "total_minutes": minutes,
        "participants_count": 1,
    }
