"""The hooks of pre-commit need no host but PyPI, have fixed versions and match ``make lint``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".pre-commit-config.yaml"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="an sdist has no hooks")


@pytest.fixture(scope="module")
def hooks() -> dict[str, dict[str, object]]:
    (repository,) = yaml.safe_load(FILE.read_text())["repos"]
    assert repository["repo"] == "local"
    return {hook["id"]: hook for hook in repository["hooks"]}


def test_every_tool_has_a_fixed_version(hooks):
    requirements = [
        name for hook in hooks.values() for name in hook.get("additional_dependencies", [])
    ]
    assert requirements
    for requirement in requirements:
        assert re.fullmatch(r"[\w-]+==\d+\.\d+\.\d+", requirement), requirement


def test_both_ruff_hooks_use_the_same_version(hooks):
    names = ("ruff-check", "ruff-format")
    assert len({tuple(hooks[name]["additional_dependencies"]) for name in names}) == 1


def test_scripts_and_folders_of_the_hooks_exist(hooks):
    for hook in hooks.values():
        for script in re.findall(r"scripts/\w+\.py", str(hook["entry"])):
            assert (ROOT / script).is_file()
        for names in re.findall(r"^\^\(([\w/|]+)\)/", str(hook.get("files", ""))):
            for name in names.split("|"):
                assert (ROOT / name).is_dir(), name
