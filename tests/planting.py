"""What a fresh Wagtail has, also after a test with real transactions has emptied the database."""

from __future__ import annotations

from wagtail.models import Locale, Page, Site


def default_site() -> Site:
    """The Site that Wagtail's own migrations made, or another one like it."""
    found = Site.objects.filter(is_default_site=True).first()
    if found is not None:
        return found
    Locale.objects.get_or_create(language_code="en")
    root = Page.objects.filter(depth=1).first() or Page.add_root(title="Root", slug="root")
    home = root.add_child(instance=Page(title="Welcome", slug="home"))
    return Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)
