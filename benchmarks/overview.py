"""Many connected Sites: planning, the overview, event routing; and retention over a year."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from io import StringIO
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Heartbeat,
    Host,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.sync import inbox, retention, runs
from wagtail_zoom.testing import factories

from . import fixtures
from .measure import BUSY, QUICK, Figure, cpu, percentile, report

SIZES = (100, 300) if QUICK else (100, 10_000)
EVENTS = 50


def add_sites(first: int, last: int) -> None:
    """Add connected Sites, each with its own account."""
    now = timezone.now()
    root = fixtures.default_site().root_page
    names = range(first, last)
    sites = Site.objects.bulk_create(
        Site(hostname=f"s{number}.example.org", root_page=root, port=80) for number in names
    )
    accounts = ZoomAccount.objects.bulk_create(
        ZoomAccount(
            zoom_id=f"account{number}",
            plan="business",
            reconciled_at=now,
            last_event_at=now,
        )  # fmt: skip
        for number in names
    )
    grants = Grant.objects.bulk_create(
        Grant(client_id="simulator-client", account=account, zoom_user_id="h1", account_level=True)
        for account in accounts
    )
    hosts = Host.objects.bulk_create(
        Host(account=account, zoom_id="h1", display_name="Host") for account in accounts
    )
    site_settings_list = ZoomSettings.objects.bulk_create(
        ZoomSettings(
            site=site,
            account=account,
            grant=grant,
            configured_at=now,
            show_meetings=True,
            organiser="Somebody",
        )  # fmt: skip
        for site, account, grant in zip(sites, accounts, grants, strict=True)
    )
    ExposedHost.objects.bulk_create(
        ExposedHost(settings=site_settings, host=host)
        for site_settings, host in zip(site_settings_list, hosts, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def run() -> None:
    """Measure at both sizes."""
    runner = fixtures.worker()
    Heartbeat.beat("tick")
    client = Client()
    client.force_login(fixtures.admin())
    seconds_by_name: dict[str, list[float]] = {"plan": [], "view": [], "route": []}
    queries, previous_size = 0, 0
    for size in SIZES:
        add_sites(previous_size, size)
        previous_size = size
        for name, work, times in (
            ("plan", _plan, 3), ("view", lambda: _view(client), 3), ("route", _route, 3),
        ):  # fmt: skip
            seconds = []
            for number in range(times + 1):
                if name == "plan":
                    _make_due()
                elapsed = _seconds(work)
                if number:
                    seconds.append(elapsed)
            seconds_by_name[name].append(percentile(seconds, 0.5))
            runner.clear()
        with CaptureQueriesContext(connection) as seen:
            _view(client)
        queries = len(seen)
    unit = "CPU" if BUSY else "wall"
    for name, what in (
        ("plan", f"planning a reconciliation of {runs.MAX_PER_SWEEP} accounts (one tick)"),
        ("view", f"overview, {queries} queries"),
        ("route", f"{EVENTS} events of as many accounts, without fetches"),
    ):
        small, large = seconds_by_name[name]
        ratio = large / small
        report(
            Figure(
                f"{SIZES[1]:,} connected Sites: {what}",
                f"{large * 1000:.0f} ms ({unit})",
                f"{SIZES[0]} Sites: {small * 1000:.0f} ms",
                f"{ratio:.2f} ×",
                "≤ 1.3 ×",
                ratio <= 1.3,
            )  # fmt: skip
        )


def operator() -> None:
    """What an operator reads and waits for: a dead worker, one owner in ten who has to connect
    again, and a Site with 20,000 registrations."""
    add_registrations(20_000)
    Heartbeat.beat("tick")
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(hours=2))
    sizes, previous_size = ((103, 303) if QUICK else (203, 2003)), 0
    measured: list[dict[str, tuple[float, int, int]]] = []
    for size in sizes:
        add_sites(previous_size, size)
        previous_size = size
        for grant in Grant.objects.order_by("pk")[::10]:
            Grant.objects.filter(pk=grant.pk).update(
                state="needs_reconnect", reason="invalid_grant", state_since=timezone.now()
            )
        measured.append(_operator_views())
    for name, (seconds, queries, length) in measured[1].items():
        smaller = measured[0][name]
        # A file of all Sites has a few queries for each hundred of them.
        is_bounded = name not in ("file of all Sites (CSV)", "zoom_doctor", "zoom_doctor --json")
        report(
            Figure(
                f"{sizes[1]:,} Sites, worker dead: {name}",
                f"{seconds * 1000:.0f} ms, {queries} queries, {length / 1024:.0f} kB",
                f"{sizes[0]} Sites: {smaller[0] * 1000:.0f} ms, {smaller[1]} queries",
                f"{queries / max(1, smaller[1]):.2f} × the queries",
                "1 ×" if is_bounded else "",
                queries <= smaller[1] if is_bounded else None,
            )
        )


def add_registrations(count: int) -> None:
    """Registrations for one meeting of the default Site."""
    meeting = factories.make_meeting(factories.make_host(account := factories.make_account()))
    site = fixtures.default_site()
    factories.make_settings(site, factories.make_grant(account), [meeting.host])
    row = factories.make_registration(site, meeting)
    rows = []
    for number in range(count):
        row.pk, row.idempotency_key, row.email_index = None, f"key-{number}", f"index-{number}"
        row.public_id, row.zoom_registrant_id = uuid4(), f"registrant-{number}"
        rows.append(copy(row))
    Registration.objects.bulk_create(rows, batch_size=1000)


def _operator_views() -> dict[str, tuple[float, int, int]]:
    """Seconds, queries and bytes: of a file at the first try, of the others at the second."""
    client = Client()
    client.force_login(fixtures.admin())
    registrations = reverse("wagtail_zoom_registrations:index")
    urls = {
        "homepage": reverse("wagtailadmin_home"),
        "overview of all Sites": reverse("wagtail_zoom_admin:overview"),
        "file of all Sites (CSV)": f"{reverse('wagtail_zoom_admin:overview')}?export=csv",
        "list of 20,000 registrations": registrations,
        "20,000 registrations (CSV)": f"{registrations}?export=csv",
        "20,000 registrations (XLSX), refused": f"{registrations}?export=xlsx",
    }
    works: dict[str, Callable[[], int]] = {
        name: lambda url=url: _download(client, url) for name, url in urls.items()
    }
    works["zoom_doctor"] = lambda: _doctor()
    works["zoom_doctor --json"] = lambda: _doctor("--json")
    measured = {}
    for name, work in works.items():
        if "CSV" not in name:
            work()
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as seen:
            length = work()
        measured[name] = (time.perf_counter() - began, len(seen), length)
    return measured


def _download(client: Client, url: str) -> int:
    response = client.get(url, follow=True)
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}.")
    return len(b"".join(response) if response.streaming else response.content)


def _doctor(*arguments: str) -> int:
    out = StringIO()
    try:
        call_command("zoom_doctor", *arguments, stdout=out)
    except CommandError:
        return len(out.getvalue())
    raise RuntimeError("The doctor found no problem with a dead worker.")


def _seconds(work: Callable[[], object]) -> float:
    clock = cpu if BUSY else time.perf_counter
    began = clock()
    work()
    return clock() - began


def _make_due() -> None:
    SyncRun.objects.all().delete()
    ZoomAccount.objects.update(next_reconcile_at=timezone.now() - timedelta(minutes=1))


def _plan() -> None:
    if runs.start_due_runs(timezone.now()) != runs.MAX_PER_SWEEP:
        raise RuntimeError("Fewer reconciliations were planned than were due.")


def _view(client: Client) -> None:
    if client.get(reverse("wagtail_zoom_admin:overview")).status_code != 200:
        raise RuntimeError("The overview does not answer.")


def _route() -> None:
    mark, now = str(time.time_ns()), timezone.now()
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            request_id=f"{mark}{index}",
            content_key=f"{mark}{index}",
            event="meeting.started",
            account_zoom_id=f"account{index}",
            lock_key=f"account{index}:meeting:1",
            received_at=now,
            payload={"object": {"id": "1"}},
        )  # fmt: skip
        for index in range(EVENTS)
    )
    while inbox.process_due_events(timezone.now()):
        pass
    if WebhookEvent.objects.filter(state="pending").exists():
        raise RuntimeError("Events were left over.")


def year() -> None:
    """Rows of a year for a thousand Sites, scaled down a hundredfold, and what retention leaves."""
    fixtures.worker()
    site_settings = fixtures.site_with_rows()
    now, days = timezone.now(), 365
    written = {"events": 50, "runs": 40, "activity": 30}
    for day in range(days):
        timestamp = now - timedelta(days=day, hours=1)
        WebhookEvent.objects.bulk_create(
            WebhookEvent(
                request_id=f"{day}-{n}",
                content_key=f"{day}-{n}",
                state="done",
                received_at=timestamp,
                payload={"object": {"id": 1}},
            )  # fmt: skip
            for n in range(written["events"])
        )
        SyncRun.objects.bulk_create(
            SyncRun(
                account=site_settings.account, mode="reconcile", state="done", finished_at=timestamp
            )
            for _ in range(written["runs"])
        )
        Activity.objects.bulk_create(
            Activity(
                site=site_settings.site, category="sync", code="run_done", created_at=timestamp
            )
            for _ in range(written["activity"])
        )
    ticks = 0
    while any(retention.delete_outdated(now).values()):
        ticks += 1
    for name, model, retention_days in (
        ("events", WebhookEvent, 30), ("runs", SyncRun, 90), ("activity", Activity, 180),
    ):  # fmt: skip
        rows, limit = model.objects.count(), written[name] * (retention_days + 1)
        report(
            Figure(
                f"Rows kept after a year: {name}",
                f"{rows:,}",
                f"{written[name] * days:,} written",
                f"{rows / (written[name] * days):.1%}",
                f"{retention_days} days' worth",
                rows <= limit,
                f"{ticks} ticks of at most {retention.BATCH} rows",
            )  # fmt: skip
        )
