"""Reads the rows of all lists of a page with two queries for each type of row.

The first is a ``UNION ALL`` of the lists' own queries, which apply the visibility rules. It returns
the primary keys and the number of rows of each list. The second reads these rows, with the
visibility rules again, each of them once even when several lists show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, QuerySet

from .queries import (
    OccurrenceQuery,
    RecordingQuery,
    occurrences_of,
    recordings_of,
    visible_occurrences,
    visible_recordings,
)
from .visibility import SiteVisibility

Query = OccurrenceQuery | RecordingQuery
QueryResult = tuple[list[Any], int]
"""Rows in the order of the list, and their total number."""

MAX_LISTS = 200
"""Lists in one statement: SQLite accepts 500 members of a union, and a list needs two."""
MAX_PARAMETERS = 20_000
_ROW, _COUNT = 0, 1
_SYNC_COLUMNS = (
    "content_hash", "provider_ts", "fetched_at", "seen_run", "missing_since", "missed_run",
    "created_at",
)  # fmt: skip
"""Columns of the sync. Reading them takes longer than selecting the rows."""
_DEFERRED_COLUMNS: dict[type, tuple[str, ...]] = {
    OccurrenceQuery: (
        "state_since",
        "updated_at",
        *(f"meeting__{name}" for name in (
            *_SYNC_COLUMNS, "start", "questions", "questions_at", "registrants_counted_at",
            "detail_at", "live_since", "ended_at", "expired_at", "login_domains",
        )),
        *(f"meeting__host__{name}" for name in _SYNC_COLUMNS),
    ),
    RecordingQuery: (*_SYNC_COLUMNS, *(f"host__{name}" for name in _SYNC_COLUMNS)),
}  # fmt: skip
"""Columns that no list shows. A project that reads one causes a query."""


@dataclass(frozen=True)
class ListRequest:
    """How many rows of one query are needed."""

    size: int
    """Number of rows, from the first."""
    count_limit: int = 0
    """Count at most so many rows; 0: do not count."""


def can_combine(query: Query) -> bool:
    """Whether it can be part of a union. Not by title: only the database knows its collation."""
    return not (isinstance(query, RecordingQuery) and query.order == "title")


def fetch_lists(
    visibility: SiteVisibility,
    requests: Mapping[Query, ListRequest],
    extra_annotations: Mapping[str, Any] | None = None,
) -> dict[Query, QueryResult]:
    """The rows of each query, and their number if ``count_limit`` is set.

    ``extra_annotations`` do not depend on the rows. They are added to the query of the
    occurrences, or of the recordings when there are no occurrences, which saves a query.
    """
    selections = [
        (
            occurrences_of(visibility, query)
            if isinstance(query, OccurrenceQuery)
            else recordings_of(visibility, query),
            request,
        )
        for query, request in requests.items()
    ]
    keys = _primary_keys(selections)
    rows_by_type: dict[type, dict[int, Any]] = {}
    for query_type, visible_rows in (
        (OccurrenceQuery, visible_occurrences),
        (RecordingQuery, visible_recordings),
    ):
        needed_ids = {
            key
            for query, (ids, _total) in zip(requests, keys, strict=True)
            for key in ids
            if type(query) is query_type
        }
        if not needed_ids:
            rows_by_type[query_type] = {}
            continue
        rows = (
            visible_rows(visibility).filter(pk__in=needed_ids).defer(*_DEFERRED_COLUMNS[query_type])
        )
        if extra_annotations:
            rows, extra_annotations = rows.annotate(**extra_annotations), None
        rows_by_type[query_type] = {row.pk: row for row in rows}
    return {
        query: (_sorted_rows(queryset, [rows_by_type[type(query)].get(key) for key in ids]), total)
        for query, (queryset, _request), (ids, total) in zip(
            requests, selections, keys, strict=True
        )
    }


def _sorted_rows(queryset: QuerySet[Any], rows: list[Any]) -> list[Any]:
    """Sorts in Python, because a union has no order. Leaves out rows that were deleted since."""
    ordered = [row for row in rows if row is not None]
    for name in reversed(_order_of(queryset)):
        ordered.sort(key=attrgetter(name.removeprefix("-")), reverse=name[0] == "-")
    return ordered


def _order_of(queryset: QuerySet[Any]) -> list[str]:
    """The names that a list is sorted by; it is never sorted by an expression."""
    return [str(name) for name in queryset.query.order_by]


def _primary_keys(
    selections: Sequence[tuple[QuerySet[Any], ListRequest]],
) -> list[tuple[list[int], int]]:
    """The primary keys of each query, unordered, and the number of its rows."""
    keys: list[list[int]] = [[] for _selection in selections]
    totals = [0] * len(selections)
    for using, statement, parameters in _statements(selections):
        with connections[using].cursor() as cursor:
            cursor.execute(statement, parameters)
            for index, row_type, value in cursor.fetchall():
                if row_type == _ROW:
                    keys[index].append(value)
                else:
                    totals[index] = value
    return list(zip(keys, totals, strict=True))


def _statements(
    selections: Sequence[tuple[QuerySet[Any], ListRequest]],
) -> Iterator[tuple[str, str, list[Any]]]:
    members: list[str] = []
    parameters: list[Any] = []
    using = ""
    for index, (rows, request) in enumerate(selections):
        using = rows.db
        limit = connections[using].features.max_query_params or MAX_PARAMETERS
        try:
            new_members, new_parameters = _union_members(index, rows, request)
        except EmptyResultSet:
            continue
        if members and (
            len(members) + len(new_members) > 2 * MAX_LISTS
            or len(parameters) + len(new_parameters) > limit
        ):
            yield using, " UNION ALL ".join(members), parameters
            members, parameters = [], []
        members += new_members
        parameters += new_parameters
    if members:
        yield using, " UNION ALL ".join(members), parameters


def _union_members(
    index: int, rows: QuerySet[Any], request: ListRequest
) -> tuple[list[str], list[Any]]:
    """The SQL of one query, compiled once: its first rows, and their number."""
    query = rows.order_by().values("pk").query
    compiler = query.get_compiler(using=rows.db)
    subquery, params = compiler.as_sql()
    order = ", ".join(
        compiler.compile(
            (F(name[1:]).desc() if name[0] == "-" else F(name).asc()).resolve_expression(query)
        )[0]
        for name in _order_of(rows)
    )
    # Only integers are formatted into the SQL; all values are parameters of Django's own SQL.
    ordered = f"{subquery} ORDER BY {order} LIMIT {request.size:d}"
    members = [f"SELECT {index:d}, {_ROW:d}, r{index:d}.* FROM ({ordered}) AS r{index:d}"]  # noqa: S608
    if request.count_limit:
        counted = f"({subquery} LIMIT {request.count_limit:d}) AS c{index:d}"
        members.append(f"SELECT {index:d}, {_COUNT:d}, COUNT(*) FROM {counted}")  # noqa: S608
        params = (*params, *params)
    return members, list(params)
