"""Makes sites and pages. What is there already stays as it is, so edits survive a restart."""

from __future__ import annotations

import json

from wagtail.models import Page, Site

from .models import DemoPage, EventsPage, HomePage, RecordingsPage
from .sites import PageFacts, SiteFacts


def ensure_site(facts: SiteFacts, port: int) -> Site:
    """The site with its three pages, reachable on this port."""
    home = HomePage.objects.filter(slug=facts.key, depth=2).first() or _home(facts)
    _child(home, EventsPage, "events", facts.events)
    _child(home, RecordingsPage, "recordings", facts.recordings)
    site, _ = Site.objects.update_or_create(
        hostname=facts.hostname,
        defaults={"port": port, "root_page_id": home.pk, "site_name": facts.name},
    )
    return site


def remove_welcome() -> None:
    """Take away the page and site that Wagtail's first migration makes."""
    Site.objects.filter(hostname="localhost").delete()
    for page in Page.objects.filter(depth=2, slug="home").exclude(
        pk__in=HomePage.objects.values("pk")
    ):
        page.delete()


def _home(facts: SiteFacts) -> HomePage:
    page = HomePage(
        slug=facts.key,
        look=facts.key,
        site_name=facts.name,
        address=facts.address,
        email=facts.email,
        **_words(facts.home),
    )
    Page.get_first_root_node().add_child(instance=page)
    page.save_revision().publish()
    return page


def _child(home: HomePage, model: type[DemoPage], slug: str, facts: PageFacts) -> None:
    if home.get_children().filter(slug=slug).exists():
        return
    page = model(slug=slug, show_in_menus=True, **_words(facts))
    home.add_child(instance=page)
    page.save_revision().publish()


def _words(facts: PageFacts) -> dict[str, str]:
    return {"title": facts.title, "lead": facts.lead, "body": json.dumps(facts.body)}
