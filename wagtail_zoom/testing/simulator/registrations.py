"""Registration for meetings, webinars and recordings, with its webhook events."""

from __future__ import annotations

from typing import Any

from . import payloads
from .content import SERIES
from .errors import ControlError, Problem, invalid
from .limits import daily_registrant_limit
from .links import personal_url
from .outbox import emit
from .registrants import chosen, find, key
from .registration_form import check_answers, stored_answers
from .storage import Doc
from .world import World

ADDS_A_DAY = 3
STATUS_CHANGES_A_DAY = 10
MEETING_CAPACITY = 4999
STATES = {"approve": "approved", "deny": "denied", "cancel": "cancelled"}


def check_open(world: World, meeting: Doc) -> None:
    """Raise when registration is not possible for anyone."""
    host = world.user(meeting["host_id"])
    account = world.account(meeting["account_id"])
    webinar, number = meeting["kind"] == "webinar", meeting["id"]
    if account["plan"] == "free" or host["type"] == 1:
        raise Problem(400, 200, f"Only available for Paid users: {host['email']}.")
    if meeting.get("is_events_webinar"):
        raise Problem(400, 3000, "Registration of Zoom Events is not supported by this API.")
    if meeting.get("paid"):
        raise Problem(400, 3000, "Paid registration is not supported by this API.")
    if meeting["settings"].get("approval_type") not in (0, 1):
        if webinar:
            raise Problem(400, 3000, f"Registration is not required for this webinar: {number}.")
        text = f"Registration has not been enabled for this meeting: {number}."
        raise Problem(404, 404, text)


def _check_time(world: World, meeting: Doc) -> None:
    is_over = meeting["ends"] <= world.clock.time() and meeting["status"] != "started"
    if meeting["kind"] == "webinar" and is_over:
        raise Problem(400, 3038, "Webinar is over, you can not register now.")
    if meeting.get("registration_closed") or (
        is_over and meeting["settings"].get("close_registration")
    ):
        raise Problem(400, 3000, "Registration has been closed.")


def _check_capacity(world: World, meeting: Doc) -> None:
    webinar = meeting["kind"] == "webinar"
    limit = meeting["settings"].get("registrants_restrict_number") if webinar else None
    limit = limit if webinar else int(meeting.get("capacity", MEETING_CAPACITY))
    target, number = key(meeting)
    where = "target = ? AND object_id = ? AND status IN ('approved', 'pending')"
    if not limit or world.store.count("registrants", where, target, number) < limit:
        return
    if webinar:
        raise Problem(400, 3000, "The Webinar has reached the maximum number of attendees.")
    raise Problem(400, 3043, f"Meeting has reached the maximum attendee capacity: {limit}.")


def _dates(meeting: Doc, occurrence_ids: str) -> list[str]:
    """The occurrences to register for: registration types 1 all, 2 each, 3 several."""
    if meeting["type"] not in SERIES:
        return []
    kind = meeting["settings"].get("registration_type", 1)
    chosen = [part for part in occurrence_ids.split(",") if part]
    available = {
        date["occurrence_id"] for date in meeting["occurrences"] if date["status"] == "available"
    }
    if kind == 1:
        return []
    unknown = [part for part in chosen if part not in available]
    if unknown:
        raise invalid("occurrence_ids", f"Invalid occurrence_ids: {','.join(unknown)}.")
    if not chosen:
        # By default the next occurrence.
        chosen = sorted(available)[:1]
    if kind == 2 and len(chosen) > 1 and meeting["kind"] == "webinar":
        raise invalid("occurrence_ids", "Several occurrences need registration_type 3.")
    return chosen


def add(world: World, meeting: Doc, body: dict[str, Any], occurrence_ids: str = "") -> Doc:
    """Register a person; for a repeated email returns the existing registrant.

    Who was cancelled or denied stays so until somebody approves it (devforum 39340).
    """
    check_open(world, meeting)
    _check_time(world, meeting)
    check_answers(meeting, body, webinar=meeting["kind"] == "webinar")
    if meeting["kind"] == "webinar" and _is_host(world, meeting, body["email"]):
        raise Problem(400, 3027, "Host can not register.")
    dates = _dates(meeting, occurrence_ids)
    registrant = find(world, meeting, body["email"])
    if registrant is None or registrant["status"] == "cancelled":
        _check_capacity(world, meeting)
    _count(world, meeting, body["email"])
    if registrant is None:
        status = _first_status(meeting, body)
        return _save_registrant(world, meeting, body, dates, status)
    earlier_dates = [] if registrant["status"] == "cancelled" else registrant["occurrences"]
    new_dates = [date for date in dates if date not in earlier_dates]
    registrant["occurrences"] = [*earlier_dates, *new_dates]
    world.store.put("registrants", registrant)
    return registrant


def _first_status(meeting: Doc, body: dict[str, Any]) -> str:
    """The status of a new registrant; the meeting's ``new_status`` (control API) overrides it."""
    needs_approval = meeting["settings"]["approval_type"] == 1 and not body.get("auto_approve")
    status: str = meeting.get("new_status") or ("pending" if needs_approval else "approved")
    return status


def _is_host(world: World, meeting: Doc, email: str) -> bool:
    host: str = world.user(meeting["host_id"])["email"]
    return host.lower() == email.lower()


def _count(world: World, meeting: Doc, email: str) -> None:
    name = f"add {meeting['id']} {email.lower()}"
    if world.store.bump(name, world.today()) > ADDS_A_DAY:
        what = f"Add a {meeting['kind']} registrant"
        raise daily_registrant_limit(ADDS_A_DAY, what, email, world.clock.now())


