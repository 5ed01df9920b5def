"""The CI files are valid, pinned, and run targets and scripts that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
pytestmark = pytest.mark.skipif(not FILES, reason="an sdist has no CI files")


def steps(path: Path) -> list[dict[str, object]]:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_actions_are_pinned_to_commits_with_their_version(path):
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_permissions_are_minimal(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps(path):
        if "checkout" in str(step.get("uses")):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_make_targets_and_scripts_exist(path):
    makefile = (ROOT / "Makefile").read_text()
    for step in steps(path):
        for target in re.findall(r"^\s*make ([a-z-]+)", str(step.get("run", "")), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        for script in re.findall(r"scripts/\w+\.py", str(step.get("run", ""))):
            assert (ROOT / script).exists()


def test_tests_that_empty_the_database_come_last():
    """They are last in the order of pytest-django. A process that takes tests from the end of
    another one's list (``worksteal``) would empty the database for its next tests."""
    for path in [ROOT / "Makefile", ROOT / "scripts/test_services.sh", *FILES]:
        commands = path.read_text().replace("\\\n", "")
        for line in commands.splitlines():
            assert "worksteal" not in line or "-m browser" in line, (path.name, line)


def test_the_matrix_covers_all_supported_versions():
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    pairs = matrix["jobs"]["tests"]["strategy"]["matrix"]["include"]
    project = (ROOT / "pyproject.toml").read_text()
    for key, name in (("python", "Python"), ("django", "Framework :: Django")):
        versions = re.findall(rf'"[\w: ]*{name} :: (\d\.\d+)"', project)
        assert versions
        assert {pair[key] for pair in pairs} >= set(versions)


def test_the_matrix_equals_that_of_nox():
    """``nox`` and CI test the same versions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    (nox_pairs,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAIRS"
    ]
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    pairs = matrix["jobs"]["tests"]["strategy"]["matrix"]["include"]
    assert [(pair["python"], pair["django"], pair["wagtail"]) for pair in pairs] == nox_pairs
