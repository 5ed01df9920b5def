"""Each requirement has a line, and each line names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANY = {"W": 34, "O": 26, "S": 26, "Q": 8, "X": 37}
ROW = re.compile(r"^\| ([WOSQX]\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
ROWS = {number: proof for number, _gist, proof in ROW.findall(
    (ROOT / "docs/requirements.md").read_text())}  # fmt: skip


def test_every_requirement_has_a_line() -> None:
    assert set(ROWS) == {f"{letter}{n}" for letter, many in MANY.items()
                         for n in range(1, many + 1)}  # fmt: skip


@pytest.mark.parametrize("number", ROWS)
def test_every_line_names_tests_that_exist(number: str) -> None:
    """Or a script that measures; what was left out says why."""
    proof = ROWS[number]
    if proof.startswith("left out: "):
        assert len(proof) > 40
        return
    groups = re.findall(r"\]\(\.\./([^)]+)\)((?:[:,] `\w+`|,? ?`\w+`)*)", proof)
    assert groups
    for path, names in groups:
        text = (ROOT / path).read_text()
        wanted = re.findall(r"`(\w+)`", names)
        assert wanted or proof.startswith("measured: ")
        for name in wanted:
            assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE), name
