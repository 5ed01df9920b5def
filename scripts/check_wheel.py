"""Check the built wheel: all files of the package are inside, development files are not."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

NEEDED = (
    "wagtail_zoom/py.typed",
    "wagtail_zoom/migrations/0001_initial.py",
    "wagtail_zoom/hub/migrations/0001_initial.py",
)
FOREIGN = ("tests/", "demo_site/", "scripts/", "benchmarks/")
FOLDERS = (
    "templates", "static", "locale", "hub/templates", "hub/static", "hub/locale",
    "testing/simulator",
)  # fmt: skip


def main() -> int:
    """Return 0 if the newest wheel in ``dist/`` (or the given folder) is complete, otherwise 1."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    names = zipfile.ZipFile(wheel).namelist()
    wrong = [f"missing: {name}" for name in NEEDED if name not in names]
    wrong += [f"not ours to ship: {name}" for name in names if name.startswith(FOREIGN)]
    for folder_name in FOLDERS:
        source = Path("wagtail_zoom") / folder_name
        paths = (path for path in source.rglob("*") if path.is_file())
        files = [path for path in paths if path.suffix != ".pyc"]
        wrong += [f"missing: {path}" for path in files if path.as_posix() not in names]
    print("\n".join(wrong) or f"{wheel.name}: {len(names)} files, complete.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
