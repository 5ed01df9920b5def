"""The wheel in a blank ``wagtail start`` project: install, connect, import, see a meeting."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT, load_release_script, run, samples_of, tutorial_commands

pytestmark = pytest.mark.slow

PROJECT_FILES = Path(__file__).with_name("project")


@pytest.fixture(scope="module")
def project_with_tests(project: Path) -> Path:
    """The project with its own test file."""
    shutil.copy(PROJECT_FILES / "walk.py", project / "test_project.py")
    fixtures = 'pytest_plugins = ["wagtail_zoom.testing.fixtures"]\n'
    (project / "conftest.py").write_text(fixtures)
    return project


def test_builds_are_reproducible(built: Path, tmp_path: Path) -> None:
    """A second build with another umask, time zone and locale."""
    before = {path.name: path.read_bytes() for path in built.iterdir()}
    mask = os.umask(0o077)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", "Pacific/Auckland")
            patch.setenv("LC_ALL", "C")
            load_release_script().build(tmp_path)
    finally:
        os.umask(mask)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_package_description_has_no_relative_link(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (name,) = [command for command in wheel.namelist() if command.endswith("METADATA")]
        text = wheel.read(name).decode()
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert "Description-Content-Type: text/markdown" in text


def test_contents_of_sdist_and_wheel(built: Path) -> None:
    """The sdist contains the tests; both contain templates, static files and catalogues."""
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
    """The three terminals: each command as written, the simulator on a free port."""
    (simulator,) = [
        command
        for command in tutorial_commands(python)
        if "wagtail_zoom.testing.simulator" in command
    ]
    simulator[simulator.index("8010")] = "0"
    with subprocess.Popen(
        simulator, cwd=project, env={**os.environ, "PYTHONPATH": ""}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b"http://" in process.stdout.readline()
        process.terminate()
    names = {command[2] for command in tutorial_commands(python) if command[1] == "manage.py"}
    assert {"qcluster", "runserver"} <= names
    for name in ("qcluster", "runserver"):
        run(python, "manage.py", name, "--help", cwd=project)


def test_a_blank_project(project_with_tests: Path, python: Path) -> None:
    """The tutorial's samples and commands, then a project's own test: connect, list, register."""
    manage = (python, "manage.py")
    person = {
        "DJANGO_SUPERUSER_USERNAME": "owner",
        "DJANGO_SUPERUSER_EMAIL": "owner@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "pw",
    }
    output = {}
    for command in tutorial_commands(python):
        name = command[2]
        if command[1] != "manage.py" or name in ("qcluster", "runserver"):
            continue
        extra = ["--noinput"] if name == "createsuperuser" else []
        output[name] = run(*command, *extra, cwd=project_with_tests, **person)
    assert list(output) == ["makemigrations", "migrate", "check", "createsuperuser"]
    assert "No changes" not in output["makemigrations"]
    assert "wagtail_zoom" in output["migrate"]
    assert "no issues" in output["check"]
    assert "Superuser created" in output["createsuperuser"]
    result = run(*manage, "makemigrations", "--check", "--dry-run", cwd=project_with_tests)
    assert "No changes detected" in result
    pytest_output = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ds", "mysite.settings.dev"),
        *("-o", "django_debug_mode=true"),
        *("-o", "python_files=test_project.py", "."),
        cwd=project_with_tests,
        # The simulator is a separate process; it needs the project on its path.
        PYTHONPATH=str(project_with_tests),
    )
    assert "3 passed" in pytest_output


def test_uninstalling(project: Path, python: Path, tmp_path: Path) -> None:
    """The steps of ``docs/how-to/uninstall.md`` in the project of the tutorial: afterwards it runs,
    migrates an empty database, and has neither tables nor a scheduled job."""
    root = tmp_path / "project"
    shutil.copytree(project, root, ignore=shutil.ignore_patterns("db.sqlite3"))
    manage = (python, "manage.py")
    run(*manage, "makemigrations", "home", cwd=root)
    assert "wagtail_zoom" in "".join(path.read_text() for path in root.glob("home/migrations/*.py"))
    run(*manage, "migrate", cwd=root)
    assert _rows(root, "SELECT count(*) FROM django_q_schedule") == [(1,)]

    models = root / "home/models.py"
    text = models.read_text().replace("from wagtail_zoom.blocks import ZoomStreamBlock\n", "")
    text = text.replace("StreamField(ZoomStreamBlock(), ", "StreamField([], ")
    assert "zoom" not in text.lower()
    models.write_text(text)
    run(*manage, "makemigrations", "home", cwd=root)
    sed, migrate = samples_of("how-to/uninstall.md", "console")
    run("sh", "-c", sed, cwd=root)
    for line in migrate.splitlines():
        run(python, *line.split()[1:], "--noinput", cwd=root)
    assert _rows(root, "SELECT count(*) FROM django_q_schedule") == [(0,)]
    tables = "SELECT name FROM sqlite_master WHERE name LIKE 'wagtail_zoom%'"
    assert _rows(root, tables) == []

    settings = root / "mysite/settings/dev.py"
    settings.write_text(settings.read_text().replace('"wagtail_zoom", ', ""))
    urls = root / "mysite/urls.py"
    lines = urls.read_text().splitlines()
    urls.write_text("\n".join(line for line in lines if "wagtail_zoom" not in line))
    run(*manage, "check", cwd=root)
    run(*manage, "makemigrations", "--check", "--dry-run", cwd=root)
    (root / "db.sqlite3").unlink()
    run(*manage, "migrate", cwd=root)


def _rows(root: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(root / "db.sqlite3")) as connection:
        return connection.execute(statement).fetchall()