def _save_registrant(
    world: World, item: Doc, body: dict[str, Any], dates: list[str], status: str
) -> Doc:
    target, number = key(item)
    doc: Doc = {
        **stored_answers(body),
        "id": world.ids.random_id(),
        "target": target,
        "object_id": number,
        "address_as_given": body["email"],
        "email": body["email"].lower(),
        "status": status,
        "create_time": world.clock.stamp(),
        "occurrences": dates,
        "token": world.ids.random_id(43),
        "pin": world.ids.random.randrange(100_000, 999_999),
    }
    world.store.put("registrants", doc)
    _queue_event(world, item, doc, "denied" if status == "denied" else "created")
    return doc


def add_recording_viewer(world: World, recording: Doc, body: dict[str, Any]) -> Doc:
    """Register a person for an on-demand recording."""
    if not recording["settings"].get("on_demand"):
        raise Problem(400, 3000, "Registration is not required for this recording.")
    check_answers(recording, body, webinar=False)
    registrant = find(world, recording, body["email"])
    if registrant is not None:
        return registrant
    status = "pending" if recording["settings"].get("approval_type") == 1 else "approved"
    return _save_registrant(world, recording, body, [], status)


def set_status(
    world: World, item: Doc, registrant: Doc, action: str, occurrence_id: str = ""
) -> Doc:
    """Approve, deny or cancel; ``occurrence_id`` cancels one of several occurrences.

    Raises:
        ControlError: no such action.
    """
    if action not in STATES:
        raise ControlError("action is approve, deny or cancel")
    if action == "cancel" and occurrence_id in registrant["occurrences"]:
        registrant["occurrences"].remove(occurrence_id)
        if registrant["occurrences"]:
            world.store.put("registrants", registrant)
            _queue_event(world, item, registrant, "cancelled", [occurrence_id])
            return registrant
        registrant["occurrences"] = [occurrence_id]
    if registrant["status"] == STATES[action]:
        return registrant
    registrant["status"] = STATES[action]
    world.store.put("registrants", registrant)
    _queue_event(world, item, registrant, STATES[action])
    return registrant


def change_statuses(world: World, item: Doc, body: dict[str, Any], occurrence_id: str) -> None:
    """``PUT .../registrants/status``: up to 30 people; unknown ones are ignored."""
    allowed = ("approve", "deny") if "files" in item else tuple(STATES)
    people = body.get("registrants") or []
    if body.get("action") not in allowed:
        raise invalid("action", "Invalid field.")
    if not isinstance(people, list) or len(people) > 30:
        raise invalid("registrants", "At most 30 registrants.")
    registrants = [
        find(world, item, str(person.get("id") or person.get("email") or "")) for person in people
    ]
    for registrant in filter(None, registrants):
        name = f"status {registrant['id']}"
        if world.store.bump(name, world.today()) > STATUS_CHANGES_A_DAY:
            what, who = "Update registrant status", registrant["address_as_given"]
            raise daily_registrant_limit(STATUS_CHANGES_A_DAY, what, who, world.clock.now())
        set_status(world, item, registrant, body["action"], occurrence_id)


def batch(world: World, meeting: Doc, body: dict[str, Any]) -> list[Doc]:
    """Register up to 30 people; single meetings and webinars only."""
    check_open(world, meeting)
    _check_time(world, meeting)
    if meeting["type"] not in (2, 5):
        raise Problem(400, 303, "Registration in batches is for single meetings only.")
    people = body.get("registrants")
    if not isinstance(people, list) or not 1 <= len(people) <= 30:
        raise invalid("registrants", "Between 1 and 30 registrants.")
    shared = {"auto_approve": True} if body.get("auto_approve") else {}
    return [add(world, meeting, {**person, **shared}) for person in people]


def remove(world: World, item: Doc, registrant: Doc, occurrence_id: str = "") -> None:
    """Delete a registrant, or one of several occurrences."""
    several = len(registrant["occurrences"]) > 1
    set_status(world, item, registrant, "cancel", occurrence_id)
    if not (several and occurrence_id):
        world.store.delete("registrants", "id = ?", registrant["id"])


def _queue_event(
    world: World, item: Doc, registrant: Doc, what: str, dates: list[str] | None = None
) -> None:
    family = registrant["target"]
    if family == "recording" and what == "cancelled":
        return
    details = _details(registrant, family) if what == "created" else _name(registrant)
    if family != "recording" and what in ("created", "approved"):
        pending = registrant["status"] == "pending" and not world.options.pending_join_url
        details["join_url"] = "" if pending else personal_url(world, item, registrant)
    if family == "meeting" and what in ("created", "approved"):
        details["participant_pin_code"] = registrant["pin"]
    source = _tracking_source(world, item, registrant)
    if source:
        details["tracking_source"] = source
    if family == "recording":
        about = payloads.recording_core(item)
    else:
        about = payloads.core(world, item)
        about |= chosen(item, dates or registrant["occurrences"])
    payload: dict[str, Any] = {"object": {**about, "registrant": details}}
    if what != "created":
        payload = {**payloads.operator(world, item), **payload}
    event = f"{family}.registration_{what}"
    emit(world, event, item["account_id"], payload, user_id=item["host_id"])


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


def _tracking_source(world: World, item: Doc, registrant: Doc) -> dict[str, Any] | None:
    for source in item.get("tracking_sources", []):
        if source["id"] == registrant.get("source_id"):
            return {
                "id": source["id"],
                "source_name": source["source_name"],
                "tracking_url": source["tracking_url"],
            }
    return None
