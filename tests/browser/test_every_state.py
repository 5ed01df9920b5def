"""All screenshots of the documentation can be taken, and axe-core finds nothing in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_all_screenshots_can_be_taken_and_are_accessible(tmp_path: Path, migrated: Path) -> None:
    """All states of the panel, listings, activity and overview, and every block."""
    command = ["scripts/screenshots.py", "--folder", tmp_path, "--axe", "--database", migrated]
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT, capture_output=True, text=True, timeout=570, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    for folder in ("admin", "blocks"):
        documented = {file.name for file in (ROOT / "docs" / "images" / folder).glob("*.png")}
        assert {file.name for file in (tmp_path / folder).glob("*.png")} == documented
    assert (tmp_path / "events-page.png").exists()
