"""Prints the table and writes it to ``RESULTS.md``."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .databases import Database
from .measure import QUICK, Figure

RESULTS = Path(__file__).with_name("RESULTS.md")
MARKER = "<!-- What stands below this line is written by hand and kept. -->"
WORDS = {True: "reached", False: "**not reached**", None: "–"}


def show(figures: list[Figure]) -> None:
    """Print figures during the run."""
    for figure in figures:
        word = WORDS[figure.reached].strip("*")
        note = f" | {figure.note}" if figure.note else ""
        numbers = f"{figure.measured} | {figure.baseline} | {figure.ratio} {figure.bound}"
        print(f"{word:12} {figure.what}: {numbers}{note}", flush=True)


def memory(figures: list[Figure]) -> list[Figure]:
    """Combine the memory peaks of the two imports into one figure."""
    peaks = [figure for figure in figures if figure.what.startswith("memory ")]
    if len(peaks) < 2:
        return figures
    small, large = peaks
    ratio = float(large.measured) / float(small.measured)
    grown = float(large.measured) - float(large.baseline)
    line = Figure(
        f"Memory of one import, {int(large.what.split()[1]):,} meetings",
        f"{large.measured} MB peak",
        f"{int(small.what.split()[1]):,} meetings: {small.measured} MB",
        f"{ratio:.2f} ×",
        "≤ 1.2 ×",
        ratio <= 1.2,
        f"{grown:.1f} MB above the start; {large.note}",
    )
    return [figure for figure in figures if figure not in peaks] + [line]


def table(figures: list[Figure], databases: list[Database], seconds: float) -> str:
    """The report as Markdown."""
    reached = sum(figure.reached is True for figure in figures)
    bounded = sum(figure.reached is not None for figure in figures)
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `make bench{' QUICK=1' if QUICK else ''}`, "
        f"{seconds:.0f} s. {reached} of {bounded} bounds reached.",
        "",
        f"- Machine: {_cpu()}, {os.cpu_count()} cores, {_memory():.0f} GB, "
        f"{platform.system()} {platform.release()}; load average {os.getloadavg()[0]:.1f} "
        "at the end",
        f"- Python {platform.python_version()}, Django {version('django')}, "
        f"Wagtail {version('wagtail')}, django-q2 {version('django-q2')}, "
        f"{', '.join(database.version() for database in databases)}",
        f"- Load average at the beginning {os.environ['BENCH_LOAD']}: "
        + (
            "others were at work on the machine, so ratios are judged by CPU seconds (of the "
            "process and its database server) where they are given."
            if os.environ.get("BENCH_BUSY")
            else "the machine was idle, ratios are judged by wall time."
        ),
        "- Numbers are medians; the middle half of the rounds is in brackets. The code and its "
        "baseline alternate in one process or on one server, so that noise affects both.",
        "",
        "| what | measured | baseline, same run | ratio | bound | |",
        "|---|---|---|---|---|---|",
    ]
    for figure in figures:
        what = f"{figure.what}<br><small>{figure.note}</small>" if figure.note else figure.what
        cells = (
            what,
            figure.measured,
            figure.baseline,
            figure.ratio,
            figure.bound,
            WORDS[figure.reached],
        )
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Replace the measured part of the file."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    _before, _mark, manual_part = old.partition(MARKER)
    RESULTS.write_text(f"{text}\n{MARKER}\n{manual_part or chr(10)}")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
