"""Which items a user of the admin may choose, and whose titles they may read.

Owners may choose all items of Sites whose Zoom settings they may change. Editors may choose
published items of Sites whose pages they edit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.translation import gettext as _
from modelcluster.models import ClusterableModel, get_all_child_relations
from wagtail.log_actions import get_active_log_context
from wagtail.models import Page, Site
from wagtail.permission_policies.pages import PagePermissionPolicy

from ..frontend import page_tree
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Kind, SiteItem
from ..permissions import sites_for
from ..utils.urls import split_url

EDIT_PERMISSIONS = {"add_page", "change_page", "publish_page"}


class ItemAccess:
    """What one user may choose. Valid for one request: permissions are read once."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.is_editing = False
        self.edited: Any = None
        """The page or snippet that is being edited, as it was; None: a new one."""
        self._published_ids: dict[int, set[int]] = {}
        self._deleted_meetings: dict[int, dict[int, bool]] = {}

    @cached_property
    def owned_ids(self) -> set[int]:
        """Primary keys of the Sites whose Zoom settings the user may change."""
        return set(sites_for(self.user).values_list("pk", flat=True))

    @cached_property
    def edited_sites(self) -> dict[int, Site]:
        """Sites with pages that this user may edit, by primary key."""
        permissions = PagePermissionPolicy().get_cached_permissions_for_user(self.user)
        paths = {
            row.page.path for row in permissions if row.permission.codename in EDIT_PERMISSIONS
        }
        sites = list(Site.objects.select_related("root_page"))
        roots_by_site = page_tree.root_paths(sites)
        return {
            site.pk: site
            for site in sites
            if any(
                path.startswith(root) or root.startswith(path)
                for path in paths
                for root in roots_by_site[site.pk]
            )
        }

    @property
    def site_ids(self) -> set[int]:
        """Primary keys of all Sites of which the user may choose anything."""
        return self.owned_ids | set(self.edited_sites)

    @cached_property
    def stored_item_ids(self) -> set[int]:
        """Primary keys of the items in the latest version of what is being edited."""
        return set(_items_of(self.edited)) if self.edited is not None else set()

    def items(self) -> QuerySet[SiteItem]:
        """Items that the user may choose: all of owned Sites, published ones of edited Sites.

        Items whose row their Site may not use now are among those of owned Sites, by their own or
        last known title, because pages still hold them; no list offers them.
        """
        condition = Q(site__in=self.owned_ids)
        if not self.user.is_superuser:
            for pk, site in self.edited_sites.items():
                if pk not in self.owned_ids:
                    condition |= Q(site=site) & _published(site)
        return SiteItem.objects.filter(condition)

    def may_choose(self, item: SiteItem) -> bool:
        """Whether the item is one of ``items``; one set of queries for all items of a Site."""
        if item.site_id in self.owned_ids:
            return True
        if self.user.is_superuser or item.site_id not in self.edited_sites:
            return False
        if item.site_id not in self._published_ids:
            site = self.edited_sites[item.site_id]
            rows = SiteItem.objects.for_site(site).filter(_published(site))
            self._published_ids[site.pk] = set(rows.values_list("pk", flat=True))
        return item.pk in self._published_ids[item.site_id]

    def may_read_title(self, item: SiteItem) -> bool:
        """Whether the user may choose the item, or visitors of a Site whose pages the user edits
        read its title as that of a cancelled meeting: it was deleted in Zoom."""
        if self.may_choose(item):
            return True
        is_read_by_visitors = self._deleted_of(item).get(item.pk, False)
        return is_read_by_visitors and item.site_id in self.edited_sites

    def is_deleted_in_zoom(self, item: SiteItem) -> bool:
        """Whether it is a meeting that its Site may read now, and that Zoom no longer has."""
        return item.pk in self._deleted_of(item)

    def _deleted_of(self, item: SiteItem) -> dict[int, bool]:
        """Of the item's Site: the items of meetings deleted in Zoom, and whether visitors read
        that they are cancelled. One set of queries for all items of a Site."""
        if item.site_id not in self.site_ids and not self.user.is_superuser:
            return {}
        if item.site_id not in self._deleted_meetings:
            site = self.edited_sites.get(item.site_id) or item.site
            self._deleted_meetings[item.site_id] = _deleted(site)
        return self._deleted_meetings[item.site_id]


