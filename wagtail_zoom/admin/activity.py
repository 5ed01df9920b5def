"""Texts of the activity log: one sentence for each code.

Rows hold a code and data; the text is made when it is displayed, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Activity, GrantReason, Plan, WebhookEvent
from . import attendance, formatting

CATEGORIES = [
    ("connection", gettext_lazy("Connection")),
    ("sync", gettext_lazy("Syncing with Zoom")),
    ("event", gettext_lazy("Events from Zoom")),
    ("registration", gettext_lazy("Registrations")),
    ("curation", gettext_lazy("Your decisions")),
]


@dataclass(frozen=True)
class ActivityText:
    """What happened, and a detail on a second line."""

    text: SafeString | str
    detail: str = ""


def activity_text(row: Activity) -> ActivityText:
    """The text of one row; for an unknown code, the code itself."""
    data = row.data or {}
    builder = _BUILDERS.get(row.code)
    if builder is not None:
        return builder(row, data)
    if row.code.startswith("grant_"):
        return _grant_text(row, data)
    return ActivityText(row.code.replace("_", " ").capitalize())


def actor_name(row: Activity) -> str:
    """The user's name, or "We" for what happened automatically."""
    if row.user is None:
        return _("We")
    return formatting.user_name(row.user)


def _format(sentence: str, **values: Any) -> SafeString:
    """Format a sentence with ``{name}`` placeholders; ``topic`` is bold."""
    if "topic" in values:
        values["topic"] = format_html("<strong>{}</strong>", values["topic"])
    return format_html(sentence, **values)


def _source(row: Activity) -> str:
    """Where a change came from: an event, or reconciliation."""
    return _("Zoom reported:") if row.event_id else _("Found:")


def _format_time(text: Any) -> str:
    try:
        return formatting.date_time(datetime.fromisoformat(str(text)))
    except ValueError:
        return ""


def _topic(data: dict[str, Any]) -> str:
    return str(data.get("topic") or _("without a title"))


def _object_change(sentence: Promise) -> Callable[[Activity, dict[str, Any]], ActivityText]:
    """A change of one object. ``sentence`` has placeholders for ``topic`` and ``start``."""

    def build(row: Activity, data: dict[str, Any]) -> ActivityText:
        start = _format_time(data.get("start") or "")
        values = {"topic": _topic(data), "start": start or _("no fixed date")}
        return ActivityText(
            format_html("{} {}", _source(row), _format(str(sentence), **values)),
            _previous_value(data),
        )

    return build


def _dropped_link_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    text = _format(
        _("Zoom’s link for {topic} leads to an unknown domain, {host}. It is not used."),
        topic=_topic(data),
        host=str(data.get("host") or "?"),
    )
    return ActivityText(text, _("Visitors cannot join or watch it from here."))


def _previous_value(data: dict[str, Any]) -> str:
    if not data.get("before"):
        return ""
    before = _format_time(data["before"]) or str(data["before"])
    return _("Before: %(before)s") % {"before": before}


def _user_action(sentence: Promise) -> Callable[[Activity, dict[str, Any]], ActivityText]:
    """An action of a user. ``sentence`` has placeholders for ``who`` and the keys of ``data``."""

    def build(row: Activity, data: dict[str, Any]) -> ActivityText:
        values = {name: str(value) for name, value in data.items() if name != "topic"}
        values = {"account": "", "person": "", **values}
        return ActivityText(
            _format(str(sentence), who=actor_name(row), topic=_topic(data), **values)
        )

    return build


def _date_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    sentence = (
        _("{who} hid a date of {topic} from visitors: {start}.")
        if row.code == "date_hidden"
        else _("{who} showed a date of {topic} to visitors again: {start}.")
    )
    start = _format_time(data.get("start") or "")
    return ActivityText(_format(sentence, who=actor_name(row), topic=_topic(data), start=start))


