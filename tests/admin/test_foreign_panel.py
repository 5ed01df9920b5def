"""The operator at the panel of somebody else's Site: whose it is, and whose tasks these are."""

from __future__ import annotations

import html

import pytest
from django.contrib.auth.models import User

from tests.admin.conftest import make_owner, make_site
from wagtail_zoom.models import Grant, ZoomSettings

pytestmark = pytest.mark.django_db
FOREIGN, FOR_OWNER = "This site belongs to another owner.", "Do it for the owner"


@pytest.fixture
def operator():
    return User.objects.create_superuser("operator")


def panel(client, tenant, user):
    client.force_login(user)
    return html.unescape(client.get(tenant.panel).content.decode())


def test_the_operator_reads_whose_site_it_is(client, operator, aurora):
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(
        contact_email="office@aurora.example", configured_at=None, checklist_ends_at=None
    )
    body = panel(client, aurora, aurora.owner)
    assert FOREIGN not in body and "Set up Zoom" in body
    body = panel(client, aurora, operator)
    assert FOREIGN in body and "office@aurora.example" in body and "Set up Zoom" not in body
    assert "/admin/zoom/sites/" in body


def test_the_tasks_of_the_owner_are_folded_away(client, operator, aurora):
    """Reconnecting as the operator would connect the operator's own account."""
    Grant.objects.filter(pk=aurora.grant.pk).update(state="needs_reconnect")
    assert FOR_OWNER not in panel(client, aurora, aurora.owner)
    body = panel(client, aurora, operator)
    assert body.index(FOR_OWNER) < body.index("Reconnect Zoom<")
    assert "zoom_mail" in body


@pytest.mark.parametrize("owned", [True, False])
def test_a_site_that_is_not_connected(client, operator, owned):
    """Where no user's group names the Site, the superuser is its owner."""
    site = make_site("meadow.example")
    if owned:
        make_owner("meadow", site)
    client.force_login(operator)
    url = f"/admin/settings/wagtail_zoom/zoomsettings/{site.pk}/"
    body = html.unescape(client.get(url).content.decode())
    assert (FOREIGN in body) == (FOR_OWNER in body) == owned
    assert "Connect Zoom" in body


def test_a_superuser_whose_group_names_the_site_owns_it(client, operator, aurora):
    operator.groups.set(aurora.owner.groups.all())
    assert FOREIGN not in panel(client, aurora, operator)
