"""Views of the OAuth flow; the logic is in ``flow``, ``connect`` and ``invitations``."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail.models import Site

from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import ExposedHost, FormerHost, Grant, Invitation, OAuthState, ZoomSettings
from ..permissions import sites_for
from ..utils.logging import get_logger
from ..utils.private_views import private_page, public_page, take_parameters
from . import disconnect, flow, invitations, notifications
from .connect import InvitationRefusedError, connect_site, is_account_switch
from .flow import FlowError
from .messages import MESSAGES, message_code

logger = get_logger("oauth")

SWITCH_SESSION_KEY = "wagtail_zoom_switch"
GUEST_CODES = ("invitation", "invitation_connected", "other_account", "covers_less")
"""Messages of :mod:`.messages` that an invited person reads."""


def panel_url(site: Site) -> str:
    """The Zoom panel of a Site in Wagtail's settings."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])


def _message_page(request: HttpRequest, code: str, *, status: int = 400) -> HttpResponse:
    context = {
        "sentence": MESSAGES[code],
        "code": code,
        "signed_in": request.user.is_authenticated,
        # Who opens an invitation has no login here.
        "for_guest": code in GUEST_CODES,
    }
    return render(request, "wagtail_zoom/oauth/message.html", context, status=status)


@sensitive_variables()
def _continue_page(request: HttpRequest, url_name: str, query: dict[str, str]) -> HttpResponse:
    """A page that opens the same URL again, once.

    With SESSION_COOKIE_SAMESITE = "Strict" a browser withholds the session cookie when it comes
    from Zoom. Nothing is decided then; the request of this page has the cookie.
    """
    query = {name: value for name, value in query.items() if value}
    url = f"{reverse(url_name)}?{urlencode({**query, 'again': '1'})}"
    context = {
        "url": url,
        "sentence": _("You are back from Zoom. This page continues automatically."),
    }
    return render(request, "wagtail_zoom/oauth/continue.html", context)


@sensitive_variables()
def _zoom_page(request: HttpRequest, url: str) -> HttpResponse:
    """A page that opens Zoom's consent page.

    A redirect would do nothing under a Content-Security-Policy with ``form-action 'self'``, which
    browsers apply to the redirects of a form, too.
    """
    context = {"url": url, "sentence": _("Zoom now asks you for access.")}
    return render(request, "wagtail_zoom/oauth/continue.html", context)


@private_page("no-referrer")
@require_POST
@transaction.non_atomic_requests
def connect(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/connect/<site>/``: the button in the panel (with Django's CSRF protection)."""
    if not request.user.is_authenticated:
        messages.warning(request, str(MESSAGES["logged_out"]))
        panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_pk])
        return redirect_to_login(panel, reverse("wagtailadmin_login"))
    site = get_object_or_404(
        sites_for(request.user),  # guard: connect-checks-site-permission
        pk=site_pk,
    )
    try:
        return _zoom_page(request, flow.start(request, site))
    except FlowError as error:
        messages.error(request, str(MESSAGES[error.code]))
        return redirect(panel_url(site))


