"""Invented rows for the previews in the block picker: nobody's data, always in the near future."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from .datetimes import When, zone_of
from .view_models import Action, DateView, FilmView, State, cover

ZONE = "Europe/Berlin"


def _at(days: int, hour: int, minute: int = 0) -> datetime:
    day = timezone.now().astimezone(zone_of(ZONE)) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _date(
    title: str, host: str, days: int, hour: int, minutes: int, kind: str = "meeting"
) -> DateView:
    start = _at(days, hour)
    when = When.of(start, start + timedelta(minutes=minutes), ZONE)
    return DateView(
        title=title,
        kind=kind,
        when=when,
        minutes=minutes,
        host=host,
        cover=cover("", title),
        action=Action(_("Add to calendar"), "#", title),
        calendar_url="#",
        url="#",
    )


def dates() -> list[DateView]:
    """Four dates in four states."""
    from dataclasses import replace

    live = _date(_("Sample: open studio"), "Ines Novak", 0, 14, 90)
    moved = _date(_("Sample: reading group"), "Tomás Rivera", 4, 19, 90)
    off = _date(_("Sample: German for beginners, lesson 9"), "Lena Brandt", 7, 17, 60)
    return [
        replace(
            live,
            state=State("live", _("Live now"), "live"),
            action=Action(_("Join on Zoom"), "#", live.title, main=True),
        ),
        replace(
            _date(_("Sample: heat pumps in old houses"), "Lena Brandt", 3, 18, 60, "webinar"),
            action=Action(_("Register"), "#"),
        ),
        replace(
            moved,
            state=State("moved", _("New time"), "moved"),
            when=replace(moved.when, previous=_at(2, 19)),
        ),
        replace(
            off,
            state=State("cancelled", _("Cancelled"), "off", _("It will not take place.")),
            action=None,
        ),
    ]


def films() -> list[FilmView]:
    """Three recordings."""
    rows = [
        (_("Sample: the harbour in nine maps"), -12, 68, "a"),
        (_("Sample: what the tide leaves behind"), -40, 51, "a"),
        (_("Sample: compost without a garden"), -20, 39, "b"),
    ]
    return [
        FilmView(
            title=title,
            when=When.of(_at(days, 18), _at(days, 18) + timedelta(minutes=minutes), ZONE),
            minutes=minutes,
            url="#",
            host="Amara Osei",
            cover=cover(title, title),
            series=series,
        )
        for title, days, minutes, series in rows
    ]
