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


def size(args: dict[str, str], max_size: int) -> int:
    """Parse ``page_size``: 30 by default, at most ``max_size``."""
    text = args.get("page_size", "30")
    if not text.isdigit() or not 1 <= int(text) <= max_size:
        raise invalid("page_size", f"The page size is between 1 and {max_size}.")
    return int(text)


def _sign(text: str) -> str:
    return hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()[:24]


def _filters(args: dict[str, str]) -> str:
    filters = sorted((k, v) for k, v in args.items() if k not in ("next_page_token", "page_size"))
    return repr(filters)


def position(world: World, path: str, args: dict[str, str]) -> int:
    """Return where to continue; an unknown, foreign or expired token is refused (400/300)."""
    token = args.get("next_page_token", "")
    if not token:
        return 0
    after, _, rest = token.partition("-")
    issued, _, signature = rest.partition("-")
    is_valid = hmac.compare_digest(signature, _sign(f"{after}-{issued}-{path}-{_filters(args)}"))
    fault = world.faults.before({"path": path, "method": "PAGE"})
    expired = fault is not None and fault["kind"] == "expire_page_tokens"
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
    max_size: int,
    shape: Callable[[Doc], dict[str, Any]],
) -> dict[str, Any]:
    """Return one page of a list. ``query`` is (table, where, arguments)."""
    table, where, values = query
    limit = size(args, max_size)
    docs, after = world.store.page(table, where, values, position(world, path, args), limit)
    total = world.store.count(table, where, *values)
    token = ""
    if after is not None:
        text = f"{after}-{int(world.clock.time())}"
        token = f"{text}-{_sign(f'{text}-{path}-{_filters(args)}')}"
    return {
        "next_page_token": token,
        "page_count": -(-total // limit),
        "page_size": limit,
        "total_records": total,
        name: [shape(doc) for doc in docs],
    }
