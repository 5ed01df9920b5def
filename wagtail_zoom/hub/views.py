"""Views of the hub; the logic is in ``authorization``, ``tokens`` and ``routing``."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from ..conf import settings
from ..utils.error_reports import hide_people
from ..utils.health import health_view
from ..utils.logging import get_logger, record_metric
from ..utils.private_views import public_page, take_parameters
from ..utils.webhook_requests import receive
from . import authorization, deployments, routing, status, tokens
from .authorization import RequestRefused
from .models import Deployment
from .zoom import OAuthError

logger = get_logger("hub")

MAX_FORM_BYTES = 64 * 1024
"""Largest accepted body of a call to the token endpoint."""


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    response = render(request, f"wagtail_zoom_hub/{template}.html", context, status=status)
    response["Content-Security-Policy"] = authorization.CONTENT_SECURITY_POLICY
    response["X-Frame-Options"] = "DENY"  # guard: hub-not-framed
    return response


def _message(request: HttpRequest, code: str, status: int) -> HttpResponse:
    return _render(request, "message", {"code": code}, status)


@require_http_methods(["GET", "POST"])
@public_page("same-origin")
@csrf_protect
def authorize(request: HttpRequest) -> HttpResponse:
    """Name the deployment that asks for access; the button continues to Zoom."""
    if not (settings.client_id and settings.client_secret and settings.base_url):
        return _message(request, "not_configured", 503)
    try:
        oauth_request = authorization.parse(request.GET)
    except RequestRefused:
        return _message(request, "unknown", 400)
    deployment = oauth_request.deployment
    if oauth_request.error:
        return redirect(
            authorization.redirect_url(
                deployment, error=oauth_request.error, state=oauth_request.state
            )
        )
    if deployments.seconds_to_wait("authorize", deployment, request):  # guard: hub-authorize-limit
        return _message(request, "too_many", 429)
    browser = authorization.browser_of(request)
    if request.method != "POST":
        conflict = authorization.conflict_for(browser, deployment)
        return _render(request, "authorize", {"deployment": deployment, "conflict": conflict})
    if request.POST.get("answer") != "continue":
        url = authorization.redirect_url(
            deployment, error="access_denied", state=oauth_request.state
        )
        return _render(request, "continue", {"url": url, "deployment": deployment})
    browser = browser or secrets.token_urlsafe(32)
    may_move = request.POST.get("move") == "1"
    url = authorization.start(oauth_request, browser, may_move=may_move)
    response = _render(request, "continue", {"url": url})
    authorization.set_cookie(request, response, browser)
    return response


@require_GET
@public_page("no-referrer")
def callback(request: HttpRequest) -> HttpResponse:
    """Zoom's answer: on to the deployment, in the browser that pressed the button only."""
    state, code = take_parameters(request, "state", "code")
    if not state:
        # "Add" in the Zoom Marketplace sends a code without a state (Zoom: direct install).
        return _message(request, "installed", 200)
    try:
        url = authorization.finish(authorization.browser_of(request), state, code)
    except RequestRefused:
        record_metric("hub_callbacks_refused")
        return _message(request, "not_begun_here", 400)
    return redirect(url)


def _api(
    handle: Callable[[Deployment, QueryDict], dict[str, Any]],
) -> Callable[[HttpRequest], HttpResponse]:
    """An endpoint that deployments call (RFC 6749, 2.3 and 5)."""

    @csrf_exempt
    @login_not_required
    @transaction.non_atomic_requests
    @never_cache
    @hide_people
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return _json(handle(_authenticate(request), request.POST))
        except OAuthError as error:
            record_metric("hub_token_errors", error=error.error)
            body = {"error": error.error, "reason": error.description}
            response = _json({**body, **({"code": error.code} if error.code else {})}, error.status)
            if error.status == 401:
                response["WWW-Authenticate"] = 'Basic realm="wagtail-zoom hub"'
            if error.status == 429:
                response["Retry-After"] = "60"
            return response

    return view


def _authenticate(request: HttpRequest) -> Deployment:
    if request.method != "POST" or request.content_type != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "A form has to be posted.", 4700)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit() or int(length[:15]) > MAX_FORM_BYTES:
        raise OAuthError(413, "invalid_request", "The form is too large.", 4700)
    if request.GET:
        raise OAuthError(400, "invalid_request", "Parameters belong into the body.", 4700)
    deployment = deployments.authenticate(request)
    if deployment is None:
        raise OAuthError(401, "invalid_client", "The client ID or client secret is wrong.", 4704)
    if deployments.seconds_to_wait("token", deployment, request):  # guard: hub-token-limit
        raise OAuthError(429, "temporarily_unavailable", "Too many calls.")
    return deployment


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = JsonResponse(body, status=status)
    response["Pragma"] = "no-cache"
    return response


def _revoke(deployment: Deployment, form: QueryDict) -> dict[str, Any]:
    tokens.revoke(deployment, form)
    return {"status": "success"}


token = _api(tokens.issue)
"""``oauth/token``: exchange a code, refresh a token."""
revoke = _api(_revoke)
"""``oauth/revoke``: revoke a token."""


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@hide_people
def webhook(request: HttpRequest) -> HttpResponse:
    """The one event URL of the Zoom app, for deployments and the installation's own Sites."""
    return receive(request, routing.store_event)


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def webhook_without_slash(request: HttpRequest) -> HttpResponse:
    """The URL without its slash: a redirect would silently lose the event, a 404 is noticed."""
    return HttpResponse(status=404)


health = health_view("wagtail-zoom:hub-health", status.metrics, status.checks)
"""200 when the worker runs and events are sent in time, otherwise 503."""
