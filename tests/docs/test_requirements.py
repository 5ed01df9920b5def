"""Each requirement has a line, and each line names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"W": 34, "O": 26, "S": 26, "Q": 8, "X": 37}
ROW = re.compile(r"^\| ([WOSQX]\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
EVIDENCE = {number: proof for number, _gist, proof in ROW.findall(
    (ROOT / "docs/requirements.md").read_text())}  # fmt: skip


def test_every_requirement_has_a_line() -> None:
    assert set(EVIDENCE) == {f"{letter}{n}" for letter, count in COUNTS.items()
                         for n in range(1, count + 1)}  # fmt: skip


@pytest.mark.parametrize("number", EVIDENCE)
def test_every_line_names_tests_that_exist(number: str) -> None:
    """Or a benchmark; a line of an omitted requirement gives the reason."""
    evidence = EVIDENCE[number]
    if evidence.startswith("left out: "):
        assert len(evidence) > 40
        return
    groups = re.findall(r"\]\(\.\./([^)]+)\)((?:[:,] `\w+`|,? ?`\w+`)*)", evidence)
    assert groups
    for path, names in groups:
        text = (ROOT / path).read_text()
        test_names = re.findall(r"`(\w+)`", names)
        assert test_names or evidence.startswith("measured: ")
        for name in test_names:
            assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE), name
