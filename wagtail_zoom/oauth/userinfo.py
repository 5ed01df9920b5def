"""Who agreed: ``GET /users/me`` with the new token. Never from the query or a token's claims."""

from __future__ import annotations

from typing import Any

from ..conf import settings
from ..exceptions import ZoomProtocolError
from .http import Bearer, call
from .protocol import TokenSet


def read(fresh: TokenSet) -> dict[str, Any]:
    """``id``, ``account_id`` and what the panel shows of the connecting person.

    Raises:
        ZoomProtocolError: Zoom did not say who it is.
        ZoomTransient: Zoom is away.
    """
    base = fresh.api_url or settings.api_url
    answer = call("GET", f"{base}/users/me", auth=Bearer(fresh.access_token))
    body = answer.body if isinstance(answer.body, dict) else {}
    names = ("id", "account_id")
    if answer.status != 200 or any(not isinstance(body.get(name), str) for name in names):
        raise ZoomProtocolError("Zoom did not say who connected.", status=answer.status)
    return body


def account_name(fresh: TokenSet) -> str:
    """The account's name where Zoom tells it; the call is not in its public reference."""
    base = fresh.api_url or settings.api_url
    answer = call("GET", f"{base}/accounts/me", auth=Bearer(fresh.access_token))
    body = answer.body if isinstance(answer.body, dict) else {}
    name = body.get("account_name")
    return name[:255] if answer.status == 200 and isinstance(name, str) else ""
