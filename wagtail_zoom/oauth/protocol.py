"""The token endpoint: exchange, refresh and revoke through Authlib, answers classified once.

Nothing is stored here. Texts of answers never leave this module: they can hold tokens.
Sources: Zoom, "OAuth 2.0" and "OAuth error messages".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from django.utils import timezone

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomConfigurationError, ZoomProtocolError, ZoomTransient
from ..models import GrantReason, Secret
from .http import guard, never_sent, refuse_in_transaction

LONGEST = 400 * 86400
REASONS = {4735: GrantReason.OWNER_GONE, 4717: GrantReason.DISABLED, 4738: GrantReason.DISABLED}
CLIENT_CODES = {4702, 4704, 4706}
LONGEST_TOKEN = 16_384


@dataclass(frozen=True)
class TokenSet:
    """A whole answer of the token endpoint; not printed."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime = field()
    scope: str = ""
    api_url: str = ""


def session(**options: Any) -> OAuth2Session:
    """An Authlib session for the installation's client (HTTP Basic, PKCE S256)."""
    found = OAuth2Session(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method's name
        code_challenge_method="S256",
        **options,
    )
    guard(found)
    for name in ("access_token_response", "refresh_token_response"):
        found.register_compliance_hook(name, _checked)
    return found


def authorize_url(state: str, verifier: str, redirect_uri: str) -> str:
    """Where the owner is sent to agree."""
    with session(redirect_uri=redirect_uri) as client:
        url, _state = client.create_authorization_url(
            f"{settings.oauth_url}/oauth/authorize", state=state, code_verifier=verifier
        )
    return str(url)


def exchange(code: Secret, verifier: Secret, redirect_uri: str) -> TokenSet:
    """Trade an authorisation code for tokens. A code works once, so this is never repeated.

    Raises:
        ZoomError: Zoom refused it or could not be reached.
        ZoomConfigurationError: the installation's client id or secret is wrong.
    """
    return _tokens(
        lambda client: client.fetch_token(
            _url("token"),
            code=code.reveal(),
            code_verifier=verifier.reveal(),
            redirect_uri=redirect_uri,
            timeout=settings.timeout,
            allow_redirects=False,
        )
    )


def renew(refresh_token: Secret) -> TokenSet:
    """Trade a refresh token for a new pair; the old one is dead from then on.

    Raises:
        ZoomAuthError: the permission is gone (``invalid_grant`` and its kin).
        ZoomTransient: try again; ``ambiguous`` when the rotation may have happened.
        ZoomConfigurationError: the installation's client id or secret is wrong.
    """
    if not refresh_token:
        raise ZoomAuthError(GrantReason.INVALID_GRANT)
    return _tokens(
        lambda client: client.refresh_token(
            _url("token"),
            refresh_token=refresh_token.reveal(),
            timeout=settings.timeout,
            allow_redirects=False,
        )
    )


def revoke(token: Secret) -> None:
    """Give a token back; Zoom then removes the installation for that person.

    Raises:
        ZoomError: Zoom refused it or could not be reached.
    """
    _bare(
        lambda client: _checked(
            client.revoke_token(
                _url("revoke"),
                token=token.reveal(),
                timeout=settings.timeout,
                allow_redirects=False,
            )
        )
    )


def _url(name: str) -> str:
    return f"{settings.oauth_url}/oauth/{name}"


def _tokens(work: Any) -> TokenSet:
    return _bare(lambda client: token_set(work(client)))


def _bare(work: Any) -> Any:
    """Run a call. What it raises has lost the frames of the libraries: tokens stand in their
    variables, and debug pages and error mails show variables."""
    refuse_in_transaction()
    with session() as client:
        try:
            return work(client)
        except requests.RequestException as error:
            failure: Exception = _unreachable(error)
        except (ValueError, TypeError):
            # Authlib reckons with the members before they are checked; its words could quote them.
            failure = ZoomProtocolError("The token answer is not whole.", status=200)
        except Exception as error:
            failure = error.with_traceback(None)
    raise failure from None


