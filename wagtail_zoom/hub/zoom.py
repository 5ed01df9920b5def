"""Calls to Zoom's token endpoint with the real client, for the deployments.

Tokens pass through memory only. Of an error response nothing but its error name and number is
passed on: its texts could contain tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from ..conf import settings
from ..exceptions import ZoomProtocolError, ZoomTransient
from ..oauth.http import BearerAuth, ZoomResponse, request_json
from ..utils.logging import get_logger

logger = get_logger("hub")

TOKEN_SECONDS = 6.0
"""Seconds for a call to the token endpoint; a deployment waits ten for the hub."""
USER_SECONDS = 3.0
TOKEN_MEMBERS = ("access_token", "token_type", "refresh_token", "expires_in", "scope", "api_url")
CLIENT_ERRORS = ("invalid_client", "unauthorized_client")
CLIENT_ERROR_CODES = {4702, 4704, 4706}
"""Zoom does not know the hub's own client (Zoom: OAuth error messages)."""


class OAuthError(Exception):
    """An error response of the token endpoint (RFC 6749, 5.2)."""

    def __init__(
        self, status: int, error: str, description: str = "", code: int | None = None
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.description, self.code = status, error, description, code


@dataclass(frozen=True)
class User:
    """Who authorised, from ``/users/me`` with the new token."""

    account_zoom_id: str = field()
    zoom_id: str = field()


@sensitive_variables()
def request_token(**form: str) -> dict[str, Any]:
    """Zoom's token response, with the members that it documents only.

    Raises:
        OAuthError: Zoom refused it, cannot be reached, or answered something else.
    """
    response = _call("token", form)
    body = response.body
    if (
        response.status != 200
        or not isinstance(body, dict)
        or not all(
            isinstance(body.get(name), str) and body[name]
            for name in ("access_token", "refresh_token")
        )
    ):
        raise _error_of(response)
    return {name: body[name] for name in TOKEN_MEMBERS if name in body}


@sensitive_variables()
def revoke_token(token: str) -> None:
    """Revoke a token; Zoom then removes the app for that user.

    Raises:
        OAuthError: Zoom refused it or cannot be reached.
    """
    response = _call("revoke", {"token": token})
    if response.status != 200:
        raise _error_of(response)


@sensitive_variables()
def fetch_user(access_token: str) -> User | None:
    """Account and user of an access token; None if Zoom does not accept it.

    The call goes to ``API_URL``, never to an address in a response.

    Raises:
        OAuthError: Zoom cannot be reached.
    """
    try:
        response = request_json(
            "GET",
            f"{settings.api_url}/users/me",
            auth=BearerAuth(access_token),
            deadline=USER_SECONDS,
        )
    except (ZoomTransient, ZoomProtocolError):
        raise _unavailable() from None
    if response.status == 429 or response.status >= 500:
        raise _unavailable()
    body = response.body if isinstance(response.body, dict) else {}
    account, user = body.get("account_id"), body.get("id")
    if response.status != 200 or not _is_id(account) or not _is_id(user):
        return None
    return User(str(account), str(user))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


@sensitive_variables()
def _call(endpoint: str, form: dict[str, str]) -> ZoomResponse:
    try:
        return request_json(
            "POST",
            f"{settings.oauth_url}/oauth/{endpoint}",
            auth=(settings.client_id, settings.client_secret),
            form=form,
            deadline=TOKEN_SECONDS,
        )
    except ZoomTransient as error:
        raise _unavailable(is_ambiguous=error.ambiguous) from None
    except ZoomProtocolError:
        raise _unavailable(is_ambiguous=True) from None


def _error_of(response: ZoomResponse) -> OAuthError:
    body = response.body if isinstance(response.body, dict) else {}
    name = body.get("error")
    name = name if isinstance(name, str) else ""
    code = body.get("errorCode", body.get("code"))
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    if name in CLIENT_ERRORS or code in CLIENT_ERROR_CODES:
        # A deployment would take it for its own ID and secret.
        logger.error("Zoom does not know CLIENT_ID or CLIENT_SECRET of the hub.")
        return _unavailable()
    if response.status == 429:
        return OAuthError(429, "temporarily_unavailable", "Zoom's rate limit is reached.")
    if not 400 <= response.status < 500:
        return _unavailable(is_ambiguous=response.status == 200)
    is_plain = name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40
    return OAuthError(400, name if is_plain else "invalid_request", "Zoom refused it.", code)


def _unavailable(*, is_ambiguous: bool = False) -> OAuthError:
    """503: Zoom could not be asked. 504: it may have acted, but its response is lost."""
    status = 504 if is_ambiguous else 503
    return OAuthError(status, "temporarily_unavailable", "Zoom cannot be reached.")
