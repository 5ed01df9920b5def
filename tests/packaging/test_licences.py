"""What is installed along with the package may be used by anybody, and says so."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
FREE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|HPND|CNRI|0BSD|Zlib)\b"
)
UNFREE = re.compile(r"\b(A?GPL|SSPL|Commercial|Proprietary)\b", re.IGNORECASE)


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["testing"]]


def closure(wanted: list[str]) -> dict[str, metadata.Distribution]:
    """Everything that comes along, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        one = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        name = one.name.lower().replace("_", "-")
        if name not in found:
            found[name] = metadata.distribution(one.name)
            waiting += [Requirement(line) for line in found[name].requires or []]
    return found


def licence(package: metadata.Distribution) -> str:
    facts = package.metadata
    classifiers = [
        line for line in facts.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    said = facts.get("License-Expression") or " ".join(classifiers) or facts.get("License") or ""
    if len(said) < 4 or said.startswith("License :: OSI Approved") and "::" not in said[24:]:
        said += " " + (facts.get("License") or "")[:200]
    return said


PACKAGES = closure(requirements())


def test_the_whole_closure_was_looked_at():
    assert len(PACKAGES) > 25
    assert {"django", "wagtail", "cryptography", "certifi", "flask"} <= set(PACKAGES)


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_licences_are_free(name):
    said = licence(PACKAGES[name])
    assert FREE.search(said), f"{name}: {said!r}"
    assert not UNFREE.search(said) or " OR " in said, f"{name}: {said!r}"
