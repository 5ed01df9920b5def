"""Figures, and how they are taken: ours and the floor in turns, so that noise hits both."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

BUSY = os.environ.get("BENCH_BUSY", "") == "1"
"""Others were at work on this machine when the run began: ratios are then of CPU seconds."""
QUICK = os.environ.get("QUICK", "") not in ("", "0")
Work = Callable[[], object]


@dataclass
class Figure:
    """One line of the table."""

    what: str
    ours: str
    floor: str
    ratio: str
    bound: str
    reached: bool | None = None
    """None: reported without a bound."""
    note: str = ""


def report(figure: Figure) -> None:
    """Hand a figure to the process that makes the table."""
    with open(os.environ["BENCH_OUT"], "a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(figure)) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie."""
    rows = sorted(values)
    return rows[min(len(rows) - 1, int(share * len(rows)))]


def ms(values: Sequence[float]) -> str:
    """Median and the middle half of some seconds, in milliseconds."""
    low, high = percentile(values, 0.25), percentile(values, 0.75)
    return f"{statistics.median(values) * 1000:.2f} ms ({low * 1000:.2f}–{high * 1000:.2f})"


def timed(work: Work) -> float:
    """Seconds on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu() -> float:
    """CPU seconds of this process and of its PostgreSQL server process, if it has one here."""
    from django.db import connection

    seconds = time.process_time()
    if connection.vendor == "postgresql" and connection.connection is not None:
        seconds += cpu_of(connection.connection.info.backend_pid)
    return seconds


def cpu_of(*pids: int) -> float:
    """CPU seconds of processes of this machine, as far as it tells."""
    seconds = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


@dataclass
class Duel:
    """Seconds of ours and of the floor, round by round; CPU seconds over all rounds."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    ours_cpu: float = 0.0
    floor_cpu: float = 0.0

    @property
    def wall(self) -> float:
        """Ours over the floor, by medians of the time on the wall."""
        return statistics.median(self.ours) / statistics.median(self.floor)

    @property
    def cpu(self) -> float:
        """Ours over the floor, by CPU seconds: true on a busy machine as well."""
        return self.ours_cpu / max(1e-9, self.floor_cpu)

    @property
    def ratio(self) -> float:
        """The one that is judged."""
        return self.cpu if BUSY else self.wall

    def text(self) -> str:
        """Both ratios."""
        return f"{self.wall:.2f} × (CPU {self.cpu:.2f} ×)"

    def take(self, ours: Work, floor: Work, *, ours_first: bool) -> None:
        """One round."""
        for is_ours in (True, False) if ours_first else (False, True):
            began, used = time.perf_counter(), cpu()
            (ours if is_ours else floor)()
            wall, used = time.perf_counter() - began, cpu() - used
            if is_ours:
                self.ours.append(wall)
                self.ours_cpu += used
            else:
                self.floor.append(wall)
                self.floor_cpu += used


def duel(ours: Work, floor: Work, rounds: int) -> Duel:
    """Take turns. One round more warms up and does not count."""
    ours()
    floor()
    found = Duel()
    for number in range(rounds):
        found.take(ours, floor, ours_first=bool(number % 2))
    return found
