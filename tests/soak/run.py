"""The soak test: prepare, run, finish, report. Imported after Django is set up."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.core.management import call_command
from django.db import close_old_connections, connection
from django.db.models import F, Q
from django.utils import timezone

from wagtail_zoom.models import (
    Grant,
    GrantState,
    Meeting,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.registration import reconcile
from wagtail_zoom.registration.mails import HELD_KEY
from wagtail_zoom.sync import runs
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.utils.queue import enqueue

from . import owners
from .changing_sites import ChangingOwners, Reader, prepare_zoom
from .checks import LocalCopyCheck, RegistrationCheck
from .fault_injection import FaultInjector
from .hosts import Hosts
from .process_group import ProcessGroup
from .visitors import Visitors

OPEN_STATES = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
TOKEN_SECONDS = 180
"""Lifetime of an access token: it is refreshed after less than a minute of use."""


class Soak:
    """One run."""

    def __init__(self, processes: ProcessGroup, rng: random.Random) -> None:
        self.processes, self.rng = processes, rng
        self.zoom = SimulatorControl(processes.config.simulator_url)
        self.wrong: list[str] = []
        self.checked: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}
        self._stop = threading.Event()

    def prepare(self) -> None:
        """Database, sites, connections, first import."""
        call_command("setup_demo")
        ChangingOwners.create_sites()
        self.processes.start_zoom()
        prepare_zoom(self.zoom)
        self.zoom.options(access_token_ttl=TOKEN_SECONDS, delivery_workers=2)
        self.processes.start()
        owners.connect_all()
        self.changing_owners = ChangingOwners(self.zoom, random.Random(self.rng.random()))
        self.changing_owners.return_all()
        self._wait("first import", self._runs_open, 120)
        if self.wrong:
            words = "\n".join(worker.log_tail() for worker in self.processes.workers)
            raise RuntimeError(f"{self.wrong}\n{words}")
        self.hosts = Hosts(self.zoom, random.Random(self.rng.random()))
        self.visitors = Visitors(self.processes.config, random.Random(self.rng.random()))
        self.owners = owners.Owners(random.Random(self.rng.random()))
        reader_rng = random.Random(self.rng.random())
        self.reader = Reader(self.processes.config, self.changing_owners, reader_rng)
        self.faults = FaultInjector(self.zoom, random.Random(self.rng.random()))

    def run(self, seconds: float, *, kills: bool, faults: bool) -> None:
        """Run everything concurrently, for some seconds."""
        loops: list[tuple[Callable[[], object], float]] = [
            (self.hosts.act, 0.4), (self.visitors.register, 1.0), (self.visitors.read, 1.0),
            (self.visitors.cancel, 9.0), (self.owners.decide, 5.0), (self.owners.repair, 5.0),
            (self.owners.reconcile, 45.0), (self.changing_owners.act, 2.0), (self.reader.read, 1.0),
        ]  # fmt: skip
        if faults:
            loops.append((self.faults.change, 6.0))
        threads = [threading.Thread(target=self._loop, args=loop) for loop in loops]
        for thread in threads:
            thread.start()
        rng, until = random.Random(self.rng.random()), time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(rng.uniform(2, 8))
            if kills:
                self.processes.kill(rng)
                time.sleep(rng.uniform(0, 2))
                self.processes.restart()
        self._stop.set()
        for thread in threads:
            thread.join()

    def _loop(self, action: Callable[[], object], pause: float) -> None:
        rng = random.Random(f"{action.__name__}{pause}")  # type: ignore[attr-defined]
        while not self._stop.wait(rng.uniform(0.3, 1.7) * pause):
            try:
                action()
            except Exception as error:
                # Errors by injected faults are counted and reported at the end.
                self.checked[f"action {action.__name__}: {type(error).__name__}"] += 1  # type: ignore[attr-defined]
            close_old_connections()
        connection.close()

    def finish(self, limit: float) -> None:
        """Switch faults off, process everything that is due, then reconcile."""
        self.faults.clear()
        self.processes.restart()
        self.owners.repair()
        self.changing_owners.return_all()
        # As "Try now" does: after many failures the next try may be half an hour away.
        degraded = Grant.objects.filter(state=GrantState.DEGRADED)
        degraded.update(retry_at=timezone.now(), failures=0)
        WebhookEvent.objects.filter(state="pending").update(run_after=timezone.now())
        Registration.objects.exclude(task="").exclude(error_class="personal_limit").update(
            task_at=timezone.now(), next_try_at=timezone.now()
        )
        enqueue("process_events")
        self._wait("process what is left", self._busy, limit)
        # Occurrences of a series are in the detail only, which is fetched again after six hours.
        Meeting.objects.update(detail_at=F("detail_at") - timedelta(hours=6))
        for number in (1, 2):
            # Objects missing without an event are removed by the second run, by design.
            for account in ZoomAccount.objects.all():
                runs.request_run(account, SyncRun.Mode.RECONCILE, None)
            self._wait(f"reconciliation {number}", self._runs_open, limit)
        # Not as queued tasks: nothing shows when the last of them has ended.
        for pk in reconcile.meetings_to_reconcile(timezone.now()).values_list("pk", flat=True):
            reconcile.reconcile_quietly(pk)
        self._wait("registrations reconciled", self._busy, limit)

    def _runs_open(self) -> str:
        rows = SyncRun.objects.filter(state__in=OPEN_STATES)
        return ", ".join(f"run {row.pk} {row.state} {row.error_class}" for row in rows)

    def _busy(self) -> str:
        # An email about another new time waits for an hour after the one before.
        is_held = Q(mails__has_key=HELD_KEY, mail_at__gt=timezone.now())
        due = Registration.objects.filter(Q(task__gt="") | Q(mail_due__gt="") & ~is_held)
        counts = {
            "events": WebhookEvent.objects.filter(state="pending").count(),
            # Those of an account that the Site has left wait for its return.
            "registrations": due.exclude(error_class__in=("personal_limit", "left")).count(),
        }
        texts = [f"{count} {name}" for name, count in counts.items() if count]
        return ", ".join([*texts, *filter(None, [self._runs_open()])])

    def _wait(self, name: str, describe_open: Callable[[], str], limit: float) -> None:
        began = time.monotonic()
        while text := describe_open():
            if time.monotonic() - began > limit:
                self.wrong.append(f"{name}: not done after {limit:.0f} s: {text}")
                break
            time.sleep(0.5)
        self.seconds[name] = time.monotonic() - began

    def _save_traffic(self) -> None:
        """Save all API calls and webhook deliveries for debugging."""
        folder = self.processes.config.folder
        (folder / "calls.json").write_text(json.dumps(self.zoom.calls(), indent=1))
        messages = self.zoom.deliveries(limit=100_000)
        (folder / "deliveries.json").write_text(json.dumps(messages, indent=1))

    def report(self) -> bool:
        """Compare all data and print counts and differences; returns whether there are none."""
        for account in ZoomAccount.objects.order_by("pk"):
            local_copy = LocalCopyCheck(self.zoom, account)
            self.wrong += local_copy.find_differences()
            self.checked += local_copy.counts
        self.wrong += [*self.changing_owners.wrong, *self.reader.wrong]
        if not self.reader.counts["marks read"]:
            self.wrong.append("the reader read no mark at all")
        registrations = RegistrationCheck(self.zoom)
        self.wrong += registrations.find_differences(self.visitors.attempts)
        dead = WebhookEvent.objects.filter(state="dead")
        self.wrong += [f"event {row.event} is dead: {row.error_class}" for row in dead]
        runs_failed = SyncRun.objects.filter(state="failed").values_list("error_class", flat=True)
        events = Counter(
            entry["state"] if entry["number"] or entry["state"] != "pending" else "waiting"
            for entry in self.zoom.deliveries(limit=100_000)
        )
        calls = self.zoom.calls("path=/oauth/token")
        sections = {
            "at Zoom": self.hosts.counts, "faults": self.faults.hits,
            "processes": self.processes.counts, "visitors": self.visitors.counts,
            "owners": self.owners.counts, "owners who leave": self.changing_owners.counts,
            "read while nothing changes": self.reader.counts, "deliveries of events": events,
            "events here": Counter(WebhookEvent.objects.values_list("state", flat=True)),
            "token calls": Counter(f"{entry['grant_type']} {entry['status']}" for entry in calls),
            "runs": Counter(SyncRun.objects.values_list("state", flat=True)),
            "runs failed": Counter(runs_failed),
            "seconds": Counter({name: round(value) for name, value in self.seconds.items()}),
            "compared": self.checked, "registrations": registrations.counts,
        }  # fmt: skip
        for name, counts in sections.items():
            print(f"\n{name}:")
            for what, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0]))):
                print(f"  {count:>7}  {what}")
        print()
        if self.wrong:
            self._save_traffic()
        for text in self.wrong:
            print(f"WRONG  {text}")
        print("Nothing was lost, nothing was doubled, all rows agree." if not self.wrong
              else f"{len(self.wrong)} differences.", flush=True)  # fmt: skip
        return not self.wrong
