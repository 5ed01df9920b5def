"""Connects the owners to the simulated Zoom on the real way: authorise, choose, import."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Site

from wagtail_zoom.conf import settings as zoom
from wagtail_zoom.models import ExposedHost, Host, Kind, SyncRun, ZoomAccount, ZoomSettings
from wagtail_zoom.sync.settings_changes import Choice, apply_exposure
from wagtail_zoom.sync.users import refresh_directory
from wagtail_zoom.testing.connect import connect_site

from .sites import SITES, SiteFacts

FLAGS = {
    Kind.MEETING: "show_meetings",
    Kind.WEBINAR: "show_webinars",
    Kind.RECORDING: "show_recordings",
}


def connect_all(say: Callable[[str], object]) -> None:
    """Connect each owner who is to be connected from the start and is not."""
    _stay_at_home()
    for facts in SITES:
        site = Site.objects.get(hostname=facts.hostname)
        if not facts.kinds or ZoomSettings.for_site(site).configured_at:
            continue
        _connect(facts, site)
        say(f"{facts.name} is connected.")


def wait_for_import(seconds: float = 60) -> bool:
    """Wait for the worker to end the first imports; False when it takes longer."""
    end = time.monotonic() + seconds
    open_runs = SyncRun.objects.filter(state__in=(SyncRun.State.QUEUED, SyncRun.State.RUNNING))
    while open_runs.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _stay_at_home() -> None:
    """The database belongs to this demo, also when it is started on another port."""
    ZoomAccount.objects.exclude(fingerprint="").update(fingerprint=zoom.fingerprint)


def _connect(facts: SiteFacts, site: Site) -> None:
    user = get_user_model().objects.get(username=facts.key)
    if not ZoomSettings.for_site(site).is_linked:
        client = Client()
        client.force_login(user)
        host = f"{facts.hostname}:{settings.PLACES.port}"
        connect_site(client, site, facts.zoom_user, host=host)
    choice = ZoomSettings.for_site(site)
    if choice.account is None:
        raise RuntimeError(f"{facts.name} could not be connected.")
    refresh_directory(choice.account)
    before = Choice.of(choice)
    for kind, flag in FLAGS.items():
        setattr(choice, flag, kind.value in facts.kinds)
    choice.show_transcripts = facts.transcripts
    choice.show_registration = True
    choice.review_recordings = False
    choice.organiser = facts.name
    choice.save()
    for host in Host.objects.filter(account=choice.account):
        ExposedHost.objects.get_or_create(settings=choice, host=host)
    apply_exposure(choice, user, before)
