"""The wheel in a blank ``wagtail start`` project: install, connect, import, see a meeting."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT, release, run, typed

pytestmark = pytest.mark.slow

PARTS = Path(__file__).with_name("project")


@pytest.fixture(scope="module")
def tested(project: Path) -> Path:
    """The project with a test of its own."""
    shutil.copy(PARTS / "walk.py", project / "test_project.py")
    fixtures = 'pytest_plugins = ["wagtail_zoom.testing.fixtures"]\n'
    (project / "conftest.py").write_text(fixtures)
    return project


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


def test_a_blank_project(tested: Path, python: Path) -> None:
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
        said[name] = run(*command, *extra, cwd=tested, **person)
    assert list(said) == ["makemigrations", "migrate", "check", "createsuperuser"]
    assert "No changes" not in said["makemigrations"]
    assert "wagtail_zoom" in said["migrate"]
    assert "no issues" in said["check"]
    assert "Superuser created" in said["createsuperuser"]
    made = run(*manage, "makemigrations", "--check", "--dry-run", cwd=tested)
    assert "No changes detected" in made
    said_by_pytest = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ds", "mysite.settings.dev"),
        *("-o", "django_debug_mode=true"),
        *("-o", "python_files=test_project.py", "."),
        cwd=tested,
        # The simulator is a process of its own: the same environment, started from here.
        PYTHONPATH=str(tested),
    )
    assert "3 passed" in said_by_pytest
