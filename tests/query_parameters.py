"""What a request passes to the database as parameters, whichever database it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def parameters_of_queries() -> Iterator[list[str]]:
    """The texts among the parameters of all queries, added while the block runs."""
    texts: list[str] = []

    def collect(execute, sql, params, many, context):
        texts.extend(value for value in params or () if isinstance(value, str))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(collect):
        yield texts
