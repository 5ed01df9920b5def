"""A Site whose permission lacks a kind gets nothing of that kind from another Site's permission.

Two Sites share an account. Zoom gave the second one a permission for the whole account without
one kind, because of the role of the person who connected it.
"""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from tests.security.tenant_data import make_tenants
from wagtail_zoom.admin.forms import available_hosts
from wagtail_zoom.admin.site_status import get_site_status
from wagtail_zoom.client import client_for_reading
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    GrantState,
    Host,
    Meeting,
    SiteItem,
    SyncRun,
    ZoomSettings,
    fetch_scope,
)
from wagtail_zoom.oauth import tokens
from wagtail_zoom.sync import completion, items
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.simulator.scopes import default_scopes

pytestmark = pytest.mark.django_db
KINDS = ("meeting", "webinar", "recording")


@pytest.fixture
def tenants(db):
    return make_tenants()


def connect_without(tenants, *missing_kinds):
    """South, connected by somebody whose role lacks these kinds; it ticks the host of north."""
    south = tenants.south
    south.grant = Grant.objects.create(
        client_id="simulator-client", account=south.account, zoom_user_id="clerk",
        account_level=True, missing_kinds=list(missing_kinds), last_ok_at=timezone.now(),
    )  # fmt: skip
    ZoomSettings.objects.filter(pk=south.site_settings.pk).update(grant=south.grant)
    ExposedHost.objects.create(settings=south.site_settings, host=tenants.north.host)
    south.site_settings = ZoomSettings.objects.get(pk=south.site_settings.pk)
    items.link_stored_rows(south.site_settings)
    return south


def shown_rows(site):
    """Topics that the Site may read, and that visitors see."""
    visibility = SiteVisibility.for_site(site)
    shown = [
        *visibility.meetings(Audience.VISITOR, Channel.PAGE),
        *visibility.recordings(Audience.VISITOR, Channel.PAGE),
    ]
    usable = [*visibility.usable_meetings(), *visibility.usable_recordings()]
    return {row.topic for row in usable}, {row.topic for row in shown}


@pytest.mark.parametrize("kind", KINDS)
def test_x38_a_kind_that_zoom_refused_is_not_read_with_the_permission_of_another_site(
    tenants, kind
):
    south = connect_without(tenants, kind)
    topic = getattr(tenants.north, kind).topic
    SiteItem.objects.filter(site=south.site, key=getattr(tenants.north, kind).uuid).update(
        visibility="published"
    )
    usable, shown = shown_rows(south.site)
    assert topic not in usable | shown
    assert not SiteItem.objects.filter(site=south.site, last_title=topic).exists()
    others = {getattr(tenants.north, other).topic for other in KINDS if other != kind}
    assert others <= usable
    # What the Site had before the permission was missing stays.
    assert getattr(south, kind).topic in usable & shown
    assert getattr(tenants.north, kind).topic in shown_rows(tenants.north.site)[1]


@pytest.mark.parametrize("kind", [*KINDS, "registration"])
def test_x39_a_lesser_permission_of_another_site_is_not_used_to_read(tenants, kind):
    """Else everything of this kind would stay as it is, for every Site of the account."""
    south = connect_without(tenants, kind)
    Grant.objects.filter(pk=tenants.north.grant.pk).update(state=GrantState.DEGRADED)
    host = tenants.north.host.zoom_id
    assert client_for_reading(south.account, host, kind=kind).grant == tenants.north.grant
    assert client_for_reading(south.account, host).grant == south.grant
    Grant.objects.filter(pk=tenants.north.grant.pk).update(state=GrantState.REVOKED)
    # With no better one Zoom answers, and the panel says what is missing.
    assert client_for_reading(south.account, host, kind=kind).grant == south.grant


def test_a_kind_that_zoom_refused_is_neither_fetched_nor_reported_for_the_site(tenants):
    south = connect_without(tenants, "recording")
    scope, host = fetch_scope(south.account), tenants.north.host.pk
    assert scope.sites("recording", host) == {tenants.north.site.pk}
    assert scope.sites("meeting", host) == {tenants.north.site.pk, south.site.pk}
    assert host in scope.retained_hosts("recording")


def test_x38_a_refresh_with_fewer_scopes_narrows_the_sites(owner_client, site, zoom_app):
    zoom_app.options(app_kind="user")
    connect_site(owner_client, site, "borealis-1")
    grant = Grant.objects.get()
    personal = grant.scope
    # Zoom had given more before; it gives the personal ones at the next refresh.
    for before in (f"{personal} user:read:list_users:admin", personal):
        is_wider = before != personal
        Grant.objects.filter(pk=grant.pk).update(
            account_level=is_wider, scope=before, missing_kinds=["webinar"],
            expires_at=timezone.now(),
        )  # fmt: skip
        tokens.get_token(grant)
        grant.refresh_from_db()
        assert (grant.account_level, grant.scope) == (False, personal)
        assert grant.missing_kinds == ["webinar"]


