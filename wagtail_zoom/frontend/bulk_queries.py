"""The rows of all lists of a page with two queries for each kind of row, however many lists.

One statement finds out which rows each list has, and how many there are: a ``UNION ALL`` of the
lists' own selections, each of which has gone through the gate. The second reads these rows, through
the gate again, each of them once even where many lists have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, QuerySet

from .queries import Dates, Films, dates, films, shown_dates, shown_films
from .visibility import Exposure

Wanted = Dates | Films
Found = tuple[list[Any], int]
"""Rows in the order of the list, and how many there are in all."""

MOST_PARTS = 200
"""Lists in one statement: SQLite takes five hundred members of a union, two for each list."""
MOST_PARAMETERS = 20_000
_ROW, _COUNT = 0, 1
_BOOKS = (
    "content_hash", "provider_ts", "fetched_at", "seen_run", "missing_since", "missed_run",
    "created_at",
)  # fmt: skip
"""The mirror's own bookkeeping. Reading it of each row takes longer than finding the rows."""
_UNREAD: dict[type, tuple[str, ...]] = {
    Dates: (
        "state_since",
        "updated_at",
        *(f"meeting__{name}" for name in (
            *_BOOKS, "start", "questions", "questions_at", "registration_block_at", "detail_at",
            "live_since", "ended_at", "expired_at", "login_domains",
        )),
        *(f"meeting__host__{name}" for name in _BOOKS),
    ),
    Films: (*_BOOKS, *(f"host__{name}" for name in _BOOKS)),
}  # fmt: skip
"""Columns that no list shows. A project that wants one all the same gets it by a query."""


@dataclass(frozen=True)
class Part:
    """What is asked for one selection."""

    size: int
    """Rows from the first on."""
    most: int = 0
    """How far rows are counted; 0 where nobody asks."""


def can_gather(wanted: Wanted) -> bool:
    """Titles are put in order by the database alone: it knows the letters of its language."""
    return not (isinstance(wanted, Films) and wanted.order == "title")


def gather(
    gate: Exposure, parts: Mapping[Wanted, Part], aside: Mapping[str, Any] | None = None
) -> dict[Wanted, Found]:
    """The rows of each selection, and their number where ``most`` says so.

    ``aside`` are annotations that depend on no row, for which a query of their own is spared: dates
    carry them, recordings where there are no dates.
    """
    selections = [
        (dates(gate, wanted) if isinstance(wanted, Dates) else films(gate, wanted), part)
        for wanted, part in parts.items()
    ]
    keys = _keys(selections)
    found: dict[type, dict[int, Any]] = {}
    for kind, shown in ((Dates, shown_dates), (Films, shown_films)):
        mine = {
            key
            for wanted, (own, _total) in zip(parts, keys, strict=True)
            for key in own
            if type(wanted) is kind
        }
        if not mine:
            found[kind] = {}
            continue
        rows = shown(gate).filter(pk__in=mine).defer(*_UNREAD[kind])
        if aside:
            rows, aside = rows.annotate(**aside), None
        found[kind] = {row.pk: row for row in rows}
    return {
        wanted: (_in_order(own_rows, [found[type(wanted)].get(key) for key in own]), total)
        for wanted, (own_rows, _part), (own, total) in zip(parts, selections, keys, strict=True)
    }


def _in_order(rows: QuerySet[Any], found: list[Any]) -> list[Any]:
    """A union has no order of its own. Rows that have gone since they were found are left out."""
    here = [row for row in found if row is not None]
    for name in reversed(rows.query.order_by):
        column = name.removeprefix("-")
        here.sort(key=lambda row, column=column: getattr(row, column), reverse=name[0] == "-")
    return here


def _keys(selections: Sequence[tuple[QuerySet[Any], Part]]) -> list[tuple[list[int], int]]:
    """The keys of each selection, unordered, and the number of its rows."""
    keys: list[list[int]] = [[] for _each in selections]
    totals = [0] * len(selections)
    for using, statement, parameters in _statements(selections):
        with connections[using].cursor() as cursor:
            cursor.execute(statement, parameters)
            for place, what, number in cursor.fetchall():
                if what == _ROW:
                    keys[place].append(number)
                else:
                    totals[place] = number
    return list(zip(keys, totals, strict=True))


def _statements(
    selections: Sequence[tuple[QuerySet[Any], Part]],
) -> Iterator[tuple[str, str, list[Any]]]:
    members: list[str] = []
    parameters: list[Any] = []
    using = ""
    for place, (rows, part) in enumerate(selections):
        using = rows.db
        limit = connections[using].features.max_query_params or MOST_PARAMETERS
        try:
            made, given = _members(place, rows, part)
        except EmptyResultSet:
            continue
        if members and (
            len(members) + len(made) > 2 * MOST_PARTS or len(parameters) + len(given) > limit
        ):
            yield using, " UNION ALL ".join(members), parameters
            members, parameters = [], []
        members += made
        parameters += given
    if members:
        yield using, " UNION ALL ".join(members), parameters


def _members(place: int, rows: QuerySet[Any], part: Part) -> tuple[list[str], list[Any]]:
    """One selection, compiled once: its first rows, and their number."""
    query = rows.order_by().values("pk").query
    compiler = query.get_compiler(using=rows.db)
    inner, given = compiler.as_sql()
    order = ", ".join(
        compiler.compile(
            (F(name[1:]).desc() if name[0] == "-" else F(name).asc()).resolve_expression(query)
        )[0]
        for name in rows.query.order_by
    )
    # Nothing here is from outside but numbers: values are parameters of Django's own SQL.
    first = f"{inner} ORDER BY {order} LIMIT {part.size:d}"
    made = [f"SELECT {place:d}, {_ROW:d}, r{place:d}.* FROM ({first}) AS r{place:d}"]  # noqa: S608
    if part.most:
        some = f"({inner} LIMIT {part.most:d}) AS c{place:d}"
        made.append(f"SELECT {place:d}, {_COUNT:d}, COUNT(*) FROM {some}")  # noqa: S608
        given = (*given, *given)
    return made, list(given)
