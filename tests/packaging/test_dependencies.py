"""What the package imports is installed by its dependencies; the test kit needs ``testing``."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from .test_licences import ROOT, all_dependencies

PACKAGE = ROOT / "wagtail_zoom"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = {
    "ninja": "comes with Wagtail 8",
    "pydantic": "comes with Wagtail 8",
    "wagtailcache": "a project's own choice",
}
"""Module that is imported only where it is installed → where it comes from."""


def imported_modules(files: list[Path]) -> set[str]:
    """The first parts of what the files import, without the standard library."""
    names: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(str(node.module).split(".")[0])
    return names - set(sys.stdlib_module_names) - {"wagtail_zoom"}


def installed_modules(requirement_lines: list[str]) -> set[str]:
    """The modules that these requirements and their own requirements bring."""
    packages = all_dependencies(requirement_lines)
    return {
        module
        for module, names in metadata.packages_distributions().items()
        if packages.keys() & {name.lower().replace("_", "-") for name in names}
    }


def test_the_package_imports_only_what_its_dependencies_install() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "testing" not in path.parents]
    modules = imported_modules(files)
    assert {"django", "wagtail", "requests"} <= modules
    assert modules - installed_modules(PROJECT["dependencies"]) <= set(OPTIONAL)


def test_the_test_kit_imports_only_what_the_extra_installs() -> None:
    modules = imported_modules(list((PACKAGE / "testing").rglob("*.py")))
    assert {"flask", "pytest"} <= modules
    testing = PROJECT["optional-dependencies"]["testing"]
    assert modules <= installed_modules([*PROJECT["dependencies"], *testing])
