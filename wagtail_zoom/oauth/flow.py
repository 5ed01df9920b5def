"""The OAuth authorisation code flow: from the Connect button to Zoom and back to the Site.

The state is a random string whose row (single use, ten minutes) is bound to browser, user and
Site. Zoom knows one redirect URL, on the canonical host. The code is stored encrypted in the row,
and the browser is redirected with a new ticket to the host where the flow began; there state,
ticket, session, user and Site are checked. The session proves who began, the ticket proves who
allowed it: whoever begins and lets another person allow it has only one of the two.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables
from wagtail.models import Site

from ..conf import settings
from ..models import Activity, Grant, Invitation, OAuthState
from ..permissions import may_change
from ..utils.logging import get_logger
from ..utils.urls import DEFAULT_PORTS, normalize_hostname, split_url
from . import connect, invitations, protocol, userinfo
from .invitations import digest

logger = get_logger("oauth")

STATE_LIFETIME = timedelta(minutes=10)
MAX_OPEN_FLOWS = 10
BROWSER_SESSION_KEY = "wagtail_zoom_browser"
"""Session key of the random string that binds a flow to this browser."""


class FlowError(Exception):
    """The authorisation cannot continue; ``code`` names the message to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def redirect_uri() -> str:
    """The one redirect URL of the installation, from settings only: never from the Host header."""
    return f"{settings.base_url}{reverse('wagtail_zoom:oauth_callback')}"


@sensitive_variables()
def start(request: HttpRequest, site: Site, invitation: Invitation | None = None) -> str:
    """Begin an authorisation for this Site; the caller has checked the permission.

    Returns the URL of Zoom's consent page.

    Raises:
        FlowError: a flow for this Site may not begin at this host, or settings are missing.
    """
    if not (settings.client_id and settings.client_secret and settings.base_url):
        raise FlowError("not_configured")
    origin = own_origins(site).get(request.get_host().lower(), "")
    if not origin:  # guard: flow-starts-on-own-origin
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
        origin=origin,
        expires_at=timezone.now() + STATE_LIFETIME,
    )
    row.verifier = verifier
    row.save()
    return protocol.authorize_url(state, verifier, redirect_uri())


def own_origins(site: Site) -> dict[str, str]:
    """Origins at which a flow for this Site may begin and end, by the Host header that names them.

    The canonical origin, ``ADMIN_HOSTS`` and the Site's own hostname; other Sites' hostnames are
    other owners'. Whole origins: another port of the same host may be somebody else's program, and
    the ticket passes through the origin to which the browser is redirected. The scheme is that of
    ``BASE_URL``: a request behind a proxy does not know it.
    """
    base = split_url(settings.base_url)
    own_port = None if site.port in DEFAULT_PORTS.values() else site.port
    hosts = [
        (base.hostname or "", base.port),
        *map(_split_host, settings.admin_hosts),  # guard: admin-hosts-are-own
        (normalize_hostname(site.hostname), own_port),
    ]
    default = DEFAULT_PORTS.get(base.scheme)
    origins: dict[str, str] = {}
    for name, port in hosts:
        hostname = f"[{name}]" if ":" in name else name
        # Without a port of its own a host is at that of the scheme or, as in development, of
        # BASE_URL.
        ports = {port} if port else {base.port} if name == base.hostname else {None, base.port}
        for number in ports if hostname else ():
            if number in (None, default):
                origin = f"{base.scheme}://{hostname}"
                origins |= {hostname: origin, f"{hostname}:{default}": origin}
            else:
                origins[f"{hostname}:{number}"] = f"{base.scheme}://{hostname}:{number}"
    return origins


def _split_host(text: str) -> tuple[str, int | None]:
    """Hostname and port of a value of ``ADMIN_HOSTS``: ``edit.example``, ``host:8443``."""
    parts = split_url(f"//{text}")
    return normalize_hostname(parts.hostname or ""), parts.port


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


