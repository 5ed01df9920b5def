"""Look into the built wheel: what a project needs is inside, what is ours alone is not."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

NEEDED = ("wagtail_zoom/py.typed", "wagtail_zoom/migrations/0001_initial.py")
FOREIGN = ("tests/", "demo_site/", "scripts/", "benchmarks/")
ROOMS = ("templates", "static", "locale", "testing/simulator")


def main() -> int:
    """Return 0 when the newest wheel in ``dist/`` (or the folder named) is complete, else 1."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    names = zipfile.ZipFile(wheel).namelist()
    wrong = [f"missing: {name}" for name in NEEDED if name not in names]
    wrong += [f"not ours to ship: {name}" for name in names if name.startswith(FOREIGN)]
    for room in ROOMS:
        source = Path("wagtail_zoom") / room
        found = (path for path in source.rglob("*") if path.is_file())
        files = [path for path in found if path.suffix != ".pyc"]
        wrong += [f"missing: {path}" for path in files if path.as_posix() not in names]
    print("\n".join(wrong) or f"{wheel.name}: {len(names)} files, complete.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
