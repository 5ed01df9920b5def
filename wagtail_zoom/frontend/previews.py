"""Sample data for the previews in the block picker, always in the near future."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from .availability import Availability
from .datetimes import TimeRange, get_zone
from .view_models import ActionLink, OccurrenceView, RecordingView, StateLabel, card_image

ZONE = "Europe/Berlin"


def _time(days: int, hour: int, minute: int = 0) -> datetime:
    day = timezone.now().astimezone(get_zone(ZONE)) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _occurrence(
    title: str, host: str, days: int, hour: int, minutes: int, kind: str = "meeting"
) -> OccurrenceView:
    start = _time(days, hour)
    when = TimeRange.of(start, start + timedelta(minutes=minutes), ZONE)
    return OccurrenceView(
        title=title,
        kind=kind,
        when=when,
        minutes=minutes,
        host=host,
        cover=card_image("", title),
        action=ActionLink(_("Add to calendar"), "#", title),
        calendar_url="#",
        url="#",
    )


def occurrences() -> list[OccurrenceView]:
    """Four occurrences in four states."""
    from dataclasses import replace

    live = _occurrence(_("Sample: open studio"), "Ines Novak", 0, 14, 90)
    moved = _occurrence(_("Sample: reading group"), "Tomás Rivera", 4, 19, 90)
    cancelled = _occurrence(_("Sample: German for beginners, lesson 9"), "Lena Brandt", 7, 17, 60)
    return [
        replace(
            live,
            state=StateLabel("live", _("Live now"), "live"),
            action=ActionLink(_("Join on Zoom"), "#", live.title, main=True),
        ),
        replace(
            _occurrence(_("Sample: heat pumps in old houses"), "Lena Brandt", 3, 18, 60, "webinar"),
            action=ActionLink(_("Register"), "#"),
            registration=Availability(),
        ),
        replace(
            moved,
            state=StateLabel("moved", _("New time"), "moved"),
            when=replace(moved.when, previous=_time(2, 19)),
        ),
        replace(
            cancelled,
            state=StateLabel("cancelled", _("Cancelled"), "off", _("It will not take place.")),
            action=None,
        ),
    ]


def recordings() -> list[RecordingView]:
    """Three recordings."""
    rows = [
        (_("Sample: the harbour in nine maps"), -12, 68, "a"),
        (_("Sample: what the tide leaves behind"), -40, 51, "a"),
        (_("Sample: compost without a garden"), -20, 39, "b"),
    ]
    return [
        RecordingView(
            title=title,
            when=TimeRange.of(_time(days, 18), _time(days, 18) + timedelta(minutes=minutes), ZONE),
            minutes=minutes,
            url="#",
            host="Amara Osei",
            cover=card_image(title, title),
            series=series,
        )
        for title, days, minutes, series in rows
    ]
