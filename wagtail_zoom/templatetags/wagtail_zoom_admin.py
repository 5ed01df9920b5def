"""Wordings for the admin's templates."""

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
def moment(value: datetime | None) -> str:
    """A time as the admin says it; empty without one."""
    return formatting.moment(value) if value else ""


@register.simple_tag
def day(value: date | datetime | None) -> str:
    """A day as the admin says it; empty without one."""
    return formatting.day(value) if value else ""


@register.simple_tag
def times_are() -> str:
    """Which zone the times on this screen are in."""
    return formatting.zone()


@register.simple_tag
def age(value: datetime | None) -> str:
    """How long ago; empty without a time."""
    return _("%(age)s ago") % {"age": formatting.age(value)} if value else ""


@register.simple_tag
def until(value: datetime) -> str:
    """Until when a link works."""
    return _("It works until %(time)s.") % {"time": formatting.moment(value)}


@register.simple_tag
def loss_sentence(loss: Any) -> str:
    """What leaves the pages and is deleted here."""
    if loss.is_empty:
        return _("Nothing is stored here that would be deleted.")
    parts = []
    if loss.meetings:
        parts.append(
            ngettext("%(n)d meeting", "%(n)d meetings", loss.meetings) % {"n": loss.meetings}
        )
    if loss.recordings:
        parts.append(formatting.recordings(loss.recordings))
    return _("This leaves your pages and is deleted here: %(what)s.") % {
        "what": formatting.listing(parts)
    }


@register.simple_tag
def invitation_mail(site: Any, link: str) -> str:
    """A mail of the owner's own, with the link in it."""
    subject = _("Please connect %(site)s to Zoom") % {"site": site.hostname}
    body = _("With this link you connect our site to Zoom. It works once:\n\n%(link)s") % {
        "link": link
    }
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
