"""The user who authorised: ``GET /users/me`` with the new token, never query or token claims."""

from __future__ import annotations

from typing import Any

from ..conf import settings
from ..exceptions import ZoomProtocolError
from ..mapping.parsing import InvalidItem, parse_id, single_line
from .http import BearerAuth, request_json
from .protocol import TokenSet


def fetch_userinfo(token_set: TokenSet) -> dict[str, Any]:
    """``id``, ``account_id`` and the fields of the connecting user that the panel shows.

    Raises:
        ZoomProtocolError: the response does not identify the user.
        ZoomTransient: Zoom cannot be reached.
    """
    base = token_set.api_url or settings.api_url
    response = request_json("GET", f"{base}/users/me", auth=BearerAuth(token_set.access_token))
    body = response.body if isinstance(response.body, dict) else {}
    try:
        if response.status == 200:
            return {**body, **{name: parse_id(body.get(name)) for name in ("id", "account_id")}}
    except InvalidItem:
        pass
    raise ZoomProtocolError(
        "Zoom's response does not identify the user who connected.", status=response.status
    )


def fetch_account_name(token_set: TokenSet) -> str:
    """The account's name, where Zoom returns it; the call is not in its public reference."""
    base = token_set.api_url or settings.api_url
    response = request_json("GET", f"{base}/accounts/me", auth=BearerAuth(token_set.access_token))
    body = response.body if isinstance(response.body, dict) else {}
    return single_line(body.get("account_name"), 255) if response.status == 200 else ""
