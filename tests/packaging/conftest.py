"""A blank project as in the tutorial, with the wheel in a virtual environment."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import textwrap
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path, **extra: str) -> str:
    """Run a command and return its output, which is also the message of a failure."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")
    }
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def load_release_script() -> Any:
    """The script that builds a release."""
    spec = importlib.util.spec_from_file_location("release", ROOT / "scripts/release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with sdist and wheel; the wheel is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1790000000")
        load_release_script().build(folder)
        yield folder


@pytest.fixture(scope="session")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; other packages come from the current one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    # A path line makes the packages importable, but not our own editable install.
    (site_packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    wheel = next(built.glob("*.whl"))
    target = ("--target", site_packages, "--no-deps", "--no-index", wheel)
    run(sys.executable, "-m", "pip", "--quiet", "install", *target, cwd=folder)
    return folder / "bin" / "python"


def samples_of(page: str, language: str) -> list[str]:
    """The samples of one language in a page of the documentation, in order."""
    text = (ROOT / "docs" / page).read_text()
    matches = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(sample) for _indent, sample in matches]


def tutorial_samples(language: str) -> list[str]:
    """The samples of the tutorial."""
    return samples_of("tutorial.md", language)


@pytest.fixture(scope="module")
def project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``wagtail start mysite`` and the changes of the tutorial."""
    return start_project(python, tmp_path_factory.mktemp("project"))


def start_project(python: Path, folder: Path) -> Path:
    """``wagtail start mysite`` in a folder, and the changes of the tutorial; its root."""
    lines = [line for block in tutorial_samples("console") for line in block.splitlines()]
    (start,) = [line for line in lines if line.startswith("wagtail ")]
    assert f"cd {start.split()[-1]}" in lines
    main = "from wagtail.bin.wagtail import main; main()"
    run(python, "-c", main, *start.split()[1:], cwd=folder)
    root = folder / start.split()[-1]
    settings, line, models = tutorial_samples("python")
    with (root / "mysite/settings/dev.py").open("a") as file:
        file.write(settings)
    urls = root / "mysite/urls.py"
    text = urls.read_text()
    assert "urlpatterns = [\n" in text
    urls.write_text(text.replace("urlpatterns = [\n", f"urlpatterns = [\n{line}", 1))
    (root / "home/models.py").write_text(models)
    (root / "home/templates/home/home_page.html").write_text(tutorial_samples("html")[0])
    return root


def tutorial_commands(python: Path) -> list[list[str]]:
    """The commands of the tutorial; ``python`` is that of the project."""
    lines = [line for block in tutorial_samples("console") for line in block.splitlines()]
    return [[str(python), *line.split()[1:]] for line in lines if line.startswith("python ")]
