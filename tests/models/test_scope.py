"""Fetch scope: what at least one Site wants of an account."""

import pytest
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    GrantState,
    Host,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    account = ZoomAccount.objects.create(zoom_id="acc")
    hosts = [Host.objects.create(account=account, zoom_id=f"h{n}") for n in (1, 2)]
    grant = Grant.objects.create(
        client_id="simulator-client", account=account, zoom_user_id="h1", account_level=True
    )
    site = Site.objects.get(is_default_site=True)
    choice = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=timezone.now(), show_meetings=True
    )
    for host in hosts:
        ExposedHost.objects.create(settings=choice, host=host)
    return account, hosts, grant, choice


def test_only_chosen_kinds_and_hosts(world):
    account, hosts, _grant, choice = world
    scope = fetch_scope(account)
    assert scope.hosts("meeting") == {hosts[0].pk, hosts[1].pk}
    assert scope.hosts("webinar") == set()
    assert scope.sites("meeting", hosts[0].pk) == {choice.site_id}
    assert not scope.wants("meeting", None)


def test_user_level_grant_covers_its_own_user_only(world):
    """DESIGN 4.6: a grant of one user opens nothing of the others."""
    account, hosts, grant, _choice = world
    Grant.objects.filter(pk=grant.pk).update(account_level=False)
    assert fetch_scope(account).hosts("meeting") == {hosts[0].pk}


@pytest.mark.parametrize(
    "change",
    [
        {"paused_at": timezone.now()},
        {"archived_at": timezone.now(), "grant": None},
    ],
)
def test_paused_and_archived_sites_keep_but_do_not_fetch(world, change):
    account, hosts, _grant, choice = world
    ZoomSettings.objects.filter(pk=choice.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty
    assert scope.kept_hosts("meeting") == {host.pk for host in hosts}


def test_broken_or_foreign_grant_fetches_nothing(world):
    """O16: a grant that needs the owner, or belongs to another client, makes no demand."""
    account, hosts, grant, _choice = world
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.NEEDS_RECONNECT)
    assert fetch_scope(account).is_empty
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.CONNECTED, client_id="older")
    assert fetch_scope(account).is_empty
    assert fetch_scope(account).kept_hosts("meeting")


def test_missing_scope_switches_one_kind_off(world):
    """O17: the other kinds go on."""
    account, hosts, grant, choice = world
    ZoomSettings.objects.filter(pk=choice.pk).update(show_recordings=True)
    Grant.objects.filter(pk=grant.pk).update(missing_kinds=["recording"])
    scope = fetch_scope(account)
    assert scope.hosts("meeting") and not scope.hosts("recording")
    assert scope.kept_hosts("recording")


@pytest.mark.parametrize("change", [{"configured_at": None}, {"needs_confirmation": True}])
def test_nothing_before_the_owner_has_chosen(world, change):
    """DESIGN 4.5: nothing is fetched, nothing kept, before the choice and the confirmation."""
    account, _hosts, _grant, choice = world
    ZoomSettings.objects.filter(pk=choice.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty and not scope.keep
