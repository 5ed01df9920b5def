"""The table, on the screen and in ``RESULTS.md``."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .databases import Database
from .measure import QUICK, Figure

RESULTS = Path(__file__).with_name("RESULTS.md")
MARK = "<!-- What stands below this line is written by hand and kept. -->"
WORDS = {True: "reached", False: "**not reached**", None: "–"}


def show(figures: list[Figure]) -> None:
    """While it runs."""
    for one in figures:
        word = WORDS[one.reached].strip("*")
        print(f"{word:12} {one.what}: {one.ours} | {one.floor} | {one.ratio} {one.bound}"
              f"{' | ' + one.note if one.note else ''}", flush=True)  # fmt: skip


def memory(found: list[Figure]) -> list[Figure]:
    """Join the peaks of the two imports into one line."""
    peaks = [one for one in found if one.what.startswith("memory ")]
    if len(peaks) < 2:
        return found
    small, large = peaks
    ratio = float(large.ours) / float(small.ours)
    grown = float(large.ours) - float(large.floor)
    line = Figure(
        f"Memory of one import, {int(large.what.split()[1]):,} meetings", f"{large.ours} MB peak",
        f"{int(small.what.split()[1]):,} meetings: {small.ours} MB", f"{ratio:.2f} ×", "≤ 1.2 ×",
        ratio <= 1.2, f"{grown:.1f} MB above the start; {large.note}",
    )  # fmt: skip
    return [one for one in found if one not in peaks] + [line]


def table(found: list[Figure], databases: list[Database], seconds: float) -> str:
    """Everything as Markdown."""
    reached = sum(one.reached is True for one in found)
    bounded = sum(one.reached is not None for one in found)
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
        f"{', '.join(one.version() for one in databases)}",
        f"- Load average at the beginning {os.environ['BENCH_LOAD']}: "
        + (
            "others were at work on the machine, so ratios are judged by CPU seconds (of the "
            "process and its database server) where they are given."
            if os.environ.get("BENCH_BUSY")
            else "the machine was ours, ratios are judged by the time on the wall."
        ),
        "- Numbers are medians; the middle half of the rounds stands in brackets. Ours and the "
        "floor take turns in one process or on one server, so that noise hits both.",
        "",
        "| what | ours | floor, same run | ratio | to reach | |",
        "|---|---|---|---|---|---|",
    ]
    for one in found:
        what = f"{one.what}<br><small>{one.note}</small>" if one.note else one.what
        cells = (what, one.ours, one.floor, one.ratio, one.bound, WORDS[one.reached])
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Replace the measured part of the file."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    _before, _mark, kept = old.partition(MARK)
    RESULTS.write_text(f"{text}\n{MARK}\n{kept or chr(10)}")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
