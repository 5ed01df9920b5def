"""The periodic jobs: every one is named here and runs with each tick."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.default_site import default_site
from wagtail_zoom import tasks
from wagtail_zoom.models import Grant, GrantReason, GrantState, Heartbeat
from wagtail_zoom.testing import factories
from wagtail_zoom.utils import queue

pytestmark = pytest.mark.django_db
JOBS = [
    "sync.clock_skew.check_clock",
    "sync.retention.record_heartbeat",
    "sync.retention.delete_outdated",
    "sync.event_effects.close_past_occurrences",
    "sync.inbox.sweep",
    "sync.runs.sweep",
    "oauth.disconnect.sweep",
    "oauth.tokens.sweep",
    "registration.outbox.sweep",
    "scheduling.outbox.sweep",
    "registration.reconcile.sweep",
    "registration.capacity.sweep",
    "sync.attendance.sweep",
    "frontend.cache.purge.sweep",
    "oauth.notifications.send_due_notifications",
]


def path_of(job):
    return f"{job.__module__.removeprefix('wagtail_zoom.')}.{job.__name__}"


def test_every_periodic_job_is_named():
    assert [path_of(job) for job in tasks.PERIODIC_JOBS] == JOBS


def test_a_tick_runs_every_job_with_the_same_time(monkeypatch):
    times = []
    jobs = [lambda now, name=path: times.append((name, now)) for path in JOBS]
    monkeypatch.setattr(tasks, "PERIODIC_JOBS", jobs)
    tasks.tick()
    assert [name for name, _now in times] == JOBS
    assert len({now for _name, now in times}) == 1


def test_a_job_that_fails_stops_no_other(monkeypatch, caplog):
    ran = []

    def broken(now):
        raise RuntimeError("broken")

    monkeypatch.setattr(tasks, "PERIODIC_JOBS", [broken, ran.append])
    tasks.tick()
    assert len(ran) == 1
    assert "test_tasks.broken failed" in caplog.text


class FrontEndCache:
    """A front-end cache that accepts every purge."""

    hostnames = None

    def __init__(self, config):
        pass

    def purge_batch(self, urls):
        pass


def test_a_worker_that_starts_runs_the_jobs_immediately(zoom_worker):
    """Otherwise every screen says for up to a minute that it does not run."""
    Heartbeat.objects.all().delete()
    for _process in range(3):
        queue.on_worker_start()
    assert 1 <= zoom_worker.run() <= 2  # once in 20 seconds of the clock
    assert timezone.now() - Heartbeat.objects.get(name="tick").beat_at < timedelta(minutes=1)


def test_a_tick_purges_the_front_end_cache(settings):
    settings.WAGTAILFRONTENDCACHE = {"default": {"BACKEND": f"{__name__}.FrontEndCache"}}
    tasks.tick()
    assert Heartbeat.objects.filter(name="purge").exists()


@pytest.fixture
def connected(db):
    """The default Site, connected; its one host has a meeting with registration."""
    site = default_site()
    account = factories.make_account()
    host = factories.make_host(account)
    site_settings = factories.make_settings(site, factories.make_grant(account), [host])
    return site_settings, factories.make_meeting(host, approval_type=0)


def test_a_tick_mails_owners_who_have_to_reconnect(connected):
    site_settings, _meeting = connected
    site_settings.contact_email = "owner@example.org"
    site_settings.save()
    Grant.objects.update(
        state=GrantState.NEEDS_RECONNECT, reason=GrantReason.INVALID_GRANT,
        state_since=timezone.now() - timedelta(minutes=1),
    )  # fmt: skip
    tasks.tick()
    assert [message.to for message in mail.outbox] == [["owner@example.org"]]


def test_a_tick_has_registrations_reconciled(connected, zoom_worker):
    site_settings, meeting = connected
    factories.make_registration(site_settings.site, meeting)
    tasks.tick()
    assert ("check_registrants", (meeting.pk,)) in zoom_worker.waiting


def test_a_tick_has_registrants_counted(connected, zoom_worker):
    _site_settings, meeting = connected
    tasks.tick()
    assert ("count_registrants", (meeting.pk,)) not in zoom_worker.waiting
    meeting.capacity = 5
    meeting.save()
    tasks.tick()
    assert ("count_registrants", (meeting.pk,)) in zoom_worker.waiting
