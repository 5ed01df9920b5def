"""Template tags of the admin: times and messages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..admin import formatting

register = template.Library()


@register.simple_tag
def date_and_time(value: datetime | None) -> str:
    """A time in the admin's format; empty without one."""
    return formatting.date_time(value) if value else ""


@register.simple_tag
def day(value: date | datetime | None) -> str:
    """A day in the admin's format; empty without one."""
    return formatting.day(value) if value else ""


@register.simple_tag
def time_zone_note() -> str:
    """The time zone of the times on this screen."""
    return formatting.time_zone_note()


@register.simple_tag
def age(value: datetime | None) -> str:
    """How long ago; empty without a time."""
    return _("%(age)s ago") % {"age": formatting.age(value)} if value else ""


@register.simple_tag
def valid_until(value: datetime) -> str:
    """Until when a link works."""
    return _("It works until %(time)s.") % {"time": formatting.date_time(value)}


@register.simple_tag
def data_loss_message(loss: Any) -> str:
    """Which data is removed from the pages and deleted."""
    if loss.is_empty:
        return _("Nothing is stored here that would be deleted.")
    parts = []
    if loss.meetings:
        parts.append(
            ngettext("%(n)d meeting", "%(n)d meetings", loss.meetings) % {"n": loss.meetings}
        )
    if loss.recordings:
        parts.append(formatting.recording_count(loss.recordings))
    if loss.reviewed_summaries:
        n = loss.reviewed_summaries
        parts.append(ngettext("%(n)d reviewed summary", "%(n)d reviewed summaries", n) % {"n": n})
    return _("Removed from your pages and deleted here: %(what)s.") % {
        "what": formatting.join_list(parts)
    }


@register.simple_tag
def invitation_mailto(site: Any, link: str) -> str:
    """``mailto:`` URL of an email of the owner that contains the link."""
    subject = _("Please connect %(site)s to Zoom") % {"site": site.hostname}
    body = _("With this link you connect our site to Zoom. It works once:\n\n%(link)s") % {
        "link": link
    }
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
