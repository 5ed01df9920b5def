"""Filters and pages of a list as plain links, several lists to a page.

Each list has its own parameter prefix, so one never pages another. A link carries only the
parameters of its own list: the addresses of a page are then the sum over its lists, which a
purge can name one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

MOST_PAGES = 200
PAGES_AHEAD = 20
"""How far beyond the page at hand rows are counted: where there are more pages, the last link leads
that far, and on from there. Counting two hundred pages takes longer than showing one."""


def pages_counted(page: int) -> int:
    """How many pages' rows are counted for this page."""
    return min(MOST_PAGES, max(1, page) + PAGES_AHEAD)


@dataclass(frozen=True)
class Link:
    """One filter or page."""

    label: str
    url: str
    current: bool = False
    rel: str = ""


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
        """The page that is there, next to the one asked for."""
        return min(max(1, page), max(1, min(MOST_PAGES, -(-total // max(1, size)))))


@dataclass(frozen=True)
class Asked:
    """What a visitor asked one list for."""

    name: str
    values: Mapping[str, str]
    path: str = ""

    @classmethod
    def read(cls, request: Any, name: str) -> Asked:
        """The parameters of this list in the address; none without a request."""
        given = getattr(request, "GET", {})
        values = {
            key.removeprefix(f"{name}-"): given.get(key)[:100]
            for key in given
            if key.startswith(f"{name}-") and given.get(key)
        }
        return cls(name, values, getattr(request, "path", ""))

    def get(self, key: str) -> str:
        """A parameter, or an empty text."""
        return self.values.get(key, "")

    def number(self, key: str) -> int:
        """A parameter as a whole number of up to four digits; 0 when it is none."""
        text = self.get(key)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0

    def link(self, **values: Any) -> str:
        """An address on this page for this list with these parameters and no others."""
        return f"{self.path}{query(self.name, values)}#{self.name}"

    def pages(self, total: int, size: int, **keep: Any) -> Pages:
        """The pages of ``total`` rows; a number out of range means the nearest page."""
        count = max(1, min(MOST_PAGES, -(-total // max(1, size))))
        number = Pages.nearest(self.number("page"), total, size)
        if count == 1:
            return Pages(number, count)
        shown = sorted({1, count, *range(max(1, number - 2), min(count, number + 2) + 1)})
        links = tuple(
            Link(str(each), self._page(each, keep), current=each == number) for each in shown
        )
        return Pages(
            number,
            count,
            links,
            previous=self._page(number - 1, keep) if number > 1 else "",
            next=self._page(number + 1, keep) if number < count else "",
        )

    def _page(self, number: int, keep: dict[str, Any]) -> str:
        return self.link(**keep, page=number if number > 1 else "")


def query(name: str, values: Mapping[str, Any]) -> str:
    """``?wz-1a2b3c-page=2``, or nothing when nothing is asked: the page's own address."""
    text = urlencode({f"{name}-{key}": value for key, value in values.items() if value})
    return f"?{text}" if text else ""
