"""Connects the demo's Sites to the Zoom simulator through the real views, and imports."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.admin import curation
from wagtail_zoom.conf import settings as zoom
from wagtail_zoom.models import (
    SUMMARY,
    ExposedHost,
    Host,
    Kind,
    Meeting,
    SiteItem,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.models.mirror import MeetingType
from wagtail_zoom.sync.settings_changes import SettingsSnapshot, apply_settings_changes
from wagtail_zoom.sync.users import refresh_directory
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.factories import make_registration
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.testing.simulator.scopes import scheduling_scopes
from wagtail_zoom.utils.queue import enqueue

from .sites import SITES, SiteData

SHOW_FIELDS = {
    Kind.MEETING: "show_meetings",
    Kind.WEBINAR: "show_webinars",
    Kind.RECORDING: "show_recordings",
}


def connect_all(write: Callable[[str], object]) -> None:
    """Connect each Site that is connected from the start and is not yet."""
    _update_fingerprints()
    for site_data in SITES:
        if not settings.DEMO.has_site(site_data.key):
            continue
        site = Site.objects.get(hostname=site_data.hostname)
        if not site_data.kinds or ZoomSettings.for_site(site).configured_at:
            continue
        _connect(site_data, site)
        write(f"{site_data.name} is connected.")


def wait_for_import(seconds: float = 60) -> bool:
    """Wait until the worker has finished the first imports; False after ``seconds``."""
    end = time.monotonic() + seconds
    open_runs = SyncRun.objects.filter(state__in=(SyncRun.State.QUEUED, SyncRun.State.RUNNING))
    while open_runs.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def publish_summary() -> None:
    """Publish the oldest summary, as its owner does; the others wait for review."""
    items = SiteItem.objects.filter(kind=SUMMARY, meeting_summary__isnull=False)
    item = items.order_by("meeting_summary__start").first()
    if item is not None and items.filter(visibility=SiteItem.Visibility.PUBLISHED).count() == 0:
        user = get_user_model().objects.get(username=item.site.hostname.partition(".")[0])
        curation.set_visibility([item], curation.PUBLISHED, user)


def register_for_past_meeting() -> None:
    """Whoever is registered at Zoom for a past meeting of a Site that records attendance, is so
    here: as if they had used the Site's form. The worker then reads who came."""
    zoom = SimulatorControl(settings.DEMO.simulator_url)
    rows = ZoomSettings.objects.filter(record_attendance=True, account__isnull=False)
    for site_settings in rows.select_related("site"):
        meetings = Meeting.objects.taking_registration().filter(
            account=site_settings.account, occurrences__end__lt=timezone.now(), registrations=None,
            zoom_type=MeetingType.SCHEDULED,
        )  # fmt: skip
        for meeting in meetings:
            _register(zoom, site_settings, meeting)
        earlier = timezone.now() - timedelta(days=7)
        ZoomSettings.objects.filter(pk=site_settings.pk).update(attendance_since=earlier)
        enqueue("tick")


def _register(zoom: SimulatorControl, site_settings: ZoomSettings, meeting: Meeting) -> None:
    before = timezone.now() - timedelta(days=6)
    for person in zoom.registrants(meeting.zoom_id):
        make_registration(
            site_settings.site, meeting, person["email"],
            first_name=person["first_name"], last_name=person["last_name"],
            zoom_registrant_id=person["id"], created_at=before,
        )  # fmt: skip


def _update_fingerprints() -> None:
    """Accept the database on another port: the fingerprint includes the URL."""
    ZoomAccount.objects.exclude(fingerprint="").update(fingerprint=zoom.fingerprint)


def _connect(site_data: SiteData, site: Site) -> None:
    user = get_user_model().objects.get(username=site_data.key)
    if not ZoomSettings.for_site(site).is_linked:
        client = Client()
        client.force_login(user)
        host = f"{site_data.hostname}:{settings.DEMO.port}"
        refused = [] if site_data.may_schedule else scheduling_scopes("admin")
        connect_site(client, site, site_data.zoom_user, host=host, deselect=refused)
    site_settings = ZoomSettings.for_site(site)
    if site_settings.account is None:
        raise RuntimeError(f"{site_data.name} could not be connected.")
    refresh_directory(site_settings.account)
    before = SettingsSnapshot.of(site_settings)
    for kind, flag in SHOW_FIELDS.items():
        setattr(site_settings, flag, kind.value in site_data.kinds)
    site_settings.show_transcripts = site_data.transcripts
    site_settings.show_summaries = site_data.summaries
    site_settings.record_attendance = site_data.attendance
    site_settings.show_registration = True
    site_settings.review_recordings = False
    site_settings.organiser = site_data.name
    site_settings.checklist_ends_at = timezone.now()
    site_settings.save()
    for host in Host.objects.filter(account=site_settings.account):
        ExposedHost.objects.get_or_create(settings=site_settings, host=host)
    apply_settings_changes(site_settings, user, before)
