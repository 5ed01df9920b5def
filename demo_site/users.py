"""Users: one owner for each Site, limited to it, and one superuser."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import (
    Collection,
    GroupCollectionPermission,
    GroupPagePermission,
    GroupSitePermission,
    Page,
    Site,
)
from wagtail.users.models import UserProfile

from wagtail_zoom.models import ZoomSettings
from wagtail_zoom.permissions import CODENAME

from .sites import ADMIN, PASSWORD, SiteData

PAGE_PERMISSIONS = ("add_page", "change_page", "publish_page")
COLLECTION_MODELS = ((Image, "image"), (Document, "document"))


def ensure_admin() -> AbstractUser:
    """The superuser."""
    return _user(ADMIN, "Demo", "Admin", "admin@example.org", is_superuser=True, is_staff=True)


def ensure_owner(site_data: SiteData, site: Site) -> AbstractUser:
    """The owner of one Site, with permissions for that Site only."""
    group, _ = Group.objects.get_or_create(name=f"Owners of {site_data.name}")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    permission = _permission(ZoomSettings, CODENAME)
    GroupSitePermission.objects.get_or_create(group=group, site=site, permission=permission)
    home = site.root_page
    for codename in PAGE_PERMISSIONS:
        permission = _permission(Page, codename)
        GroupPagePermission.objects.get_or_create(
            group=group, page_id=home.pk, permission=permission
        )
    collection = _collection(site_data.name)
    for model, name in COLLECTION_MODELS:
        for action in ("add", "change", "choose"):
            permission = _permission(model, f"{action}_{name}")
            GroupCollectionPermission.objects.get_or_create(
                group=group, collection=collection, permission=permission
            )
    user = _user(site_data.key, *site_data.owner, site_data.email)
    user.groups.add(group)
    UserProfile.objects.get_or_create(user=user, defaults={"current_time_zone": site_data.zone})
    return user


def _permission(model: type, codename: str) -> Permission:
    content_type = ContentType.objects.get_for_model(model)
    return Permission.objects.get(content_type=content_type, codename=codename)


def _collection(name: str) -> Collection:
    collection = Collection.objects.filter(name=name).first()
    return collection or Collection.get_first_root_node().add_child(name=name)


def _user(name: str, first: str, last: str, email: str, **flags: bool) -> AbstractUser:
    """A user with the demo's password; an existing one is not changed."""
    model = get_user_model()
    user = model.objects.filter(username=name).first()
    if user is None:
        user = model(username=name, first_name=first, last_name=last, email=email, **flags)
        user.set_password(PASSWORD)
        user.save()
    return user
