"""Cache invalidation for changes outside the sync: curation, exposed hosts, images and the
project's own pages. Each gives the affected hosts or accounts a new version (``models/versions``).

Uses signals, so changes from the admin, a shell and a project's code all count. Bulk writes send
none: our code that writes in bulk gives new versions explicitly.
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
    Summary,
    SummaryReview,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
    bump_items,
)
from .. import page_tree
from ..related import CARD_IMAGE_SPEC, DATA_IMAGE_SPEC

DRAFT_FIELDS = {
    "latest_revision",
    "draft_title",
    "has_unpublished_changes",
    "latest_revision_created_at",
}
"""Columns of a page that saving a draft writes; they do not affect what visitors see."""
COPIED_MODELS = (Host, Meeting, Occurrence, Recording, Summary)
"""Models of the local copy that pages show."""
INDEX_TASK = "update_reference_index_task"
"""Wagtail's task that indexes which pages hold our blocks; it may run after the page was saved."""


def signal_connections() -> list[tuple[Any, Any, Any]]:
    """``(signal, receiver, sender)`` of all changes that reach public pages."""
    image = get_image_model()
    return [
        *(
            (signal, _on_row_changed, model)
            for model in (SiteItem, ItemTag, ExposedHost, SummaryReview)
            for signal in (post_save, post_delete)
        ),
        *((post_save, _on_row_changed, model) for model in COPIED_MODELS),
        (m2m_changed, _on_hosts_changed, ZoomSettings.hosts.through),
        (post_save, _on_image_changed, image),
        (pre_delete, _on_image_changed, image),
        (post_delete, _on_rendition_deleted, image.get_rendition_model()),
        (post_save, _on_page_changed, None),
        (post_delete, _on_page_changed, None),
        (post_page_move, _on_page_moved, None),
        *(
            (signal, _on_restriction_changed, PageViewRestriction)
            for signal in (post_save, post_delete)
        ),
        *((signal, _on_site_changed, Site) for signal in (post_save, post_delete)),
        *((signal, _on_task_finished, None) for signal in _task_signals()),
    ]


def _on_row_changed(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if raw:
        return
    if isinstance(instance, SiteItem):
        bump_items([instance])
    elif isinstance(instance, ItemTag | SummaryReview):
        bump_items([instance.item])
    elif isinstance(instance, ExposedHost):
        bump_data_version(instance.host.account_id)
    else:
        bump_data_version(instance.account_id)


def _on_hosts_changed(instance: Any, action: str, pk_set: Any = None, **kwargs: Any) -> None:
    if isinstance(instance, ZoomSettings) and action.startswith("post_"):
        bump_data_version(instance.account_id)


def _on_image_changed(instance: Any, created: bool = False, **kwargs: Any) -> None:
    if not created:
        bump_items(SiteItem.objects.filter(image=instance.pk))


def _on_rendition_deleted(instance: Any, **kwargs: Any) -> None:
    if instance.filter_spec in (CARD_IMAGE_SPEC, DATA_IMAGE_SPEC):
        bump_items(SiteItem.objects.filter(image=instance.image_id))


def _on_page_changed(
    instance: Any, update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """A detail page of a meeting may have been added, removed or moved."""
    if not isinstance(instance, Page) or kwargs.get("raw"):
        return
    if update_fields is None or not set(update_fields) <= DRAFT_FIELDS:
        _bump_version_of_paths(instance.path)


def _on_page_moved(instance: Page, **kwargs: Any) -> None:
    _bump_version_of_paths(
        kwargs.get("path_before", ""), kwargs.get("path_after", ""), instance.path
    )


def _on_restriction_changed(instance: PageViewRestriction, **kwargs: Any) -> None:
    _bump_version_of_paths(instance.page.path)


def _on_site_changed(**kwargs: Any) -> None:
    """URLs of pages depend on all Sites."""
    bump_data_version(*ZoomAccount.objects.values_list("pk", flat=True))


def _on_task_finished(task_result: Any, **kwargs: Any) -> None:
    task = getattr(task_result.task, "module_path", "")
    if not task.endswith(INDEX_TASK) or len(task_result.args) < 3:
        return
    label, name, pk = task_result.args[:3]
    model = apps.get_model(label, name)
    if issubclass(model, Page):
        _bump_version_of_paths(*Page.objects.filter(pk=pk).values_list("path", flat=True))


def _bump_version_of_paths(*paths: str) -> None:
    """For the accounts of the Sites whose trees contain these pages."""
    rows = ZoomSettings.objects.filter(page_tree.sites_of_paths(paths)).exclude(account=None)
    bump_data_version(*rows.values_list("account", flat=True).distinct())


def _task_signals() -> list[Any]:
    """``task_finished`` of each task framework that Wagtail can use: its own or Django's."""
    signals = []
    for name in ("django_tasks.signals", "django.tasks.signals"):
        try:
            signals.append(import_module(name).task_finished)
        except ImportError:
            continue
    return signals
