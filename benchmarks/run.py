"""``make bench`` (``QUICK=1`` for the short one): every figure with its baseline, in one run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo_site.config import DemoConfig
from demo_site.processes import (
    PAUSE,
    Interrupted,
    Interrupts,
    descendants,
    kill_group,
    wait_until_ended,
)

from . import report
from .databases import Database, all_databases, prepare_demo
from .measure import QUICK, Figure

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Job:
    """One measurement: its function, databases and time limit."""

    call: str
    arguments: tuple[int, ...] = ()
    everywhere: bool = False
    """On every available database; otherwise on the first only."""
    seconds: int = 300
    in_quick: bool = True


BUDGET = 88 if QUICK else 885
"""Seconds for the whole run: measurements that do not fit are reported as not measured."""
MEMORY = (1000, 3000) if QUICK else (1000, int(os.environ.get("BENCH_MEMORY") or 50_000))
JOBS = (
    Job("pages", everywhere=not QUICK),
    Job("serving", in_quick=False),
    Job("busy"),
    Job("feeds"),
    Job("feeds.over_http"),
    Job("upserts"),
    Job("inbox"),
    Job("imports.reconcile"),
    Job("imports.first_dates"),
    Job("webhook_endpoint", everywhere=not QUICK),
    Job("registration"),
    Job("scheduling"),
    Job("tokens"),
    Job("hub"),
    Job("latency"),
    Job("overview"),
    Job("exports"),
    Job("panel"),
    Job("burst"),
    Job("overview.operator", in_quick=False),
    Job("overview.year", in_quick=False),
    Job("unbounded", in_quick=False),
    *(Job("imports.memory", (count,), in_quick=False, seconds=600) for count in MEMORY),
    # Last: its duration depends on Zoom's rate limit, and it imports what fits into the time.
    Job("imports.first_import", seconds=600),
)


INTERRUPTS = Interrupts()


def main() -> int:
    """Run the measurements named on the command line, or all."""
    INTERRUPTS.install()
    began = time.monotonic()
    os.environ["BENCH_LOAD"] = f"{os.getloadavg()[0]:.1f}"
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    os.environ.setdefault("BENCH_BUSY", "1" if busy else "")
    folder = Path(tempfile.mkdtemp(prefix="wagtail-zoom-bench-"))
    names = sys.argv[1:]
    figures: list[Figure] = []
    databases = all_databases(folder)
    plan = [
        (job, database)
        for job in JOBS
        if _is_selected(job, names)
        for database in (databases if job.everywhere else databases[:1])
    ]
    try:
        _prepare(plan, folder)
        for job, database in plan:
            left = 10**6 if names else BUDGET - (time.monotonic() - began)
            started = time.monotonic()
            job_figures = _measure(job, database, folder, left)
            report.show(job_figures)
            print(f"({job.call}: {time.monotonic() - started:.0f} s)", flush=True)
            figures += job_figures
    except Interrupted:
        return 130
    finally:
        for database in databases:
            database.drop()
        shutil.rmtree(folder, ignore_errors=True)
    figures = report.memory(figures)
    text = report.table(figures, databases, time.monotonic() - began)
    print(text)
    if not names:
        report.write(text)
    return 0


def _is_selected(job: Job, names: list[str]) -> bool:
    """Whether the job was named; without names, whether it belongs to this mode."""
    if names:
        return any(job.call.startswith(name) for name in names)
    return job.in_quick or not QUICK


def _prepare(plan: list[tuple[Job, Database]], folder: Path) -> None:
    """Migrate the templates concurrently: nothing is measured yet."""
    functions = [
        database.prepare for database in dict.fromkeys(database for _job, database in plan)
    ]
    if any(job.call == "latency" for job, _database in plan):
        config = DemoConfig.anywhere(folder / "demo")
        os.environ |= config.environment()
        functions.append(partial(prepare_demo, config, INTERRUPTS))
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(function) for function in functions]:
            future.result()


def _measure(job: Job, database: Database, folder: Path, left: float) -> list[Figure]:
    if left < 3:
        return [Figure(job.call, "not measured", "", "", "", None, "the time was over")]
    began = time.monotonic()
    out = folder / "figures.jsonl"
    out.unlink(missing_ok=True)
    database.empty_copy()
    environment = {
        **os.environ, **database.environment, "BENCH_OUT": str(out), "BENCH_LEFT": f"{left:.0f}",
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.figure", job.call, *map(str, job.arguments)]
    seconds = max(1.0, min(job.seconds, left - (time.monotonic() - began)))
    failed = run_command(command, environment, seconds)
    lines = out.read_text().splitlines() if out.exists() else []
    figures = [Figure(**json.loads(line)) for line in lines]
    if failed != 0:
        reason = f"took longer than {seconds:.0f} s" if failed is None else "broke off, see above"
        figures.append(Figure(job.call, "not measured", "", "", "", None, reason))
    if job.everywhere:
        for figure in figures:
            figure.what += f" [{database.name}]"
    return figures


def run_command(command: list[str], environment: dict[str, str], seconds: float) -> int | None:
    """Run a program; its exit code, or None when it took longer.

    Nothing that it started runs afterwards, also in groups of processes of its own.

    Raises:
        Interrupted: see :class:`Interrupts`.
    """
    end = time.monotonic() + seconds
    INTERRUPTS.check()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        while process.poll() is None and time.monotonic() < end:
            INTERRUPTS.check()
            time.sleep(PAUSE)
        return process.returncode
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGSTOP)  # it starts nothing while we look
            started = descendants(process.pid)
            for pid in (*started, process.pid):
                kill_group(pid)
            process.wait()
            wait_until_ended(started)


if __name__ == "__main__":
    sys.exit(main())
