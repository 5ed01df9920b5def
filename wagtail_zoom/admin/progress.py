"""A run of the sync as the owner watches it: one bar, one line for each kind."""

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
    """One line: ``done``, ``running`` or ``waiting``."""

    name: str
    state: str
    text: str


@dataclass(frozen=True)
class Progress:
    """The bar, what is said about it, and the lines below."""

    done: int
    total: int
    sentence: str
    phases: list[Phase]


def names() -> dict[str, str]:
    """What the phases of a run are called; keys as ``SyncRun.progress`` has them."""
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


def of(run: SyncRun, now: datetime | None = None) -> Progress:
    """What can be shown of this run at this moment."""
    now = now or timezone.now()
    counts = {
        name: (int(pair[0] or 0), int(pair[1] or 0)) for name, pair in run.progress.items() if pair
    }
    done = sum(min(pair) if pair[1] else pair[0] for pair in counts.values())
    total = sum(max(pair) for pair in counts.values())
    return Progress(done, total, _sentence(run, done, total, now), _phases(counts))


def _phases(counts: dict[str, tuple[int, int]]) -> list[Phase]:
    labels, phases, started = names(), [], False
    for name, (done, total) in counts.items():
        text = _("%(done)d of %(total)d") % {"done": done, "total": max(done, total)}
        if total and done >= total:
            state = "done"
        elif not started:
            state, started = "running", True
            text = text if total else _("looking")
        else:
            state, text = "waiting", _("%(total)d, next") % {"total": total} if total else _("next")
        phases.append(Phase(labels.get(name, name), state, text))
    return phases


def _sentence(run: SyncRun, done: int, total: int, now: datetime) -> str:
    if run.started_at is None:
        return _("It starts in a moment. You can leave this page.")
    began = _("Started at %(time)s") % {"time": formatting.moment(run.started_at, now)}
    seconds = (now - run.started_at).total_seconds()
    if done and total > done and seconds > 5:
        left = max(1, round(seconds / done * (total - done) / 60))
        togo = ngettext("about %(n)d minute to go", "about %(n)d minutes to go", left) % {"n": left}
        began = f"{began}, {togo}"
    return _("%(began)s. You can leave this page. Your pages fill meanwhile.") % {"began": began}
