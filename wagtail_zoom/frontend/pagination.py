"""Filters and pagination of a list as plain links, for several lists on a page.

Each list has its own parameter prefix. A link contains only the parameters of its own list, so
the number of URLs of a page is the sum over its lists, and a purge can list all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .datetimes import YEARS

MAX_PAGES = 200
PAGES_AHEAD = 20
"""How many pages after the current one are counted. When there may be more, no link leads to the
last one. Counting 200 pages takes longer than showing one."""


def pages_counted(page: int) -> int:
    """The number of pages whose rows are counted for this page."""
    return min(MAX_PAGES, max(1, page) + PAGES_AHEAD)


@dataclass(frozen=True)
class Link:
    """One filter or page."""

    label: str
    url: str
    current: bool = False
    rel: str = ""

    @property
    def is_gap(self) -> bool:
        """It stands for pages that have no link."""
        return not self.url


@dataclass(frozen=True)
class Pages:
    """The pages of a list; ``links`` is empty when there is only one."""

    number: int = 1
    count: int = 1
    links: tuple[Link, ...] = ()
    previous: str = ""
    next: str = ""

    @staticmethod
    def nearest(page: int, total: int, size: int) -> int:
        """The requested page number, limited to the pages that exist."""
        return min(max(1, page), max(1, min(MAX_PAGES, -(-total // max(1, size)))))


def shown_pages(number: int, count: int, *, is_last_known: bool = True) -> list[int]:
    """The pages with a link: the first, the last and those around the current one; 0 for a gap.

    While the last one is not known, the list ends with the gap that it would follow.
    """
    near = {1, *range(number - 2, number + 3)} & set(range(1, count + 1))
    near |= {count} if is_last_known else set()
    pages: list[int] = []
    for page in sorted(near):
        missing = page - pages[-1] - 1 if pages else 0
        # Instead of a gap of one page there is that page.
        pages += [page - 1] if missing == 1 else [0] if missing else []
        pages.append(page)
    return pages if pages[-1] == count else [*pages, 0]


@dataclass(frozen=True)
class BlockParams:
    """The query parameters of one block."""

    name: str
    values: Mapping[str, str]
    path: str = ""

    @classmethod
    def from_request(cls, request: Any, name: str) -> BlockParams:
        """The parameters with this prefix; none without a request."""
        query_params: Mapping[str, str] = getattr(request, "GET", {})
        values = {
            key.removeprefix(f"{name}-"): query_params[key][:100]
            for key in query_params
            if key.startswith(f"{name}-") and query_params.get(key)
        }
        return cls(name, values, getattr(request, "path", ""))

    def get(self, key: str) -> str:
        """A parameter, or an empty text."""
        return self.values.get(key, "")

    def number(self, key: str) -> int:
        """A parameter as an integer of up to four digits; 0 when it is not one."""
        text = self.get(key)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0

    @property
    def year(self) -> int:
        """The year as an integer; 0 for one that nothing can be of."""
        year = self.number("year")
        return year if year in YEARS else 0  # guard: years-limited

    def link(self, **values: Any) -> str:
        """The URL of this list on the current page, with these parameters only."""
        return f"{self.path}{query_string(self.name, values)}#{self.name}"

    def pages(self, total: int, size: int, **params: Any) -> Pages:
        """The pages of ``total`` rows; a page number out of range selects the nearest page."""
        count = max(1, min(MAX_PAGES, -(-total // max(1, size))))
        is_last_known = count < pages_counted(self.number("page"))
        number = Pages.nearest(self.number("page"), total, size)
        if count == 1:
            return Pages(number, count)
        links = tuple(
            Link(str(shown), self._page_url(shown, params), current=shown == number)
            if shown
            else Link("…", "")
            for shown in shown_pages(number, count, is_last_known=is_last_known)
        )
        return Pages(
            number,
            count,
            links,
            previous=self._page_url(number - 1, params) if number > 1 else "",
            next=self._page_url(number + 1, params) if number < count else "",
        )

    def _page_url(self, number: int, params: dict[str, Any]) -> str:
        return self.link(**params, page=number if number > 1 else "")


def query_string(name: str, values: Mapping[str, Any]) -> str:
    """``?wz-1a2b3c-page=2``; empty without parameters."""
    text = urlencode({f"{name}-{key}": value for key, value in values.items() if value})
    return f"?{text}" if text else ""
