"""``make mutants``: switches each guard off in turn and shows which test notices.

Works on a copy of the project. ``build/mutants`` keeps the tables and which test noticed
which guard: next time that one is asked first, and the others only if it does not notice any more.

Fails when a guard's text is no longer there (the table in ``guards.py`` is out of date), when the
tests fail without any change, or when a mutant survives.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guards import GUARDS, Guard

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("wagtail_zoom", "tests", "demo_site", "benchmarks", "pyproject.toml")
KEPT = ROOT / "build" / "mutants"
NOTICED = KEPT / "noticed.json"
TABLES = KEPT / "tables.sqlite3"
LONGEST = 240
"""Seconds after which tests that a mutant keeps from ending have noticed it."""
PASSED = re.compile(r"^[0-9]+ passed", re.MULTILINE)
FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only guards whose line holds one of these words")
    parser.add_argument("--part", default="1/1", help="2/5: the second fifth of them")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    given = parser.parse_args()
    chosen = [
        guard
        for guard in GUARDS
        if not given.words or any(word in f"{guard.what} {guard.file}" for word in given.words)
    ]
    place, parts = (int(number) for number in given.part.split("/"))
    chosen = chosen[place - 1 :: parts]
    gone = [guard for guard in chosen if _text(guard).count(guard.old) != 1]
    for guard in gone:
        print(f"NOT FOUND  {guard.what} ({guard.file}): the text is there "
              f"{_text(guard).count(guard.old)} times; bring the table up to date.")  # fmt: skip
    if gone:
        return 1
    with tempfile.TemporaryDirectory(prefix="wagtail-zoom-mutants-") as folder:
        return _run(Path(folder), chosen, given.jobs)


def _text(guard: Guard) -> str:
    return (ROOT / "wagtail_zoom" / guard.file).read_text()


def _run(folder: Path, chosen: list[Guard], jobs: int) -> int:
    _copy(folder / "whole")
    database = folder / "tables.sqlite3"
    _make_tables(folder / "whole", database)
    known: dict[str, str] = json.loads(NOTICED.read_text()) if NOTICED.exists() else {}
    noticed: set[str] = set()
    survivors = 0
    places = [folder / f"mutant-{number}" for number in range(len(chosen))]
    with ThreadPoolExecutor(jobs) as pool:
        fates = pool.map(
            lambda pair: _mutate(*pair, database, known.get(pair[0].what, "")),
            zip(chosen, places, strict=True),
        )
        for guard, (caught, seconds) in zip(chosen, fates, strict=True):
            survivors += not caught
            noticed |= {caught} - {""}
            known[guard.what] = caught
            print(f"{'caught' if caught else 'SURVIVED':<9} {guard.what} ({guard.file})"
                  f" · {caught or 'no test noticed'} · {seconds:.0f} s", flush=True)  # fmt: skip
    NOTICED.write_text(json.dumps(known, indent=1, sort_keys=True))
    tables = folder / "whole" / "tables.sqlite3"
    shutil.copy(database, tables)
    whole = sorted(name.partition(" (does not")[0] for name in noticed)
    failed, said = _pytest(folder / "whole", whole, tables) if whole else (0, "")
    if failed:
        print(f"{said[-2000:]}\nA test that noticed something fails without a change, too.")
    print(f"{len(chosen) - survivors} caught, {survivors} survived.")
    return 1 if survivors or failed else 0


def _make_tables(whole: Path, database: Path) -> None:
    """Once for all runs, unless a migration or a model is newer: that takes longer than a guard."""
    sources = [*ROOT.glob("wagtail_zoom/m*/*.py"), *ROOT.glob("*/testapp/m*/*.py")]
    newest = max(path.stat().st_mtime for path in [*sources, ROOT / "tests" / "settings.py"])
    if not TABLES.exists() or TABLES.stat().st_mtime < newest:
        KEPT.mkdir(parents=True, exist_ok=True)
        _pytest(whole, ["permissions"], database, "--create-db")
        shutil.copy(database, TABLES)
    shutil.copy(TABLES, database)


def _copy(place: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns(
                "__pycache__", "var", "*.po"))  # fmt: skip
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place / name)


def _mutate(guard: Guard, place: Path, database: Path, asked: str) -> tuple[str, float]:
    """Which test notices (empty: none), and how long that took; ``asked`` is asked first."""
    began = time.monotonic()
    _copy(place)
    file = place / "wagtail_zoom" / guard.file
    file.write_text(file.read_text().replace(guard.old, guard.new))
    compile(file.read_text(), str(file), "exec")
    tables = place / "tables.sqlite3"
    code, said = 0, ""
    for tests in ([asked.partition(" (does not")[0]] if asked else [], guard.tests.split()):
        if tests and not code:
            shutil.copy(database, tables)
            code, said = _pytest(place, tests, tables)
            code = code if FAILED.search(said) else 0
    shutil.rmtree(place)
    found = FAILED.search(said)
    if not found and not PASSED.search(said):
        print(f"The tests of this guard did not run:\n{said[-1500:]}")
    return (found[1].removeprefix("tests/") if found else ""), time.monotonic() - began


def _pytest(place: Path, tests: list[str], database: Path, *more: str) -> tuple[int, str]:
    """Run tests in a copy, on tables that are made once and then copied."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--reuse-db", *more,
        *("-m", "not services and not browser"), *(f"tests/{test}" for test in tests),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, check=False, timeout=LONGEST,
            env={**os.environ, "TEST_DATABASE": "sqlite", "TEST_SQLITE_FILE": str(database)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"FAILED tests/{tests[0]} (does not come to an end)"
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
