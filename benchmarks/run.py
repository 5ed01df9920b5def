"""``make bench`` (``QUICK=1`` for the short one): every figure beside its floor, in one run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo_site.places import Places

from . import report
from .databases import Database, all_databases, prepare_demo
from .measure import QUICK, Figure

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Job:
    """One measurement: what runs, on which databases, and how long it may take."""

    call: str
    arguments: tuple[int, ...] = ()
    everywhere: bool = False
    """On each database that answers, else on the first alone."""
    seconds: int = 300
    in_quick: bool = True


BUDGET = 88 if QUICK else 885
"""Seconds for everything: what does not fit in any more is reported as not measured."""
MEMORY = (1000, 3000) if QUICK else (1000, int(os.environ.get("BENCH_MEMORY") or 50_000))
JOBS = (
    Job("pages", everywhere=not QUICK),
    Job("serving", in_quick=False),
    Job("upserts"),
    Job("inbox"),
    Job("imports.reconcile"),
    Job("doors", everywhere=not QUICK),
    Job("signup"),
    Job("tokens"),
    Job("latency"),
    Job("fleet"),
    Job("fleet.year", in_quick=False),
    Job("asides", in_quick=False),
    *(Job("imports.memory", (count,), in_quick=False, seconds=600) for count in MEMORY),
    # Last: Zoom's rate sets how long it takes, and it imports as many as there is time for.
    Job("imports.first_import", seconds=600),
)


def main() -> int:
    """Run what was named on the command line, or everything."""
    began = time.monotonic()
    os.environ["BENCH_LOAD"] = f"{os.getloadavg()[0]:.1f}"
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    os.environ.setdefault("BENCH_BUSY", "1" if busy else "")
    folder = Path(tempfile.mkdtemp(prefix="wagtail-zoom-bench-"))
    wanted = sys.argv[1:]
    found: list[Figure] = []
    databases = all_databases(folder)
    plan = [
        (job, database)
        for job in JOBS
        if _is_wanted(job, wanted)
        for database in (databases if job.everywhere else databases[:1])
    ]
    try:
        _prepare(plan, folder)
        for job, database in plan:
            left = 10**6 if wanted else BUDGET - (time.monotonic() - began)
            started = time.monotonic()
            figures = _measure(job, database, folder, left)
            report.show(figures)
            print(f"({job.call}: {time.monotonic() - started:.0f} s)", flush=True)
            found += figures
    finally:
        for database in databases:
            database.drop()
        shutil.rmtree(folder, ignore_errors=True)
    found = report.memory(found)
    text = report.table(found, databases, time.monotonic() - began)
    print(text)
    if not wanted:
        report.write(text)
    return 0


def _is_wanted(job: Job, wanted: list[str]) -> bool:
    """Whether the job was named; with nothing named, whether it is of this mode."""
    if wanted:
        return any(job.call.startswith(name) for name in wanted)
    return job.in_quick or not QUICK


def _prepare(plan: list[tuple[Job, Database]], folder: Path) -> None:
    """Migrate what will be copied, at the same time: nothing is measured yet."""
    work = [database.prepare for database in dict.fromkeys(database for _job, database in plan)]
    if any(job.call == "latency" for job, _database in plan):
        places = Places.anywhere(folder / "demo")
        os.environ |= places.environment()
        work.append(partial(prepare_demo, places))
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(one) for one in work]:
            done.result()


def _measure(job: Job, database: Database, folder: Path, left: float) -> list[Figure]:
    if left < 3:
        return [Figure(job.call, "not measured", "", "", "", None, "the time was over")]
    began = time.monotonic()
    out = folder / "figures.jsonl"
    out.unlink(missing_ok=True)
    database.fresh()
    environment = {
        **os.environ, **database.environment, "BENCH_OUT": str(out), "BENCH_LEFT": f"{left:.0f}",
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.figure", job.call, *map(str, job.arguments)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    seconds = max(1.0, min(job.seconds, left - (time.monotonic() - began)))
    try:
        failed = process.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        failed = -1
    lines = out.read_text().splitlines() if out.exists() else []
    figures = [Figure(**json.loads(line)) for line in lines]
    if failed:
        why = f"took longer than {seconds:.0f} s" if failed < 0 else "broke off, see above"
        figures.append(Figure(job.call, "not measured", "", "", "", None, why))
    if job.everywhere:
        for figure in figures:
            figure.what += f" [{database.name}]"
    return figures


def _end(process: subprocess.Popen) -> None:
    """The process with its simulator, servers and worker."""
    os.killpg(process.pid, 15)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
