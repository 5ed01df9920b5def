"""The authorisation in the browser: from a deployment over the hub's question to Zoom and back.

Zoom shows the name of the hub's app only, and may skip its question for somebody who agreed before.
So the hub names the deployment and waits for a button. The button sets a cookie, which the callback
requires: a link that somebody else has begun ends here, and its code reaches nobody.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ..conf import settings
from ..utils.urls import split_url
from . import deployments
from .deployments import digest
from .models import Authorization, Deployment

LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=5)
"""Zoom's authorisation codes are valid for five minutes (Zoom: OAuth 2.0)."""
CONFLICT_LIFETIME = timedelta(hours=1)
MAX_OPEN = 10
"""Authorisations under way in one browser."""
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
MAX_STATE_LENGTH = 1024
PARAMETERS = (
    "response_type", "client_id", "redirect_uri", "state", "code_challenge",
    "code_challenge_method",
)  # fmt: skip


class RequestRefused(Exception):
    """The request names no deployment or another redirect URL: the browser is not sent on."""


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request of a deployment (RFC 6749, 4.1.1, with PKCE). ``error`` goes back to it."""

    deployment: Deployment
    state: str
    challenge: str
    error: str = ""


@sensitive_variables()
def parse(query: QueryDict) -> AuthorizationRequest:
    """The request in the query.

    Raises:
        RequestRefused: no deployment is named, or its redirect URL is another one.
    """
    values = {name: query.get(name, "") for name in PARAMETERS}
    is_repeated = any(len(query.getlist(name)) > 1 for name in PARAMETERS)
    deployment = deployments.by_client_id(values["client_id"])
    if (
        deployment is None
        or is_repeated  # guard: hub-parameters-once
        or values["redirect_uri"] != deployment.redirect_uri  # guard: hub-redirect-uri-exact
    ):
        raise RequestRefused
    state = values["state"]
    is_usable_state = 0 < len(state) <= MAX_STATE_LENGTH and "\x00" not in state
    error = ""
    if values["response_type"] != "code":
        error = "unsupported_response_type"
    elif (
        not is_usable_state
        or values["code_challenge_method"] != "S256"  # guard: hub-pkce-required
        or not CHALLENGE.fullmatch(values["code_challenge"])
    ):
        error = "invalid_request"
    return AuthorizationRequest(
        deployment, state if is_usable_state else "", values["code_challenge"], error
    )


def redirect_url(deployment: Deployment, **parameters: str) -> str:
    """The deployment's redirect URL with these parameters."""
    separator = "&" if "?" in deployment.redirect_uri else "?"
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{deployment.redirect_uri}{separator}{query}"


def callback_url() -> str:
    """The one redirect URL of the Zoom app, from settings only."""
    return f"{settings.base_url}{reverse('wagtail_zoom_hub:callback')}"


@sensitive_variables()
def start(request: AuthorizationRequest, browser: str, *, may_move: bool) -> str:
    """Begin an authorisation for the browser with this cookie; return Zoom's URL."""
    browser_hash, state = digest(browser), secrets.token_urlsafe(32)
    stale = Authorization.objects.filter(browser_hash=browser_hash).order_by("-expires_at")
    Authorization.objects.filter(
        pk__in=list(stale.values_list("pk", flat=True)[MAX_OPEN - 1 :])
    ).delete()
    Authorization.objects.create(
        deployment=request.deployment,
        state_hash=digest(state),
        browser_hash=browser_hash,
        deployment_state=request.state,
        challenge=request.challenge,
        may_move=may_move,
        expires_at=timezone.now() + LIFETIME,
    )
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": callback_url(),
        "state": state,
        "code_challenge": request.challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.oauth_url}/oauth/authorize?{urlencode(query)}"


@sensitive_variables()
def finish(browser: str, state: str, code: str) -> str:
    """Give Zoom's code (empty: access was denied) to the deployment; return where to continue.

    Raises:
        RequestRefused: another browser pressed the button, or it is unknown, used or expired.
    """
    rows = Authorization.objects.select_related("deployment").filter(
        state_hash=digest(state),
        browser_hash=digest(browser),  # guard: hub-callback-bound-to-browser
        conflict="",
        expires_at__gt=timezone.now(),  # guard: hub-state-expires
        deployment__removed_at=None,
    )
    row = rows.first()
    if row is None or not browser:
        raise RequestRefused
    deployment_state = row.deployment_state.reveal()
    if not code:
        row.delete()
        return redirect_url(row.deployment, error="access_denied", state=deployment_state)
    unused = Authorization.objects.filter(
        pk=row.pk,
        code_hash=None,  # guard: hub-state-once
    )
    if not unused.update(code_hash=digest(code), expires_at=timezone.now() + CODE_LIFETIME):
        raise RequestRefused
    return redirect_url(row.deployment, code=code, state=deployment_state)


def conflict_for(browser: str, deployment: Deployment) -> str:
    """Name of the website with which this browser's Zoom user was connected a moment ago."""
    if not browser:
        return ""
    rows = Authorization.objects.filter(
        browser_hash=digest(browser), deployment=deployment, expires_at__gt=timezone.now()
    ).exclude(conflict="")
    row = rows.order_by("-expires_at").first()
    return row.conflict if row is not None else ""


def cookie_name(request: HttpRequest) -> str:
    """Name of the cookie. With ``https`` no other host of the domain can set it (RFC 6265bis)."""
    prefix = "__Host-" if _is_secure() else ""
    return f"{prefix}wagtail-zoom-hub"


def browser_of(request: HttpRequest) -> str:
    """The random string in this browser's cookie; empty if there is none."""
    value = request.COOKIES.get(cookie_name(request), "")
    return value if re.fullmatch(r"[A-Za-z0-9_-]{43}", value, re.ASCII) else ""


def set_cookie(request: HttpRequest, response: HttpResponse, browser: str) -> None:
    """Bind authorisations to this browser for an hour."""
    response.set_cookie(
        cookie_name(request),
        browser,
        max_age=CONFLICT_LIFETIME,
        secure=_is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _is_secure() -> bool:
    return split_url(settings.base_url).scheme == "https"


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Policy of the hub's pages. Both buttons lead to a page that continues to Zoom or back, not to a
redirect: browsers apply ``form-action`` to the redirects after a form too, and Zoom's go to many
hosts."""
