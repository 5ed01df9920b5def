"""One right for everything in the admin: "may change the Zoom settings of this Site".

Built on Wagtail's per-Site permissions (``GroupSitePermission``). The policy is an object of ours
that our views call themselves: Wagtail's generic views and choosers do not isolate rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet
from wagtail.models import Site
from wagtail.permission_policies.sites import SitePermissionPolicy

from .models import Activity, Registration, SiteItem, ZoomAccount, ZoomSettings

CODENAME = "change_zoomsettings"


class OwnerPolicy(SitePermissionPolicy):
    """Every action on a row with a ``site`` is "change the Zoom settings of that Site".

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
    """The Sites whose Zoom settings this user may change; none for a visitor."""
    if not user.is_active or not user.is_authenticated:
        return Site.objects.none()
    return settings_policy.sites_user_has_permission_for(  # guard: site-right-decides
        user, "change"
    )


def may_change(user: Any, site: Site) -> bool:
    """Whether this user may change the Zoom settings of this Site, and thereby see its data."""
    return sites_for(user).filter(pk=site.pk).exists()


def may_wake(user: Any, account: ZoomAccount) -> bool:
    """Whether this user may say that a copied installation is the real one, for this account.

    Waking a copy takes the connection away from the other one, for every Site of the account: so
    it needs the right for all of them.
    """
    fed = ZoomSettings.objects.filter(account=account)
    return not fed.exclude(site__in=sites_for(user)).exists()