def _grant_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    texts = {
        "grant_connected": _("Zoom answers again."),
        "grant_degraded": _("Zoom is not answering. The worker keeps trying."),
        "grant_needs_reconnect": _("Zoom no longer allows access. Please reconnect."),
        "grant_revoked": _("Zoom access has ended."),
    }
    reasons = dict(GrantReason.choices)
    reason = str(reasons.get(str(data["reason"]), "")) if data.get("reason") else ""
    detail = _("Reason: %(reason)s.") % {"reason": reason} if reason else ""
    return ActivityText(texts.get(row.code, row.code), detail)


def _renewed_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    text = _(
        "{person} allowed access in Zoom again, for another website that uses the same permission."
    )
    return ActivityText(
        _format(text, person=str(data.get("person") or _("Somebody"))),
        _("This also applies to this site."),
    )


def _exposure_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    def names_of(key: str) -> str:
        return formatting.join_list(formatting.kind_name(str(name)) for name in data.get(key) or [])

    kinds = names_of("kinds")
    if data.get("registration"):
        kinds = formatting.join_list(filter(None, [kinds, formatting.kind_name("registration")]))
    hosts = formatting.host_count(int(data.get("hosts") or 0))
    parts = []
    if turned_on := names_of("turned_on"):
        parts.append(_("Turned on: %(kinds)s.") % {"kinds": turned_on})
    if turned_off := names_of("turned_off"):
        parts.append(_("Turned off: %(kinds)s.") % {"kinds": turned_off})
    shown = {"kinds": kinds or _("nothing"), "hosts": hosts}
    parts.append(_("Now shown: %(kinds)s, of %(hosts)s.") % shown)
    return ActivityText(
        _("%(who)s changed what visitors see.") % {"who": actor_name(row)}, " ".join(parts)
    )


def _run_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    counts: dict[str, dict[str, int]] = data.get("counts") or {}

    def total(name: str) -> int:
        return sum(int(kind.get(name) or 0) for kind in counts.values())

    texts = {
        "run_done": _("Everything was synced with Zoom."),
        "run_failed": _("The sync with Zoom failed. It is retried automatically."),
        "run_cancelled": _("The sync with Zoom was stopped."),
    }
    parts = [capfirst(formatting.reconciled_counts(counts))]
    if total("created"):
        n = total("created")
        parts.append(ngettext("%(n)d new", "%(n)d new", n) % {"n": n})
    if total("changed"):
        n = total("changed")
        parts.append(ngettext("%(n)d changed", "%(n)d changed", n) % {"n": n})
    if total("removed"):
        n = total("removed")
        parts.append(ngettext("%(n)d removed", "%(n)d removed", n) % {"n": n})
    return ActivityText(texts.get(row.code, row.code), f"{', '.join(parts)}." if counts else "")


def _withheld_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    n = int(data.get("count") or 0)
    text = ngettext(
        "%(n)d item is no longer in Zoom. It has not been removed yet.",
        "%(n)d items are no longer in Zoom. They have not been removed yet.",
        n,
    )
    return ActivityText(text % {"n": n}, _("If this is correct, confirm it in the Zoom settings."))


def _many_changed_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    n = int(data.get("count") or 0)
    text = ngettext(
        "Much changed in Zoom at once: %(n)d item.",
        "Much changed in Zoom at once: %(n)d items.",
        n,
    )
    return ActivityText(text % {"n": n})


def _event_failed_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    event = row.event
    topic = str(data.get("topic") or "")
    text: Any
    if event is not None and event.error_class == WebhookEvent.WORKER_LOST:
        text = _("Zoom reported a change, but the worker failed each time it processed it.")
    elif topic:
        text = _format(
            _("Zoom reported a change of {topic}, but it could not be read."), topic=topic
        )
    else:
        text = _("Zoom reported a change, but it could not be read.")
    attempts = event.attempts if event is not None else 0
    attempts_text = ngettext("Tried %(n)d time.", "Tried %(n)d times.", attempts) % {"n": attempts}
    code = f" ({event.error_code})" if event is not None and event.error_code else ""
    return ActivityText(
        text, _("Nothing is lost.") + (f" {attempts_text}{code}" if attempts else "")
    )


