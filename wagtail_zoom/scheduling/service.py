"""Schedules, changes and cancels meetings, for forms and for a project's own code.

A change is saved first, under a key that prevents duplicates. The outbox then sends it to Zoom.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from wagtail.models import Site

from ..client import client_for_request
from ..exceptions import ZoomWriteRefused
from ..models import Host, Kind, Meeting, MeetingChange, Occurrence, Refusal, WriteAccess
from ..models.mirror import DATED_SERIES_TYPES, MeetingType, UserType
from ..utils.error_reports import exc_info_of
from ..utils.leases import new_owner
from ..utils.logging import get_logger
from . import delivery, lookup, outbox
from .delivery import RequestAttempt
from .recurrence import Frequency, RecurrenceRule
from .values import REGISTRATION, MeetingValues

logger = get_logger("scheduling")

Action, State = MeetingChange.Action, MeetingChange.State
SINGLE = {Kind.MEETING: MeetingType.SCHEDULED, Kind.WEBINAR: MeetingType.WEBINAR}
SERIES = {Kind.MEETING: MeetingType.SERIES, Kind.WEBINAR: MeetingType.WEBINAR_SERIES}
_PASSCODE = re.compile(r"[A-Za-z0-9@_*-]{1,10}")


class NotMadeHere(Exception):
    """The meeting was not made on this Site: a person has to agree before it is changed."""


@sensitive_variables()
def schedule(
    *,
    site: Site,
    host: Host,
    topic: str,
    start: datetime,
    key: str,
    duration: int = 60,
    kind: str = Kind.MEETING,
    zone: str = "",
    agenda: str = "",
    rule: RecurrenceRule | None = None,
    registration: str = "none",
    passcode: str | None = None,
    waiting_room: bool | None = None,
    cloud_recording: bool | None = None,
    template_id: str = "",
    show: bool | None = None,
    user: Any = None,
    seconds: float = 0,
) -> MeetingChange:
    """Schedule a meeting or webinar. Safe to repeat: the same ``key`` of a Site is one meeting.

    Args:
        start: of the first date, aware.
        zone: in which a series keeps its hour; by default the host's.
        registration: ``none``, ``automatic`` or ``approval``.
        passcode: None leaves passcode and waiting room to the settings of the host.
        show: show or hide it on this Site; None leaves it to the rules of the Site.
        seconds: make one attempt now, whose calls take at most so long; otherwise the worker does.

    Raises:
        django.core.exceptions.ValidationError: Zoom would refuse it; a sentence for each field.
        ZoomWriteRefused: this Site may not schedule for this host.
    """
    _check_access(site, host.account_id, host.zoom_id, kind)
    rule = rule or RecurrenceRule()
    values: dict[str, Any] = {
        "topic": topic, "agenda": agenda or None, "start": start, "duration": duration,
        "zone": zone or host.timezone or "UTC", "registration": registration, "passcode": passcode,
        "waiting_room": waiting_room, "cloud_recording": cloud_recording,
    }  # fmt: skip
    errors = _errors(values, rule) | _licence_errors(host, registration)
    if errors:
        raise ValidationError(errors)
    zone_info = ZoneInfo(values["zone"])
    body = _members(values, zone_info, is_series=rule.frequency is not Frequency.NEVER)
    body = _with_rule(body, rule, Kind(kind), zone_info)
    if template_id and kind == Kind.MEETING:
        body["template_id"] = template_id
    row = MeetingChange(
        site=site, account=host.account, key=key, action=Action.CREATE, kind=kind,
        host_zoom_id=host.zoom_id, topic=topic.strip(),
    )  # fmt: skip
    if kind == Kind.MEETING:
        body.setdefault("settings", {})["custom_keys"] = lookup.custom_keys(row)
    return _save(row, {"body": body, "show": show}, user, seconds)


@sensitive_variables()
def change(
    *,
    site: Site,
    meeting: Meeting,
    key: str,
    occurrence: Occurrence | None = None,
    topic: str | None = None,
    agenda: str | None = None,
    start: datetime | None = None,
    duration: int | None = None,
    rule: RecurrenceRule | None = None,
    registration: str | None = None,
    passcode: str | None = None,
    waiting_room: bool | None = None,
    cloud_recording: bool | None = None,
    seen: MeetingValues | None = None,
    adopt: bool = False,
    user: Any = None,
    seconds: float = 0,
) -> MeetingChange:
    """Change a meeting, or one date of it. Only what is given is sent to Zoom.

    Args:
        occurrence: change this date only: its start, duration and description.
        rule: makes all dates of the series again, with other ids; leave it out to keep them.
        seen: what the person saw. If Zoom has other values, nothing is sent, and the change fails
            with ``changed_elsewhere``.
        adopt: a person has agreed to change a meeting that was not made on this Site.

    Raises:
        NotMadeHere: nobody has agreed yet.
        django.core.exceptions.ValidationError, ZoomWriteRefused: as ``schedule``.
    """
    _check_access(site, meeting.account_id, meeting.host_zoom_id, meeting.kind)
    if not (adopt or is_made_here(site, meeting)):
        raise NotMadeHere
    values: dict[str, Any] = {
        "topic": topic, "agenda": agenda, "start": start, "duration": duration,
        "zone": meeting.timezone or "UTC", "registration": registration, "passcode": passcode,
        "waiting_room": waiting_room, "cloud_recording": cloud_recording,
    }  # fmt: skip
    errors = _errors(values, rule or RecurrenceRule(), start or meeting.start)
    given = {name for name, value in values.items() if value is not None} - {"zone"}
    if occurrence is not None and (rule or given - {"agenda", "start", "duration"}):
        text = gettext("Of one date only start, duration and description can be changed.")
        errors["__all__"] = text
    if errors:
        raise ValidationError(errors)
    zone_info = ZoneInfo(values["zone"])
    body = _members(values, zone_info, is_series=meeting.zoom_type in DATED_SERIES_TYPES)
    if occurrence is not None and start is not None:
        body["start_time"] = f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        del body["timezone"]
    if rule is not None:
        kinds = SINGLE if rule.frequency is Frequency.NEVER else SERIES
        if kinds[Kind(meeting.kind)] != meeting.zoom_type:
            body["type"] = kinds[Kind(meeting.kind)].value
        if rule.frequency is not Frequency.NEVER:
            body["recurrence"] = rule.to_zoom(zone_info)
    row = _row_for(site, meeting, key, Action.UPDATE, occurrence)
    row.topic = body.get("topic", row.topic)
    payload: dict[str, Any] = {"body": body}
    if seen is not None:
        payload["seen"] = seen.as_json()
    return _save(row, payload, user, seconds)


def cancel(
    *,
    site: Site,
    meeting: Meeting,
    key: str,
    occurrence: Occurrence | None = None,
    notify: bool = False,
    user: Any = None,
    seconds: float = 0,
) -> MeetingChange:
    """Cancel a meeting with all its dates, or one date of a series.

    Args:
        notify: Zoom sends an email to those who have registered.

    Raises:
        ZoomWriteRefused: this Site may not cancel it.
    """
    _check_access(site, meeting.account_id, meeting.host_zoom_id, meeting.kind, cancels=True)
    is_one_date = occurrence is not None and bool(occurrence.zoom_id)
    action = Action.CANCEL_DATE if is_one_date else Action.CANCEL_SERIES
    row = _row_for(site, meeting, key, action, occurrence)
    return _save(row, {"notify": notify}, user, seconds)


def retry(row: MeetingChange, *, seconds: float = 0) -> MeetingChange:
    """Try a change again that has failed or waits."""
    with outbox.edit_row(row.pk) as locked:
        if locked.state in (State.FAILED, State.WAITING):
            outbox.start(locked)
    return _deliver(locked, outbox.claim(locked.pk) if seconds else "", seconds)


@sensitive_variables()
def edit(
    row: MeetingChange,
    *,
    host: Host | None = None,
    rule: RecurrenceRule | None = None,
    show: bool | None = None,
    seconds: float = 0,
    **values: Any,
) -> MeetingChange:
    """Try a change again that has failed, with other values.

    Args:
        host, rule, show: of a new meeting.
        values: as those of ``schedule``. None takes a value back.

    Raises:
        django.core.exceptions.ValidationError: as ``schedule``; or Zoom may have it already.
        ZoomWriteRefused: this Site may not schedule for this host.
    """
    with outbox.edit_row(row.pk) as locked:
        if not is_editable(locked):
            raise ValidationError(
                gettext("Zoom may have it already. Try again before you edit it.")
            )
        stored = json.loads(locked.payload.reveal() or "{}")
        body = stored.get("body", {})
        zone = values.get("zone") or body.get("timezone") or "UTC"
        errors = _errors({**values, "zone": zone}, rule or RecurrenceRule())
        if host is not None:
            _check_access(row.site, host.account_id, host.zoom_id, row.kind)
            errors |= _licence_errors(host, values.get("registration"))
            locked.host_zoom_id = host.zoom_id
        if errors:
            raise ValidationError(errors)
        if rule is not None:
            body = _with_rule(body, rule, Kind(row.kind), ZoneInfo(zone))
        members = _members({**values, "zone": zone}, ZoneInfo(zone), is_series="recurrence" in body)
        settings = {**body.get("settings", {}), **members.pop("settings", {})}
        body = {**body, **members}
        for name, (holder, member) in {
            "passcode": (body, "password"),
            "waiting_room": (settings, "waiting_room"),
            "cloud_recording": (settings, "auto_recording"),
        }.items():
            if name in values and values[name] is None:
                holder.pop(member, None)
        stored["body"] = {**body, "settings": settings} if settings else body
        stored["show"] = stored.get("show") if show is None else show
        locked.payload = json.dumps(stored)
        locked.topic = stored["body"].get("topic", locked.topic)
        outbox.start(locked)
    return _deliver(locked, outbox.claim(locked.pk) if seconds else "", seconds)


def is_editable(row: MeetingChange) -> bool:
    """Whether a change that has failed can be sent with other values. A new meeting that Zoom may
    have would be a second one."""
    is_open = row.action == Action.CREATE and row.maybe_sent_at is not None
    return row.state == State.FAILED and not is_open


def present_values(
    site: Site, meeting: Meeting, occurrence: Occurrence | None = None, *, seconds: float
) -> MeetingValues:
    """What Zoom has now of a meeting, or of one of its dates: one call of at most ``seconds``.

    Raises:
        ZoomError: as the client's; ``ZoomNotFound`` when Zoom no longer has it, and
            ``ZoomWriteRefused`` when it has become private there.
    """
    client = client_for_request(
        site.pk, meeting.account, meeting.host_zoom_id, meeting.kind, seconds,
        even_if_hidden=True, allow_refresh=True,
    )  # fmt: skip
    occurrence_id = occurrence.zoom_id if occurrence else ""
    return MeetingValues.read(client, meeting.zoom_id, meeting.kind, occurrence_id, meeting)


def host_templates(site: Site, host: Host, *, seconds: float) -> list[tuple[str, str]]:
    """Id and name of the templates that a host has saved in Zoom: one call.

    Args:
        seconds: how long the call takes at most.

    Raises:
        ZoomError: as the client's.
    """
    client = client_for_request(
        site.pk, host.account, host.zoom_id, Kind.MEETING, seconds, allow_refresh=True
    )
    templates = client.list_meeting_templates(host.zoom_id)
    return [
        (str(template["id"]), str(template.get("name") or template["id"]))
        for template in templates
        if template.get("id")
    ]


def requested_values(
    row: MeetingChange, base: MeetingValues | None = None
) -> tuple[MeetingValues, str | None]:
    """What a change that has failed asks for, and its passcode; None leaves that to the host.

    Args:
        base: values of what the change leaves as it is.
    """
    body = json.loads(row.payload.reveal() or "{}").get("body", {})
    if base is None:
        base = MeetingValues(zone=body.get("timezone") or "UTC")
    requested = MeetingValues.from_zoom({**body, "timezone": body.get("timezone") or base.zone})
    settings = body.get("settings", {})
    members = {
        "duration": "duration" in body,
        "rule": "recurrence" in body or "type" in body,
        "registration": "approval_type" in settings,
        "waiting_room": "waiting_room" in settings,
        "recording": "auto_recording" in settings,
    }
    values = {name: getattr(requested, name) for name, is_given in members.items() if is_given}
    # The person's own words, whatever they hold.
    values |= {name: body[name] for name in ("topic", "agenda") if name in body}
    if "start_time" in body:
        values["start"] = lookup.start_of(body)
    return replace(base, **values), body.get("password")


def give_up(row: MeetingChange) -> MeetingChange:
    """End a change that has not succeeded. What Zoom has already stays there."""
    with outbox.edit_row(row.pk) as locked:
        if locked.state in (State.FAILED, State.WAITING):
            outbox.finish(locked, State.GIVEN_UP)
    return locked


def is_made_here(site: Site, meeting: Meeting) -> bool:
    """Whether this Site has made the meeting, or a person has agreed to change it before."""
    rows = MeetingChange.objects.filter(
        site=site,
        account=meeting.account_id,
        meeting_zoom_id=meeting.zoom_id,
        action__in=[Action.CREATE, Action.UPDATE],
    )
    return rows.exists()


def _check_access(
    site: Site, account_id: int, host_zoom_id: str, kind: str, *, cancels: bool = False
) -> None:
    """A connection that is interrupted is no reason to refuse: the change waits for it."""
    refusal = WriteAccess.of(site.pk).refusal(
        account_id, host_zoom_id, kind, even_if_hidden=cancels
    )
    if refusal not in (None, Refusal.CONNECTION):  # guard: change-needs-write-access
        raise ZoomWriteRefused(str(refusal))


def _row_for(
    site: Site, meeting: Meeting, key: str, action: str, occurrence: Occurrence | None
) -> MeetingChange:
    if occurrence is not None and occurrence.meeting_id != meeting.pk:
        raise ValueError("The occurrence is one of another meeting.")
    return MeetingChange(
        site=site, account=meeting.account, key=key, action=action, kind=meeting.kind,
        host_zoom_id=meeting.host_zoom_id, meeting=meeting, meeting_zoom_id=meeting.zoom_id,
        occurrence_id=occurrence.zoom_id if occurrence else "", topic=meeting.topic,
    )  # fmt: skip


def _save(row: MeetingChange, payload: dict[str, Any], user: Any, seconds: float) -> MeetingChange:
    """Insert the row, or return the one that has its key. The first attempt follows."""
    rows = MeetingChange.objects.filter(site=row.site, key=row.key)
    existing = rows.first()
    if existing is not None:
        return existing
    row.payload = json.dumps(payload)
    row.requested_by = user if user is not None and user.is_authenticated else None
    row.next_try_at = timezone.now()
    if seconds:
        row.set_lease(new_owner(), outbox.OUTBOX.lease)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return rows.get()
    return _deliver(row, row.lease_owner, seconds)


def _deliver(row: MeetingChange, lease: str, seconds: float) -> MeetingChange:
    """One short attempt in this process, if it has the row; otherwise the worker's."""
    if lease:
        try:
            row = MeetingChange.objects.select_related("account", "site").get(pk=row.pk)
            delivery.attempt(row, lease, RequestAttempt(lease, seconds))
        except Exception as error:
            # The row is saved; the worker continues when the lease expires.
            logger.error(
                "The first attempt to change a meeting failed.", exc_info=exc_info_of(error)
            )
        row.refresh_from_db()
    if row.state == State.WAITING:
        outbox.wake_worker()
    return row


