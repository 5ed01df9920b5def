"""Figures and their measurement: alternately with the baseline, so that noise affects both."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

BUSY = os.environ.get("BENCH_BUSY", "") == "1"
"""The machine was busy when the run began: ratios are then of CPU seconds."""
QUICK = os.environ.get("QUICK", "") not in ("", "0")
Work = Callable[[], object]


@dataclass
class Figure:
    """One line of the table."""

    what: str
    measured: str
    baseline: str
    ratio: str
    bound: str
    reached: bool | None = None
    """None: reported without a bound."""
    note: str = ""


def report(figure: Figure) -> None:
    """Pass a figure to the process that writes the table."""
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
    """Seconds of wall time."""
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
    """CPU seconds of local processes, where the platform reports them."""
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
class Comparison:
    """Seconds of the measured code and of the baseline by round; CPU seconds of all rounds."""

    measured: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    measured_cpu: float = 0.0
    baseline_cpu: float = 0.0

    @property
    def wall(self) -> float:
        """Measured code over baseline, by medians of wall time."""
        return statistics.median(self.measured) / statistics.median(self.baseline)

    @property
    def cpu(self) -> float:
        """Measured code over baseline, by CPU seconds: valid on a busy machine too."""
        return self.measured_cpu / max(1e-9, self.baseline_cpu)

    @property
    def ratio(self) -> float:
        """The ratio that the bound applies to."""
        return self.cpu if BUSY else self.wall

    def text(self) -> str:
        """Both ratios."""
        return f"{self.wall:.2f} × (CPU {self.cpu:.2f} ×)"

    def run_round(self, measured: Work, baseline: Work, *, measured_first: bool) -> None:
        """One round."""
        for is_measured in (True, False) if measured_first else (False, True):
            began, used = time.perf_counter(), cpu()
            (measured if is_measured else baseline)()
            wall, used = time.perf_counter() - began, cpu() - used
            if is_measured:
                self.measured.append(wall)
                self.measured_cpu += used
            else:
                self.baseline.append(wall)
                self.baseline_cpu += used


def compare(measured: Work, baseline: Work, rounds: int) -> Comparison:
    """Run both alternately, after one warm-up round."""
    measured()
    baseline()
    comparison = Comparison()
    for number in range(rounds):
        comparison.run_round(measured, baseline, measured_first=bool(number % 2))
    return comparison
