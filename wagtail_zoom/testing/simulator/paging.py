"""Page tokens: valid for fifteen minutes of the simulated clock, bound to the list's filters."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

from .errors import Problem, invalid
from .storage import Doc
from .world import World

_KEY = secrets.token_bytes(16)


def _number(args: dict[str, str], name: str, default: int) -> int:
    """Parse a positive number of the query."""
    text = args.get(name) or str(default)
    number = int(text[:9]) if text.isdecimal() else 0
    if number < 1:
        raise invalid(name, "Invalid field.")
    return number


def _sign(text: str) -> str:
    return hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()[:24]


def _filters(args: dict[str, str]) -> str:
    paging = ("next_page_token", "page_size", "page_number")
    return repr(sorted((name, value) for name, value in args.items() if name not in paging))


def position(world: World, path: str, args: dict[str, str]) -> int:
    """Return where to continue; an unknown, foreign or expired token is refused (400/300)."""
    token = args["next_page_token"]
    after, _, rest = token.partition("-")
    issued, _, signature = rest.partition("-")
    is_valid = signature == _sign(f"{after}-{issued}-{path}-{_filters(args)}")
    expired = world.faults.page(path) is not None
    if not is_valid or expired or world.clock.time() - int(issued) > world.options.page_token_ttl:
        raise Problem(400, 300, "The next page token is invalid or expired.")
    return int(after)


def page(
    world: World,
    path: str,
    args: dict[str, str],
    *,
    query: tuple[str, str, tuple[Any, ...]],
    name: str,
    max_size: int = 300,
    numbered: bool = True,
    shape: Callable[[Doc], dict[str, Any]],
) -> dict[str, Any]:
    """Return one page of a list.

    Args:
        query: (table, where, arguments).
        max_size: rows of a page at most; a larger ``page_size`` is not refused.
        numbered: whether the list also knows the older ``page_number``; a token goes before it.
    """
    table, where, values = query
    limit = min(_number(args, "page_size", 30), max_size)
    number = _number(args, "page_number", 1) if numbered else 1
    if args.get("next_page_token"):
        after, skipped = position(world, path, args), 0
    else:
        after, skipped = 0, (number - 1) * limit
    docs, next_after = world.store.page(table, where, values, after, limit, skipped)
    total = world.store.count(table, where, *values)
    token = ""
    if next_after is not None:
        text = f"{next_after}-{int(world.clock.time())}"
        token = f"{text}-{_sign(f'{text}-{path}-{_filters(args)}')}"
    return {
        "next_page_token": token,
        "page_count": -(-total // limit),
        "page_size": limit,
        **({"page_number": number} if "page_number" in args and numbered else {}),
        "total_records": total,
        name: [shape(doc) for doc in docs],
    }
