"""``manage.py zoom_events``: the stored webhook events, for operators."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Count, F, Max, Min, QuerySet
from django.utils import timezone

from ...models import WebhookEvent
from ...sync import inbox, retention
from ..base import DatabaseCommand

DURATION = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """``90m``, ``36h`` or ``7d``.

    Raises:
        CommandError: it is none of these.
    """
    match = DURATION.fullmatch(text)
    if not match:
        raise CommandError("--since wants a span such as 90m, 36h or 7d.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(DatabaseCommand):
    """Prints ids, names, times and error classes; never the content of an event."""

    help = "Lists, repeats, prunes or counts the messages that Zoom sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["list", "replay", "prune", "stats"])
        parser.add_argument("--since", help="only the last 90m, 36h or 7d")
        parser.add_argument("--account", help="Zoom's account id")
        parser.add_argument("--event", help="name of the event, such as meeting.updated")
        parser.add_argument("--state", choices=WebhookEvent.State.values)
        parser.add_argument("--limit", type=int, default=100, help="most lines of a list")
        parser.add_argument(
            "--dry-run", action="store_true", help="only report how many events match"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = self._rows(options)
        getattr(self, f"_{options['action']}")(rows, options)

    def _rows(self, options: dict[str, Any]) -> QuerySet[WebhookEvent]:
        rows = WebhookEvent.objects.all()
        if options["since"]:
            rows = rows.filter(received_at__gte=timezone.now() - parse_duration(options["since"]))
        if options["account"]:
            rows = rows.filter(account_zoom_id=options["account"])
        if options["event"]:
            rows = rows.filter(event=options["event"])
        if options["state"]:
            rows = rows.filter(state=options["state"])
        return rows

    def _list(self, rows: QuerySet[WebhookEvent], options: dict[str, Any]) -> None:
        for row in rows.order_by("-received_at")[: options["limit"]]:
            error = f" {row.error_class} after {row.attempts}" if row.error_class else ""
            self.stdout.write(
                f"{row.pk}\t{row.received_at:%Y-%m-%d %H:%M:%S}Z\t{row.state}\t{row.event}\t"
                f"{row.account_zoom_id}{error}"
            )

    def _replay(self, rows: QuerySet[WebhookEvent], options: dict[str, Any]) -> None:
        """Failed events unless a state is given; events without a payload cannot be replayed."""
        rows = rows if options["state"] else rows.filter(state=WebhookEvent.State.DEAD)
        rows = rows.exclude(payload={})
        if options["dry_run"]:
            self.stdout.write(f"{rows.count()} would be repeated.")
            return
        count = 0
        for event in rows.order_by("event_ts", "pk").iterator():
            inbox.replay(event)
            count += 1
        self.stdout.write(f"{count} will be repeated.")

    def _prune(self, rows: QuerySet[WebhookEvent], options: dict[str, Any]) -> None:
        """Apply the retention rules; with filters, delete the handled events that match."""
        is_filtered = any(options[name] for name in ("since", "account", "event", "state"))
        states = WebhookEvent.State
        handled = [states.DONE, states.IGNORED, states.DEAD, states.PARKED]
        rows = rows.filter(state__in=handled) if is_filtered else retention.outdated_events()
        if options["dry_run"]:
            self.stdout.write(f"{rows.count()} would be deleted.")
            return
        count = 0
        while keys := list(rows.order_by("pk").values_list("pk", flat=True)[: retention.BATCH]):
            WebhookEvent.objects.filter(pk__in=keys).delete()
            count += len(keys)
        self.stdout.write(f"{count} deleted.")

    def _stats(self, rows: QuerySet[WebhookEvent], options: dict[str, Any]) -> None:
        now = timezone.now()
        for row in rows.values("event", "state").annotate(n=Count("pk")).order_by("event", "state"):
            self.stdout.write(f"{row['event']}\t{row['state']}\t{row['n']}")
        waiting = rows.filter(state=WebhookEvent.State.PENDING)
        oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
        age = int((now - oldest).total_seconds()) if oldest else 0
        self.stdout.write(f"waiting: {waiting.count()}, the oldest for {age} s")
        objects = waiting.values("lock_key").annotate(n=Count("pk")).order_by("-n")[:1]
        self.stdout.write(f"most events of one object: {objects[0]['n'] if objects else 0}")
        slowest = rows.filter(state=WebhookEvent.State.DONE).aggregate(
            slowest=Max(F("done_at") - F("received_at"))
        )["slowest"]
        if slowest is not None:
            self.stdout.write(f"slowest from receipt to done: {slowest.total_seconds():.1f} s")
