"""One row with rows that it refers to, by SQL that is put together once.

Django puts a query together anew each time. For one of three tables and fifty columns, which every
visit asks for, that takes several times as long as the database needs to answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Generic, TypeVar

from django.db import connections, router
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


class Prepared(Generic[Row]):
    """``get(number)``: the row whose unique column ``by`` has this value.

    ``related`` are foreign keys that are read with it; ``unread`` are columns of theirs that are
    left for later, in the words of ``defer()``, such as ``grant__access_token``.
    """

    def __init__(
        self, model: type[Row], by: str, *, related: Sequence[str], unread: Collection[str]
    ) -> None:
        self.model, self.by, self.related, self.unread = model, by, related, unread
        self._made: dict[str, tuple[str, list[Any], list[tuple[str, Any, list[str]]]]] = {}

    def get(self, number: Any) -> Row | None:
        """The row, or None."""
        using = router.db_for_read(self.model)
        if using not in self._made:
            self._made[using] = self._make(using)
        statement, columns, parts = self._made[using]
        with connections[using].cursor() as cursor:
            cursor.execute(statement, [number])
            values = cursor.fetchone()
        if values is None:
            return None
        # Of this thread's connection: nothing here may keep that of another one open.
        compiler = self.model._default_manager.using(using).query.get_compiler(using)
        [values] = compiler.apply_converters([values], compiler.get_converters(columns))
        row, at = None, 0
        for path, model, names in parts:
            own = values[at : at + len(names)]
            at += len(names)
            if row is None:
                row = model.from_db(using, names, own)
            elif getattr(row, f"{path}_id") is not None:
                setattr(row, path, model.from_db(using, names, own))
        return row

    def _make(self, using: str) -> tuple[str, list[Any], list[tuple[str, Any, list[str]]]]:
        """The statement, its columns, and which of them make which row."""
        parts = [("", self.model, self._names(self.model, ""))]
        for path in self.related:
            model: Any = self.model._meta.get_field(path).related_model
            parts.append((path, model, self._names(model, f"{path}__")))
        paths = [f"{path}__{name}" if path else name for path, _, names in parts for name in names]
        rows = self.model._default_manager.using(using).order_by().filter(**{self.by: 0})
        compiler = rows.values_list(*paths).query.get_compiler(using)
        statement, _given = compiler.as_sql()
        return statement, [column for column, _sql, _alias in compiler.select], parts

    def _names(self, model: type[Model], prefix: str) -> list[str]:
        columns = model._meta.concrete_fields
        return [each.attname for each in columns if f"{prefix}{each.name}" not in self.unread]
