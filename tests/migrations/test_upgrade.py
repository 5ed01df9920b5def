"""An upgrade from the first version loses nothing, and can be taken back."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader

NEWEST = 96
"""Of wagtailcore, in Wagtail 7.4, the lowest that is supported."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow  # every migration of Wagtail on a database of its own
def test_from_the_first_migration_to_the_newest_and_back(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.migrations.walk", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    tables, columns = map(int, re.search(r"(\d+) tables, (\d+) columns", done.stdout).groups())
    first = MigrationLoader(None).project_state(("wagtail_zoom", "0001_initial")).apps
    assert tables == len(first.get_app_config("wagtail_zoom").models)
    assert columns > 150


def test_every_migration_can_be_undone_and_asks_for_nothing_newer():
    loader = MigrationLoader(None)
    own = [one for key, one in loader.disk_migrations.items() if key[0] == "wagtail_zoom"]
    assert len(own) >= 2
    for migration in own:
        assert all(operation.reversible for operation in migration.operations), migration
        foreign = [name for app, name in migration.dependencies if app == "wagtailcore"]
        assert all(int(name[:4]) <= NEWEST for name in foreign), migration


def test_the_release_before_goes_on_while_tables_change():
    """A deploy migrates while old processes still run: nothing is taken from them, and what is new
    has a default in the database, because their INSERTs do not name it."""
    loader = MigrationLoader(None)
    own = sorted(key for key in loader.disk_migrations if key[0] == "wagtail_zoom")
    for key in own[1:]:
        for operation in loader.disk_migrations[key].operations:
            kind = type(operation).__name__
            assert not kind.startswith(("Remove", "Rename", "Delete")), (key, operation.describe())
            if kind == "AddField":
                field = operation.field
                assert field.null or field.has_db_default(), (key, operation.describe())
