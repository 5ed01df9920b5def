"""Zoom's token endpoint: exchange, refresh and revoke through Authlib, with error classification.

Nothing is stored here. Response texts never leave this module: they can contain tokens.
Sources: Zoom, "OAuth 2.0" and "OAuth error messages".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests
from authlib.integrations.requests_client import OAuth2Session
from django.utils import timezone

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomConfigurationError, ZoomProtocolError, ZoomTransient
from ..models import GrantReason, Secret
from ..utils.urls import split_url
from .http import configure_session, never_sent, refuse_in_transaction

MAX_EXPIRES_SECONDS = 400 * 86400
REASON_BY_CODE = {
    4735: GrantReason.OWNER_GONE,
    4717: GrantReason.DISABLED,
    4738: GrantReason.DISABLED,
}
CLIENT_ERROR_CODES = {4702, 4704, 4706}
MAX_TOKEN_LENGTH = 16_384
T = TypeVar("T")


@dataclass(frozen=True)
class TokenSet:
    """A complete response of the token endpoint; its repr shows no token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime = field()
    scope: str = ""
    api_url: str = ""


def oauth_session(**options: Any) -> OAuth2Session:
    """Authlib session for the installation's client (HTTP Basic, PKCE S256)."""
    session = OAuth2Session(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method's name
        code_challenge_method="S256",
        **options,
    )
    configure_session(session)
    for name in ("access_token_response", "refresh_token_response"):
        session.register_compliance_hook(name, _check_response)
    return session


def authorize_url(state: str, verifier: str, redirect_uri: str) -> str:
    """URL at which the owner authorises the app."""
    with oauth_session(redirect_uri=redirect_uri) as client:
        url, _state = client.create_authorization_url(
            f"{settings.oauth_url}/oauth/authorize", state=state, code_verifier=verifier
        )
    return str(url)


def exchange_code(code: Secret, verifier: Secret, redirect_uri: str) -> TokenSet:
    """Exchange an authorisation code for tokens. A code works once, so this is never retried.

    Raises:
        ZoomError: Zoom refused it or could not be reached.
        ZoomConfigurationError: the installation's client id or secret is wrong.
    """
    return _request_tokens(
        lambda client: client.fetch_token(
            _endpoint("token"),
            code=code.reveal(),
            code_verifier=verifier.reveal(),
            redirect_uri=redirect_uri,
            timeout=settings.timeout,
            allow_redirects=False,
        )
    )


def refresh(refresh_token: Secret) -> TokenSet:
    """Exchange a refresh token for a new pair; the old one is invalid from then on.

    Raises:
        ZoomAuthError: the authorisation has ended (``invalid_grant`` and similar errors).
        ZoomTransient: try again; ``ambiguous`` when the rotation may have happened.
        ZoomConfigurationError: the installation's client id or secret is wrong.
    """
    if not refresh_token:
        raise ZoomAuthError(GrantReason.INVALID_GRANT)
    return _request_tokens(
        lambda client: client.refresh_token(
            _endpoint("token"),
            refresh_token=refresh_token.reveal(),
            timeout=settings.timeout,
            allow_redirects=False,
        )
    )


def revoke(token: Secret) -> None:
    """Revoke a token; Zoom then removes the app for that user.

    Raises:
        ZoomError: Zoom refused it or could not be reached.
    """
    _request(
        lambda client: _check_response(
            client.revoke_token(
                _endpoint("revoke"),
                token=token.reveal(),
                timeout=settings.timeout,
                allow_redirects=False,
            )
        )
    )


def _endpoint(name: str) -> str:
    return f"{settings.oauth_url}/oauth/{name}"


def _request_tokens(func: Callable[[OAuth2Session], Any]) -> TokenSet:
    return _request(lambda client: parse_token_response(func(client)))


def _request(func: Callable[[OAuth2Session], T]) -> T:
    """Run a call. Its errors are raised without the frames of the libraries: their variables hold
    tokens, and debug pages and error emails show variables."""
    refuse_in_transaction()
    with oauth_session() as client:
        try:
            return func(client)
        except requests.RequestException as error:
            failure: Exception = _unreachable_error(error)
        except (ValueError, TypeError):
            # Authlib uses the members before they are checked; its error text could quote them.
            failure = ZoomProtocolError("The token response is incomplete.", status=200)
        except Exception as error:
            failure = error.with_traceback(None)
    raise failure from None


