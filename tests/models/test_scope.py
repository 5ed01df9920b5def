"""Fetch scope: the data of an account that at least one Site needs."""

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
    scope_fingerprint,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected_site():
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


def test_only_chosen_kinds_and_hosts(connected_site):
    account, hosts, _grant, site_settings = connected_site
    scope = fetch_scope(account)
    assert scope.hosts("meeting") == {hosts[0].pk, hosts[1].pk}
    assert scope.hosts("webinar") == set()
    assert scope.sites("meeting", hosts[0].pk) == {site_settings.site_id}
    assert not scope.includes("meeting", None)


def test_user_level_grant_covers_its_own_user_only(connected_site):
    """A grant of one user does not cover other users."""
    account, hosts, grant, _site_settings = connected_site
    Grant.objects.filter(pk=grant.pk).update(account_level=False)
    assert fetch_scope(account).hosts("meeting") == {hosts[0].pk}


@pytest.mark.parametrize(
    "change",
    [
        {"paused_at": timezone.now()},
        {"archived_at": timezone.now(), "grant": None},
    ],
)
def test_paused_and_archived_sites_keep_but_do_not_fetch(connected_site, change):
    account, hosts, _grant, site_settings = connected_site
    ZoomSettings.objects.filter(pk=site_settings.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty
    assert scope.retained_hosts("meeting") == {host.pk for host in hosts}


def test_broken_or_foreign_grant_fetches_nothing(connected_site):
    """O16: a grant that needs the owner, or belongs to another client, makes no demand."""
    account, hosts, grant, _site_settings = connected_site
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.NEEDS_RECONNECT)
    assert fetch_scope(account).is_empty
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.CONNECTED, client_id="older")
    assert fetch_scope(account).is_empty
    assert fetch_scope(account).retained_hosts("meeting")


def test_missing_scope_disables_one_kind(connected_site):
    """O17: the other content types are still fetched."""
    account, hosts, grant, site_settings = connected_site
    ZoomSettings.objects.filter(pk=site_settings.pk).update(show_recordings=True)
    Grant.objects.filter(pk=grant.pk).update(missing_kinds=["recording"])
    scope = fetch_scope(account)
    assert scope.hosts("meeting") and not scope.hosts("recording")
    assert scope.retained_hosts("recording")


@pytest.mark.parametrize("change", [{"configured_at": None}, {"needs_confirmation": True}])
def test_nothing_is_fetched_before_the_site_is_configured(connected_site, change):
    """Nothing is fetched or kept before configuration and confirmation."""
    account, _hosts, _grant, site_settings = connected_site
    ZoomSettings.objects.filter(pk=site_settings.pk).update(**change)
    scope = fetch_scope(account)
    assert scope.is_empty and not scope.retain


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
def test_each_scope_change_changes_the_fingerprint(connected_site, change):
    """A run that checks only the fingerprint stops for every change of the scope."""
    account = connected_site[0]
    before, fingerprint = fetch_scope(account), scope_fingerprint(account)
    model, values = CHANGES[change]
    model.objects.update(**values)
    assert scope_fingerprint(account) != fingerprint
    assert fetch_scope(account) != before


def test_one_host_for_another_changes_the_fingerprint(connected_site):
    account, hosts, _grant, site_settings = connected_site
    third = Host.objects.create(account=account, zoom_id="h3")
    fingerprint = scope_fingerprint(account)
    ExposedHost.objects.filter(settings=site_settings, host=hosts[1]).delete()
    ExposedHost.objects.create(settings=site_settings, host=third)
    assert scope_fingerprint(account) != fingerprint
    # Without hosts the fingerprint differs too.
    ExposedHost.objects.all().delete()
    assert scope_fingerprint(account) != fingerprint


def test_the_fingerprint_needs_two_queries_for_many_hosts(
    connected_site, django_assert_num_queries
):
    account, _hosts, _grant, site_settings = connected_site
    for number in range(40):
        host = Host.objects.create(account=account, zoom_id=f"many{number}")
        ExposedHost.objects.create(settings=site_settings, host=host)
    with django_assert_num_queries(2):
        assert len(scope_fingerprint(account)) == 4
