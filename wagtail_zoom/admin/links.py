"""Addresses of the owner's screens, as the sentences and the lists link to them."""

from __future__ import annotations

from django.urls import reverse

from .site_status import Facts


def url(name: str, facts: Facts) -> str:
    """Address of one of the Site's views in the admin."""
    return reverse(f"wagtail_zoom_admin:{name}", args=[facts.site.pk])


def connect_url(facts: Facts) -> str:
    return reverse("wagtail_zoom:oauth_connect", args=[facts.site.pk])


def panel_url(facts: Facts) -> str:
    """Address of the Site's panel."""
    return panel_of(facts.site.pk)


def panel_of(site_pk: int) -> str:
    """The same, where only the Site is known."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_pk])


def signups_url(facts: Facts) -> str:
    return f"{reverse('wagtail_zoom_registrations:index')}?site={facts.site.pk}"


def activity_url(facts: Facts) -> str:
    return f"{reverse('wagtail_zoom_activity:index')}?site={facts.site.pk}"