def _licence_errors(host: Host, registration: str | None) -> dict[str, str]:
    if registration in ("automatic", "approval") and host.user_type != UserType.LICENSED:
        return {"registration": gettext("Registration needs a host with a Zoom licence.")}
    return {}


def _with_rule(
    body: dict[str, Any], rule: RecurrenceRule, kind: Kind, zone: ZoneInfo
) -> dict[str, Any]:
    """The body of a new meeting with the type and the rule."""
    body = {name: value for name, value in body.items() if name != "recurrence"}
    if rule.frequency is Frequency.NEVER:
        return {**body, "type": SINGLE[kind].value}
    return {**body, "type": SERIES[kind].value, "recurrence": rule.to_zoom(zone)}


def _errors(
    values: dict[str, Any], rule: RecurrenceRule, first: datetime | None = None
) -> dict[str, Any]:
    """What Zoom would refuse, by field."""
    errors: dict[str, Any] = {}
    topic, agenda, duration = (values.get(name) for name in ("topic", "agenda", "duration"))
    if topic is not None and not 1 <= len(topic.strip()) <= 200:
        errors["topic"] = gettext("Enter a topic of at most 200 characters.")
    if agenda is not None and len(agenda) > 2000:
        errors["agenda"] = gettext("Enter a description of at most 2000 characters.")
    if duration is not None and not 1 <= duration <= 1440:
        errors["duration"] = gettext("Enter a duration of 1 to 1440 minutes.")
    passcode = values.get("passcode")
    if passcode and not _PASSCODE.fullmatch(passcode):
        errors["passcode"] = gettext("Enter at most 10 of the characters a-z A-Z 0-9 @ - _ *.")
    if values.get("registration") not in (None, *REGISTRATION):
        errors["registration"] = gettext("Select a type of registration.")
    try:
        zone = ZoneInfo(values["zone"])
    except (KeyError, ValueError, OSError):
        return errors | {"zone": gettext("Select a time zone.")}
    start = values.get("start")
    if start is not None and start < timezone.now():
        errors["start"] = gettext("Enter a start in the future.")
    first = start or first or timezone.now()
    try:
        rule.clean(first.astimezone(zone).date())
    except ValidationError as error:
        errors |= error.error_dict
    return errors


def _members(values: dict[str, Any], zone: ZoneInfo, *, is_series: bool) -> dict[str, Any]:
    """Members of Zoom's body for the values that are given."""
    body: dict[str, Any] = {}
    for name in ("topic", "agenda", "duration"):
        if values.get(name) is not None:
            value = values[name]
            body[name] = value.strip() if name == "topic" else value
    start = values.get("start")
    if start is not None:
        # The wall clock: a series keeps its hour when the clocks change.
        wall_time = start.astimezone(zone)
        is_second = bool(wall_time.fold) and not is_series
        shown = start.astimezone(UTC) if is_second else wall_time
        body["start_time"] = f"{shown:%Y-%m-%dT%H:%M:%S}" + ("Z" if is_second else "")
        body["timezone"] = zone.key
    if values.get("passcode") is not None:
        body["password"] = values["passcode"]
    settings: dict[str, Any] = {}
    if values.get("registration") is not None:
        settings["approval_type"] = REGISTRATION[values["registration"]].value
    if values.get("waiting_room") is not None:
        settings["waiting_room"] = values["waiting_room"]
    if values.get("cloud_recording") is not None:
        settings["auto_recording"] = "cloud" if values["cloud_recording"] else "none"
    return {**body, "settings": settings} if settings else body
