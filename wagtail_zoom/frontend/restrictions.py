"""Wagtail's page privacy for our own URLs, and Django's ``LoginRequiredMiddleware``.

A link names the page that offers it (``links``, ``form_links``): the view restrictions of that page
and of its ancestors apply when it is used, and the page has to be published. Calendar files, API,
search and links without a page follow the root page of the Site. Visitors get the answers that
Wagtail gives for the page itself.

What is under a restriction is sent with ``private, no-store``. Where nothing is restricted, neither
session nor user is read, so that responses set no cookie and can be cached.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, TypeVar

from django.conf import settings as django_settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from wagtail.forms import PasswordViewRestrictionForm
from wagtail.models import Page, PageViewRestriction, Site

from . import links, page_tree
from .visibility import SiteVisibility

View = Callable[..., HttpResponse]
R = TypeVar("R", bound=HttpResponse)


@dataclass(frozen=True)
class Access:
    """What page privacy says about one request."""

    page: Page
    """The page that offers the link, or the root page of the Site."""
    restrictions: Sequence[PageViewRestriction]
    refused_by: PageViewRestriction | None
    """The first restriction that the visitor does not meet."""

    @property
    def is_private(self) -> bool:
        """Whether the response may be for this visitor only."""
        return bool(self.restrictions) or _login_required_middleware() is not None

    def protect(self, response: R) -> R:
        """Keep the response out of caches, if it may be for this visitor only."""
        if self.is_private:  # guard: restricted-response-not-cached
            response["Cache-Control"] = "private, no-store"
        return response

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Wagtail's answer for a page that the visitor may not see; None: the visitor may."""
        if self.refused_by is None:
            return None
        try:
            response = self._wagtail_response(request, self.refused_by)
        except NoReverseMatch:  # a project without Wagtail's own URLs
            raise PermissionDenied from None
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def _wagtail_response(
        self, request: HttpRequest, restriction: PageViewRestriction
    ) -> HttpResponse:
        path = request.get_full_path()
        if restriction.restriction_type == PageViewRestriction.PASSWORD:
            form = PasswordViewRestrictionForm(instance=restriction, initial={"return_url": path})
            url = reverse(
                "wagtailcore_authenticate_with_password", args=[restriction.pk, self.page.pk]
            )
            response: HttpResponse = self.page.specific.serve_password_required_response(
                request, form, url
            )
            return response
        login_url = getattr(django_settings, "WAGTAIL_FRONTEND_LOGIN_URL", None)
        return redirect_to_login(path, login_url or reverse("wagtailcore_login"))


def check(request: HttpRequest, site: Site, page_id: int | None) -> Access:
    """Whether a visitor may use a link that this page offers.

    One query where the installation has no view restriction. ``request`` may be that of REST
    framework, with its authentication.

    Raises:
        Http404: the page is not published or not one of this Site.
    """
    if page_id is None:
        page, restrictions = site.root_page, restrictions_of_root(site)
    else:
        pages = Page.objects.filter(page_tree.site_pages(site), pk=page_id)
        pages = pages.filter(live=True)  # guard: unpublished-page-offers-nothing
        offering_page = pages.annotate(is_any=Exists(PageViewRestriction.objects.all())).first()
        if offering_page is None:
            raise Http404
        page = offering_page
        restrictions = _restrictions_of(page) if offering_page.is_any else []
    refused_by = next(
        (
            restriction
            for restriction in restrictions
            if not restriction.accept_request(request)  # guard: view-restriction-applied
        ),
        None,
    )
    return Access(page, restrictions, refused_by)


def restrictions_of_root(site: Site) -> list[PageViewRestriction]:
    """The view restrictions of a Site's root page, whoever the visitor is."""
    is_any = PageViewRestriction.objects.exists()
    return _restrictions_of(site.root_page) if is_any else []


def refuses_programs(visibility: SiteVisibility) -> bool:
    """Whether programs without a login, such as calendars, get nothing of this Site. No query where
    the installation has no view restriction. Answered once while a page renders."""
    site_settings = visibility.site_settings
    if site_settings is None or _login_required_middleware() is not None:
        return True
    if not getattr(site_settings, "has_restrictions", True):
        return False
    memo = visibility.memo.setdefault("restrictions", {})
    if "root" not in memo:
        memo["root"] = bool(restrictions_of_root(site_settings.site))
    return bool(memo["root"])


def _restrictions_of(page: Page) -> list[PageViewRestriction]:
    """Wagtail's own rules, those for aliases included; a page type may extend them."""
    return list(page.specific.get_view_restrictions())


def protect_page(page: Page, response: R) -> R:
    """Keep the response of a page out of caches, if it may be for this visitor only."""
    is_any = PageViewRestriction.objects.exists()
    return Access(page, _restrictions_of(page) if is_any else [], None).protect(response)


def login_response(
    request: HttpRequest, view: Callable[..., Any], token: str
) -> HttpResponseBase | None:
    """The answer of the project's ``LoginRequiredMiddleware``, for a view that is exempt from it
    because not all of its URLs are; None: there is no such middleware, or it lets the visitor in.
    """
    middleware = _login_required_middleware()
    response = middleware.process_view(request, view, (), {"token": token}) if middleware else None
    if response is not None:
        add_never_cache_headers(response)
    return response


def is_login_missing(request: HttpRequest) -> bool:
    """Whether the project requires a login for every view, and the visitor has none."""
    return _login_required_middleware() is not None and not request.user.is_authenticated


def _login_required_middleware() -> LoginRequiredMiddleware | None:
    return _middleware_among(tuple(django_settings.MIDDLEWARE))


@lru_cache(maxsize=8)
def _middleware_among(paths: tuple[str, ...]) -> LoginRequiredMiddleware | None:
    for path in paths:
        middleware = import_string(path)
        if isinstance(middleware, type) and issubclass(middleware, LoginRequiredMiddleware):
            return middleware(lambda request: HttpResponse())
    return None


def follows_root_page(view: View) -> View:
    """For files: refused with 403, because no calendar program can fill in a form."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        site = Site.find_for_request(request)
        if site is None:
            raise Http404
        access = check(request, site, None)
        if access.refused_by is not None:  # guard: feed-follows-root-page
            text = _("This calendar is for people who may see this website.")
            response: HttpResponse = HttpResponseForbidden(
                text, content_type="text/plain; charset=utf-8"
            )
        else:
            response = view(request, *args, **kwargs)
        return access.protect(response)

    return wrapped


def follows_offering_page(
    view: Callable[[HttpRequest, SiteVisibility, uuid.UUID], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """For links with a signed id. The view gets the visibility rules and the public id.

    404 for an id that is not signed for the requested Site.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        site = Site.find_for_request(request)
        link = links.unsign_link(site.pk, token) if site else None
        if site is None or link is None:
            raise Http404
        access = check(request, site, link.page_id)
        refusal = access.refusal(request)
        if refusal is not None:  # guard: link-follows-its-page
            return refusal
        page = access.page if link.page_id is not None else None
        return view(request, SiteVisibility.for_site(site, page), link.public_id)

    return wrapped
