"""Ten thousand events of a hundred objects: coalesced, each object fetched at most once."""

from __future__ import annotations

import statistics
import time

from django.utils import timezone

from wagtail_zoom.client import Priority, client_for_reading
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.models import Meeting, WebhookEvent, fetch_scope
from wagtail_zoom.sync import inbox
from wagtail_zoom.sync.persist import WriteContext, store_meetings

from . import fixtures
from .measure import QUICK, Figure, ms, report, timed

OBJECTS = 100
ROUNDS = 1 if QUICK else 3


def run() -> None:
    """Measure."""
    count = 2000 if QUICK else 10_000
    with fixtures.simulator("--rate-limit", "off") as zoom:
        fixtures.bulk(zoom, "aurora-0", meetings=OBJECTS)
        runner = fixtures.worker()
        fixtures.disable_rate_limits()
        host = fixtures.host_id(zoom, "aurora-0")
        site_settings = fixtures.connected(runner, "aurora-0", hosts=(host,), kinds=("meetings",))
        fixtures.import_all(runner, site_settings)
        account = site_settings.account
        numbers = list(
            Meeting.objects.filter(account=account).values_list("zoom_id", flat=True)[:OBJECTS]
        )

        def change(mark: str) -> None:
            for number in numbers:
                zoom.change_meeting(int(number), topic=f"{mark} {number}")
            zoom.clear_calls()

        def fill(mark: str) -> None:
            WebhookEvent.objects.bulk_create(
                (
                    WebhookEvent(
                        request_id=f"{mark}{index}",
                        content_key=f"{mark}{index}",
                        account_zoom_id=account.zoom_id,
                        event="meeting.updated",
                        event_ts=int(time.time() * 1000),
                        lock_key=f"{account.zoom_id}:meeting:{numbers[index % OBJECTS]}",
                        payload={"object": {"id": numbers[index % OBJECTS], "host_id": host}},
                    )  # fmt: skip
                    for index in range(count)
                ),
                batch_size=1000,
            )

        baselines, times = [], []
        for number in range(ROUNDS):
            change(f"bulk{number}")
            fill(f"b{number}-")
            baselines.append(timed(lambda: _in_bulk(account, host, numbers)))
            change(f"drain{number}")
            fill(f"d{number}-")
            times.append(timed(_process_events))
        reads = len(zoom.calls("path=/v2/meetings/"))
        left = WebhookEvent.objects.exclude(state="done").count()
    baseline, measured = statistics.median(baselines), statistics.median(times)
    ratio = baseline / measured
    report(
        Figure(
            f"{count:,} events of {OBJECTS} objects processed",
            ms(times),
            f"one bulk pass of the same reads and writes: {ms(baselines)}",
            f"{ratio:.2f}",
            "≥ 0.5",
            ratio >= 0.5,
            f"{ROUNDS} rounds; {count / measured:.0f} events/s, {left} left over",
        )  # fmt: skip
    )
    report(
        Figure(
            "… fetches",
            f"{reads}",
            f"{OBJECTS} objects touched",
            "",
            f"≤ {OBJECTS}",
            reads <= OBJECTS and left == 0,
        )  # fmt: skip
    )


def _process_events() -> None:
    while inbox.process_due_events(timezone.now()):
        pass


def _in_bulk(account: object, host: str, numbers: list[str]) -> None:
    """The same fetches one after the other, and everything written in bulk at the end."""
    client = client_for_reading(account, host, Priority.EVENT)
    began = timezone.now()
    mapped = [map_meeting(client.meeting(number, "meeting")) for number in numbers]
    store_meetings(account, fetch_scope(account), mapped, WriteContext(began))
    WebhookEvent.objects.filter(state="pending").update(state="done", done_at=timezone.now())