def _refused_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    return ActivityText(
        _(
            "Access was allowed in Zoom in another browser than the one in which Connect was "
            "pressed, or the login had ended. Nothing was connected."
        ),
        _("If another person has to allow it, create an invitation link for that person."),
    )


def _attendance_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    sentence = ngettext(
        "Attendance of {topic}, {start}: {n} registered here, {came} attended.",
        "Attendance of {topic}, {start}: {n} registered here, {came} attended.",
        int(data.get("registered") or 0),
    )
    return ActivityText(
        _format(
            sentence,
            topic=_topic(data),
            start=_format_time(data.get("start") or ""),
            n=int(data.get("registered") or 0),
            came=int(data.get("came") or 0),
        )
    )


def _attendance_unavailable_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    text = _format(
        _("The attendance of {topic}, {start}, is not known."),
        topic=_topic(data),
        start=_format_time(data.get("start") or ""),
    )
    return ActivityText(text, str(attendance.REASONS.get(str(data.get("reason")), "")))


def _missing_scope_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    names = formatting.join_list(
        formatting.kind_name(str(name)) for name in data.get("kinds") or []
    )
    return ActivityText(
        _("Zoom has not allowed this site to use %(kinds)s.") % {"kinds": names},
        _("Everything else works as before."),
    )


def _plan_text(row: Activity, data: dict[str, Any]) -> ActivityText:
    params = {
        "who": actor_name(row),
        "plan": dict(Plan.choices).get(data.get("plan", ""), ""),
    }
    if data.get("stated"):
        return ActivityText(_("%(who)s set the Zoom plan to %(plan)s.") % params)
    return ActivityText(_("%(who)s set the Zoom plan to automatic.") % params)