def _deleted(site: Site) -> dict[int, bool]:
    visibility = SiteVisibility.for_site(site)
    deleted = {"meeting__removed_at__isnull": False}
    items = dict.fromkeys(visibility.items().filter(**deleted).values_list("pk", flat=True), False)
    if items:
        dates = visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(**deleted)
        meetings = dates.order_by().values("meeting")
        cancelled = visibility.items().filter(meeting__in=meetings)
        items |= dict.fromkeys(cancelled.values_list("pk", flat=True), True)
    return items


def _published(site: Site) -> Q:
    visibility = SiteVisibility.for_site(site)
    meetings = visibility.meetings(Audience.VISITOR, Channel.PAGE)
    recordings = visibility.recordings(Audience.VISITOR, Channel.PAGE)
    key, account = OuterRef("key"), OuterRef("account")
    meeting = meetings.filter(kind=OuterRef("kind"), zoom_id=key, account=account)
    recording = recordings.filter(uuid=key, account=account)
    return Q(Exists(meeting)) | Q(Exists(recording), kind=Kind.RECORDING)


_current: ContextVar[ItemAccess | None] = ContextVar("wagtail_zoom_item_access", default=None)


def start_admin_page(request: Any, *args: Any) -> None:
    """Remember for whom a page of the admin is rendered; a hook of the main menu.

    Form widgets do not know the user, and Wagtail renders a form after its own log context has
    ended. The main menu is built for each page of the admin, before the content.
    """
    _current.set(ItemAccess(request.user))


def end_request(**kwargs: Any) -> None:
    """Forget the user when the request is finished."""
    _current.set(None)


def current_access() -> ItemAccess | None:
    """The access of the user for whom the admin renders now; None outside the admin."""
    user = get_active_log_context().user
    access = _current.get()
    is_new = access is None or access.user != user  # guard: access-of-present-user
    if user is not None and is_new:
        access = ItemAccess(user)
        _current.set(access)
    return access


def title_for_user(item: SiteItem) -> str:
    """The title for users who may read it, with a word when Zoom no longer has the meeting; for
    others a note instead. Forms, comparisons of two versions and read-only panels all ask here."""
    access = current_access()
    if access is not None and access.may_read_title(item):  # guard: chooser-hides-foreign-title
        if access.is_deleted_in_zoom(item):
            return _("%(title)s · deleted in Zoom") % {"title": item.display_title}
        return item.display_title
    if access is not None and item.site_id in access.edited_sites:
        return _("(not shown to visitors)")
    return _("(not available on your site)")


def start_editing(request: Any, edited: Any) -> None:
    """Remember the page or snippet that a form is about; a hook of Wagtail's editors."""
    access = current_access()
    if access is not None:
        access.is_editing, access.edited = True, edited


def start_adding(request: Any, *args: Any) -> None:
    """The same for a new page or snippet, which holds no item yet."""
    start_editing(request, None)


def refuse_foreign_item(item: SiteItem | None) -> None:
    """For forms: refuse an item that the user may not choose, unless it was there before.

    A form about anything but a page or a snippet accepts all: what it held before is unknown.
    Showing an item compares Sites anyway.

    Raises:
        ValidationError: the user may not choose it.
    """
    access = current_access()
    if item is None or access is None or not access.is_editing or access.may_choose(item):
        return
    if item.pk not in access.stored_item_ids:  # guard: forms-refuse-foreign-items
        raise ValidationError(_("You may not choose this one."), code="not_choosable")


def _items_of(holder: Any) -> Iterator[int]:
    """Primary keys of the items that a page or snippet refers to, with its inline rows."""
    for field in holder._meta.get_fields():
        if field.many_to_one and field.related_model is SiteItem:
            yield field.value_from_object(holder)
        elif hasattr(field, "extract_references"):
            for model, pk, *_paths in field.extract_references(field.value_from_object(holder)):
                if model is SiteItem:
                    yield int(pk)
    if isinstance(holder, ClusterableModel):
        for relation in get_all_child_relations(type(holder)):
            for row in getattr(holder, relation.get_accessor_name()).all():
                yield from _items_of(row)


def site_of_edited_page(request: Any) -> Site | None:
    """The Site of the page in whose editor the request was made, from the referrer.

    It only narrows what the user may choose anyway. None without a referrer or with another URL.
    """
    prefix = get_script_prefix().rstrip("/")
    with contextlib.suppress(Resolver404, ValueError):
        path = split_url(request.headers.get("referer", "")).path
        match = resolve(path.removeprefix(prefix))
        argument_names = {
            "wagtailadmin_pages:edit": "page_id",
            "wagtailadmin_pages:add": "parent_page_id",
        }
        key = match.kwargs.get(argument_names.get(match.view_name, ""))
        page = Page.objects.filter(pk=key).first() if key else None
        return page.get_site() if page else None
    return None
