"""Views of the OAuth flow; the logic is in ``flow``, ``connect`` and ``invitations``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail.models import Site

from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import Grant, Invitation, OAuthState, ZoomSettings
from ..permissions import sites_for
from ..utils.logging import get_logger
from . import disconnect, flow, invitations
from .connect import connect_site, is_account_switch
from .flow import FlowError
from .messages import MESSAGES, message_code

logger = get_logger("oauth")

SWITCH_SESSION_KEY = "wagtail_zoom_switch"
View = Callable[..., HttpResponse]


def private_page(view: View) -> View:
    """No caching, no framing, no referrer, no transaction around calls to Zoom, no required
    login."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    return login_not_required(transaction.non_atomic_requests(never_cache(wrapper)))


def panel_url(site: Site) -> str:
    """The Zoom panel of a Site in Wagtail's settings."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])


def _message_page(request: HttpRequest, code: str, *, status: int = 400) -> HttpResponse:
    context = {
        "sentence": MESSAGES[code],
        "code": code,
        "signed_in": request.user.is_authenticated,
    }
    return render(request, "wagtail_zoom/oauth/message.html", context, status=status)


@require_POST
@transaction.non_atomic_requests
def connect(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/connect/<site>/``: the button in the panel (with Django's CSRF protection)."""
    site = get_object_or_404(
        sites_for(request.user),  # guard: connect-checks-site-permission
        pk=site_pk,
    )
    try:
        return flow.start(request, site)
    except FlowError as error:
        messages.error(request, str(MESSAGES[error.code]))
        return redirect(panel_url(site))


@private_page
@require_GET
@sensitive_variables("state", "code")
def callback(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/callback/``: where Zoom sends the browser, on the canonical host.

    Without a state it is an installation from the Marketplace. Connecting it to the user who is
    logged in would be insecure, so a page explains how to continue and the code is discarded.
    """
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if not state:
        return render(
            request, "wagtail_zoom/oauth/installed.html", {"start": reverse("wagtail_zoom:start")}
        )
    try:
        if request.GET.get("error") or not code:
            return_url = flow.handle_denied(state)
            query = {"state": state, "declined": "1"}
            return (
                redirect(f"{return_url}?{urlencode(query)}")
                if return_url
                else _message_page(request, "state")
            )
        return_url = flow.handle_callback(state[:200], code[:2000])
    except FlowError as error:
        return _message_page(request, error.code)
    return redirect(f"{return_url}?{urlencode({'state': state})}")


@private_page
@require_GET
def finish(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/finish/``: the originating host, where session, user and Site are checked."""
    try:
        row = flow.consume_state(request, request.GET.get("state", "")[:200])
    except FlowError as error:
        return _message_page(request, error.code, status=403)
    if request.GET.get("declined") or not row.code:
        return _abort(request, row, "declined")
    try:
        grant = flow.complete(row)
    except (ZoomError, ZoomConfigurationError) as error:
        logger.warning("An authorisation failed: %s.", type(error).__name__)
        return _abort(request, row, message_code(error))
    site_settings = ZoomSettings.for_site(row.site)
    if row.invitation is not None:
        return _finish_invited(request, row, site_settings, grant)
    if is_account_switch(site_settings, grant):  # guard: account-switch-confirmed
        request.session[SWITCH_SESSION_KEY] = {"site": row.site_id, "grant": grant.pk}
        return redirect("wagtail_zoom:oauth_switch", row.site_id)
    connect_site(row.site, grant, request.user)
    return _redirect_connected(request, row.site, grant)


def _abort(request: HttpRequest, row: OAuthState, code: str) -> HttpResponse:
    if row.invitation is not None:
        return _message_page(request, code)
    messages.error(request, str(MESSAGES[code]))
    return redirect(panel_url(row.site))


def _redirect_connected(request: HttpRequest, site: Site, grant: Grant) -> HttpResponse:
    text = _("Connected with Zoom as %(person)s. Choose below what your visitors may see.")
    messages.success(request, text % {"person": grant.user_name or grant.account})
    return redirect(panel_url(site))


def _finish_invited(
    request: HttpRequest, row: OAuthState, site_settings: ZoomSettings, grant: Grant
) -> HttpResponse:
    invitation = row.invitation
    if is_account_switch(site_settings, grant):
        disconnect.release_unused(grant)
        return _message_page(request, "other_account", status=409)
    if invitation is None or not invitations.mark_used(invitation):  # guard: invitation-single-use
        disconnect.release_unused(grant)
        return _message_page(request, "invitation", status=403)
    connect_site(row.site, grant, invitation.created_by, invited=True)
    context = {"site": row.site, "grant": grant}
    return render(request, "wagtail_zoom/oauth/invited.html", context)


@never_cache
@xframe_options_deny
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/switch/<site>/``: confirm the switch to another Zoom account.

    The grant comes from the session of the authorisation, never from the request.
    """
    site = get_object_or_404(sites_for(request.user), pk=site_pk)
    pending = request.session.get(SWITCH_SESSION_KEY) or {}
    grant = (
        Grant.objects.usable().select_related("account").filter(pk=pending.get("grant")).first()
        if pending.get("site") == site.pk
        else None
    )
    if grant is None:
        return redirect(panel_url(site))
    if request.method == "GET":
        context = {"site": site, "grant": grant, "site_settings": ZoomSettings.for_site(site)}
        return render(request, "wagtail_zoom/oauth/switch.html", context)
    del request.session[SWITCH_SESSION_KEY]
    if request.POST.get("answer") == "switch":
        connect_site(site, grant, request.user)
        return _redirect_connected(request, site, grant)
    disconnect.release_unused(grant)
    messages.info(request, _("The connection stays as it was."))
    return redirect(panel_url(site))


@private_page
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """``zoom/start/``: the stable URL of the Marketplace listing: log in → Site → its panel."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("wagtailadmin_login"))
    sites = list(sites_for(request.user).order_by("site_name", "hostname"))
    if len(sites) == 1:
        return redirect(panel_url(sites[0]))
    rows = [(site, panel_url(site)) for site in sites]
    return render(request, "wagtail_zoom/oauth/sites.html", {"rows": rows})


@private_page
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/invite/<token>/``: a GET shows the invitation and uses nothing up; a POST starts."""
    invitation: Invitation | None = invitations.find(token[:200])
    if invitation is None:
        return _message_page(request, "invitation", status=404)
    if request.method == "GET":
        return render(
            request, "wagtail_zoom/oauth/invite.html", {"site": invitation.site, "row": invitation}
        )
    if not invitations.bind_to_browser(
        invitation, flow.browser_hash(request)
    ):  # guard: invitation-bound-to-browser
        return _message_page(request, "invitation", status=403)
    try:
        return flow.start(request, invitation.site, invitation)
    except FlowError as error:
        return _message_page(request, error.code)
