"""Fixtures of the measurements: rows, a connected Site, a worker in this process."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom import webhooks
from wagtail_zoom.client import ratelimit
from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    Host,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.sync import inbox, settings_changes
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.server import SimulatorControl, SimulatorProcess
from wagtail_zoom.testing.worker import TaskRunner
from wagtail_zoom.utils import queue


def worker() -> TaskRunner:
    """Tasks are collected and run in this process."""
    runner = TaskRunner()
    queue._send = runner.send
    webhooks.debounce = lambda name, seconds: True
    inbox.POLL_SECONDS = 0
    return runner


def disable_rate_limits() -> None:
    """Switch the client's rate limits off, to measure work and not waiting."""
    for rates in (ratelimit.RATES, ratelimit.DAILY_LIMITS):
        for plan in rates:
            rates[plan] = dict.fromkeys(("light", "medium", "heavy"), 10**9)


@contextmanager
def simulator(*arguments: str) -> Any:
    """A Zoom simulator process, and the settings pointing at it."""
    process = SimulatorProcess(*arguments)
    zoom = settings.WAGTAIL_ZOOM
    settings.WAGTAIL_ZOOM = {**zoom, "OAUTH_URL": process.url, "API_URL": f"{process.url}/v2"}
    try:
        yield process.client
    finally:
        settings.WAGTAIL_ZOOM = zoom
        process.stop()


def admin() -> Any:
    """The superuser."""
    users = get_user_model().objects
    return users.filter(username="admin").first() or users.create_superuser(
        "admin", "admin@example.org", "pw"
    )


def default_site() -> Site:
    return Site.objects.get(is_default_site=True)


def connected(
    runner: TaskRunner, person: str, *, hosts: tuple[str, ...] = (), plan: str = "business",
    kinds: tuple[str, ...] = ("meetings", "recordings"),
) -> ZoomSettings:  # fmt: skip
    """Connect the default Site and select kinds and hosts; nothing is imported yet."""
    client = Client()
    client.force_login(admin())
    site = default_site()
    connect_site(client, site, person)
    runner.run()
    site_settings = ZoomSettings.for_site(site)
    ZoomAccount.objects.filter(pk=site_settings.account_id).update(plan=plan, plan_stated=True)
    for name in kinds:
        setattr(site_settings, f"show_{name}", True)
    site_settings.save()
    rows = Host.objects.filter(account=site_settings.account_id)
    for host in rows.filter(zoom_id__in=hosts) if hosts else rows:
        ExposedHost.objects.get_or_create(settings=site_settings, host=host)
    return ZoomSettings.objects.select_related("account", "grant").get(pk=site_settings.pk)


def host_id(zoom: SimulatorControl, key: str) -> str:
    """Zoom's id of a user of the simulator, such as ``aurora-0``."""
    return next(user["id"] for user in zoom.users(key.split("-")[0]) if user["key"] == key)


def bulk(zoom: SimulatorControl, host: str, **counts: int) -> None:
    """Create many objects, in steps that stay within the control API's timeout."""
    for name, count in counts.items():
        while count > 0:
            zoom.bulk(host, **{name: min(1000, count)})
            count -= 1000


def import_all(runner: TaskRunner, site_settings: ZoomSettings) -> SyncRun:
    """Run the first import to its end in this process."""
    settings_changes.apply_settings_changes(site_settings, admin())
    return finish(runner, site_settings)


def finish(runner: TaskRunner, site_settings: ZoomSettings) -> SyncRun:
    """Run tasks until the account's sync run has ended."""
    while True:
        runner.run(10**6)
        run = SyncRun.objects.filter(account=site_settings.account_id).order_by("-pk")[0]
        if not run.is_open:
            return run
        now = timezone.now()
        if run.next_try_at and run.next_try_at > now:
            time.sleep(min(5.0, (run.next_try_at - now).total_seconds() + 0.01))
        runner.run_slice(run.pk)


def site_with_rows() -> ZoomSettings:
    """A Site that shows one host, as rows only."""
    account = ZoomAccount.objects.create(zoom_id="bench", plan="business")
    grant = Grant.objects.create(
        client_id="simulator-client", account=account, zoom_user_id="h1", account_level=True
    )
    host = Host.objects.create(account=account, zoom_id="h1", display_name="Host")
    site_settings = ZoomSettings.objects.create(
        site=default_site(), grant=grant, account=account, configured_at=timezone.now(),
        show_meetings=True, show_recordings=True,
    )  # fmt: skip
    ExposedHost.objects.create(settings=site_settings, host=host)
    return site_settings


def add_occurrences(
    site_settings: ZoomSettings, first: int, last: int, per_meeting: int = 10
) -> None:
    """Occurrences ``first`` to ``last`` in series of ten, half of them past, with items."""
    host = Host.objects.get(account=site_settings.account_id)
    now = timezone.now()
    for begin in range(first // per_meeting, -(-last // per_meeting), 500):
        numbers = range(begin, min(begin + 500, -(-last // per_meeting)))
        meetings = Meeting.objects.bulk_create(
            Meeting(
                account=site_settings.account,
                host=host,
                host_zoom_id="h1",
                kind="meeting",
                zoom_type=8,
                zoom_id=str(80_000_000_000 + number),
                topic=f"Evening {number}",
                detail_at=now,
                timezone="Europe/Berlin",
                duration=60,
                agenda="What it is about. " * 5,
            )  # fmt: skip
            for number in numbers
        )
        rows = []
        for number, meeting in zip(numbers, meetings, strict=True):
            for index in range(per_meeting):
                start = _start(now, number * per_meeting + index)
                rows.append(
                    Occurrence(
                        meeting=meeting,
                        account=site_settings.account,
                        zoom_id=str(index),
                        start=start,
                        end=start + timedelta(hours=1),
                        duration=60,
                    )  # fmt: skip
                )
        Occurrence.objects.bulk_create(rows, batch_size=1000)
        SiteItem.objects.bulk_create(
            SiteItem(
                site=site_settings.site,
                account=site_settings.account,
                kind="meeting",
                key=meeting.zoom_id,
                meeting=meeting,
                last_title=meeting.topic,
            )  # fmt: skip
            for meeting in meetings
        )


def _start(now: datetime, number: int) -> datetime:
    """Alternately future and past, further away the higher the number."""
    sign = 1 if number % 2 else -1
    return now + sign * timedelta(hours=2, minutes=13 * (number + 1))


def add_recordings(site_settings: ZoomSettings, count: int) -> None:
    """Published recordings."""
    host = Host.objects.get(account=site_settings.account_id)
    now = timezone.now()
    recordings = Recording.objects.bulk_create(
        Recording(
            account=site_settings.account,
            host=host,
            host_zoom_id="h1",
            uuid=f"r{number}",
            zoom_type="2",
            topic=f"Film {number}",
            is_ready=True,
            start=now - timedelta(hours=5 * number + 5),
            duration=50,
            timezone="Europe/Berlin",
        )  # fmt: skip
        for number in range(count)
    )
    SiteItem.objects.bulk_create(
        SiteItem(
            site=site_settings.site,
            account=site_settings.account,
            kind="recording",
            key=row.uuid,
            recording=row,
            last_title=row.topic,
            visibility=SiteItem.Visibility.PUBLISHED,
        )  # fmt: skip
        for row in recordings
    )
