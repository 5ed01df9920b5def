"""Creates Sites and pages. Existing ones are not changed, so that edits survive a restart."""

from __future__ import annotations

import json

from wagtail.models import Page, Site

from .models import DemoPage, EventsPage, HomePage, RecordingsPage
from .sites import PageData, SiteData


def ensure_site(site_data: SiteData, port: int) -> Site:
    """The Site on this port with its three pages."""
    home = HomePage.objects.filter(slug=site_data.key, depth=2).first() or _home(site_data)
    _child(home, EventsPage, "events", site_data.events)
    _child(home, RecordingsPage, "recordings", site_data.recordings)
    site, _ = Site.objects.update_or_create(
        hostname=site_data.hostname,
        defaults={"port": port, "root_page_id": home.pk, "site_name": site_data.name},
    )
    return site


def remove_welcome() -> None:
    """Delete the page and Site of Wagtail's first migration."""
    Site.objects.filter(hostname="localhost").delete()
    for page in Page.objects.filter(depth=2, slug="home").exclude(
        pk__in=HomePage.objects.values("pk")
    ):
        page.delete()


def _home(site_data: SiteData) -> HomePage:
    page = HomePage(
        slug=site_data.key,
        theme=site_data.theme or site_data.key,
        site_name=site_data.name,
        address=site_data.address,
        email=site_data.email,
        **_page_fields(site_data.home),
    )
    Page.get_first_root_node().add_child(instance=page)
    page.save_revision().publish()
    return page


def _child(home: HomePage, model: type[DemoPage], slug: str, page_data: PageData) -> None:
    if home.get_children().filter(slug=slug).exists():
        return
    page = model(slug=slug, show_in_menus=True, **_page_fields(page_data))
    home.add_child(instance=page)
    page.save_revision().publish()


def _page_fields(page_data: PageData) -> dict[str, str]:
    return {"title": page_data.title, "lead": page_data.lead, "body": json.dumps(page_data.body)}
