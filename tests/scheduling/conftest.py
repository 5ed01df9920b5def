"""A Site that is connected to the simulator and may schedule."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from tests.default_site import default_site
from wagtail_zoom.models import Host, Meeting, MeetingChange, Occurrence
from wagtail_zoom.scheduling import delivery, outbox, service

PERSON = "borealis-0"
START = (datetime.now(UTC) + timedelta(days=30)).replace(hour=17, minute=0, second=0, microsecond=0)


def process_due():
    """Let the worker do what waits, once each, whenever it would be due."""
    waiting = MeetingChange.objects.filter(state="waiting")
    waiting.update(next_try_at=timezone.now())
    for pk in list(waiting.order_by("pk").values_list("pk", flat=True)):
        lease = outbox.claim(pk)
        if lease:
            delivery.process(pk, lease)


@pytest.fixture
def connected(db, zoom_app, import_once_in_a_while):
    """The Site, its host, the simulator, and shortcuts of the service."""
    site = default_site()
    site_settings = import_once_in_a_while(
        site, PERSON, show=["meetings", "webinars", "registration"], plan="business"
    )
    hosts = Host.objects.filter(account=site_settings.account)
    zoom_id = site_settings.grant.zoom_user_id
    host = hosts.get(zoom_id=zoom_id)
    zoom_app.clear_calls()

    def schedule(key="k1", **values):
        values = {"topic": "Open evening", "start": START, **values}
        return service.schedule(site=site, host=host, key=key, **values)

    def at_zoom(topic="Open evening"):
        return [row for row in zoom_app.meetings() if row["topic"] == topic]

    def calls(method):
        rows = [call for call in zoom_app.calls() if call["method"] == method]
        return [call for call in rows if "/v2/" in call["path"]]

    return SimpleNamespace(
        site=site, host=host, zoom=zoom_app, settings=site_settings, account=site_settings.account,
        schedule=schedule, at_zoom=at_zoom, calls=calls,
    )  # fmt: skip


def stored_meeting(change):
    """The local copy of a change's meeting."""
    return Meeting.objects.get(account=change.account_id, zoom_id=change.meeting_zoom_id)


def stored_dates(meeting):
    return list(Occurrence.objects.filter(meeting=meeting).order_by("start"))
