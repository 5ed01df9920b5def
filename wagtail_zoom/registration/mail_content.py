"""What emails to a registered person say: subject, text, the same words as HTML, calendar file.

The HTML is made of the paragraphs of the rendered text, so that both say the same, whichever of the
templates a project overrides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from ..models import PasscodePolicy, Registration, ZoomSettings
from ..models.outbox import REFUSALS
from ..utils.text import unlinked_line
from . import error_policy, tokens
from .calendars import FILE_NAME, calendar_of
from .context import availability_for, organiser
from .dates import dates_of
from .fields import one_line
from .join_links import personal_join_url
from .payload import greeting_name

TEMPLATES = "wagtail_zoom/registration/mail"
RULE = re.compile(r"-{3,}")
_LINK_CHARACTERS = re.compile(r"[.:/\\]")
"""None of them is in a passcode of Zoom's (Zoom: letters, digits and ``@ - _ *``)."""


@dataclass(frozen=True)
class Span:
    """A part of a line."""

    text: str
    url: str = ""
    """Where it leads; only URLs that we have written ourselves are links."""
    is_title: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Lines between two empty ones; a rule has none."""

    lines: tuple[tuple[Span, ...], ...] = ()


@dataclass(frozen=True)
class Part:
    """The email about one registration."""

    row: Registration
    subject: str
    body: str
    context: dict[str, Any]


def message(
    row: Registration, name: str, others: Iterable[Registration] = ()
) -> EmailMultiAlternatives:
    """The email of a registration; with ``others`` one email about all of them.

    Raises:
        DecryptionError: the address or an answer cannot be read any more.
    """
    site_settings = ZoomSettings.for_site(row.site)
    contact = site_settings.contact_email
    names = {row: name, **{other: other.mail_due for other in others}}
    parts = [
        _part(member, member_name, site_settings, is_part=len(names) > 1)
        for member, member_name in names.items()
    ]
    with translation.override(row.locale or django_settings.LANGUAGE_CODE):
        if len(parts) > 1:
            name, subject, context = (
                "_several",
                _("Your registrations"),
                {
                    "name": greeting_name(row),
                    "parts": [{"subject": part.subject, "body": part.body} for part in parts],
                    "organiser": _organiser(row, site_settings),
                },
            )
            body = render_to_string(f"{TEMPLATES}/_several.txt", context).strip()
        else:
            subject, body, context = parts[0].subject, parts[0].body, parts[0].context
        html_context = {**context, "subject": subject, "paragraphs": _paragraphs(body, parts)}
        html = render_to_string(
            [f"{TEMPLATES}/{name}.html", f"{TEMPLATES}/_base.html"], html_context
        )
        calendar = calendar_of(
            [part.row for part in parts if part.context["has_calendar"]], site_settings
        )
    email = EmailMultiAlternatives(
        subject=subject,
        body=f"{body}\n",
        to=[row.email.reveal()],
        reply_to=[contact] if contact and contact == one_line(contact) else None,
        headers={"Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(html, "text/html")
    if calendar:
        email.attach(FILE_NAME, calendar.decode(), "text/calendar")
    return email


def _part(row: Registration, name: str, site_settings: ZoomSettings, *, is_part: bool) -> Part:
    with translation.override(row.locale or django_settings.LANGUAGE_CODE):
        context = {**_context(row, name, site_settings), "is_part": is_part}
        subject = one_line(_subjects()[name] % {"title": context["title"]})
        body = render_to_string(f"{TEMPLATES}/{name}.txt", context).strip()
    return Part(row, subject, body, context)


def _paragraphs(body: str, parts: Iterable[Part]) -> list[Paragraph]:
    """The text in the form that the HTML template needs."""
    contexts = [part.context for part in parts]
    titles = {context["title"] for context in contexts} | {part.subject for part in parts}
    urls = {context[key] for context in contexts for key in ("status_url", "join_url")} - {""}
    url_pattern = re.compile("(" + "|".join(map(re.escape, sorted(urls, key=len)[::-1])) + ")")

    def spans(line: str) -> tuple[Span, ...]:
        if line in titles:
            return (Span(line, is_title=True),)
        texts = url_pattern.split(line)
        return tuple(Span(text, text if text in urls else "") for text in texts if text)

    return [
        Paragraph()
        if RULE.fullmatch(text)
        else Paragraph(tuple(spans(line.strip()) for line in text.splitlines()))
        for text in re.split(r"\n\s*\n", body)
    ]


def _organiser(row: Registration, site_settings: ZoomSettings) -> str:
    """The organiser's name; the name of the Site and its hostname are the operator's words."""
    name = organiser(row.site, site_settings)
    if name in (one_line(row.site.site_name), row.site.hostname):
        return name
    return unlinked_line(name) or row.site.site_name or row.site.hostname


def title_of(row: Registration) -> str:
    """What a registration is about, as emails say it: anybody can enter any address, and the topic
    is the Zoom account's."""
    title = str(row.snapshot.get("title") or row.snapshot.get("topic") or "Zoom")
    return unlinked_line(title) or _("Zoom meeting")  # guard: email-title-without-links


