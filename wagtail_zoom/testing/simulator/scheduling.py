"""What an app schedules, changes and deletes through the API, with Zoom's rules and limits."""

from __future__ import annotations

from typing import Any

from . import meetings
from .content import SERIES, UNDATED
from .errors import WEBINAR_PLAN_MISSING, ControlError, Problem, invalid, no_meeting
from .limits import SCHEDULES_A_DAY, daily_schedule_limit
from .schedule_form import check_date, check_schedule, known_settings
from .storage import Doc
from .world import World

PLAIN = ("topic", "agenda", "type", "start_time", "duration", "timezone")
"""Fields that are stored as they are sent."""
LISTED_CHANGES = 15
"""How many changes by apps the web page lists."""


def count(world: World, host: Doc) -> None:
    """Count a request to create or change; raises 429 above the host's limit of this UTC day."""
    account = world.account(host["account_id"])
    limit = (account.get("daily_limits") or {}).get("SCHEDULE", SCHEDULES_A_DAY)
    if world.store.bump(f"schedule {host['id']}", world.today()) > limit:
        raise daily_schedule_limit(limit, world.clock.now())


def check_host(world: World, host: Doc, kind: str) -> None:
    """Raise when this host cannot have meetings, or webinars."""
    if not host.get("can_host", True):
        raise Problem(400, 3161, "Your user account is not allowed to host meetings.")
    if kind == "webinar" and not world.account(host["account_id"]).get("webinars"):
        raise Problem(400, 200, WEBINAR_PLAN_MISSING)


def create(world: World, host: Doc, kind: str, body: dict[str, Any]) -> Doc:
    """Schedule a meeting or webinar of this host."""
    check_schedule(kind, body, None)
    _check_rights(world, host, body)
    template = _template(host, kind, body)
    settings = {**template.get("settings", {}), **known_settings(kind, body.get("settings", {}))}
    password, waiting_room = _secured(world, host, kind, body, None)
    if kind == "meeting":
        settings["waiting_room"] = waiting_room
    fields = {
        **{name: body[name] for name in PLAIN if name in body},
        "kind": kind,
        "password": password,
        "settings": settings,
        "creation_source": "open_api",
    }
    if template:
        fields["template_id"] = template["id"]
    if body["type"] in SERIES:
        fields["recurrence"] = _full_rule(body["recurrence"])
    if body["type"] == 1:
        fields["start_time"] = world.clock.stamp()  # it begins at once
    try:
        doc = meetings.create(world, host, fields)
    except ControlError as error:
        raise invalid("recurrence", str(error)) from error
    _record(world, doc, "Scheduled")
    return doc


def change(world: World, doc: Doc, body: dict[str, Any]) -> Doc:
    """Change a meeting. A rule that is sent makes all dates of the series again."""
    host, kind = world.user(doc["host_id"]), doc["kind"]
    check_schedule(kind, body, doc)
    _check_rights(world, host, body)
    fields = {name: body[name] for name in PLAIN if name in body}
    if fields.get("type", doc["type"]) in UNDATED:
        fields.pop("start_time", None)
    settings = known_settings(kind, body.get("settings", {}))
    if "password" in body or "waiting_room" in settings:
        fields["password"], waiting_room = _secured(world, host, kind, body, doc)
        if kind == "meeting":
            settings["waiting_room"] = waiting_room
    if settings:
        fields["settings"] = settings
    if fields.get("type", doc["type"]) in SERIES and "recurrence" in body:
        fields |= {"recurrence": _full_rule(body["recurrence"]), "renew_dates": True}
    doc = meetings.change(world, doc, fields)
    if doc["type"] in SERIES and not doc["occurrences"]:
        raise invalid("recurrence", "The rule has no occurrence.")
    _record(world, doc, "Changed")
    return doc


