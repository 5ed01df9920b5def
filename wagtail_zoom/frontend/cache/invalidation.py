"""What changes public pages without going through the sync: curation, ticked hosts, images, the
project's own pages. Each gives the accounts concerned a new version (``touch``).

Signals, so that the admin, a shell and a project's code all count. Bulk writes send none: code of
ours that writes in bulk calls ``touch`` itself.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from wagtail.images import get_image_model
from wagtail.models import Page, PageViewRestriction, Site
from wagtail.signals import post_page_move

from ...models import (
    ExposedHost,
    Host,
    ItemTag,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
    touch,
)
from .. import page_tree
from ..related import COVER

DRAFT = {"latest_revision", "draft_title", "has_unpublished_changes", "latest_revision_created_at"}
"""Columns of a page that saving a draft writes; visitors see nothing of it."""
INDEXED = "update_reference_index_task"
"""Wagtail's task that notes which pages hold our blocks; it may run after the page was saved."""


def connections() -> list[tuple[Any, Any, Any]]:
    """``(signal, receiver, sender)`` of all changes that reach public pages."""
    image = get_image_model()
    return [
        *(
            (signal, _row, model)
            for model in (SiteItem, ItemTag, ExposedHost)
            for signal in (post_save, post_delete)
        ),
        *((post_save, _row, model) for model in (Host, Meeting, Occurrence, Recording)),
        (m2m_changed, _hosts, ZoomSettings.hosts.through),
        (post_save, _image, image),
        (pre_delete, _image, image),
        (post_delete, _rendition, image.get_rendition_model()),
        (post_save, _page, None),
        (post_delete, _page, None),
        (post_page_move, _moved, None),
        *((signal, _restriction, PageViewRestriction) for signal in (post_save, post_delete)),
        *((signal, _site, Site) for signal in (post_save, post_delete)),
        *((signal, _indexed, None) for signal in _index_signals()),
    ]


def _row(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if raw:
        return
    if isinstance(instance, ItemTag):
        touch(instance.item.account_id)
    elif isinstance(instance, ExposedHost):
        touch(instance.host.account_id)
    else:
        touch(instance.account_id)


def _hosts(instance: Any, action: str, pk_set: Any = None, **kwargs: Any) -> None:
    if isinstance(instance, ZoomSettings) and action.startswith("post_"):
        touch(instance.account_id)


def _image(instance: Any, created: bool = False, **kwargs: Any) -> None:
    if not created:
        touch(*SiteItem.objects.filter(image=instance.pk).values_list("account", flat=True))


def _rendition(instance: Any, **kwargs: Any) -> None:
    if instance.filter_spec == COVER:
        rows = SiteItem.objects.filter(image=instance.image_id)
        touch(*rows.values_list("account", flat=True))


def _page(instance: Any, update_fields: Collection[str] | None = None, **kwargs: Any) -> None:
    """A page that tells about a meeting may have come, gone or got another address."""
    if not isinstance(instance, Page) or kwargs.get("raw"):
        return
    if update_fields is None or not set(update_fields) <= DRAFT:
        _touch_paths(instance.path)


def _moved(instance: Page, **kwargs: Any) -> None:
    _touch_paths(kwargs.get("path_before", ""), kwargs.get("path_after", ""), instance.path)


def _restriction(instance: PageViewRestriction, **kwargs: Any) -> None:
    _touch_paths(instance.page.path)


def _site(**kwargs: Any) -> None:
    """Addresses of pages follow from all Sites together."""
    touch(*ZoomAccount.objects.values_list("pk", flat=True))


def _indexed(task_result: Any, **kwargs: Any) -> None:
    task = getattr(task_result.task, "module_path", "")
    if not task.endswith(INDEXED) or len(task_result.args) < 3:
        return
    label, name, pk = task_result.args[:3]
    model = apps.get_model(label, name)
    if issubclass(model, Page):
        _touch_paths(*Page.objects.filter(pk=pk).values_list("path", flat=True))


def _touch_paths(*paths: str) -> None:
    """The accounts of the Sites in whose trees these pages stand."""
    rows = ZoomSettings.objects.filter(page_tree.sites_above(paths)).exclude(account=None)
    touch(*rows.values_list("account", flat=True).distinct())


def _index_signals() -> list[Any]:
    """Of whichever task framework Wagtail uses: its own package, or Django's."""
    found = []
    for name in ("django_tasks.signals", "django.tasks.signals"):
        try:
            found.append(import_module(name).task_finished)
        except ImportError:
            continue
    return found
