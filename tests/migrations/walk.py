"""Migrates from the first migration to the newest and back, with a row in every table.

Runs as a separate process on a separate database: ``python -m tests.migrations.walk FOLDER``.
"""

from __future__ import annotations

import datetime
import os
import sys
import uuid
from typing import Any

APP = "wagtail_zoom"
FIRST = "0001_initial"


def value_of(field: Any, rows: dict[str, Any], number: int) -> Any:
    """A value for one column; a foreign key gets the row created before."""
    kind = type(field).__name__
    if field.is_relation:
        return rows.get(field.related_model._meta.label)
    if kind == "JSONField":
        return [f"{number} ü"] if field.default is list else {"list": [number, "ü"]}
    if kind == "SecretField":
        return f"secret {number}"
    if "DateTime" in kind:
        return datetime.datetime(2026, 5, 6, 7, 8, number, tzinfo=datetime.UTC)
    if "Date" in kind:
        return datetime.date(2026, 5, 6)
    if kind == "UUIDField":
        return uuid.UUID(int=number)
    if kind == "BooleanField":
        return number % 2 == 0
    if "Integer" in kind:
        return number
    if kind == "EmailField":
        return f"a{number}@example.org"
    if kind == "URLField":
        return f"https://example.org/{number}"
    return f"text {number}"[: field.max_length or 20]


def fill(apps: Any) -> dict[str, dict[str, Any]]:
    """Create one row in each of our tables; return their values by model and column."""
    rows: dict[str, Any] = {
        "auth.User": apps.get_model("auth", "User").objects.create(username="owner"),
        "wagtailcore.Site": apps.get_model("wagtailcore", "Site").objects.get(),
    }
    waiting = [model for model in apps.get_models() if model._meta.app_label == APP]
    stored = {}
    while waiting:
        model = waiting.pop(0)
        needed = [
            field.related_model._meta.label
            for field in model._meta.fields
            if field.is_relation and field.related_model is not model
        ]
        labels = {other._meta.label for other in waiting}
        if labels.intersection(needed):
            waiting.append(model)
            continue
        model.secret_binding = lambda self: "here"  # historical models have no methods
        row = model()
        for number, field in enumerate(model._meta.fields, start=1):
            if not field.auto_created:
                setattr(row, field.name, value_of(field, rows, number))
        row.save()
        rows[model._meta.label] = row
        stored[model.__name__] = model.objects.values().get()
    return stored


def compare_values(apps: Any, stored: dict[str, dict[str, Any]]) -> int:
    """Check that every column that still exists has its value; return how many were compared."""
    count = 0
    for name, before in stored.items():
        after = apps.get_model(APP, name).objects.values().get()
        for column in set(before) & set(after):
            assert after[column] == before[column], (name, column)
            count += 1
    return count


def rerun_old_release(apps: Any, stored: dict[str, dict[str, Any]]) -> None:
    """Read, change and add rows as a process of the first release does, which does not know newer
    columns."""
    from django.db import transaction

    with transaction.atomic():
        rows = {name: apps.get_model(APP, name).objects.get() for name in stored}
        for row in rows.values():
            row.save()
        for row in reversed(rows.values()):
            type(row).objects.all()._raw_delete("default")
        for row in rows.values():
            row.save(force_insert=True)
        transaction.set_rollback(True)


def main(folder: str) -> None:
    """Raises AssertionError where something was lost."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from tests import settings

    settings.DATABASES["default"]["NAME"] = os.path.join(folder, "walk.sqlite3")
    settings.INSTALLED_APPS.remove("tests.testapp")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    call_command("migrate", APP, FIRST, verbosity=0)
    apps_then = MigrationExecutor(connection).loader.project_state((APP, FIRST)).apps
    stored = fill(apps_then)
    call_command("migrate", verbosity=0)
    from django.apps import apps

    count = compare_values(apps, stored)
    rerun_old_release(apps_then, stored)
    call_command("makemigrations", APP, "--check", "--dry-run", verbosity=0)
    call_command("migrate", APP, FIRST, verbosity=0)
    assert compare_values(apps_then, stored) >= count
    call_command("migrate", APP, "zero", verbosity=0)
    names = connection.introspection.table_names()
    # The hub is an app of its own.
    assert not [n for n in names if n.startswith(f"{APP}_") and not n.startswith(f"{APP}_hub_")]
    print(f"{len(stored)} tables, {count} columns kept")


if __name__ == "__main__":
    main(sys.argv[1])
