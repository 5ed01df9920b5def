"""An upgrade from the first release loses nothing, and can be undone.

There is one migration today: 0001 creates the tables of the first release. From then on migrations
are only added. These tests fill every table as 0001 creates it, migrate to the newest schema and
back, and compare every column; they refuse a migration that cannot be undone, needs a newer
Wagtail, or breaks processes of the release before.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

APP = "wagtail_zoom"
MAX_WAGTAILCORE_MIGRATION = 96
"""Newest migration of wagtailcore in Wagtail 7.4, the lowest supported version."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow  # all migrations of Wagtail on a new database
def test_from_the_first_migration_to_the_newest_and_back(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tests.migrations.walk", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    tables, columns = map(int, re.search(r"(\d+) tables, (\d+) columns", result.stdout).groups())
    first = MigrationLoader(None).project_state(("wagtail_zoom", "0001_initial")).apps
    assert tables == len(first.get_app_config("wagtail_zoom").models)
    assert columns > 150


def own_migrations():
    """All migrations of the package by key, the oldest first; 0001 is the first release."""
    loader = MigrationLoader(None)
    return {
        key: loader.disk_migrations[key] for key in sorted(loader.disk_migrations) if key[0] == APP
    }


def test_every_migration_is_reversible_and_needs_no_newer_wagtail():
    assert (APP, "0001_initial") in own_migrations()
    for migration in own_migrations().values():
        assert all(operation.reversible for operation in migration.operations), migration
        foreign = [name for app, name in migration.dependencies if app == "wagtailcore"]
        assert all(int(name[:4]) <= MAX_WAGTAILCORE_MIGRATION for name in foreign), migration


def breaks_running_processes(operation):
    """Why processes of the release before could not continue after this operation; else empty.

    A deploy migrates while old processes still run: nothing they use may be removed, and new
    columns need a default in the database, because their INSERTs do not name them.
    """
    name = type(operation).__name__
    if name.startswith(("Remove", "Rename", "Delete")):
        return operation.describe()
    if name == "AddField" and not (operation.field.null or operation.field.has_db_default()):
        return f"{operation.describe()} without null or db_default"
    return ""


def test_migrations_after_the_first_only_add():
    for key, migration in list(own_migrations().items())[1:]:
        for operation in migration.operations:
            assert not breaks_running_processes(operation), key


@pytest.mark.parametrize(
    ("operation", "breaks"),
    [
        (migrations.RemoveField("meeting", "topic"), True),
        (migrations.RenameField("meeting", "topic", "title"), True),
        (migrations.DeleteModel("meeting"), True),
        (migrations.AddField("meeting", "note", models.TextField(default="")), True),
        (migrations.AddField("meeting", "note", models.TextField(db_default="")), False),
        (migrations.AddField("meeting", "seen_at", models.DateTimeField(null=True)), False),
        (migrations.CreateModel("note", []), False),
    ],
)
def test_what_breaks_running_processes(operation, breaks):
    assert bool(breaks_running_processes(operation)) is breaks
