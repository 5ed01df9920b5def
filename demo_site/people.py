"""Log-ins: one owner for each site, limited to it, and one superuser."""

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

from .sites import ADMIN, PASSWORD, SiteFacts

PAGE_RIGHTS = ("add_page", "change_page", "publish_page")
COLLECTION_RIGHTS = ((Image, "image"), (Document, "document"))


def ensure_admin() -> AbstractUser:
    """The superuser."""
    return _user(ADMIN, "Demo", "Admin", "admin@example.org", is_superuser=True, is_staff=True)


def ensure_owner(facts: SiteFacts, site: Site) -> AbstractUser:
    """The owner of one site, with rights on that site only."""
    group, _ = Group.objects.get_or_create(name=f"Owners of {facts.name}")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    right = _permission(ZoomSettings, CODENAME)
    GroupSitePermission.objects.get_or_create(group=group, site=site, permission=right)
    home = site.root_page
    for codename in PAGE_RIGHTS:
        right = _permission(Page, codename)
        GroupPagePermission.objects.get_or_create(group=group, page_id=home.pk, permission=right)
    collection = _collection(facts.name)
    for model, name in COLLECTION_RIGHTS:
        for action in ("add", "change", "choose"):
            right = _permission(model, f"{action}_{name}")
            GroupCollectionPermission.objects.get_or_create(
                group=group, collection=collection, permission=right
            )
    user = _user(facts.key, *facts.owner, facts.email)
    user.groups.add(group)
    UserProfile.objects.get_or_create(user=user, defaults={"current_time_zone": facts.zone})
    return user


def _permission(model: type, codename: str) -> Permission:
    kind = ContentType.objects.get_for_model(model)
    return Permission.objects.get(content_type=kind, codename=codename)


def _collection(name: str) -> Collection:
    found = Collection.objects.filter(name=name).first()
    return found or Collection.get_first_root_node().add_child(name=name)


def _user(name: str, first: str, last: str, email: str, **flags: bool) -> AbstractUser:
    """A user with the demo's password; one that is there already is left alone."""
    model = get_user_model()
    user = model.objects.filter(username=name).first()
    if user is None:
        user = model(username=name, first_name=first, last_name=last, email=email, **flags)
        user.set_password(PASSWORD)
        user.save()
    return user
