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
    demand_mark,
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
    site_settings = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=timezone.now(), show_meetings=True
    )
    for host in hosts:
        ExposedHost.objects.create(settings=site_settings, host=host)
    return account, hosts, grant, site_settings


def test_only_chosen_kinds_and_hosts(world):
    account, hosts, _grant, site_settings = world
    scope = fetch_scope(account)
    assert scope.hosts("meeting") == {hosts[0].pk, hosts[1].pk}
    assert scope.hosts("webinar") == set()
    assert scope.sites("meeting", hosts[0].pk) == {site_settings.site_id}
    assert not scope.wants("meeting", None)


def test_user_level_grant_covers_its_own_user_only(world):
    """DESIGN 4.6: a grant of one user opens nothing of the others."""
    account, hosts, grant, _site_settings = world
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
    account, hosts, _grant, site_settings = world
    ZoomSettings.objects.filter(pk=site_settings.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty
    assert scope.kept_hosts("meeting") == {host.pk for host in hosts}


def test_broken_or_foreign_grant_fetches_nothing(world):
    """O16: a grant that needs the owner, or belongs to another client, makes no demand."""
    account, hosts, grant, _site_settings = world
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.NEEDS_RECONNECT)
    assert fetch_scope(account).is_empty
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.CONNECTED, client_id="older")
    assert fetch_scope(account).is_empty
    assert fetch_scope(account).kept_hosts("meeting")


def test_missing_scope_switches_one_kind_off(world):
    """O17: the other kinds go on."""
    account, hosts, grant, site_settings = world
    ZoomSettings.objects.filter(pk=site_settings.pk).update(show_recordings=True)
    Grant.objects.filter(pk=grant.pk).update(missing_kinds=["recording"])
    scope = fetch_scope(account)
    assert scope.hosts("meeting") and not scope.hosts("recording")
    assert scope.kept_hosts("recording")


@pytest.mark.parametrize("change", [{"configured_at": None}, {"needs_confirmation": True}])
def test_nothing_before_the_owner_has_chosen(world, change):
    """DESIGN 4.5: nothing is fetched, nothing kept, before the choice and the confirmation."""
    account, _hosts, _grant, site_settings = world
    ZoomSettings.objects.filter(pk=site_settings.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty and not scope.keep


CHANGES = {
    "a kind more": (ZoomSettings, {"show_webinars": True}),
    "recordings": (ZoomSettings, {"show_recordings": True}),
    "no kind": (ZoomSettings, {"show_meetings": False}),
    "paused": (ZoomSettings, {"paused_at": timezone.now()}),
    "not chosen": (ZoomSettings, {"configured_at": None}),
    "to be confirmed": (ZoomSettings, {"needs_confirmation": True}),
    "disconnected": (ZoomSettings, {"grant": None}),
    "elsewhere": (ZoomSettings, {"account": None}),
    "broken": (Grant, {"state": GrantState.NEEDS_RECONNECT}),
    "another client": (Grant, {"client_id": "older"}),
    "a scope less": (Grant, {"missing_kinds": ["meeting"]}),
    "one user's": (Grant, {"account_level": False}),
    "another user": (Grant, {"account_level": False, "zoom_user_id": "h9"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_scope_changes_its_mark(world, change):
    """S: a run that looks at the mark alone stops for all that would stop it otherwise."""
    account = world[0]
    before, mark = fetch_scope(account), demand_mark(account)
    model, values = CHANGES[change]
    model.objects.update(**values)
    assert demand_mark(account) != mark
    assert fetch_scope(account) != before


def test_one_host_for_another_changes_the_mark(world):
    account, hosts, _grant, site_settings = world
    third = Host.objects.create(account=account, zoom_id="h3")
    mark = demand_mark(account)
    ExposedHost.objects.filter(settings=site_settings, host=hosts[1]).delete()
    ExposedHost.objects.create(settings=site_settings, host=third)
    assert demand_mark(account) != mark
    # Away and back: the same scope, at the price of one full look.
    ExposedHost.objects.all().delete()
    assert demand_mark(account) != mark


def test_the_mark_is_as_cheap_for_many_hosts(world, django_assert_num_queries):
    account, _hosts, _grant, site_settings = world
    for number in range(40):
        host = Host.objects.create(account=account, zoom_id=f"many{number}")
        ExposedHost.objects.create(settings=site_settings, host=host)
    with django_assert_num_queries(2):
        assert len(demand_mark(account)) == 4
