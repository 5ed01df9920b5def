"""Connecting: from the button through Zoom's consent page back to the right Site.

The state is a random text whose row (single use, ten minutes) is bound to browser, user and Site.
Zoom knows one redirect URL, on the canonical host; the code is kept encrypted in the row and the
browser is sent on to the host where it began, where session, user and Site are checked.
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

LIFE = timedelta(minutes=10)
MOST_OPEN = 10
BROWSER = "wagtail_zoom_browser"
"""Session key of the random text that ties a flow to this browser."""


class FlowError(Exception):
    """The authorisation cannot go on; ``code`` names the sentence to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def digest(text: str) -> str:
    """How random texts are kept: only their SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def redirect_uri() -> str:
    """The one redirect URL of the installation, from settings only: never from the Host header."""
    return f"{settings.base_url}{reverse('wagtail_zoom:oauth_callback')}"


@sensitive_variables("state", "verifier")
def start(request: HttpRequest, site: Site, invitation: Invitation | None = None) -> HttpResponse:
    """Begin an authorisation for this Site; the caller has checked the right to do so.

    Raises:
        FlowError: the host is not one of the installation's, or settings are missing.
    """
    if not (settings.client_id and settings.client_secret and settings.base_url):
        raise FlowError("not_configured")
    if not is_own_host(request.get_host()):  # guard: flow-starts-on-own-host
        raise FlowError("unknown_host")
    mine = browser(request)
    _make_room(mine)  # guard: open-flows-limit
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    row = OAuthState(
        state_hash=digest(state),
        session_hash=mine,
        user=request.user if request.user.is_authenticated else None,
        site=site,
        invitation=invitation,
        client_id=settings.client_id,
        issuer=settings.oauth_url,
        redirect_uri=redirect_uri(),
        origin=f"{request.scheme}://{request.get_host()}",
        expires_at=timezone.now() + LIFE,
    )
    row.verifier = verifier
    row.save()
    return HttpResponseRedirect(protocol.authorize_url(state, verifier, redirect_uri()))


def is_own_host(host: str) -> bool:
    """Whether a host (with or without port) belongs to this installation."""
    name = (urlsplit(f"//{host}").hostname or "").lower()
    own = {urlsplit(settings.base_url).hostname or "", *settings.admin_hosts}
    return name in {one.lower() for one in own} or Site.objects.filter(hostname=name).exists()


def browser(request: HttpRequest) -> str:
    """Digest of the random text that ties flows to this browser's session."""
    if BROWSER not in request.session:
        request.session[BROWSER] = secrets.token_urlsafe(32)
    return digest(request.session[BROWSER])


def _make_room(browser: str) -> None:
    """At most ten flows of one browser are open; the oldest go."""
    rows = OAuthState.objects.filter(session_hash=browser).order_by("-created_at")
    stale = list(rows.values_list("pk", flat=True)[MOST_OPEN - 1 :])
    OAuthState.objects.filter(pk__in=stale).delete()


@sensitive_variables("state", "code")
def receive(state: str, code: str) -> str:
    """The canonical host: keep the code in the state's row; where the browser is to go on.

    Raises:
        FlowError: the state is unknown, used or over.
    """
    row = OAuthState.objects.filter(state_hash=digest(state), expires_at__gt=timezone.now()).first()
    if (
        row is None or not is_own_host(urlsplit(row.origin).netloc)  # guard: redirect-to-own-host
    ):
        raise FlowError("state")
    row.code = code
    # A second code for the same state is somebody else's.
    if not OAuthState.objects.filter(
        pk=row.pk,
        code="",  # guard: code-accepted-once
    ).update(code=row.code):
        raise FlowError("state")
    return f"{row.origin}{reverse('wagtail_zoom:oauth_finish')}"


def declined(state: str) -> str:
    """The person said no at Zoom: forget the flow; where the browser goes on, or empty."""
    row = OAuthState.objects.filter(state_hash=digest(state)).first()
    if row is None or not is_own_host(urlsplit(row.origin).netloc):
        return ""
    return f"{row.origin}{reverse('wagtail_zoom:oauth_finish')}"


@sensitive_variables("state")
def take(request: HttpRequest, state: str) -> OAuthState:
    """The originating host: the state's row, checked and deleted (single use).

    Raises:
        FlowError: it is not this browser's, user's or Site's, or it is over.
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
    mine = row.session_hash == digest(request.session.get(BROWSER, ""))
    user = request.user if request.user.is_authenticated else None
    same_app = (row.client_id, row.issuer) == (settings.client_id, settings.oauth_url)
    if (
        not mine  # guard: state-bound-to-browser
        or not same_app  # guard: state-bound-to-client
        or (row.invitation is None and row.user != user)  # guard: state-bound-to-user
    ):
        raise FlowError("state")
    _check_right(row)
    # Deleting decides a race: of two requests with one state only one goes on.
    if not OAuthState.objects.filter(pk=row.pk).delete()[0]:  # guard: state-single-use
        raise FlowError("state")
    return row


def _check_right(row: OAuthState) -> None:
    """The right is checked again on completion: it may have been withdrawn in between."""
    if row.invitation is None:
        if (
            row.user is None
            or not may_change(row.user, row.site)  # guard: user-right-checked-on-completion
        ):
            raise FlowError("permission")
    elif (
        not row.invitation.is_open
        or not may_change(
            row.invitation.created_by, row.site
        )  # guard: inviter-right-checked-on-completion
    ):
        raise FlowError("invitation")


def complete(row: OAuthState) -> Grant:
    """Trade the code for tokens, learn who agreed, and store the grant. Links nothing yet.

    Raises:
        ZoomError, ZoomConfigurationError: Zoom refused the code or is away.
    """
    fresh = protocol.exchange(row.code, row.verifier, row.redirect_uri)
    who: dict[str, Any] = userinfo.read(fresh)
    return connect.store_grant(fresh, who, row.user)
