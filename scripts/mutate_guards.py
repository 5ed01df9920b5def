"""``make mutants``: switches each guard off in turn and shows that a test notices.

The table is in ``guards.py``, the operations are in ``guard_operations.py``. Works on copies of the
project; the package itself is never changed. ``build/mutants`` keeps the prepared database.

Ends with exit code 1 when the table, the markers and the tests do not fit together, when no test
notices a mutant, when the tests of a mutant do not run, or when they fail without any change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guard_operations import ROOT, Guard, missing_tests, mutants, package_sources
from guards import GUARDS

COPIED = ("wagtail_zoom", "tests", "demo_site", "benchmarks", "pyproject.toml")
BUILD = ROOT / "build" / "mutants"
TIME_LIMIT = 240
"""Seconds after which tests that do not end have noticed the mutant."""
FAILED = re.compile(r"^FAILED (?P<test>.+?)(?: - (?P<reason>.*))?$", re.MULTILINE)
BROKEN = re.compile(
    r"(?:\w+\.)*(?:NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError"
    r"|IndentationError)\b"
    r"|.*(?:no such (?:table|column)|database is locked|unable to open database file)"
)
"""A test that ends so has not judged the mutant: the program or the database did not work."""


@dataclass(frozen=True)
class Outcome:
    """Result of the tests: ``failed`` (noticed), ``passed``, or ``broken`` (they did not run)."""

    state: str
    test: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Result:
    guard: Guard
    outcome: Outcome
    seconds: float


def main() -> int:
    options = _options()
    began = time.monotonic()
    mutants_by_id, wrong = mutants(GUARDS, package_sources())
    wrong += missing_tests(GUARDS, ROOT / "tests")
    if wrong:
        print("\n".join(wrong))
        print(f"{len(wrong)} mistakes in the table, the markers or the tests.")
        return 1
    chosen = [
        guard
        for guard in GUARDS
        if not options.words
        or any(
            word in f"{guard.id} {guard.what} {mutants_by_id[guard.id][0]}"
            for word in options.words
        )
    ]
    for guard in [guard for guard in chosen if guard.needs and find_spec(guard.needs) is None]:
        print(f"left out {guard.id}: {guard.needs} is not installed.")
        chosen.remove(guard)
    if not chosen:
        print(f"No guard fits {' '.join(options.words)}.")
        return 1
    until = None
    if options.minutes:
        print(f"Seed {options.seed}, {options.minutes:g} minutes.", flush=True)
        random.Random(options.seed).shuffle(chosen)  # noqa: S311 - an order, no secret
        until = began + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="wagtail-zoom-mutants-") as folder:
        return Run(Path(folder), mutants_by_id, options.jobs, until).report(chosen)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only guards with one of these words")
    parser.add_argument("--minutes", type=float, help="a random sample, until the time is up")
    parser.add_argument(
        "--seed", type=int, default=int(f"{datetime.now(UTC):%Y%m%d}"), help="order of the sample"
    )
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1))
    return parser.parse_args()


class Run:
    """One run over some guards, with a copy of the project for each job."""

    def __init__(
        self,
        folder: Path,
        mutants_by_id: dict[str, tuple[str, str]],
        jobs: int,
        until: float | None,
    ) -> None:
        self.mutants_by_id = mutants_by_id
        self.jobs = jobs
        self.until = until
        self.copies: queue.Queue[Path] = queue.Queue()
        for number in range(jobs):
            _copy(folder / f"copy-{number}")
            self.copies.put(folder / f"copy-{number}")
        self.database = BUILD / f"{_digest()}.sqlite3"
        self.print_lock = threading.Lock()

    def report(self, chosen: list[Guard]) -> int:
        if not self.database.exists() and not self._make_database():
            return 1
        with ThreadPoolExecutor(self.jobs) as pool:
            results = [
                result for result in pool.map(self._try_mutant, chosen) if result is not None
            ]
        states = [result.outcome.state for result in results]
        noticed = sorted({result.outcome.test for result in results if result.outcome.test})
        whole = self._unchanged(noticed)
        if whole.state != "passed":
            print(f"Without any change {whole.test or 'the tests'} failed: {whole.reason}")
        for result in results:
            # Again at the end, where it is seen without the whole list.
            if result.outcome.state != "failed":
                self._print(result, self.mutants_by_id[result.guard.id][0])
        print(
            f"{len(results)} of {len(chosen)} guards tried: {states.count('failed')} caught, "
            f"{states.count('passed')} survived, {states.count('broken')} with broken tests."
        )
        return 0 if whole.state == "passed" and set(states) <= {"failed"} else 1

    def _make_database(self) -> bool:
        """Once for all runs, until a migration changes: it takes longer than a guard."""
        BUILD.mkdir(parents=True, exist_ok=True)
        copy = self.copies.get()
        try:
            shutil.rmtree(BUILD)
            BUILD.mkdir(parents=True)
            fresh = copy / "tables.sqlite3"
            fresh.unlink(missing_ok=True)
            outcome = _pytest(copy, ["permissions"], "--create-db")
            if outcome.state != "passed":
                print(f"The database could not be prepared: {outcome.reason}")
                return False
            shutil.copy(fresh, self.database)
        finally:
            self.copies.put(copy)
        return True

    def _try_mutant(self, guard: Guard) -> Result | None:
        if self.until is not None and time.monotonic() >= self.until:
            return None
        copy = self.copies.get()
        began = time.monotonic()
        path, text = self.mutants_by_id[guard.id]
        file = copy / path
        original, times = file.read_bytes(), file.stat()
        try:
            file.write_text(text)
            outcome = Outcome("passed")
            precise, *rest = guard.tests
            for tests in ([precise], rest):
                if tests and outcome.state == "passed":
                    shutil.copy(self.database, copy / "tables.sqlite3")
                    outcome = _pytest(copy, tests)
        finally:
            # With the old time of change: what Python has compiled stays valid.
            file.write_bytes(original)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
                compiled.unlink()
            self.copies.put(copy)
        result = Result(guard, outcome, time.monotonic() - began)
        self._print(result, path)
        return result

    def _print(self, result: Result, path: str) -> None:
        outcome = result.outcome
        state = {"failed": "caught", "passed": "SURVIVED", "broken": "BROKEN"}[outcome.state]
        test = outcome.test or "no test failed"
        lines = f"{state:<8} {result.guard.id} ({path}) · {test} · {result.seconds:.0f} s"
        if outcome.reason:
            lines += f"\n         {outcome.reason}"
        with self.print_lock:
            print(lines, flush=True)

    def _unchanged(self, tests: list[str]) -> Outcome:
        """The tests that noticed something, without any change: each copy runs a part of them."""
        parts = [part for part in (tests[place :: self.jobs] for place in range(self.jobs)) if part]

        def run(part: list[str]) -> Outcome:
            copy = self.copies.get()
            try:
                shutil.copy(self.database, copy / "tables.sqlite3")
                return _pytest(copy, part, limit=None)
            finally:
                self.copies.put(copy)

        with ThreadPoolExecutor(self.jobs) as pool:
            outcomes = list(pool.map(run, parts))
        return next((run for run in outcomes if run.state != "passed"), Outcome("passed"))


def _copy(place: Path) -> None:
    place.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, place / name, ignore=shutil.ignore_patterns("__pycache__", "var", "*.po")
            )
        else:
            shutil.copy(source, place / name)


def _digest() -> str:
    """Of everything that decides what the tables look like."""
    digest = hashlib.sha256()
    for path in _deciding():
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _deciding() -> Iterator[Path]:
    yield ROOT / "tests" / "settings.py"
    for folder in ("wagtail_zoom", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.parent.name == "migrations":
                yield path


def _pytest(
    copy: Path, tests: list[str], *extra_options: str, limit: float | None = TIME_LIMIT
) -> Outcome:
    """Run tests in a copy, on tables that are made once and then copied."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--reuse-db"),
        *(
            "-m",
            "not services and not browser",
            *extra_options,
            *(f"tests/{test}" for test in tests),
        ),
    ]
    settings = {
        "TEST_DATABASE": "sqlite",
        "TEST_SQLITE_FILE": str(copy / "tables.sqlite3"),
        "COLUMNS": "240",
    }
    process = subprocess.Popen(
        command,
        cwd=copy,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _none = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Outcome("failed", reason=f"{' '.join(tests)} did not end in {limit:.0f} seconds")
    return classify_run(process.returncode, output)


def classify_run(code: int, output: str) -> Outcome:
    """Only a test that failed has noticed the mutant: no error before it, beside it or instead."""
    failure = FAILED.search(output)
    if failure and code == 1:
        test, reason = failure["test"].removeprefix("tests/"), failure["reason"] or ""
        return Outcome("broken" if BROKEN.match(reason) else "failed", test, reason)
    if code == 0 and re.search(r"\b[1-9][0-9]* passed\b", output):
        return Outcome("passed")
    return Outcome("broken", reason=f"pytest ended with {code}:\n{output[-1500:]}")


if __name__ == "__main__":
    sys.exit(main())
