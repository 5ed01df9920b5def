"""Registration for meetings, webinars and recordings (REFERENCE 3.4 to 3.6), with its events."""

from __future__ import annotations

from typing import Any

from . import payloads
from .content import SERIES
from .errors import ControlError, Problem, invalid
from .limits import daily_registrant_limit
from .links import personal_url
from .outbox import emit
from .registrants import chosen, find, key
from .registration_form import check_answers, kept
from .storage import Doc
from .world import World

ADDS_A_DAY = 3
STATUS_CHANGES_A_DAY = 10
MEETING_CAPACITY = 4999
STATES = {"approve": "approved", "deny": "denied", "cancel": "cancelled"}


def check_open(world: World, thing: Doc) -> None:
    """Refuse when nobody can register here, whoever asks."""
    host = world.user(thing["host_id"])
    account = world.account(thing["account_id"])
    webinar, number = thing["kind"] == "webinar", thing["id"]
    if account["plan"] == "free" or host["type"] == 1:
        raise Problem(400, 200, f"Only available for Paid users: {host['email']}.")
    if thing.get("is_events_webinar"):
        raise Problem(400, 3000, "Registration of Zoom Events is not supported by this API.")
    if thing.get("paid"):
        raise Problem(400, 3000, "Paid registration is not supported by this API.")
    if thing["settings"].get("approval_type") not in (0, 1):
        if webinar:
            raise Problem(400, 3000, f"Registration is not required for this webinar: {number}.")
        text = f"Registration has not been enabled for this meeting: {number}."
        raise Problem(404, 404, text)


def _check_time(world: World, thing: Doc) -> None:
    over = thing["ends"] <= world.clock.time() and thing["status"] != "started"
    if thing["kind"] == "webinar" and over:
        raise Problem(400, 3038, "Webinar is over, you can not register now.")
    if thing.get("registration_closed") or (over and thing["settings"].get("close_registration")):
        raise Problem(400, 3000, "Registration has been closed.")


def _check_room(world: World, thing: Doc) -> None:
    webinar = thing["kind"] == "webinar"
    limit = thing["settings"].get("registrants_restrict_number") if webinar else None
    limit = limit if webinar else int(thing.get("capacity", MEETING_CAPACITY))
    target, number = key(thing)
    where = "target = ? AND object_id = ? AND status IN ('approved', 'pending')"
    if not limit or world.store.count("registrants", where, target, number) < limit:
        return
    if webinar:
        raise Problem(400, 3000, "The Webinar has reached the maximum number of attendees.")
    raise Problem(400, 3043, f"Meeting has reached the maximum attendee capacity: {limit}.")


def _dates(thing: Doc, wanted: str) -> list[str]:
    """The dates to register for: registration types 1 all, 2 each, 3 several (3.3)."""
    if thing["type"] not in SERIES:
        return []
    kind = thing["settings"].get("registration_type", 1)
    chosen = [part for part in wanted.split(",") if part]
    known = {
        date["occurrence_id"] for date in thing["occurrences"] if date["status"] == "available"
    }
    if kind == 1:
        return []
    unknown = [part for part in chosen if part not in known]
    if unknown:
        raise invalid("occurrence_ids", f"Invalid occurrence_ids: {','.join(unknown)}.")
    if not chosen:
        # Without a choice the next date is meant.
        chosen = sorted(known)[:1]
    if kind == 2 and len(chosen) > 1 and thing["kind"] == "webinar":
        raise invalid("occurrence_ids", "Several occurrences need registration_type 3.")
    return chosen


def add(world: World, thing: Doc, body: dict[str, Any], occurrence_ids: str = "") -> Doc:
    """Register a person; the same e-mail gives the registrant who is already there."""
    check_open(world, thing)
    _check_time(world, thing)
    check_answers(thing, body, webinar=thing["kind"] == "webinar")
    if thing["kind"] == "webinar" and _is_host(world, thing, body["email"]):
        raise Problem(400, 3027, "Host can not register.")
    dates = _dates(thing, occurrence_ids)
    found = find(world, thing, body["email"])
    if found is None or found["status"] == "cancelled":
        _check_room(world, thing)
    _count(world, thing, body["email"])
    if found is not None and found["status"] != "cancelled":
        more = [date for date in dates if date not in found["occurrences"]]
        found["occurrences"] += more
        world.store.put("registrants", found)
        return found
    manual = thing["settings"]["approval_type"] == 1 and not body.get("auto_approve")
    return _enter(world, thing, body, dates, "pending" if manual else "approved", found)


def _is_host(world: World, thing: Doc, email: str) -> bool:
    host: str = world.user(thing["host_id"])["email"]
    return host.lower() == email.lower()


def _count(world: World, thing: Doc, email: str) -> None:
    name = f"add {thing['id']} {email.lower()}"
    if world.store.bump(name, world.today()) > ADDS_A_DAY:
        what = f"Add a {thing['kind']} registrant"
        raise daily_registrant_limit(ADDS_A_DAY, what, email, world.clock.now())


def _enter(
    world: World, thing: Doc, body: dict[str, Any], dates: list[str], status: str, old: Doc | None
) -> Doc:
    target, number = key(thing)
    doc: Doc = {
        **kept(body),
        "id": old["id"] if old else world.ids.opaque(),
        "target": target,
        "object_id": number,
        "address_as_given": body["email"],
        "email": body["email"].lower(),
        "status": status,
        "create_time": world.clock.stamp(),
        "occurrences": dates,
        "token": world.ids.opaque(43),
        "pin": world.ids.random.randrange(100_000, 999_999),
    }
    world.store.put("registrants", doc)
    _tell(world, thing, doc, "created")
    return doc


