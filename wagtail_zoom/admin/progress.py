"""Progress of a sync run for the panel: one bar, one row for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import SyncRun
from . import formatting


@dataclass(frozen=True)
class Phase:
    """One phase; ``state`` is ``done``, ``running`` or ``waiting``."""

    name: str
    state: str
    text: str


@dataclass(frozen=True)
class Progress:
    """The bar, its text and the phases."""

    completed: int
    total: int
    text: str
    phases: list[Phase]


def phase_names() -> dict[str, str]:
    """Labels of the phases, by the keys of ``SyncRun.progress``."""
    return {
        "directory": _("Hosts"),
        "hosts": _("Hosts"),
        "meeting": _("Meetings and their dates"),
        "meetings": _("Meetings and their dates"),
        "webinar": _("Webinars"),
        "webinars": _("Webinars"),
        "recording": _("Recordings"),
        "recordings": _("Recordings"),
        "details": _("Details"),
    }


def progress_of(run: SyncRun, now: datetime | None = None) -> Progress:
    """The progress of this run."""
    now = now or timezone.now()
    counts = {
        name: (int(pair[0] or 0), int(pair[1] or 0)) for name, pair in run.progress.items() if pair
    }
    completed = sum(min(pair) if pair[1] else pair[0] for pair in counts.values())
    total = sum(max(pair) for pair in counts.values())
    return Progress(completed, total, _progress_text(run, completed, total, now), _phases(counts))


def _phases(counts: dict[str, tuple[int, int]]) -> list[Phase]:
    labels, phases, has_running = phase_names(), [], False
    for name, (completed, total) in counts.items():
        text = _("%(done)d of %(total)d") % {"done": completed, "total": max(completed, total)}
        if total and completed >= total:
            state = "done"
        elif not has_running:
            state, has_running = "running", True
            text = text if total else _("looking")
        else:
            state, text = "waiting", _("%(total)d, next") % {"total": total} if total else _("next")
        phases.append(Phase(labels.get(name, name), state, text))
    return phases


def _progress_text(run: SyncRun, completed: int, total: int, now: datetime) -> str:
    if run.started_at is None:
        return _("It starts in a moment. You can leave this page.")
    started_text = _("Started at %(time)s") % {"time": formatting.date_time(run.started_at, now)}
    seconds = (now - run.started_at).total_seconds()
    if completed and total > completed and seconds > 5:
        minutes = max(1, round(seconds / completed * (total - completed) / 60))
        remaining = ngettext("about %(n)d minute to go", "about %(n)d minutes to go", minutes) % {
            "n": minutes
        }
        started_text = f"{started_text}, {remaining}"
    return _("%(began)s. You can leave this page. Your pages fill in the meantime.") % {
        "began": started_text
    }