def _unreachable(error: requests.RequestException) -> ZoomTransient:
    return ZoomTransient("Zoom's authorisation server is away.", ambiguous=not never_sent(error))


def _checked(response: requests.Response) -> requests.Response:
    """Let a good answer pass to Authlib; raise our own error for every other."""
    if response.status_code == 200:
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ZoomProtocolError("The token answer cannot be read.", status=200)
        if "error" in body or "errorCode" in body:  # guard: token-error-with-status-200
            raise classify(200, body)
        return response
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {}
    raise classify(response.status_code, body if isinstance(body, dict) else {})


def classify(status: int, body: dict[str, Any]) -> Exception:
    """What a refusal of the token endpoint means (its four shapes: Zoom, OAuth error messages)."""
    name = str(body.get("error") or "")
    code = body.get("errorCode", body.get("code"))
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    if status == 429 or status >= 500 or status < 200:
        return ZoomTransient("Zoom's authorisation server is busy.", code=code, status=status)
    if name in ("invalid_client", "unauthorized_client") or code in CLIENT_CODES:
        return ZoomConfigurationError("Zoom does not know CLIENT_ID or CLIENT_SECRET.")
    if code in REASONS:
        return ZoomAuthError(REASONS[code], code=code, status=status)
    if name == "invalid_grant" or code in (124, 4711, 4733, 4734, 4737, 4740, 4741):
        return ZoomAuthError(GrantReason.INVALID_GRANT, code=code, status=status)
    if name == "invalid_request" or code in (4700, 4705, 4709):
        return ZoomConfigurationError("Zoom refused the request; compare the app's redirect URL.")
    # Unknown refusals never end a connection: an outage must not ask an owner to reconnect.
    return ZoomTransient(
        "Zoom's authorisation server gave no clear answer.", code=code, status=status
    )


def token_set(body: Any) -> TokenSet:
    """Check a token answer; nothing that is not whole is ever stored (O12).

    Raises:
        ZoomProtocolError: a member is missing or senseless.
    """
    body = dict(body) if isinstance(body, dict) else {}
    access, renewal, life = (
        body.get("access_token"),
        body.get("refresh_token"),
        body.get("expires_in"),
    )
    whole = all(
        isinstance(text, str) and 0 < len(text) <= LONGEST_TOKEN for text in (access, renewal)
    )
    if isinstance(life, str) and life.isascii() and life.isdigit():
        life = int(life[:10])
    sane = isinstance(life, int) and not isinstance(life, bool) and 0 < life <= LONGEST
    if (
        not whole  # guard: token-pair-complete
        or not sane
    ):
        raise ZoomProtocolError("The token answer is not whole.", status=200)
    scope = body.get("scope")
    return TokenSet(
        access_token=str(access),
        refresh_token=str(renewal),
        expires_at=timezone.now() + timedelta(seconds=int(life or 0)),
        scope=scope if isinstance(scope, str) else "",
        api_url=api_base(body.get("api_url")),
    )


def api_base(value: Any) -> str:
    """``api_url`` of a token answer as the base of calls, if it may be used; else empty.

    Only hosts of the allow-list get a token (X13): scheme and port of ``API_URL``, no user info.
    """
    if not isinstance(value, str) or len(value) > 200:
        return ""
    try:
        parts = urlsplit(value.rstrip("/"))
    except ValueError:
        return ""
    own = urlsplit(settings.api_url)
    known = parts.netloc in settings.api_hosts and parts.scheme in (
        "https",
        own.scheme,
    )  # guard: token-sent-to-known-hosts
    plain = parts.path in ("", "/v2") and not parts.query and not parts.fragment
    if not known or not plain or (parts.scheme == "http" and parts.netloc != own.netloc):
        return ""
    return f"{parts.scheme}://{parts.netloc}/v2"
