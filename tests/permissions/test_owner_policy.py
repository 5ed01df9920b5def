"""One permission per Site, and nothing beyond it (X4, X5, X34)."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from wagtail.models import GroupSitePermission, Page, Site

from wagtail_zoom.models import SiteItem, ZoomAccount
from wagtail_zoom.permissions import (
    changing_pairs,
    item_policy,
    may_change,
    owned_sites,
    settings_policy,
    sites_for,
)

pytestmark = pytest.mark.django_db
ACTIONS = ("view", "add", "change", "delete")


@pytest.fixture
def sites():
    root = Page.objects.get(depth=1)
    first = Site.objects.get(is_default_site=True)
    second = Site.objects.create(hostname="b.example", root_page=root.get_children().first())
    return first, second


@pytest.fixture
def owner(sites):
    group = Group.objects.create(name="owners of the first")
    permission = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=sites[0], permission=permission)
    user = User.objects.create_user("owner")
    user.groups.add(group)
    return user


@pytest.fixture
def items(sites):
    account = ZoomAccount.objects.create(zoom_id="acc")
    return [
        SiteItem.objects.create(site=site, account=account, kind="meeting", key="1")
        for site in sites
    ]


def test_owner_changes_their_own_site_only(owner, sites):
    assert list(sites_for(owner)) == [sites[0]]
    assert may_change(owner, sites[0]) and not may_change(owner, sites[1])


@pytest.mark.parametrize("action", ACTIONS)
def test_rows_follow_their_site(owner, items, action):
    assert item_policy.user_has_permission(owner, action)
    assert item_policy.user_has_permission_for_instance(owner, action, items[0])
    assert not item_policy.user_has_permission_for_instance(owner, action, items[1])
    allowed = item_policy.instances_user_has_any_permission_for(owner, [action])
    assert list(allowed) == [items[0]]


@pytest.mark.parametrize("action", ACTIONS)
def test_other_users_have_no_permission(sites, items, action):
    stranger = User.objects.create_user("stranger")
    assert not settings_policy.user_has_permission(stranger, action)
    assert not item_policy.user_has_permission_for_instance(stranger, action, items[0])
    assert not sites_for(stranger) and not sites_for(AnonymousUser())


def test_superuser_has_all(sites):
    root = User.objects.create_superuser("root")
    assert set(sites_for(root)) == set(sites)


def test_inactive_owner_has_none(owner, sites):
    owner.is_active = False
    owner.save()
    assert not may_change(owner, sites[0])


def test_many_users_and_sites_are_decided_as_one_by_one(
    owner, sites, django_assert_max_num_queries
):
    """For files of all Sites: in two queries, with the same answers."""
    permission = Permission.objects.get(codename="change_zoomsettings")
    with_group = User.objects.create_user("with a group for all")
    group = Group.objects.create(name="all sites")
    group.permissions.add(permission)
    with_group.groups.add(group)
    direct = User.objects.create_user("all sites")
    direct.user_permissions.add(permission)
    inactive = User.objects.create_user("inactive", is_active=False)
    inactive.groups.add(*owner.groups.all(), group)
    other = User.objects.create_user("another permission")
    other.user_permissions.add(Permission.objects.get(codename="add_user"))
    users = [owner, with_group, direct, inactive, other, User.objects.create_superuser("root")]
    users += [User.objects.create_superuser("gone", is_active=False), AnonymousUser()]
    pairs = [(user, site) for user in users for site in sites]
    with django_assert_max_num_queries(2):
        decided = changing_pairs(pairs)
    assert decided == {(user.pk, site.pk) for user, site in pairs if may_change(user, site)}
    assert len(decided) == 7 and changing_pairs([]) == set()


def test_an_inactive_superuser_looks_after_no_site(sites):
    root = User.objects.create_superuser("root")
    assert set(owned_sites(root)) == set(sites)
    root.is_active = False
    root.save()
    assert not owned_sites(root)


def test_global_permission_covers_every_site(sites):
    """Assigned globally, the same permission covers all Sites."""
    user = User.objects.create_user("all")
    user.user_permissions.add(Permission.objects.get(codename="change_zoomsettings"))
    assert set(sites_for(user)) == set(sites)
