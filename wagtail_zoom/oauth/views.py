"""The pages of an authorisation; what happens is in ``flow``, ``linking``, ``invitations``."""

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
from .connect import connect_site, is_switch
from .flow import FlowError
from .messages import SENTENCES, code_of

logger = get_logger("oauth")

SWITCH = "wagtail_zoom_switch"
View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Never cached nor framed, nothing in Referer, no transaction around calls to Zoom, no forced
    log-in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    return login_not_required(transaction.non_atomic_requests(never_cache(guarded)))


def panel_url(site: Site) -> str:
    """The Zoom panel of a Site in Wagtail's settings."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])


def _sentence(request: HttpRequest, code: str, *, status: int = 400) -> HttpResponse:
    context = {
        "sentence": SENTENCES[code],
        "code": code,
        "signed_in": request.user.is_authenticated,
    }
    return render(request, "wagtail_zoom/oauth/message.html", context, status=status)


@require_POST
@transaction.non_atomic_requests
def connect(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/connect/<site>/``: the button in the panel (with Django's CSRF protection)."""
    site = get_object_or_404(
        sites_for(request.user),  # guard: connect-checks-site-right
        pk=site_pk,
    )
    try:
        return flow.start(request, site)
    except FlowError as error:
        messages.error(request, str(SENTENCES[error.code]))
        return redirect(panel_url(site))


@private
@require_GET
@sensitive_variables("state", "code")
def callback(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/callback/``: where Zoom sends the browser, on the canonical host.

    Without a state it is an install from the Marketplace: linking it to whoever happens to be
    logged in would be a hole, so a page says how to go on and the code is dropped.
    """
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if not state:
        return render(
            request, "wagtail_zoom/oauth/installed.html", {"start": reverse("wagtail_zoom:start")}
        )
    try:
        if request.GET.get("error") or not code:
            target = flow.declined(state)
            query = {"state": state, "declined": "1"}
            return (
                redirect(f"{target}?{urlencode(query)}") if target else _sentence(request, "state")
            )
        target = flow.receive(state[:200], code[:2000])
    except FlowError as error:
        return _sentence(request, error.code)
    return redirect(f"{target}?{urlencode({'state': state})}")


@private
@require_GET
def finish(request: HttpRequest) -> HttpResponse:
    """``zoom/oauth/finish/``: the originating host, where session, user and Site are checked."""
    try:
        row = flow.take(request, request.GET.get("state", "")[:200])
    except FlowError as error:
        return _sentence(request, error.code, status=403)
    if request.GET.get("declined") or not row.code:
        return _stop(request, row, "declined")
    try:
        grant = flow.complete(row)
    except (ZoomError, ZoomConfigurationError) as error:
        logger.warning("An authorisation failed: %s.", type(error).__name__)
        return _stop(request, row, code_of(error))
    choice = ZoomSettings.for_site(row.site)
    if row.invitation is not None:
        return _finish_invited(request, row, choice, grant)
    if is_switch(choice, grant):  # guard: account-switch-confirmed
        request.session[SWITCH] = {"site": row.site_id, "grant": grant.pk}
        return redirect("wagtail_zoom:oauth_switch", row.site_id)
    connect_site(row.site, grant, request.user)
    return _done(request, row.site, grant)


def _stop(request: HttpRequest, row: OAuthState, code: str) -> HttpResponse:
    if row.invitation is not None:
        return _sentence(request, code)
    messages.error(request, str(SENTENCES[code]))
    return redirect(panel_url(row.site))


def _done(request: HttpRequest, site: Site, grant: Grant) -> HttpResponse:
    text = _("Connected with Zoom as %(person)s. Choose below what your visitors may see.")
    messages.success(request, text % {"person": grant.user_name or grant.account})
    return redirect(panel_url(site))


def _finish_invited(
    request: HttpRequest, row: OAuthState, choice: ZoomSettings, grant: Grant
) -> HttpResponse:
    invitation = row.invitation
    if is_switch(choice, grant):
        disconnect.release(grant)
        return _sentence(request, "other_account", status=409)
    if invitation is None or not invitations.use(invitation):  # guard: invitation-single-use
        disconnect.release(grant)
        return _sentence(request, "invitation", status=403)
    connect_site(row.site, grant, invitation.created_by, invited=True)
    context = {"site": row.site, "grant": grant}
    return render(request, "wagtail_zoom/oauth/invited.html", context)


@never_cache
@xframe_options_deny
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, site_pk: int) -> HttpResponse:
    """``zoom/oauth/switch/<site>/``: another Zoom account than before: the person is asked.

    Which grant it is stands in the session of the authorisation, never in the request.
    """
    site = get_object_or_404(sites_for(request.user), pk=site_pk)
    kept = request.session.get(SWITCH) or {}
    grant = (
        Grant.objects.usable().select_related("account").filter(pk=kept.get("grant")).first()
        if kept.get("site") == site.pk
        else None
    )
    if grant is None:
        return redirect(panel_url(site))
    if request.method == "GET":
        context = {"site": site, "grant": grant, "choice": ZoomSettings.for_site(site)}
        return render(request, "wagtail_zoom/oauth/switch.html", context)
    del request.session[SWITCH]
    if request.POST.get("answer") == "switch":
        connect_site(site, grant, request.user)
        return _done(request, site, grant)
    disconnect.release(grant)
    messages.info(request, _("The connection stays as it was."))
    return redirect(panel_url(site))


@private
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """``zoom/start/``: the stable link of the Marketplace listing: log in → Site → its panel."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("wagtailadmin_login"))
    sites = list(sites_for(request.user).order_by("site_name", "hostname"))
    if len(sites) == 1:
        return redirect(panel_url(sites[0]))
    rows = [(site, panel_url(site)) for site in sites]
    return render(request, "wagtail_zoom/oauth/sites.html", {"rows": rows})


@private
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/invite/<token>/``: a GET shows who asks and consumes nothing; the button starts."""
    row: Invitation | None = invitations.find(token[:200])
    if row is None:
        return _sentence(request, "invitation", status=404)
    if request.method == "GET":
        return render(request, "wagtail_zoom/oauth/invite.html", {"site": row.site, "row": row})
    if not invitations.bind(row, flow.browser(request)):  # guard: invitation-bound-to-browser
        return _sentence(request, "invitation", status=403)
    try:
        return flow.start(request, row.site, row)
    except FlowError as error:
        return _sentence(request, error.code)
