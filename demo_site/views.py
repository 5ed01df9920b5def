"""The landing page on localhost and the list of emails."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from wagtail.models import Site
from wagtail.views import serve

from wagtail_zoom.models import ZoomSettings

from .emails import newest_emails
from .sites import PASSWORD, SITES

LANDING_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def home_or_landing(request: HttpRequest) -> HttpResponse:
    """``/``: the landing page on localhost, otherwise the home page of the requested Site."""
    if request.get_host().rsplit(":", 1)[0] in LANDING_HOSTS:
        return landing(request)
    return serve(request, "")


@never_cache
def landing(request: HttpRequest) -> HttpResponse:
    """Sites with their connection state, logins and the simulator."""
    sites = {site.hostname: site for site in Site.objects.all()}
    linked = set(ZoomSettings.objects.filter(grant__isnull=False).values_list("site_id", flat=True))
    rows = [
        {
            "site": site_data,
            "url": settings.DEMO.site_url(site_data.hostname),
            "panel": _panel(sites[site_data.hostname]),
            "linked": sites[site_data.hostname].pk in linked,
        }
        for site_data in SITES
        if site_data.hostname in sites
    ]
    context = {
        "rows": rows,
        "simulator": settings.DEMO.simulator_url,
        "base_url": settings.DEMO.base_url,
        "password": PASSWORD,
        "port": settings.DEMO.port,
    }
    return render(request, "demo_site/landing.html", context)


def _panel(site: Site) -> str:
    try:
        return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    except NoReverseMatch:
        return reverse("wagtailadmin_home")


@never_cache
def emails(request: HttpRequest) -> HttpResponse:
    """The emails that would have been sent."""
    messages = newest_emails(settings.EMAIL_FILE_PATH)
    return render(request, "demo_site/emails.html", {"emails": messages})
