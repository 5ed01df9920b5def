"""Actions of site owners: connect, reconnect, decide about registrations, start a sync."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Site

from demo_site import connections
from demo_site.sites import AURORA, BOREALIS, HARBOUR, SiteData
from wagtail_zoom.models import (
    ExposedHost,
    GrantState,
    Host,
    Registration,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.registration import moderation
from wagtail_zoom.sync import runs
from wagtail_zoom.sync.settings_changes import SettingsSnapshot, apply_settings_changes
from wagtail_zoom.testing.connect import connect_site

SITES: tuple[tuple[SiteData, str], ...] = (
    (AURORA, "aurora-0"),
    (BOREALIS, "borealis-0"),
    (replace(HARBOUR, kinds=BOREALIS.kinds), "borealis-0"),
)
"""Three Sites, two accounts: the third Site shows the second account."""


def _admin() -> Any:
    return get_user_model().objects.get(username="admin")


def _site(site_data: SiteData) -> Site:
    return Site.objects.get(hostname=site_data.hostname)


def _connect(site_data: SiteData, person: str) -> None:
    client = Client()
    client.force_login(_admin())
    connect_site(
        client, _site(site_data), person, host=f"{site_data.hostname}:{settings.DEMO.port}"
    )  # fmt: skip


def connect_all() -> None:
    """Connect each Site and show everything."""
    for site_data, person in SITES:
        connect(site_data, person)


def connect(site_data: SiteData, person: str) -> Site:
    """Connect one Site and show the kinds of its ``site_data``."""
    site = _site(site_data)
    _connect(site_data, person)
    site_settings = ZoomSettings.for_site(site)
    connections.refresh_directory(site_settings.account)
    before = SettingsSnapshot.of(site_settings)
    for kind, flag in connections.SHOW_FIELDS.items():
        setattr(site_settings, flag, kind.value in site_data.kinds)
    site_settings.show_registration, site_settings.organiser = True, site_data.name
    site_settings.save()
    for host in Host.objects.filter(account=site_settings.account):
        ExposedHost.objects.get_or_create(settings=site_settings, host=host)
    apply_settings_changes(site_settings, _admin(), before)
    return site


class Owners:
    """Acts as all owners."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.counts: Counter[str] = Counter()

    def repair(self) -> None:
        """Reconnect Sites whose grant needs it."""
        for site_data, person in SITES:
            site_settings = ZoomSettings.objects.select_related("grant").get(site=_site(site_data))
            grant = site_settings.grant
            if grant is None or grant.state != GrantState.NEEDS_RECONNECT:
                continue
            self.counts[f"connected again ({grant.reason})"] += 1
            try:
                _connect(site_data, person)
            except (AssertionError, OSError) as error:
                # Zoom cannot be reached at the moment; the next call tries again.
                self.counts[f"connecting again failed ({type(error).__name__})"] += 1

    def decide(self) -> None:
        """Approve, deny or cancel a registration in the admin."""
        rows = Registration.objects.filter(state__in=("pending", "approved")).order_by("?")
        row = rows.filter(state="pending").first() or rows.first()
        if row is None:
            return
        act = self.rng.choice(
            (moderation.approve, moderation.approve, moderation.deny, moderation.cancel)
        )
        try:
            act(row, _admin())
        except moderation.ActionNotAllowed:
            return
        self.counts[f"registration: {act.__name__} by the owner"] += 1

    def reconcile(self) -> None:
        """Request a reconciliation of every account."""
        for account in ZoomAccount.objects.all():
            runs.request_run(account, SyncRun.Mode.RECONCILE, _admin())
            self.counts["reconciliation requested"] += 1
