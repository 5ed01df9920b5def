"""The OAuth authorisation code flow: from the Connect button to Zoom and back to the Site.

The state is a random string whose row (single use, ten minutes) is bound to browser, user and
Site. Zoom knows one redirect URL, on the canonical host. The code is stored encrypted in the row,
and the browser is redirected to the host where the flow began; there session, user and Site are
checked.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from wagtail.models import Site

from ..conf import settings
from ..models import Grant, Invitation, OAuthState
from ..permissions import may_change
from . import connect, protocol, userinfo

STATE_LIFETIME = timedelta(minutes=10)
MAX_OPEN_FLOWS = 10
BROWSER_SESSION_KEY = "wagtail_zoom_browser"
"""Session key of the random string that binds a flow to this browser."""


class FlowError(Exception):
    """The authorisation cannot continue; ``code`` names the message to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def digest(text: str) -> str:
    """SHA-256 of a random string; only this is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def redirect_uri() -> str:
    """The one redirect URL of the installation, from settings only: never from the Host header."""
    return f"{settings.base_url}{reverse('wagtail_zoom:oauth_callback')}"


@sensitive_variables("state", "verifier")
def start(request: HttpRequest, site: Site, invitation: Invitation | None = None) -> HttpResponse:
    """Begin an authorisation for this Site; the caller has checked the permission.

    Raises:
        FlowError: the hostname does not belong to this installation, or settings are missing.
    """
    if not (settings.client_id and settings.client_secret and settings.base_url):
        raise FlowError("not_configured")
    if not is_own_host(request.get_host()):  # guard: flow-starts-on-own-host
        raise FlowError("unknown_host")
    browser = browser_hash(request)
    _delete_oldest_flows(browser)  # guard: open-flows-limit
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    row = OAuthState(
        state_hash=digest(state),
        session_hash=browser,
        user=request.user if request.user.is_authenticated else None,
        site=site,
        invitation=invitation,
        client_id=settings.client_id,
        issuer=settings.oauth_url,
        redirect_uri=redirect_uri(),
        origin=f"{request.scheme}://{request.get_host()}",
        expires_at=timezone.now() + STATE_LIFETIME,
    )
    row.verifier = verifier
    row.save()
    return HttpResponseRedirect(protocol.authorize_url(state, verifier, redirect_uri()))


def is_own_host(host: str) -> bool:
    """Whether a hostname (with or without port) belongs to this installation."""
    hostname = (urlsplit(f"//{host}").hostname or "").lower()
    own_hostnames = {
        urlsplit(settings.base_url).hostname or "",
        *settings.admin_hosts,  # guard: admin-hosts-are-own
    }
    return (
        hostname in {own_hostname.lower() for own_hostname in own_hostnames}
        or Site.objects.filter(hostname=hostname).exists()
    )


def browser_hash(request: HttpRequest) -> str:
    """Digest of the random string that binds flows to this browser's session."""
    if BROWSER_SESSION_KEY not in request.session:
        request.session[BROWSER_SESSION_KEY] = secrets.token_urlsafe(32)
    return digest(request.session[BROWSER_SESSION_KEY])


def _delete_oldest_flows(browser: str) -> None:
    """Keep at most ten open flows per browser, including the new one."""
    rows = OAuthState.objects.filter(session_hash=browser).order_by("-created_at")
    stale = list(rows.values_list("pk", flat=True)[MAX_OPEN_FLOWS - 1 :])
    OAuthState.objects.filter(pk__in=stale).delete()


@sensitive_variables("state", "code")
def handle_callback(state: str, code: str) -> str:
    """On the canonical host: store the code in the state's row; return the URL to continue at.

    Raises:
        FlowError: the state is unknown, used or expired.
    """
    row = OAuthState.objects.filter(state_hash=digest(state), expires_at__gt=timezone.now()).first()
    if (
        row is None or not is_own_host(urlsplit(row.origin).netloc)  # guard: redirect-to-own-host
    ):
        raise FlowError("state")
    row.code = code
    # A second code for the same state is not accepted.
    if not OAuthState.objects.filter(
        pk=row.pk,
        code="",  # guard: code-accepted-once
    ).update(code=row.code):
        raise FlowError("state")
    return f"{row.origin}{reverse('wagtail_zoom:oauth_finish')}"


def handle_denied(state: str) -> str:
    """The user declined at Zoom: return the URL to continue at, or an empty string."""
    row = OAuthState.objects.filter(state_hash=digest(state)).first()
    if row is None or not is_own_host(urlsplit(row.origin).netloc):
        return ""
    return f"{row.origin}{reverse('wagtail_zoom:oauth_finish')}"


@sensitive_variables("state")
def consume_state(request: HttpRequest, state: str) -> OAuthState:
    """On the originating host: check the state's row, delete it (single use) and return it.

    Raises:
        FlowError: it belongs to another browser, user or Site, or it has expired.
    """
    row = (
        OAuthState.objects.filter(
            state_hash=digest(state),
            expires_at__gt=timezone.now(),  # guard: state-expires
        )
        .select_related("site", "invitation__created_by", "user")
        .first()
    )
    if row is None:
        raise FlowError("state")
    same_browser = row.session_hash == digest(request.session.get(BROWSER_SESSION_KEY, ""))
    user = request.user if request.user.is_authenticated else None
    same_app = (row.client_id, row.issuer) == (settings.client_id, settings.oauth_url)
    if (
        not same_browser  # guard: state-bound-to-browser
        or not same_app  # guard: state-bound-to-client
        or (row.invitation is None and row.user != user)  # guard: state-bound-to-user
    ):
        raise FlowError("state")
    _check_permission(row)
    # Deleting the row decides a race: of two requests with one state only one continues.
    if not OAuthState.objects.filter(pk=row.pk).delete()[0]:  # guard: state-single-use
        raise FlowError("state")
    return row


def _check_permission(row: OAuthState) -> None:
    """Check the permission again on completion: it may have been withdrawn in the meantime."""
    if row.invitation is None:
        if (
            row.user is None
            or not may_change(row.user, row.site)  # guard: user-permission-on-completion
        ):
            raise FlowError("permission")
    elif (
        not row.invitation.is_open
        or not may_change(
            row.invitation.created_by, row.site
        )  # guard: inviter-permission-on-completion
    ):
        raise FlowError("invitation")


def complete(row: OAuthState) -> Grant:
    """Exchange the code for tokens, fetch the user and store the grant. Connects no Site yet.

    Raises:
        ZoomError, ZoomConfigurationError: Zoom refused the code or cannot be reached.
    """
    token_set = protocol.exchange_code(row.code, row.verifier, row.redirect_uri)
    profile: dict[str, Any] = userinfo.fetch_userinfo(token_set)
    return connect.store_grant(token_set, profile, row.user)