def change_date(world: World, doc: Doc, occurrence_id: str, body: dict[str, Any]) -> Doc:
    """Change one date of a series."""
    check_date(doc["kind"], body)
    occurrence(doc, occurrence_id)
    fields: dict[str, Any] = {**body, "occurrence_id": occurrence_id}
    if "settings" in body:
        fields["settings"] = known_settings(doc["kind"], body["settings"])
    doc = meetings.change(world, doc, fields)
    _record(world, doc, "One date changed")
    return doc


def delete(world: World, doc: Doc, occurrence_id: str) -> None:
    """Delete a meeting, or cancel one date of a series; not while it is running."""
    if doc["status"] == "started":
        text = f"Sorry, you cannot delete this {doc['kind']} since it's in progress."
        raise Problem(400, 3002, text)
    if occurrence_id:
        occurrence(doc, occurrence_id)
    meetings.delete(world, doc, occurrence_id)
    _record(world, doc, "One date cancelled" if occurrence_id else "Deleted")


def _record(world: World, doc: Doc, what: str) -> None:
    """Store a change for the web page."""
    name = f"changes by apps {doc['account_id']}"
    row = {"what": what, "topic": doc["topic"], "time": world.clock.stamp()}
    world.store.set_meta(name, [row, *world.store.meta(name, [])][:LISTED_CHANGES])


def changes_by_apps(world: World, account: Doc) -> list[dict[str, str]]:
    """The last changes that apps made to an account's meetings through the API, newest first."""
    rows: list[dict[str, str]] = world.store.meta(f"changes by apps {account['id']}", [])
    return rows


def occurrence(doc: Doc, occurrence_id: str) -> Doc:
    """One date of a series that is not cancelled; 404/3001 otherwise."""
    for date in doc.get("occurrences", []):
        if date["occurrence_id"] == occurrence_id and date["status"] == "available":
            return dict(date)
    raise no_meeting(f"{doc['id']}, occurrence {occurrence_id}")


def _check_rights(world: World, host: Doc, body: dict[str, Any]) -> None:
    """Raise for another host, and for registration with a host who is not licensed."""
    other = body.get("schedule_for") or host["id"]
    if other not in (host["id"], host["email"]):
        raise Problem(400, 3000, f"You cannot schedule a meeting for {other}.")
    is_licensed = host["type"] == 2 and world.account(host["account_id"])["plan"] != "free"
    if body.get("settings", {}).get("approval_type") in (0, 1) and not is_licensed:
        raise Problem(400, 200, f"Only available for Paid users: {host['email']}.")


def _template(host: Doc, kind: str, body: dict[str, Any]) -> Doc:
    identifier = body.get("template_id")
    if not identifier:
        return {}
    templates: list[Doc] = host.get("templates", []) if kind == "meeting" else []
    for template in templates:
        if template["id"] == identifier:
            return template
    raise invalid("template_id", "Invalid field.")


def _full_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {"repeat_interval": 1, **rule}


def _secured(
    world: World, host: Doc, kind: str, body: dict[str, Any], doc: Doc | None
) -> tuple[str, bool]:
    """Passcode and waiting room: as sent, otherwise the host's own; the account may force one."""
    settings = body.get("settings", {})
    own = {"passcode": True, "waiting_room": True, **host.get("meeting_defaults", {})}
    if doc is not None:
        password = str(body.get("password", doc["password"]))
        waiting_room = settings.get("waiting_room", doc["settings"].get("waiting_room", True))
    elif "password" in body or "waiting_room" in settings:
        password, waiting_room = str(body.get("password", "")), settings.get("waiting_room", False)
    else:
        password = world.ids.passcode() if own["passcode"] else ""
        waiting_room = own["waiting_room"]
    wants_default = body.get("default_passcode" if kind == "webinar" else "default_password")
    policy = world.account(host["account_id"]).get("security_policy", "")
    is_protected = bool(password) or (kind == "meeting" and waiting_room)
    if not password and (
        (doc is None and wants_default)
        or policy == "passcode"
        or (policy == "either" and not is_protected)
    ):
        password = (doc["password"] if doc else "") or world.ids.passcode()
    return password, bool(waiting_room) or policy == "waiting_room"
