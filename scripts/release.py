"""Build sdist and wheel reproducibly: the same commit gives the same bytes.

``python scripts/release.py`` writes them into ``dist/`` and prints their SHA-256. With ``--twice``
everything is built a second time from another folder and compared. Times in the archives are
``SOURCE_DATE_EPOCH``, by default the time of the last commit.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNWANTED = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", "var", ".*_cache", ".hypothesis"
)


def epoch() -> int:
    """Modification time of every file in the archives, in epoch seconds."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)


def repack(path: Path, when: int) -> None:
    """Rewrite an sdist: sorted, with time ``when``, without owner and umask."""
    with tarfile.open(path) as archive:
        members = [
            (member, archive.extractfile(member).read() if member.isfile() else b"")  # type: ignore[union-attr]
            for member in archive.getmembers()
        ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in sorted(members, key=lambda pair: pair[0].name):
            clean = tarfile.TarInfo(member.name)
            clean.type, clean.size, clean.mtime = member.type, len(content), when
            runs = member.isdir() or member.mode & 0o100
            clean.mode = 0o755 if runs else 0o644
            archive.addfile(clean, io.BytesIO(content))
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=when) as packed:
        packed.write(buffer.getvalue())


def build(target: Path) -> dict[str, str]:
    """Build into ``target``, the wheel from the sdist; returns file names with their SHA-256."""
    when = epoch()
    target.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(when), "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "source"
        shutil.copytree(ROOT, source, ignore=UNWANTED)
        _run("--sdist", "--outdir", target, source, env=env)
        (sdist,) = target.glob("*.tar.gz")
        repack(sdist, when)
        unpacked = Path(place) / "unpacked"
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (folder,) = unpacked.iterdir()
        _run("--wheel", "--outdir", target, folder, env=env)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in target.iterdir()}


def _run(*arguments: object, env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "build", "--quiet", *map(str, arguments)]
    # The wheel contains the file modes of the build, which depend on the umask.
    subprocess.run(command, env=env, check=True, cwd=ROOT.anchor, umask=0o022)


def main() -> int:
    """Return 1 if two builds differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twice", action="store_true", help="build again and compare")
    parser.add_argument("--outdir", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    shutil.rmtree(options.outdir, ignore_errors=True)
    first = build(options.outdir)
    for name, digest in sorted(first.items()):
        print(f"{digest}  {name}")
    if not options.twice:
        return 0
    with tempfile.TemporaryDirectory() as place:
        second = build(Path(place) / "again")
    print("Built twice: the same bytes." if first == second else f"They differ: {second}")
    return 0 if first == second else 1


if __name__ == "__main__":
    sys.exit(main())
