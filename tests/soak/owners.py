"""What owners do: connect, connect again when told to, decide about sign-ups, press "compare"."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Site

from demo_site import connecting
from demo_site.sites import AURORA, BOREALIS, HARBOUR, SiteFacts
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
from wagtail_zoom.sync.settings_changes import Choice, apply_exposure
from wagtail_zoom.testing.connect import connect_site

SITES: tuple[tuple[SiteFacts, str], ...] = (
    (AURORA, "aurora-0"),
    (BOREALIS, "borealis-0"),
    (replace(HARBOUR, kinds=BOREALIS.kinds), "borealis-0"),
)
"""Three Sites, two accounts: the third shows the second's."""


def _admin() -> Any:
    return get_user_model().objects.get(username="admin")


def _site(facts: SiteFacts) -> Site:
    return Site.objects.get(hostname=facts.hostname)


def _link(facts: SiteFacts, person: str) -> None:
    client = Client()
    client.force_login(_admin())
    connect_site(
        client, _site(facts), person, host=f"{facts.hostname}:{settings.PLACES.port}"
    )  # fmt: skip


def connect_all() -> None:
    """Connect each Site and choose everything."""
    for facts, person in SITES:
        connect(facts, person)


def connect(facts: SiteFacts, person: str) -> Site:
    """Connect one Site and choose everything that its facts name."""
    site = _site(facts)
    _link(facts, person)
    choice = ZoomSettings.for_site(site)
    connecting.refresh_directory(choice.account)
    before = Choice.of(choice)
    for kind, flag in connecting.FLAGS.items():
        setattr(choice, flag, kind.value in facts.kinds)
    choice.show_registration, choice.organiser = True, facts.name
    choice.save()
    for host in Host.objects.filter(account=choice.account):
        ExposedHost.objects.get_or_create(settings=choice, host=host)
    apply_exposure(choice, _admin(), before)
    return site


class Owners:
    """All owners."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.counts: Counter[str] = Counter()

    def repair(self) -> None:
        """Connect again whatever says that it needs its owner."""
        for facts, person in SITES:
            choice = ZoomSettings.objects.select_related("grant").get(site=_site(facts))
            grant = choice.grant
            if grant is None or grant.state != GrantState.NEEDS_RECONNECT:
                continue
            self.counts[f"connected again ({grant.reason})"] += 1
            try:
                _link(facts, person)
            except (AssertionError, OSError) as problem:
                # Zoom is out of reach just now; the owner tries again a little later.
                self.counts[f"connecting again failed ({type(problem).__name__})"] += 1

    def decide(self) -> None:
        """Approve, deny or cancel somebody in our admin."""
        rows = Registration.objects.filter(state__in=("pending", "approved")).order_by("?")
        row = rows.filter(state="pending").first() or rows.first()
        if row is None:
            return
        act = self.dice.choice(
            (moderation.approve, moderation.approve, moderation.deny, moderation.cancel)
        )
        try:
            act(row, _admin())
        except moderation.NotPossible:
            return
        self.counts[f"sign-up: {act.__name__} by the owner"] += 1

    def compare(self) -> None:
        """Press "compare with Zoom"."""
        for account in ZoomAccount.objects.all():
            runs.request_run(account, SyncRun.Mode.RECONCILE, _admin())
            self.counts["comparison asked for"] += 1
