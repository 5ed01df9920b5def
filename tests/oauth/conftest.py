import pytest
from django.contrib.auth.models import Group, Permission, User
from wagtail.models import GroupSitePermission

from tests.default_site import default_site


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def owner(site):
    """An owner with the Zoom permission on one Site only."""
    user = User.objects.create_user("owner", "owner@example.org", "pw")
    group = Group.objects.create(name="owners")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    permission = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=site, permission=permission)
    user.groups.add(group)
    return user


@pytest.fixture
def owner_client(client, owner):
    client.force_login(owner)
    return client