def subject_of(name: str, row: Registration) -> str:
    """The subject of an email about a registration; empty for an unknown one."""
    subject = _subjects().get(name, "")
    return one_line(subject % {"title": title_of(row)}) if subject else ""


def _subjects() -> dict[str, str]:
    return {
        "confirm": _("Please confirm your registration: %(title)s"),
        "received": _("We have your registration: %(title)s"),
        "pending": _("We have your registration: %(title)s"),
        "approved": _("You are registered: %(title)s"),
        "denied": _("Your registration was not approved: %(title)s"),
        "cancelled": _("Your registration is cancelled: %(title)s"),
        "failed": _("Your registration did not work: %(title)s"),
        "again": _("Your registration: %(title)s"),
        "moved": _("New time: %(title)s"),
    }


def _context(row: Registration, name: str, site_settings: ZoomSettings) -> dict[str, Any]:
    dates = dates_of(row)
    zoom_sends = row.meeting is not None and row.meeting.zoom_sends_details
    is_approved = row.state == Registration.State.APPROVED
    join_url = personal_join_url(row, site_settings) if is_approved else ""
    passcode = ""
    if join_url and row.meeting and site_settings.passcode_policy == PasscodePolicy.REGISTRANTS:
        passcode = row.meeting.passcode.reveal()
        if _LINK_CHARACTERS.search(passcode):  # guard: email-passcode-without-links
            passcode = ""
    return {
        "row": row,
        "title": title_of(row),
        "name": greeting_name(row),
        "organiser": _organiser(row, site_settings),
        "contact": one_line(site_settings.contact_email),
        "dates": [date.text for date in dates if not date.is_over] or [d.text for d in dates],
        "status_url": tokens.status_url(row, site_settings),
        "may_join": bool(join_url),
        "join_url": "" if zoom_sends else join_url,
        "passcode": passcode,
        "zoom_sends": zoom_sends,
        "has_calendar": _is_calendar_due(row, name) and any(date.occurrence for date in dates),
        "reason": error_policy.VISITOR_MESSAGES.get(row.error_class, ""),
        "can_repeat": row.error_class in error_policy.WORTH_REPEATING
        and availability_for(row).is_open,
        "is_refused": row.error_class in REFUSALS,
        "days": site_settings.registration_days,
    }


def _is_calendar_due(row: Registration, name: str) -> bool:
    """Whether an email adds the dates to a calendar, or takes back what an earlier one added."""
    if name in ("approved", "moved", "again"):
        return row.state == Registration.State.APPROVED
    if name == "cancelled":
        return row.state == Registration.State.CANCELLED
    return name == "denied" and "approved" in row.mails
