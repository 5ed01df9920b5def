"""Bulk SQL that never overwrites newer data, which Django's bulk methods cannot check."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router
from django.db.models import BooleanField, F, Field, Func, Model, Q
from django.db.models.expressions import RawSQL
from django.db.models.sql import InsertQuery

from ..models.mirror import Mirrored

MAX_INSERT_ROWS = 500


def update_rows(
    model: type[Mirrored],
    values: Mapping[str, Sequence[Any]],
    constants: Mapping[str, Any],
    *,
    not_after: datetime,
) -> None:
    """Set columns of some rows (PostgreSQL only).

    Args:
        values: for each column one value for each row; ``id`` names the rows. Secrets are already
            encrypted.
        constants: columns that get the same value in every row.
        not_after: rows with newer data than this are not changed.
    """
    connection: Any = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    names, types, arrays = [], [], []
    for name, column_values in values.items():
        column = column_of(model, name)
        names.append(quote(column.column))
        # Without its length: a cast would silently cut what an assignment refuses.
        types.append(f"%s::{_column_type(column, connection)}[]")
        arrays.append([column.get_db_prep_save(value, connection) for value in column_values])
    fixed = {column_of(model, name): value for name, value in constants.items()}
    assignments = [f"{name} = fresh.{name}" for name in names[1:]]
    assignments += [f"{quote(column.column)} = %s" for column in fixed]
    table = quote(model._meta.db_table)
    sql = (
        f"UPDATE {table} SET {', '.join(assignments)} "  # noqa: S608 - names are the model's own
        f"FROM unnest({', '.join(types)}) AS fresh ({', '.join(names)}) "
        f"WHERE {table}.id = fresh.id "
        f"AND ({table}.fetched_at IS NULL OR {table}.fetched_at <= %s) "
        f"AND ({table}.provider_ts IS NULL OR {table}.provider_ts <= %s)"
    )
    prepared = [column.get_db_prep_save(value, connection) for column, value in fixed.items()]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*prepared, *arrays, not_after, not_after])


def insert_rows(
    rows: Sequence[Mirrored],
    identity: Sequence[str],
    columns: Sequence[str],
    *,
    not_after: datetime,
) -> None:
    """Insert rows, or update ``columns`` of existing ones, including rows inserted just now.

    ``bulk_create(update_conflicts=True)`` would overwrite newer data.

    Args:
        identity: the columns of the unique constraint.
        not_after: rows with newer data than this are not changed.
    """
    model = type(rows[0])
    using = router.db_for_write(model)
    connection = connections[using]
    fields = [
        column
        for column in model._meta.concrete_fields
        if not (column.primary_key or column.generated)
    ]
    suffix, stamps = _on_conflict(model, identity, columns, not_after, connection)
    # Computed for one row more than there are: the condition has parameters as well.
    max_rows: int = connection.ops.bulk_batch_size(fields, [*rows, rows[0]])
    size = max(1, min(MAX_INSERT_ROWS, max_rows - 1))
    for begin in range(0, len(rows), size):
        query = InsertQuery(model)
        query.insert_values(fields, list[Model](rows[begin : begin + size]))
        with connection.cursor() as cursor:
            for sql, values in query.get_compiler(using).as_sql():
                cursor.execute(f"{sql} {suffix}", [*values, *stamps])


def _on_conflict(
    model: type[Mirrored],
    identity: Sequence[str],
    columns: Sequence[str],
    not_after: datetime,
    connection: Any,
) -> tuple[str, list[Any]]:
    """The clause of an INSERT for rows that already exist, and its parameters."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    stamp = column_of(model, "fetched_at").get_db_prep_save(not_after, connection)
    is_older = " AND ".join(
        f"({table}.{name} IS NULL OR {table}.{name} <= %s)"
        for name in ("fetched_at", "provider_ts")
    )
    names = [quote(column_of(model, name).column) for name in columns]
    if connection.features.supports_update_conflicts_with_target:
        keys = ", ".join(quote(column_of(model, name).column) for name in identity)
        assignments = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        return f"ON CONFLICT ({keys}) DO UPDATE SET {assignments} WHERE {is_older}", [stamp, stamp]
    # MySQL finds the conflict by its own unique keys and has no condition except one for each
    # column. It sets them from left to right, so the stamp that the conditions read comes last.
    names.sort(key=quote("fetched_at").__eq__)
    # The new values have an alias since MySQL 8.0.19, which deprecates the older syntax.
    has_alias = not connection.mysql_is_mariadb and connection.mysql_version >= (8, 0, 19)
    alias, fresh = ("AS fresh ", "fresh.{}") if has_alias else ("", "VALUES({})")
    assignments = ", ".join(
        f"{name} = IF({is_older}, {fresh.format(name)}, {table}.{name})" for name in names
    )
    return f"{alias}ON DUPLICATE KEY UPDATE {assignments}", [stamp, stamp] * len(names)


class _AnyOf(Func):
    """``column = ANY(array)``."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def not_newer_than(time: datetime) -> Q:
    """A condition on rows that hold no data newer than ``time``."""
    fetched = Q(fetched_at=None) | Q(fetched_at__lte=time)
    return fetched & (Q(provider_ts=None) | Q(provider_ts__lte=time))


def value_in(model: type[Model], name: str, values: Collection[Any]) -> Q | Func:
    """A condition like ``name__in``: on PostgreSQL one parameter, whatever the number of values.

    Three hundred placeholders are built, split and parsed by Django, the driver and the server in
    turn, which costs more than finding the rows.
    """
    connection = connections[router.db_for_read(model)]
    if connection.vendor != "postgresql":
        return Q(**{f"{name}__in": list(values)})
    column = column_of(model, name)
    array = RawSQL(  # noqa: S611 - the model's own type
        f"%s::{_column_type(column, connection)}[]",
        [[column.get_prep_value(value) for value in values]],
    )
    return _AnyOf(F(name), array)


def column_of(model: type[Model], name: str) -> Field[Any, Any]:
    """A field with a column of its own."""
    column = model._meta.get_field(name)
    if not isinstance(column, Field):
        raise FieldDoesNotExist(name)
    return column


def _column_type(column: Any, connection: Any) -> str:
    db_type = column.rel_db_type(connection) if column.primary_key else column.db_type(connection)
    return str(db_type).partition("(")[0]
