"""Many rows, few columns, one statement: what Django's ``bulk_update`` does slowly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, router
from django.db.models import BooleanField, F, Func, Q
from django.db.models.expressions import RawSQL

from ..models.mirror import Mirrored


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


class _AnyOf(Func):
    """``column = ANY(array)``."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def among(model: type[Mirrored], name: str, values: Collection[Any]) -> Q | Func:
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
