"""URLs of the owner's pages in the admin."""

from __future__ import annotations

from django.urls import reverse

from ..models import SUMMARY, Kind, SiteItem
from .site_status import SiteStatus


def view_url(name: str, site_status: SiteStatus) -> str:
    """URL of one of the Site's views in the admin."""
    return reverse(f"wagtail_zoom_admin:{name}", args=[site_status.site.pk])


def connect_url(site_status: SiteStatus) -> str:
    return reverse("wagtail_zoom:oauth_connect", args=[site_status.site.pk])


def panel_url(site_status: SiteStatus) -> str:
    """URL of the Site's panel."""
    return panel_url_of(site_status.site.pk)


def panel_url_of(site_pk: int) -> str:
    """URL of the panel of a Site, by primary key."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_pk])


def meetings_url_of(site_pk: int) -> str:
    """URL of the list of meetings of a Site, by primary key."""
    return f"{reverse('wagtail_zoom_meetings:index')}?site={site_pk}"


def registrations_url(site_status: SiteStatus) -> str:
    return f"{reverse('wagtail_zoom_registrations:index')}?site={site_status.site.pk}"


def activity_url(site_status: SiteStatus) -> str:
    return f"{reverse('wagtail_zoom_activity:index')}?site={site_status.site.pk}"


def item_url(item: SiteItem) -> str:
    """URL of the page of an item."""
    name = {Kind.RECORDING.value: "recordings", SUMMARY: "summaries"}.get(item.kind, "meetings")
    return reverse(f"wagtail_zoom_{name}:edit", args=[item.pk])
