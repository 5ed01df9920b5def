"""All dependencies have a free licence."""

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
NOT_FREE = re.compile(r"\b(A?GPL|SSPL|Commercial|Proprietary)\b", re.IGNORECASE)


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["testing"]]


def all_dependencies(requirement_lines: list[str]) -> dict[str, metadata.Distribution]:
    """All direct and indirect dependencies, by name."""
    distributions: dict[str, metadata.Distribution] = {}
    pending = [Requirement(line) for line in requirement_lines]
    while pending:
        requirement = pending.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = requirement.name.lower().replace("_", "-")
        if name not in distributions:
            distributions[name] = metadata.distribution(requirement.name)
            pending += [Requirement(line) for line in distributions[name].requires or []]
    return distributions


def licence(package: metadata.Distribution) -> str:
    metadata_fields = package.metadata
    classifiers = [
        line
        for line in metadata_fields.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    text = (
        metadata_fields.get("License-Expression")
        or " ".join(classifiers)
        or metadata_fields.get("License")
        or ""
    )
    if len(text) < 4 or text.startswith("License :: OSI Approved") and "::" not in text[24:]:
        text += " " + (metadata_fields.get("License") or "")[:200]
    return text


PACKAGES = all_dependencies(requirements())


def test_all_dependencies_are_checked():
    assert len(PACKAGES) > 25
    assert {"django", "wagtail", "cryptography", "certifi", "flask"} <= set(PACKAGES)


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_licences_are_free(name):
    text = licence(PACKAGES[name])
    assert FREE.search(text), f"{name}: {text!r}"
    assert not NOT_FREE.search(text) or " OR " in text, f"{name}: {text!r}"
