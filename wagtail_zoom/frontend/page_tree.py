"""The page tree of a Site: pages below its root page and below the translations of that page.

With ``WAGTAIL_I18N_ENABLED`` Wagtail creates a tree for each language next to the Site's root page
and serves all of them on the Site's hostname.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings as django_settings
from django.db.models import Q
from wagtail.models import Page, PageViewRestriction, Site


def i18n_enabled() -> bool:
    """Whether pages can have translations."""
    return bool(getattr(django_settings, "WAGTAIL_I18N_ENABLED", False))


def root_paths(sites: Iterable[Site]) -> dict[int, list[str]]:
    """The ``path`` of each tree, by Site. One more query than without translations."""
    sites = list(sites)
    if not i18n_enabled():
        return {site.pk: [site.root_page.path] for site in sites}
    keys = {site.root_page.translation_key for site in sites}
    paths_by_key: dict[object, list[str]] = defaultdict(list)
    pages = Page.objects.filter(translation_key__in=keys).order_by("path")
    for key, path in pages.values_list("translation_key", "path"):
        paths_by_key[key].append(path)
    return {site.pk: paths_by_key[site.root_page.translation_key] for site in sites}


def site_pages(site: Site) -> Q:
    """A condition for a query of pages: those of this Site."""
    condition = Q(pk__in=[])
    for path in root_paths([site])[site.pk]:
        condition |= Q(path__startswith=path)
    return condition


def sites_of_paths(paths: Iterable[str]) -> Q:
    """A condition for rows with a ``site``: the Sites whose trees contain these pages or are below
    them."""
    paths, step = [path for path in paths if path], Page.steplen
    ancestor_paths = {path[:end] for path in paths for end in range(step, len(path) + 1, step)}
    condition = Q(site__root_page__path__in=ancestor_paths)
    for path in paths:
        condition |= Q(site__root_page__path__startswith=path)
    if not i18n_enabled():
        return condition
    keys = Page.objects.filter(path__in=ancestor_paths).values("translation_key")
    return condition | Q(site__root_page__translation_key__in=keys)


def seen_from(page: Page) -> Q:
    """A condition for pages: those that everybody may see who may see this page."""
    condition = Q()
    for restriction in PageViewRestriction.objects.select_related("page"):
        path = restriction.page.path
        if not page.path.startswith(path):
            condition &= ~Q(path__startswith=path)  # guard: private-page-not-linked
    return condition