_BUILDERS: dict[str, Callable[[Activity, dict[str, Any]], ActivityText]] = {
    "connected": _user_action(gettext_lazy("{who} connected the Zoom account {account}.")),
    "connected_invited": _user_action(
        gettext_lazy("{person} connected the Zoom account {account} by your invitation.")
    ),
    "confirmed": _user_action(gettext_lazy("{who} confirmed the connection with {account}.")),
    "disconnected": _user_action(
        gettext_lazy("{who} disconnected Zoom and removed everything from Zoom.")
    ),
    "disconnected_kept": _user_action(gettext_lazy("{who} disconnected Zoom and kept an archive.")),
    "deauthorized": _user_action(
        gettext_lazy("The app was removed in Zoom. The connection has ended.")
    ),
    "authorization_refused": _refused_text,
    "invited": _user_action(gettext_lazy("{who} created an invitation link.")),
    "uninvited": _user_action(gettext_lazy("{who} revoked the invitation link.")),
    "adopted": _user_action(gettext_lazy("{who} switched Zoom on in this copy of the website.")),
    "plan_stated": _plan_text,
    "removal_mailed": _user_action(gettext_lazy("The owner was emailed that the app was removed.")),
    "owner_mailed": _user_action(gettext_lazy("{who} wrote to the owner.")),
    "paused": _user_action(gettext_lazy("{who} paused Zoom.")),
    "resumed": _user_action(gettext_lazy("{who} resumed syncing.")),
    "scope_missing": _missing_scope_text,
    "exposure_changed": _exposure_text,
    "removals_withheld": _withheld_text,
    "removals_approved": _user_action(gettext_lazy("{who} confirmed the removals in Zoom.")),
    "many_changed": _many_changed_text,
    "renewed_elsewhere": _renewed_text,
    "run_done": _run_text,
    "run_failed": _run_text,
    "run_cancelled": _run_text,
    "event_failed": _event_failed_text,
    "meeting_new": _object_change(gettext_lazy("{topic} is new, {start}.")),
    "meeting_renamed": _object_change(gettext_lazy("{topic} has a new title.")),
    "meeting_changed": _object_change(gettext_lazy("{topic} was changed.")),
    "meeting_gone": _object_change(gettext_lazy("{topic} was deleted.")),
    "meeting_started": _object_change(gettext_lazy("{topic} has started.")),
    "meeting_ended": _object_change(gettext_lazy("{topic} is over.")),
    "date_moved": _object_change(gettext_lazy("{topic} moved to {start}.")),
    "date_cancelled": _object_change(gettext_lazy("{topic} on {start} was cancelled.")),
    "date_restored": _object_change(gettext_lazy("{topic} on {start} takes place after all.")),
    "link_dropped": _dropped_link_text,
    "recording_new": _object_change(gettext_lazy("The recording of {topic} is ready.")),
    "recording_renamed": _object_change(gettext_lazy("The recording {topic} has a new title.")),
    "recording_gone": _object_change(gettext_lazy("The recording of {topic} was deleted.")),
    "summary_new": _object_change(gettext_lazy("The summary of {topic} waits for your review.")),
    "summary_changed": _object_change(
        gettext_lazy("The summary of {topic} was changed. What you have reviewed stays.")
    ),
    "summary_gone": _object_change(
        gettext_lazy("The summary of {topic} was deleted. Visitors no longer see it.")
    ),
    "summary_taken": _user_action(gettext_lazy("{who} took Zoom’s summary of {topic}.")),
    "summary_kept": _user_action(
        gettext_lazy("{who} kept their own text of the summary of {topic}.")
    ),
    "item_published": _user_action(gettext_lazy("{who} showed {topic} to visitors.")),
    "item_hidden": _user_action(gettext_lazy("{who} hid {topic} from visitors.")),
    "date_hidden": _date_text,
    "date_shown": _date_text,
    "item_by_rule": _user_action(gettext_lazy("{who} reset {topic} to the site’s rules.")),
    "item_edited": _user_action(gettext_lazy("{who} edited {topic}.")),
    "meeting_scheduled": _user_action(gettext_lazy("{who} scheduled {topic}.")),
    "meeting_change_sent": _user_action(gettext_lazy("{who} changed {topic} from this site.")),
    "meeting_cancelled": _user_action(gettext_lazy("{who} cancelled {topic} from this site.")),
    "meeting_change_discarded": _user_action(gettext_lazy("{who} discarded a change of {topic}.")),
    "rule_made": _user_action(gettext_lazy("{who} made a rule for recordings of {topic}.")),
    "rule_ended": _user_action(gettext_lazy("{who} ended the rule for recordings of {topic}.")),
    "registration_approved": _user_action(
        gettext_lazy("{who} approved a registration for {topic}.")
    ),
    "registration_denied": _user_action(gettext_lazy("{who} denied a registration for {topic}.")),
    "registration_cancelled": _user_action(
        gettext_lazy("{who} cancelled a registration for {topic}.")
    ),
    "registration_retried": _user_action(
        gettext_lazy("{who} sent a registration for {topic} to Zoom again.")
    ),
    "registration_edited": _user_action(
        gettext_lazy("{who} corrected a registration for {topic}.")
    ),
    "registration_failed": _user_action(
        gettext_lazy("A registration for {topic} did not reach Zoom. Nothing is lost.")
    ),
    "person_exported": _user_action(gettext_lazy("{who} exported the data of a person.")),
    "person_forgotten": _user_action(gettext_lazy("{who} deleted the data of a person.")),
    "registrations_exported": _user_action(gettext_lazy("{who} exported the registrations.")),
    "attendance_recorded": _attendance_text,
    "attendance_unavailable": _attendance_unavailable_text,
    "replayed": _user_action(gettext_lazy("{who} replayed a webhook event from Zoom.")),
}
