"""Base of the commands that read the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


class DatabaseCommand(BaseCommand):
    """Ends with a sentence and exit status 2 where the tables are missing or of another version."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            executor = MigrationExecutor(connection)
            latest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "wagtail_zoom"]
            is_behind = bool(executor.migration_plan(latest))
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used ({type(error).__name__}). Check DATABASES.",
                returncode=2,
            ) from error
        if is_behind:
            raise CommandError(
                "The database has not been migrated: run manage.py migrate.", returncode=2
            )
        return super().execute(*args, **options)