@public_page("no-referrer")
@require_GET
@sensitive_variables()
def callback(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/callback/``: where Zoom sends the browser, on the canonical host.

    Without a state it is an installation from the Marketplace. Connecting it to the user who is
    logged in would be insecure, so a page explains how to continue and the code is discarded.
    """
    state, code, error = take_parameters(request, "state", "code", "error")
    if not state:
        return render(
            request, "wagtail_zoom/oauth/installed.html", {"start": reverse("wagtail_zoom:start")}
        )
    try:
        if error or not code:
            return_url = flow.handle_declined(state[:200])
            return redirect(return_url) if return_url else _message_page(request, "state")
        return redirect(flow.handle_callback(state[:200], code[:2000]))
    except FlowError as flow_error:
        return _message_page(request, flow_error.code)


@public_page("no-referrer")
@require_GET
@sensitive_variables()
def finish(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/finish/``: the originating host; checks ticket, session, user and Site."""
    state, ticket, declined, again = take_parameters(
        request, "state", "ticket", "declined", "again"
    )
    if (
        not flow.has_session(request) and not again  # guard: cookieless-finish-decides-nothing
    ):
        query = {"state": state[:200], "ticket": ticket[:200], "declined": declined[:1]}
        return _continue_page(request, "wagtail_zoom:oauth_finish", query)
    try:
        row = flow.consume_state(request, state[:200], ticket[:200], declined=bool(declined))
    except FlowError as error:
        return _message_page(request, error.code, status=403)
    if not row.code:
        return _abort(request, row, "declined")
    site_settings = ZoomSettings.for_site(row.site)
    # The same Zoom user's new permission is stored in the row of the present one.
    before = site_settings.grant or site_settings.archived_grant
    try:
        grant = flow.complete(row)
    except (ZoomError, ZoomConfigurationError) as error:
        logger.warning("An authorisation failed: %s.", type(error).__name__)
        return _abort(request, row, message_code(error))
    if row.invitation is not None:
        return _finish_invited(request, row, row.invitation, grant, before)
    if is_account_switch(site_settings, grant):  # guard: account-switch-confirmed
        request.session[SWITCH_SESSION_KEY] = {
            "site": row.site_id,
            "grant": grant.pk,
            "connected_at": grant.connected_at.isoformat(),
        }
        return redirect("wagtail_zoom:oauth_switch", row.site_id)
    return _connect(request, row.site, grant)


def _abort(request: HttpRequest, row: OAuthState, code: str) -> HttpResponse:
    if row.invitation is not None:
        return _message_page(request, code)
    messages.error(request, str(MESSAGES[code]))
    return redirect(panel_url(row.site))


def _connect(request: HttpRequest, site: Site, grant: Grant) -> HttpResponse:
    """Connect the Site, say with whom and which hosts are ticked, and redirect to its panel."""
    former = FormerHost.objects.filter(
        settings=ZoomSettings.for_site(site).pk, account=grant.account_id
    )
    is_return = former.exists()
    site_settings = connect_site(site, grant, request.user)
    person = grant.user_name or site_settings.account
    # Rows of hosts that another Site of the account uses are there: those are ticked already.
    if n := former.count():
        text = ngettext(
            "Connected again with Zoom as %(person)s. %(n)d host that was ticked before is ticked "
            "again as soon as it has been read from Zoom.",
            "Connected again with Zoom as %(person)s. %(n)d hosts that were ticked before are "
            "ticked again as soon as they have been read from Zoom.",
            n,
        )
    elif is_return or site_settings.configured_at is not None:
        n = ExposedHost.objects.filter(settings=site_settings).count()
        text = ngettext(
            "Connected again with Zoom as %(person)s. %(n)d host is ticked as before.",
            "Connected again with Zoom as %(person)s. %(n)d hosts are ticked as before.",
            n,
        )
    else:
        text = _("Connected with Zoom as %(person)s. Choose below what your visitors may see.")
    messages.success(request, text % {"person": person, "n": n})
    return redirect(panel_url(site_settings.site))


def _finish_invited(
    request: HttpRequest,
    row: OAuthState,
    invitation: Invitation,
    grant: Grant,
    before: Grant | None,
) -> HttpResponse:
    try:
        connected = connect_site(
            row.site, grant, invitation.created_by, invitation=invitation, before=before
        )
    except InvitationRefusedError as refusal:
        disconnect.release_unused(grant)
        status = 403 if refusal.code.startswith("invitation") else 409
        return _message_page(request, refusal.code, status=status)
    notifications.send_invited_connected(connected, invitation)
    context = {
        "site": row.site,
        "grant": grant,
        "needs_confirmation": connected.needs_confirmation,
    }
    return render(request, "wagtail_zoom/oauth/invited.html", context)


@private_page("same-origin")
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/switch/<site>/``: confirm the switch to another Zoom account.

    The grant comes from the session of the authorisation, never from the request.
    """
    site = get_object_or_404(
        sites_for(request.user),  # guard: switch-checks-site-permission
        pk=site_pk,
    )
    pending = request.session.get(SWITCH_SESSION_KEY) or {}
    grant = (
        _authorised_grant(pending)
        if pending.get("site") == site.pk  # guard: switch-of-the-authorised-site
        else None
    )
    if grant is None:
        return redirect(panel_url(site))
    if request.method == "GET":
        context = {"site": site, "grant": grant, "site_settings": ZoomSettings.for_site(site)}
        return render(request, "wagtail_zoom/oauth/switch.html", context)
    del request.session[SWITCH_SESSION_KEY]
    if request.POST.get("answer") == "switch":
        return _connect(request, site, grant)
    disconnect.release_unused(grant)
    messages.info(request, _("The connection stays as it was."))
    return redirect(panel_url(site))


def _authorised_grant(pending: dict[str, Any]) -> Grant | None:
    """The grant of an unanswered switch, if it still is that authorisation.

    A grant is one row for each Zoom user: somebody who allows access later renews it, and an old
    question must not lead to the new tokens. After an hour unanswered grants are revoked.
    """
    connected_at = parse_datetime(str(pending.get("connected_at", "")))
    earliest = timezone.now() - disconnect.ORPHAN_AGE
    if connected_at is None or connected_at < earliest:  # guard: switch-answered-within-an-hour
        return None
    return (
        Grant.objects.usable()
        .select_related("account")
        .filter(
            pk=pending.get("grant", 0),
            connected_at=connected_at,  # guard: switch-of-the-same-authorisation
        )
        .first()
    )


@public_page("no-referrer")
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """``zoom/start/``: the stable URL of the Marketplace listing: log in → Site → its panel."""
    if not request.user.is_authenticated:
        from_zoom = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if from_zoom and "again" not in request.GET:
            return _continue_page(request, "wagtail_zoom:start", {})
        return redirect_to_login(reverse("wagtail_zoom:start"), reverse("wagtailadmin_login"))
    sites = list(sites_for(request.user).order_by("site_name", "hostname"))
    if len(sites) == 1:
        return redirect(panel_url(sites[0]))
    rows = [(site, panel_url(site)) for site in sites]
    return render(request, "wagtail_zoom/oauth/sites.html", {"rows": rows})


@public_page("same-origin")
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/invite/<token>/``: a GET shows the invitation and uses nothing up; a POST starts."""
    invitation: Invitation | None = invitations.find(token[:200])
    if invitation is None:
        return _message_page(request, invitations.end_of_link(token[:200]), status=404)
    if request.method == "GET":
        return render(
            request, "wagtail_zoom/oauth/invite.html", {"site": invitation.site, "row": invitation}
        )
    if not invitations.bind_to_browser(
        invitation, flow.browser_hash(request)
    ):  # guard: invitation-bound-to-browser
        return _message_page(request, "invitation", status=403)
    try:
        return _zoom_page(request, flow.start(request, invitation.site, invitation))
    except FlowError as error:
        return _message_page(request, error.code)
