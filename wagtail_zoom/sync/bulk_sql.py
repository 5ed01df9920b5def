"""Many rows in one statement, never over a younger fact: what Django's bulk methods do slowly, or
without looking at what is there by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, router
from django.db.models import BooleanField, F, Func, Model, Q
from django.db.models.expressions import RawSQL
from django.db.models.sql import InsertQuery

from ..models.mirror import Mirrored

MOST_ROWS = 500
"""Of one INSERT."""


def update_rows(
    model: type[Mirrored],
    values: Mapping[str, Sequence[Any]],
    same: Mapping[str, Any],
    *,
    not_after: datetime,
) -> None:
    """Set columns of some rows (PostgreSQL only).

    Args:
        values: by column one value for each row; ``id`` names the rows. Secrets are sealed already.
        same: columns that get the same value in every row.
        not_after: rows that hold a younger fact by now are left alone.
    """
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    names, kinds, arrays = [], [], []
    for name, column in values.items():
        one = model._meta.get_field(name)
        names.append(quote(one.column))
        # Without its length: a cast would cut silently what an assignment refuses.
        kinds.append(f"%s::{_kind(one, connection)}[]")
        arrays.append([one.get_db_prep_save(value, connection) for value in column])
    fixed = {model._meta.get_field(name): value for name, value in same.items()}
    changes = [f"{name} = fresh.{name}" for name in names[1:]]
    changes += [f"{quote(one.column)} = %s" for one in fixed]
    table = quote(model._meta.db_table)
    sql = (
        f"UPDATE {table} SET {', '.join(changes)} "  # noqa: S608 - names are the model's own
        f"FROM unnest({', '.join(kinds)}) AS fresh ({', '.join(names)}) "
        f"WHERE {table}.id = fresh.id "
        f"AND ({table}.fetched_at IS NULL OR {table}.fetched_at <= %s) "
        f"AND ({table}.provider_ts IS NULL OR {table}.provider_ts <= %s)"
    )
    prepared = [one.get_db_prep_save(value, connection) for one, value in fixed.items()]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*prepared, *arrays, not_after, not_after])


def insert_rows(
    rows: Sequence[Mirrored],
    identity: Sequence[str],
    columns: Sequence[str],
    *,
    not_after: datetime,
) -> None:
    """Insert rows, or set ``columns`` of those that are there, also since a moment ago.

    ``bulk_create(update_conflicts=True)`` would set them whatever the row holds by now.

    Args:
        identity: the columns that a row is known by.
        not_after: rows that hold a younger fact by now are left alone.
    """
    model = type(rows[0])
    using = router.db_for_write(model)
    connection = connections[using]
    fields = [one for one in model._meta.concrete_fields if not (one.primary_key or one.generated)]
    suffix, stamps = _where_older(model, identity, columns, not_after, connection)
    # Room for one row more than there are: the condition has values as well.
    most: int = connection.ops.bulk_batch_size(fields, [*rows, rows[0]])
    size = max(1, min(MOST_ROWS, most - 1))
    for begin in range(0, len(rows), size):
        query = InsertQuery(model)
        query.insert_values(fields, rows[begin : begin + size])
        with connection.cursor() as cursor:
            for sql, values in query.get_compiler(using).as_sql():
                cursor.execute(f"{sql} {suffix}", [*values, *stamps])


def _where_older(
    model: type[Mirrored],
    identity: Sequence[str],
    columns: Sequence[str],
    not_after: datetime,
    connection: Any,
) -> tuple[str, list[Any]]:
    """The end of an INSERT that meets rows which are there already, and its values."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    stamp = model._meta.get_field("fetched_at").get_db_prep_save(not_after, connection)
    older = " AND ".join(
        f"({table}.{name} IS NULL OR {table}.{name} <= %s)"
        for name in ("fetched_at", "provider_ts")
    )
    names = [quote(model._meta.get_field(name).column) for name in columns]
    if connection.features.supports_update_conflicts_with_target:
        keys = ", ".join(quote(model._meta.get_field(name).column) for name in identity)
        changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        return f"ON CONFLICT ({keys}) DO UPDATE SET {changes} WHERE {older}", [stamp, stamp]
    # MySQL finds the conflict by its own unique keys and knows no condition but one for each
    # column. It sets them from left to right, so the stamp that the conditions ask for comes last.
    names.sort(key=quote("fetched_at").__eq__)
    # The new values have a name since MySQL 8.0.19, where the older way is to go some day.
    named = not connection.mysql_is_mariadb and connection.mysql_version >= (8, 0, 19)
    alias, fresh = ("AS fresh ", "fresh.{}") if named else ("", "VALUES({})")
    changes = ", ".join(
        f"{name} = IF({older}, {fresh.format(name)}, {table}.{name})" for name in names
    )
    return f"{alias}ON DUPLICATE KEY UPDATE {changes}", [stamp, stamp] * len(names)


class _AnyOf(Func):
    """``column = ANY(array)``."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def not_younger(at: datetime) -> Q:
    """A condition on rows that hold no fact younger than ``at``."""
    fetched = Q(fetched_at=None) | Q(fetched_at__lte=at)
    return fetched & (Q(provider_ts=None) | Q(provider_ts__lte=at))


def among(model: type[Model], name: str, values: Collection[Any]) -> Q | Func:
    """A condition like ``name__in``: on PostgreSQL one parameter, whatever the number of values.

    Three hundred placeholders are built, split and parsed by Django, the driver and the server in
    turn, which costs more than finding the rows.
    """
    connection = connections[router.db_for_read(model)]
    if connection.vendor != "postgresql":
        return Q(**{f"{name}__in": list(values)})
    one = model._meta.get_field(name)
    array = RawSQL(  # noqa: S611 - the model's own type
        f"%s::{_kind(one, connection)}[]", [[one.get_prep_value(value) for value in values]]
    )
    return _AnyOf(F(name), array)


def _kind(one: Any, connection: Any) -> str:
    kind = one.rel_db_type(connection) if one.primary_key else one.db_type(connection)
    return str(kind).partition("(")[0]