@sensitive_variables()
def handle_callback(state: str, code: str) -> str:
    """On the canonical host: store the code in the state's row; return the URL to continue at.

    The ticket in this URL is known to no one but the browser that brought the code.

    Raises:
        FlowError: the state is unknown, used or expired.
    """
    rows = OAuthState.objects.filter(state_hash=digest(state), expires_at__gt=timezone.now())
    row = rows.select_related("site").first()
    if (
        row is None
        or row.origin not in own_origins(row.site).values()  # guard: redirect-to-own-origin
    ):
        raise FlowError("state")
    row.code = code
    ticket = secrets.token_urlsafe(32)
    # A second code for the same state is not accepted.
    if not OAuthState.objects.filter(
        pk=row.pk,
        code="",  # guard: code-accepted-once
    ).update(code=row.code, ticket_hash=digest(ticket)):
        raise FlowError("state")
    return _finish_url(row, state=state, ticket=ticket)


@sensitive_variables()
def handle_declined(state: str) -> str:
    """The user declined at Zoom: return the URL to continue at, or an empty string."""
    row = OAuthState.objects.filter(state_hash=digest(state)).select_related("site").first()
    if (
        row is None
        or row.origin
        not in own_origins(row.site).values()  # guard: declined-redirect-to-own-origin
    ):
        return ""
    return _finish_url(row, state=state, declined="1")


@sensitive_variables()
def _finish_url(row: OAuthState, **query: str) -> str:
    return f"{row.origin}{reverse('wagtail_zoom:oauth_finish')}?{urlencode(query)}"


def has_session(request: HttpRequest) -> bool:
    """Whether this browser has begun a flow. False also if it withheld its session cookie."""
    return BROWSER_SESSION_KEY in request.session


@sensitive_variables()
def consume_state(
    request: HttpRequest, state: str, ticket: str, *, declined: bool = False
) -> OAuthState:
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
    if row.code:
        _check_ticket(row, ticket, same_browser)
    elif not declined:
        raise FlowError("state")
    user = request.user if request.user.is_authenticated else None
    same_app = (row.client_id, row.issuer) == (settings.client_id, settings.oauth_url)
    if (
        not same_browser  # guard: state-bound-to-browser
        or not same_app  # guard: state-bound-to-client
        or (row.invitation is None and row.user != user)  # guard: state-bound-to-user
    ):
        raise FlowError("state")
    _check_permission(row)
    # Deleting the row decides a race: of two requests with one state only one continues. A code
    # that came in the meantime brought a ticket, which this request was not checked for.
    unchanged = OAuthState.objects.filter(
        pk=row.pk,
        ticket_hash=row.ticket_hash,  # guard: state-consumed-as-checked
    )
    if not unchanged.delete()[0]:  # guard: state-single-use
        raise FlowError("state")
    return row


@sensitive_variables()
def _check_ticket(row: OAuthState, ticket: str, same_browser: bool) -> None:
    """Refuse a code that was brought by another browser than the one that began.

    Then the code is deleted: nobody can use it. Whoever knows the state alone, without session
    and ticket, cannot cause this.

    Raises:
        FlowError: the ticket is missing or wrong, or it arrives in another browser.
    """
    right_ticket = constant_time_compare(row.ticket_hash, digest(ticket))
    if right_ticket and same_browser:  # guard: ticket-required
        return
    if not right_ticket and not same_browser:  # guard: code-deleted-by-participants-only
        raise FlowError("state")
    if OAuthState.objects.filter(pk=row.pk).delete()[0]:  # guard: unclaimed-code-deleted
        logger.warning(
            "An authorisation was refused: it was allowed in another browser.",
            extra={"zoom_site": row.site_id},
        )
        Activity.log(
            [row.site_id],
            "connection",
            "authorization_refused",
            outcome=Activity.Outcome.FAILED,
            user=row.user,
        )
    raise FlowError("not_begun_here" if right_ticket else "allowed_elsewhere")


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
        raise FlowError(invitations.end_of(row.invitation))


def complete(row: OAuthState) -> Grant:
    """Exchange the code for tokens, fetch the user and store the grant. Connects no Site yet.

    Raises:
        ZoomError, ZoomConfigurationError: Zoom refused the code or cannot be reached.
    """
    token_set = protocol.exchange_code(row.code, row.verifier, row.redirect_uri)
    profile: dict[str, Any] = userinfo.fetch_userinfo(token_set)
    return connect.store_grant(token_set, profile, row.user, row.site)