def add_recording_viewer(world: World, recording: Doc, body: dict[str, Any]) -> Doc:
    """Register a person for an on-demand recording."""
    if not recording["settings"].get("on_demand"):
        raise Problem(400, 3000, "Registration is not required for this recording.")
    check_answers(recording, body, webinar=False)
    found = find(world, recording, body["email"])
    if found is not None:
        return found
    status = "pending" if recording["settings"].get("approval_type") == 1 else "approved"
    return _enter(world, recording, body, [], status, None)


def set_status(
    world: World, thing: Doc, registrant: Doc, action: str, occurrence_id: str = ""
) -> Doc:
    """Approve, deny or cancel; ``occurrence_id`` cancels one date of several only.

    Raises:
        ControlError: no such action.
    """
    if action not in STATES:
        raise ControlError("action is approve, deny or cancel")
    if action == "cancel" and occurrence_id in registrant["occurrences"]:
        registrant["occurrences"].remove(occurrence_id)
        if registrant["occurrences"]:
            world.store.put("registrants", registrant)
            _tell(world, thing, registrant, "cancelled", [occurrence_id])
            return registrant
        registrant["occurrences"] = [occurrence_id]
    if registrant["status"] == STATES[action]:
        return registrant
    registrant["status"] = STATES[action]
    world.store.put("registrants", registrant)
    _tell(world, thing, registrant, STATES[action])
    return registrant


def change_statuses(world: World, thing: Doc, body: dict[str, Any], occurrence_id: str) -> None:
    """``PUT .../registrants/status``: up to 30 people; unknown ones are passed over."""
    allowed = ("approve", "deny") if "files" in thing else tuple(STATES)
    people = body.get("registrants") or []
    if body.get("action") not in allowed:
        raise invalid("action", "Invalid field.")
    if not isinstance(people, list) or len(people) > 30:
        raise invalid("registrants", "At most 30 registrants.")
    found = [find(world, thing, str(one.get("id") or one.get("email") or "")) for one in people]
    for registrant in filter(None, found):
        name = f"status {registrant['id']}"
        if world.store.bump(name, world.today()) > STATUS_CHANGES_A_DAY:
            what, who = "Update registrant status", registrant["address_as_given"]
            raise daily_registrant_limit(STATUS_CHANGES_A_DAY, what, who, world.clock.now())
        set_status(world, thing, registrant, body["action"], occurrence_id)


def batch(world: World, thing: Doc, body: dict[str, Any]) -> list[Doc]:
    """Register up to 30 people at once; single meetings and webinars only."""
    check_open(world, thing)
    _check_time(world, thing)
    if thing["type"] not in (2, 5):
        raise Problem(400, 303, "Registration in batches is for single meetings only.")
    people = body.get("registrants")
    if not isinstance(people, list) or not 1 <= len(people) <= 30:
        raise invalid("registrants", "Between 1 and 30 registrants.")
    shared = {"auto_approve": True} if body.get("auto_approve") else {}
    return [add(world, thing, {**one, **shared}) for one in people]


def remove(world: World, thing: Doc, registrant: Doc, occurrence_id: str = "") -> None:
    """Delete a registrant, or one date of several."""
    several = len(registrant["occurrences"]) > 1
    set_status(world, thing, registrant, "cancel", occurrence_id)
    if not (several and occurrence_id):
        world.store.delete("registrants", "id = ?", registrant["id"])


def _tell(
    world: World, thing: Doc, registrant: Doc, what: str, dates: list[str] | None = None
) -> None:
    family = registrant["target"]
    if family == "recording" and what == "cancelled":
        return
    details = _details(registrant, family) if what == "created" else _name(registrant)
    if family != "recording" and what in ("created", "approved"):
        pending = registrant["status"] == "pending" and not world.options.pending_join_url
        details["join_url"] = "" if pending else personal_url(world, thing, registrant)
    if family == "meeting" and what in ("created", "approved"):
        details["participant_pin_code"] = registrant["pin"]
    source = _tracking_source(world, thing, registrant)
    if source:
        details["tracking_source"] = source
    if family == "recording":
        about = payloads.recording_core(thing)
    else:
        about = payloads.core(world, thing)
        about |= chosen(thing, dates or registrant["occurrences"])
    payload: dict[str, Any] = {"object": {**about, "registrant": details}}
    if what != "created":
        payload = {**payloads.operator(world, thing), **payload}
    event = f"{family}.registration_{what}"
    emit(world, event, thing["account_id"], payload, user_id=thing["host_id"])


def _name(registrant: Doc) -> dict[str, Any]:
    return {
        "id": registrant["id"],
        "first_name": registrant["first_name"],
        "last_name": registrant.get("last_name", ""),
        "email": registrant["address_as_given"],
    }


def _details(registrant: Doc, family: str) -> dict[str, Any]:
    names = (
        "address", "city", "state", "zip", "country", "phone", "comments", "industry",
        "job_title", "org", "purchasing_time_frame", "role_in_purchase_process", "no_of_employees",
    )  # fmt: skip
    blank = {name: registrant.get(name, "") for name in names}
    answers = {"custom_questions": registrant.get("custom_questions", [])}
    return {**_name(registrant), **blank, **answers, "status": registrant["status"]}


def _tracking_source(world: World, thing: Doc, registrant: Doc) -> dict[str, Any] | None:
    for source in thing.get("tracking_sources", []):
        if source["id"] == registrant.get("source_id"):
            return {
                "id": source["id"],
                "source_name": source["source_name"],
                "tracking_url": source["tracking_url"],
            }
    return None
