"""The landing page on localhost and the mailbox."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from wagtail.models import Site
from wagtail.views import serve

from wagtail_zoom.models import ZoomSettings

from .mails import newest
from .sites import PASSWORD, SITES

LANDING_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def front(request: HttpRequest) -> HttpResponse:
    """``/``: the landing page on the canonical host, else the home page of the site asked for."""
    if request.get_host().rsplit(":", 1)[0] in LANDING_HOSTS:
        return landing(request)
    return serve(request, "")


@never_cache
def landing(request: HttpRequest) -> HttpResponse:
    """Sites, log-ins and the simulator, with what is connected at the moment."""
    sites = {site.hostname: site for site in Site.objects.all()}
    linked = set(ZoomSettings.objects.filter(grant__isnull=False).values_list("site_id", flat=True))
    rows = [
        {
            "facts": facts,
            "url": settings.PLACES.site_url(facts.hostname),
            "panel": _panel(sites[facts.hostname]),
            "linked": sites[facts.hostname].pk in linked,
        }
        for facts in SITES
        if facts.hostname in sites
    ]
    context = {
        "rows": rows,
        "simulator": settings.PLACES.simulator_url,
        "base_url": settings.PLACES.base_url,
        "password": PASSWORD,
        "port": settings.PLACES.port,
    }
    return render(request, "demo_site/landing.html", context)


def _panel(site: Site) -> str:
    try:
        return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    except NoReverseMatch:
        return reverse("wagtailadmin_home")


@never_cache
def mails(request: HttpRequest) -> HttpResponse:
    """The mails that would have been sent."""
    found = newest(settings.EMAIL_FILE_PATH)
    return render(request, "demo_site/mails.html", {"mails": found})
