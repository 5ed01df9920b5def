"""Which pages are a Site's: those below its root page, and below the translations of that.

With ``WAGTAIL_I18N_ENABLED`` Wagtail gives each language a tree of its own beside the Site's root
page, and serves all of them on the Site's hosts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings as django_settings
from django.db.models import Q
from wagtail.models import Page, Site


def in_languages() -> bool:
    """Whether pages have translations at all."""
    return bool(getattr(django_settings, "WAGTAIL_I18N_ENABLED", False))


def roots_of(sites: Iterable[Site]) -> dict[int, list[str]]:
    """By Site, the ``path`` of each of its trees: one query more than without translations."""
    sites = list(sites)
    if not in_languages():
        return {site.pk: [site.root_page.path] for site in sites}
    keys = {site.root_page.translation_key for site in sites}
    found: dict[object, list[str]] = defaultdict(list)
    pages = Page.objects.filter(translation_key__in=keys).order_by("path")
    for key, path in pages.values_list("translation_key", "path"):
        found[key].append(path)
    return {site.pk: found[site.root_page.translation_key] for site in sites}


def pages_of(site: Site) -> Q:
    """For a query over pages: those of this Site."""
    wanted = Q(pk__in=[])
    for path in roots_of([site])[site.pk]:
        wanted |= Q(path__startswith=path)
    return wanted


def sites_above(paths: Iterable[str]) -> Q:
    """For a query over rows with a ``site``: the Sites in whose trees these pages stand."""
    step = Page.steplen
    above = {path[:end] for path in paths for end in range(step, len(path) + 1, step)}
    own = Q(site__root_page__path__in=above)
    if not in_languages():
        return own
    keys = Page.objects.filter(path__in=above).values("translation_key")
    return own | Q(site__root_page__translation_key__in=keys)
