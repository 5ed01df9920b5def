"""Two Sites with an owner and an account each, and a client logged in as the first owner."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupPagePermission, GroupSitePermission, Page, Site

from tests.blocks import rows
from tests.stored_rows import made_once
from wagtail_zoom.models import Activity, Heartbeat, Registration, WebhookEvent


@pytest.fixture(autouse=True)
def heartbeat(db):
    """The worker is running, unless a test changes it."""
    Heartbeat.beat("tick")


def make_site(hostname: str) -> Site:
    root = Page.objects.get(depth=1)
    page = root.add_child(instance=Page(title=f"Home of {hostname}", slug=hostname.split(".")[0]))
    return Site.objects.create(hostname=hostname, root_page=page, site_name=hostname)


def make_owner(name: str, site: Site) -> User:
    """A user with page permissions below the Site's root and its Zoom permission."""
    group = Group.objects.create(name=f"owners of {site.hostname}")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    permission = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=site, permission=permission)
    for codename in ("add_page", "change_page", "publish_page"):
        GroupPagePermission.objects.create(
            group=group,
            page=site.root_page,
            permission=Permission.objects.get(codename=codename),
        )
    user = User.objects.create_user(name, f"{name}@{site.hostname}", "password")
    user.groups.add(group)
    return user


def make_tenant(name: str) -> SimpleNamespace:
    """A Site with an owner, a connection, a meeting, a recording, a registration and activity."""
    site = make_site(f"{name}.example")
    owner = make_owner(name, site)
    account = rows.account()
    host = rows.host(account, f"host-{name}")
    site_settings = rows.site_settings(
        site, account, host, user=host.zoom_id, show_registration=True
    )
    date = rows.occurrence(host, topic=f"Meeting of {name}", approval_type=1)
    recording = rows.recording(host, topic=f"Film of {name}")
    meeting_item = rows.item(
        site, date.meeting, "auto", meeting=date.meeting, last_title=date.meeting.topic
    )
    recording_item = rows.item(
        site, recording, "auto", recording=recording, last_title=recording.topic
    )
    event = WebhookEvent.objects.create(
        content_key=name,
        account_zoom_id=account.zoom_id,
        event="meeting.updated",
        state="dead",
        payload={"payload": {"object": {"uuid": f"Secret of {name}", "host_id": host.zoom_id}}},
    )
    activity = Activity.objects.create(
        site=site, category="event", code="event_failed", outcome="failed", event=event
    )
    registration = Registration(
        site=site,
        account=account,
        meeting=date.meeting,
        meeting_zoom_id=date.meeting.zoom_id,
        snapshot={"topic": date.meeting.topic},
        email_index=name,
        idempotency_key=name,
        state="failed",
    )
    registration.email = f"visitor@{name}.example"
    registration.answers = json.dumps({"standard": {"first_name": "Visitor", "last_name": name}})
    registration.save()
    return SimpleNamespace(
        site=site,
        owner=owner,
        account=account,
        host=host,
        site_settings=site_settings,
        grant=site_settings.grant,
        date=date,
        recording=recording,
        meeting_item=meeting_item,
        recording_item=recording_item,
        event=event,
        activity=activity,
        registration=registration,
        panel=reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk]),
    )


@pytest.fixture
def aurora(db):
    return made_once("aurora", lambda: make_tenant("aurora"))


@pytest.fixture
def borealis(db):
    return made_once("borealis", lambda: make_tenant("borealis"))


@pytest.fixture
def as_aurora(client, aurora):
    client.force_login(aurora.owner)
    return client


@pytest.fixture
def as_root(client, db):
    client.force_login(User.objects.create_superuser("root", "root@example.org", "password"))
    return client


def hours_ago(hours: float):
    return timezone.now() - timedelta(hours=hours)
