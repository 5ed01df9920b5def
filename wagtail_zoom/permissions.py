"""One permission for the whole admin: "change the Zoom settings of this Site".

Built on Wagtail's per-Site permissions (``GroupSitePermission``). Our views check the policy
themselves: Wagtail's generic views and choosers do not isolate rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Model, Q, QuerySet
from wagtail.models import GroupSitePermission, Site
from wagtail.permission_policies.sites import SitePermissionPolicy

from .models import Activity, Registration, SiteItem, ZoomAccount, ZoomSettings

CODENAME = "change_zoomsettings"


class OwnerPolicy(SitePermissionPolicy):
    """Every action on a row with a ``site`` needs "change the Zoom settings of that Site".

    The two overridden names are private in Wagtail; a test pins them for each supported version.
    """

    def __init__(self, model: type[Model]) -> None:
        super().__init__(model, auth_model=ZoomSettings)

    def _get_permission_codenames(self, actions: Iterable[str]) -> set[str]:
        return {CODENAME}

    def _get_permission_name(self, action: str) -> str:
        return f"wagtail_zoom.{CODENAME}"


settings_policy = OwnerPolicy(ZoomSettings)
item_policy = OwnerPolicy(SiteItem)
registration_policy = OwnerPolicy(Registration)
activity_policy = OwnerPolicy(Activity)


def sites_for(user: Any) -> QuerySet[Site]:
    """Sites whose Zoom settings this user may change; none for a visitor."""
    if not user.is_active or not user.is_authenticated:
        return Site.objects.none()
    return settings_policy.sites_user_has_permission_for(  # guard: site-permission-decides
        user, "change"
    )


def owned_sites(user: Any) -> QuerySet[Site]:
    """Sites that this user looks after, and whose daily tasks are shown to them.

    For a superuser, who may change all Sites: those that a group of theirs names, and those that no
    active user's group names.
    """
    if not (user.is_superuser and user.is_active):  # guard: inactive-superuser-owns-nothing
        return sites_for(user)
    named = GroupSitePermission.objects.filter(
        permission__codename=CODENAME, permission__content_type__app_label="wagtail_zoom"
    )
    own = named.filter(group__user=user).values("site")
    others = named.filter(group__user__is_active=True).values("site")
    return Site.objects.filter(Q(pk__in=own) | ~Q(pk__in=others))


def may_change(user: Any, site: Site) -> bool:
    """Whether this user may change the Zoom settings of this Site, and thereby see its data."""
    return sites_for(user).filter(pk=site.pk).exists()


def changing_pairs(pairs: Collection[tuple[Any, Site]]) -> set[tuple[int, int]]:
    """Those of these users and Sites, by primary keys, for which ``may_change`` is true: two
    queries for any number. A permission that only a project's own backend gives is left out."""
    users = {user.pk: user for user, _site in pairs if user.is_active and user.is_authenticated}
    permissions = Permission.objects.filter(
        codename=CODENAME, content_type__app_label="wagtail_zoom"
    )
    everywhere = {pk for pk, user in users.items() if user.is_superuser}
    by_permission = Q(user_permissions__in=permissions) | Q(groups__permissions__in=permissions)
    rows = get_user_model().objects.filter(by_permission, pk__in=users)
    everywhere |= set(rows.values_list("pk", flat=True))
    named = GroupSitePermission.objects.filter(permission__in=permissions, group__user__in=users)
    named_pairs = set(named.values_list("group__user", "site"))
    return {
        (user.pk, site.pk)
        for user, site in pairs
        if user.pk in everywhere or (user.pk in users and (user.pk, site.pk) in named_pairs)
    }


def may_activate(user: Any, account: ZoomAccount) -> bool:
    """Whether this user may activate a quarantined copy for this account.

    Activation takes the connection away from the original installation for every Site of the
    account, so it needs the permission for all of them.
    """
    settings_rows = ZoomSettings.objects.filter(account=account)
    return not settings_rows.exclude(site__in=sites_for(user)).exists()
