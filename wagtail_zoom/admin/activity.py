"""The activity log in an owner's words: one sentence with a subject for each code.

Rows hold a code and data; the words are chosen when they are read, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Activity, GrantReason, Plan, WebhookEvent
from . import formatting

CATEGORIES = [
    ("connection", gettext_lazy("Connection")),
    ("sync", gettext_lazy("Comparing with Zoom")),
    ("event", gettext_lazy("Messages from Zoom")),
    ("registration", gettext_lazy("Sign-ups")),
    ("curation", gettext_lazy("What you decided")),
]


@dataclass(frozen=True)
class Sentence:
    """What happened, and a detail in a second line."""

    text: SafeString | str
    detail: str = ""


def worded(row: Activity) -> Sentence:
    """The sentence for one row; of a code nobody knows any more, the code itself."""
    data = row.data or {}
    wording_of = _WORDS.get(row.code)
    if wording_of is not None:
        return wording_of(row, data)
    if row.code.startswith("grant_"):
        return _grant(row, data)
    return Sentence(row.code.replace("_", " ").capitalize())


def who(row: Activity) -> str:
    """The person, or "We" for what the software did by itself."""
    if row.user is None:
        return _("We")
    return row.user.get_full_name() or row.user.get_username()


def _bold(sentence: str, **values: Any) -> SafeString:
    """Fill a sentence with ``{name}`` places; ``topic`` stands out."""
    if "topic" in values:
        values["topic"] = format_html("<strong>{}</strong>", values["topic"])
    return format_html(sentence, **values)


def _told(row: Activity) -> str:
    """Who noticed a change: Zoom by a message, or we by comparing."""
    return _("Zoom told us:") if row.event_id else _("We saw:")


def _at(text: Any) -> str:
    try:
        return formatting.moment(datetime.fromisoformat(str(text)))
    except ValueError:
        return ""


def _topic(data: dict[str, Any]) -> str:
    return str(data.get("topic") or _("without a title"))


def _thing(sentence: str) -> Callable[[Activity, dict[str, Any]], Sentence]:
    """A change of one thing. ``sentence`` is a lazy translation with a place for the topic."""

    def word(row: Activity, data: dict[str, Any]) -> Sentence:
        start = _at(data.get("start") or "")
        values = {"topic": _topic(data), "start": start or _("no fixed date")}
        return Sentence(
            format_html("{} {}", _told(row), _bold(str(sentence), **values)), _before(data)
        )

    return word


def _before(data: dict[str, Any]) -> str:
    if not data.get("before"):
        return ""
    before = _at(data["before"]) or str(data["before"])
    return _("Before: %(before)s") % {"before": before}


def _did(sentence: str) -> Callable[[Activity, dict[str, Any]], Sentence]:
    """Something a person did. ``sentence`` has places for ``who`` and what ``data`` holds."""

    def word(row: Activity, data: dict[str, Any]) -> Sentence:
        values = {name: str(value) for name, value in data.items() if name != "topic"}
        values = {"account": "", "person": "", **values}
        return Sentence(_bold(str(sentence), who=who(row), topic=_topic(data), **values))

    return word


def _grant(row: Activity, data: dict[str, Any]) -> Sentence:
    words = {
        "grant_connected": _("Zoom answers again."),
        "grant_degraded": _("Zoom is not answering. We go on trying."),
        "grant_needs_reconnect": _("Zoom lets us read nothing any more. Please connect again."),
        "grant_revoked": _("The permission in Zoom has ended."),
    }
    reasons = dict(GrantReason.choices)
    reason = str(reasons.get(data.get("reason"), "")) if data.get("reason") else ""
    detail = _("Reason: %(reason)s.") % {"reason": reason} if reason else ""
    return Sentence(words.get(row.code, row.code), detail)


def _exposure(row: Activity, data: dict[str, Any]) -> Sentence:
    kinds = [formatting.kind_name(str(name)) for name in data.get("kinds") or []]
    if data.get("registration"):
        kinds.append(formatting.kind_name("registration"))
    shown = formatting.listing(kinds) or _("nothing")
    hosts = formatting.hosts(int(data.get("hosts") or 0))
    return Sentence(
        _("%(who)s changed what visitors see.") % {"who": who(row)},
        _("Switched on: %(kinds)s, of %(hosts)s.") % {"kinds": shown, "hosts": hosts},
    )


def _run(row: Activity, data: dict[str, Any]) -> Sentence:
    counts: dict[str, dict[str, int]] = data.get("counts") or {}

    def total(name: str) -> int:
        return sum(int(kind.get(name) or 0) for kind in counts.values())

    words = {
        "run_done": _("We compared everything with Zoom."),
        "run_failed": _("The comparison with Zoom broke off. We try again by ourselves."),
        "run_cancelled": _("The comparison with Zoom was stopped."),
    }
    parts = [capfirst(formatting.compared(counts))]
    if total("created"):
        parts.append(_("%(n)d new") % {"n": total("created")})
    if total("changed"):
        parts.append(_("%(n)d changed") % {"n": total("changed")})
    if total("removed"):
        parts.append(_("%(n)d removed") % {"n": total("removed")})
    return Sentence(words.get(row.code, row.code), f"{', '.join(parts)}." if counts else "")


def _withheld(row: Activity, data: dict[str, Any]) -> Sentence:
    n = int(data.get("count") or 0)
    text = ngettext(
        "%(n)d entry was no longer in Zoom. We kept it, to be safe.",
        "%(n)d entries were no longer in Zoom at once. We kept them, to be safe.",
        n,
    )
    return Sentence(text % {"n": n}, _("If that is right, say so in the Zoom settings."))


def _many(row: Activity, data: dict[str, Any]) -> Sentence:
    n = int(data.get("count") or 0)
    return Sentence(_("Much changed in Zoom at once: %(n)d entries.") % {"n": n})


def _event_failed(row: Activity, data: dict[str, Any]) -> Sentence:
    event = row.event
    topic = str(data.get("topic") or "")
    text: Any
    if event is not None and event.error_class == WebhookEvent.WORKER_LOST:
        text = _("Zoom told us about a change, but the worker broke down over it each time.")
    elif topic:
        text = _bold(
            _("Zoom told us about {topic}, but we could not fetch the change."), topic=topic
        )
    else:
        text = _("Zoom told us about a change, but we could not fetch it.")
    tries = event.attempts if event is not None else 0
    tried = ngettext("Tried %(n)d time.", "Tried %(n)d times.", tries) % {"n": tries}
    code = f" ({event.error_code})" if event is not None and event.error_code else ""
    return Sentence(text, _("Nothing is lost.") + (f" {tried}{code}" if tries else ""))


def _scope(row: Activity, data: dict[str, Any]) -> Sentence:
    names = formatting.listing(formatting.kind_name(str(name)) for name in data.get("kinds") or [])
    return Sentence(
        _("Zoom has not allowed this site to use %(kinds)s.") % {"kinds": names},
        _("Everything else works as before."),
    )


def _plan(row: Activity, data: dict[str, Any]) -> Sentence:
    known = {"who": who(row), "plan": dict(Plan.choices).get(data.get("plan", ""), "")}
    if data.get("stated"):
        return Sentence(_("%(who)s said that the Zoom plan is %(plan)s.") % known)
    return Sentence(_("%(who)s left it to us to find out the Zoom plan.") % known)


_WORDS: dict[str, Callable[[Activity, dict[str, Any]], Sentence]] = {
    "connected": _did(gettext_lazy("{who} connected the Zoom account {account}.")),
    "connected_invited": _did(
        gettext_lazy("{person} connected the Zoom account {account} by your invitation.")
    ),
    "confirmed": _did(gettext_lazy("{who} confirmed the connection with {account}.")),
    "disconnected": _did(gettext_lazy("{who} disconnected Zoom and removed what came from it.")),
    "disconnected_kept": _did(gettext_lazy("{who} disconnected Zoom and kept an archive.")),
    "deauthorized": _did(gettext_lazy("The app was removed in Zoom. The connection has ended.")),
    "invited": _did(gettext_lazy("{who} made a link for the Zoom administrator.")),
    "uninvited": _did(gettext_lazy("{who} took the link for the Zoom administrator back.")),
    "adopted": _did(gettext_lazy("{who} switched Zoom on in this copy of the website.")),
    "plan_stated": _plan,
    "owner_mailed": _did(gettext_lazy("{who} wrote to the owner.")),
    "paused": _did(gettext_lazy("{who} paused Zoom.")),
    "resumed": _did(gettext_lazy("{who} let Zoom go on.")),
    "scope_missing": _scope,
    "exposure_changed": _exposure,
    "removals_withheld": _withheld,
    "removals_approved": _did(gettext_lazy("{who} said that the removals in Zoom are right.")),
    "many_changed": _many,
    "run_done": _run,
    "run_failed": _run,
    "run_cancelled": _run,
    "event_failed": _event_failed,
    "meeting_new": _thing(gettext_lazy("{topic} is new, {start}.")),
    "meeting_renamed": _thing(gettext_lazy("{topic} has a new title.")),
    "meeting_changed": _thing(gettext_lazy("{topic} was changed.")),
    "meeting_gone": _thing(gettext_lazy("{topic} was deleted.")),
    "meeting_started": _thing(gettext_lazy("{topic} has begun.")),
    "meeting_ended": _thing(gettext_lazy("{topic} is over.")),
    "date_moved": _thing(gettext_lazy("{topic} moved to {start}.")),
    "date_cancelled": _thing(gettext_lazy("{topic} on {start} was cancelled.")),
    "date_restored": _thing(gettext_lazy("{topic} on {start} takes place after all.")),
    "recording_new": _thing(gettext_lazy("The recording of {topic} is ready.")),
    "recording_renamed": _thing(gettext_lazy("The recording {topic} has a new title.")),
    "recording_gone": _thing(gettext_lazy("The recording of {topic} was deleted.")),
    "item_published": _did(gettext_lazy("{who} showed {topic} to visitors.")),
    "item_hidden": _did(gettext_lazy("{who} hid {topic} from visitors.")),
    "item_by_rule": _did(gettext_lazy("{who} left {topic} to the rules.")),
    "item_edited": _did(gettext_lazy("{who} edited {topic}.")),
    "rule_made": _did(gettext_lazy("{who} made a rule for recordings of {topic}.")),
    "rule_ended": _did(gettext_lazy("{who} ended the rule for recordings of {topic}.")),
    "signup_approved": _did(gettext_lazy("{who} gave somebody a place in {topic}.")),
    "signup_denied": _did(gettext_lazy("{who} refused somebody a place in {topic}.")),
    "signup_cancelled": _did(gettext_lazy("{who} cancelled a sign-up for {topic}.")),
    "signup_retried": _did(gettext_lazy("{who} sent a sign-up for {topic} to Zoom again.")),
    "signup_edited": _did(gettext_lazy("{who} corrected a sign-up for {topic}.")),
    "signup_failed": _did(
        gettext_lazy("A sign-up for {topic} did not reach Zoom. Nothing is lost.")
    ),
    "person_exported": _did(gettext_lazy("{who} handed out what is stored about a person.")),
    "person_forgotten": _did(gettext_lazy("{who} deleted what is stored about a person.")),
    "signups_exported": _did(gettext_lazy("{who} exported the sign-ups.")),
    "replayed": _did(gettext_lazy("{who} let us handle a message of Zoom’s again.")),
}
