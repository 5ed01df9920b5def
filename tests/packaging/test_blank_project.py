"""The wheel in a blank ``wagtail start`` project: install, connect, import, see a meeting."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PARTS = Path(__file__).with_name("project")


def run(*command: str | Path, cwd: Path, **extra: str) -> str:
    """Run to the end; its output. Fails with what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def release() -> Any:
    """The script that builds what is published."""
    spec = importlib.util.spec_from_file_location("release", ROOT / "scripts/release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with sdist and wheel, the wheel made from the sdist as on an index."""
    folder = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1790000000")
        release().build(folder)
        yield folder


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel; the rest is borrowed from the running one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    own = next(folder.glob("lib/python*/site-packages"))
    # A path line makes the packages visible, but not the editable install of ourselves.
    (own / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    wheel = next(built.glob("*.whl"))
    target = ("--target", own, "--no-deps", "--no-index", wheel)
    run(sys.executable, "-m", "pip", "--quiet", "install", *target, cwd=folder)
    return folder / "bin" / "python"


def tutorial(kind: str) -> list[str]:
    """The samples of one language in the tutorial, in their order."""
    text = (ROOT / "docs/tutorial.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``wagtail start mysite``, and what the tutorial says."""
    folder = tmp_path_factory.mktemp("project")
    lines = [line for block in tutorial("console") for line in block.splitlines()]
    (start,) = [line for line in lines if line.startswith("wagtail ")]
    assert f"cd {start.split()[-1]}" in lines
    main = "from wagtail.bin.wagtail import main; main()"
    run(python, "-c", main, *start.split()[1:], cwd=folder)
    root = folder / start.split()[-1]
    settings, line, models = tutorial("python")
    with (root / "mysite/settings/dev.py").open("a") as file:
        file.write(settings)
    urls = root / "mysite/urls.py"
    text = urls.read_text()
    assert "urlpatterns = [\n" in text
    urls.write_text(text.replace("urlpatterns = [\n", f"urlpatterns = [\n{line}", 1))
    (root / "home/models.py").write_text(models)
    (root / "home/templates/home/home_page.html").write_text(tutorial("html")[0])
    shutil.copy(PARTS / "walk.py", root / "test_project.py")
    fixtures = 'pytest_plugins = ["wagtail_zoom.testing.fixtures"]\n'
    (root / "conftest.py").write_text(fixtures)
    return root


def test_the_same_source_makes_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Built again under another umask, another zone and another language."""
    before = {path.name: path.read_bytes() for path in built.iterdir()}
    mask = os.umask(0o077)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", "Pacific/Auckland")
            patch.setenv("LC_ALL", "C")
            release().build(tmp_path)
    finally:
        os.umask(mask)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_page_on_the_index_has_no_relative_link(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith("METADATA")]
        text = wheel.read(name).decode()
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert "Description-Content-Type: text/markdown" in text


def test_what_is_inside(built: Path) -> None:
    """The sdist carries the tests, both carry templates, static files and catalogues."""
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir(), cwd=built)
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    for path in (
        "CHANGELOG.md",
        "LICENSE",
        "docs/tutorial.md",
        "tests/contract/openapi.yaml",
        "wagtail_zoom/py.typed",
        "wagtail_zoom/locale/de/LC_MESSAGES/django.mo",
        "wagtail_zoom/static/wagtail_zoom/zoom.js",
        "wagtail_zoom/templates/wagtail_zoom/public/base.html",
        "wagtail_zoom/testing/simulator/templates/world.html",
        "wagtail_zoom/testing/simulator/static/simulator.css",
    ):
        assert path in names
    run(sys.executable, ROOT / "scripts/check_wheel.py", built, cwd=ROOT)


def typed(python: Path) -> list[list[str]]:
    """What the tutorial says to type, as commands; ``python`` is the project's own."""
    lines = [line for block in tutorial("console") for line in block.splitlines()]
    return [[str(python), *line.split()[1:]] for line in lines if line.startswith("python ")]


def test_the_tutorials_processes_start(project: Path, python: Path) -> None:
    """The three terminals: each command as it stands, the simulator on a free port."""
    (simulator,) = [one for one in typed(python) if "wagtail_zoom.testing.simulator" in one]
    simulator[simulator.index("8010")] = "0"
    with subprocess.Popen(
        simulator, cwd=project, env={**os.environ, "PYTHONPATH": ""}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b"http://" in process.stdout.readline()
        process.terminate()
    names = {one[2] for one in typed(python) if one[1] == "manage.py"}
    assert {"qcluster", "runserver"} <= names
    for name in ("qcluster", "runserver"):
        run(python, "manage.py", name, "--help", cwd=project)


def test_a_blank_project(project: Path, python: Path) -> None:
    """The tutorial's samples and commands, then a project's own test: connect, list, sign up."""
    manage = (python, "manage.py")
    person = {
        "DJANGO_SUPERUSER_USERNAME": "owner",
        "DJANGO_SUPERUSER_EMAIL": "owner@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "pw",
    }
    said = {}
    for command in typed(python):
        name = command[2]
        if command[1] != "manage.py" or name in ("qcluster", "runserver"):
            continue
        extra = ["--noinput"] if name == "createsuperuser" else []
        said[name] = run(*command, *extra, cwd=project, **person)
    assert list(said) == ["makemigrations", "migrate", "check", "createsuperuser"]
    assert "No changes" not in said["makemigrations"]
    assert "wagtail_zoom" in said["migrate"]
    assert "no issues" in said["check"]
    assert "Superuser created" in said["createsuperuser"]
    made = run(*manage, "makemigrations", "--check", "--dry-run", cwd=project)
    assert "No changes detected" in made
    tested = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ds", "mysite.settings.dev"),
        *("-o", "django_debug_mode=true"),
        *("-o", "python_files=test_project.py", "."),
        cwd=project,
        # The simulator is a process of its own: the same environment, started from here.
        PYTHONPATH=str(project),
    )
    assert "3 passed" in tested