def _unreachable_error(error: requests.RequestException) -> ZoomTransient:
    return ZoomTransient(
        "Zoom's authorisation server cannot be reached.", ambiguous=not never_sent(error)
    )


def _check_response(response: requests.Response) -> requests.Response:
    """Pass a valid response to Authlib; raise our own error for any other."""
    if response.status_code == 200:
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ZoomProtocolError("The token response cannot be parsed.", status=200)
        if "error" in body or "errorCode" in body:  # guard: token-error-with-status-200
            raise classify_error(200, body)
        return response
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {}
    raise classify_error(response.status_code, body if isinstance(body, dict) else {})


def classify_error(status: int, body: dict[str, Any]) -> Exception:
    """Exception for an error response of the token endpoint (four formats: Zoom, OAuth error
    messages)."""
    name = str(body.get("error") or "")
    code = body.get("errorCode", body.get("code"))
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    if status == 429 or status >= 500 or status < 200:
        # A gateway that waited in vain does not know what the server behind it did.
        return ZoomTransient(
            "Zoom's authorisation server is busy.",
            ambiguous=status == 504,  # guard: gateway-timeout-may-have-rotated
            code=code,
            status=status,
        )
    if name in ("invalid_client", "unauthorized_client") or code in CLIENT_ERROR_CODES:
        return ZoomConfigurationError("Zoom does not know CLIENT_ID or CLIENT_SECRET.")
    if code in REASON_BY_CODE:
        return ZoomAuthError(REASON_BY_CODE[code], code=code, status=status)
    if name == "invalid_grant" or code in (124, 4711, 4733, 4734, 4737, 4740, 4741):
        return ZoomAuthError(GrantReason.INVALID_GRANT, code=code, status=status)
    if name == "invalid_request" or code in (4700, 4705, 4709):
        return ZoomConfigurationError("Zoom refused the request; check the app's redirect URL.")
    # Unknown errors never end a connection: an outage must not make an owner reconnect.
    return ZoomTransient(
        "Zoom's authorisation server returned an unknown error.", code=code, status=status
    )


def parse_token_response(body: Any) -> TokenSet:
    """Check a token response; an incomplete one is never stored (O12).

    Raises:
        ZoomProtocolError: a member is missing or invalid.
    """
    body = dict(body) if isinstance(body, dict) else {}
    access_token, refresh_token, expires_in = (
        body.get("access_token"),
        body.get("refresh_token"),
        body.get("expires_in"),
    )
    is_complete = all(
        isinstance(token, str) and 0 < len(token) <= MAX_TOKEN_LENGTH
        for token in (access_token, refresh_token)
    )
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in[:10])
    has_valid_expiry = (
        isinstance(expires_in, int)
        and not isinstance(expires_in, bool)
        and 0 < expires_in <= MAX_EXPIRES_SECONDS
    )
    if (
        not is_complete  # guard: token-pair-complete
        or not has_valid_expiry
    ):
        raise ZoomProtocolError("The token response is incomplete.", status=200)
    scope = body.get("scope")
    return TokenSet(
        access_token=str(access_token),
        refresh_token=str(refresh_token),
        expires_at=timezone.now() + timedelta(seconds=int(expires_in or 0)),
        scope=scope if isinstance(scope, str) else "",
        api_url=api_base(body.get("api_url")),
    )


def api_base(value: Any) -> str:
    """``api_url`` of a token response as the base URL of calls if it is allowed; otherwise empty.

    Only allowed hosts receive a token (X13): scheme and port of ``API_URL``, no user info.
    """
    if not isinstance(value, str) or len(value) > 200:
        return ""
    parts = split_url(value.rstrip("/"))
    if not parts.netloc:
        return ""
    own_api = split_url(settings.api_url)
    is_allowed_host = parts.netloc in settings.api_hosts and parts.scheme in (
        "https",
        own_api.scheme,
    )  # guard: token-sent-to-known-hosts
    has_plain_path = parts.path in ("", "/v2") and not parts.query and not parts.fragment
    if (
        not is_allowed_host
        or not has_plain_path
        or (parts.scheme == "http" and parts.netloc != own_api.netloc)
    ):
        return ""
    return f"{parts.scheme}://{parts.netloc}/v2"