def test_an_authorisation_for_one_site_is_told_to_the_others_of_the_same_permission(
    owner_client, owner, site, zoom_app, zoom_worker, mailoutbox
):
    """They go on with the new tokens: their owners read it, by mail if it had ended."""
    other = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    connect_site(owner_client, site, "aurora-0")
    connect_site(owner_client, other, "aurora-0")
    entries = Activity.objects.filter(code="renewed_elsewhere")
    assert list(entries.values_list("site", flat=True)) == [site.pk] and not mailoutbox
    ZoomSettings.objects.filter(site=other).update(contact_email="other@example.org")
    ZoomSettings.objects.filter(site=site).update(contact_email="first@example.org")
    Grant.objects.update(state=GrantState.NEEDS_RECONNECT, reason="invalid_grant")
    connect_site(owner_client, site, "aurora-0")
    assert set(entries.values_list("site", flat=True)) == {site.pk, other.pk}
    [mail] = mailoutbox
    assert mail.to == ["other@example.org"] and "for another website" in mail.body
    assert site.hostname not in mail.subject + mail.body.replace("https://testserver", "")
    url = f"{reverse('wagtail_zoom_activity:index')}?site={other.pk}"
    assert "for another website" in owner_client.get(url).content.decode()


def panel_url(tenant):
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", tenant.site.pk])


TOTALS = {"meeting": 4101, "webinar": 4201, "recording": 4301}
SEEN = {"meeting": 5101, "webinar": 5201, "recording": 5301}


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_of_a_kind_that_zoom_has_not_allowed(tenants, client, kind):
    """Neither what a host has in Zoom nor what a run of the shared account has seen."""
    south = connect_without(tenants, kind)
    Host.objects.filter(pk=tenants.north.host.pk).update(totals=TOTALS)
    Host.objects.filter(pk=south.host.pk).update(totals={})
    Meeting.objects.filter(kind="meeting").update(approval_type=2)
    Meeting.objects.filter(kind="webinar").update(approval_type=0)
    run = SyncRun.objects.create(
        account=south.account, mode="reconcile", state="running", started_at=timezone.now(),
        requested_by=south.owner,
        counts={name: {"seen": n, "created": n + 1} for name, n in SEEN.items()},
    )  # fmt: skip
    completion.finish(run, SyncRun.State.DONE)
    client.force_login(south.owner)
    data = {"hosts": [tenants.north.host.pk], "item_rule": "all"} | {
        f"show_{name}s": "on" for name in KINDS
    }
    paths = {
        "panel": client.get(panel_url(south)),
        "preview": client.post(reverse("wagtail_zoom_admin:preview", args=[south.site.pk]), data),
        "hosts": client.get(reverse("wagtail_zoom_admin:hosts", args=[south.site.pk])),
        "activity": client.get(f"{reverse('wagtail_zoom_activity:index')}?site={south.site.pk}"),
    }
    text = "\n".join(response.content.decode() for response in paths.values())
    assert {response.status_code for response in paths.values()} == {200}
    numbers = {int(n.replace(",", "")) for n in re.findall(r"\d[\d,]{3,}", text)}
    hidden = {TOTALS[kind], SEEN[kind], SEEN[kind] + 1}
    if kind != "recording":
        hidden.add(TOTALS["meeting"] + TOTALS["webinar"])  # the dates of a host
    assert not numbers & hidden
    allowed = {n for name in KINDS if name != kind for n in (TOTALS[name], SEEN[name])}
    assert numbers & allowed, "the page shows numbers at all"
    entry = Activity.objects.filter(site=south.site, code="run_done").get()
    assert set(entry.data["counts"]) == set(KINDS) - {kind}
    entry = Activity.objects.filter(site=tenants.north.site, code="run_done").get()
    assert set(entry.data["counts"]) == set(KINDS)
    preview = get_site_status(south.site).preview
    assert preview.registration_count == (0 if kind == "webinar" else 2)


def test_no_host_that_zoom_does_not_list_for_this_site(tenants, client):
    """Another Site's permission has read the names; this one may not list them."""
    south = tenants.south
    scopes = " ".join(name for name in default_scopes("admin") if "list_users" not in name)
    grant = Grant.objects.create(
        client_id="simulator-client", account=south.account, zoom_user_id="clerk",
        account_level=True, scope=scopes, last_ok_at=timezone.now(),
    )  # fmt: skip
    clerk = Host.objects.create(account=south.account, zoom_id="clerk", display_name="The clerk")
    ZoomSettings.objects.filter(pk=south.site_settings.pk).update(grant=grant)
    client.force_login(south.owner)
    url = reverse("wagtail_zoom_admin:hosts", args=[south.site.pk])
    names = client.get(url).content.decode() + client.get(panel_url(south)).content.decode()
    assert clerk.display_name in names
    assert south.host.display_name in names, "it was ticked before"
    assert tenants.north.host.display_name not in names
    site_settings = ZoomSettings.objects.get(pk=south.site_settings.pk)
    assert tenants.north.host not in available_hosts(site_settings)
    Grant.objects.filter(pk=grant.pk).update(scope=" ".join(default_scopes("admin")))
    assert tenants.north.host.display_name in client.get(url).content.decode()
