"""The soak itself: prepare, shake, settle, report. Imported when Django is set up."""

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

from wagtail_zoom.models import Meeting, Registration, SyncRun, WebhookEvent, ZoomAccount
from wagtail_zoom.registration import reconcile
from wagtail_zoom.sync import runs
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.utils.queue import enqueue

from . import owners
from .hosts import Hosts
from .judge import Mirror, SignUps
from .stage import Stage
from .troubles import Troubles
from .visitors import Visitors

OPEN = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
TOKEN_SECONDS = 180
"""Life of an access token: it is renewed after less than a minute of use."""


class Soak:
    """One run."""

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self.stage, self.dice = stage, dice
        self.zoom = SimulatorControl(stage.places.simulator_url)
        self.wrong: list[str] = []
        self.checked: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}
        self._stop = threading.Event()

    def prepare(self) -> None:
        """Database, sites, connections, first import."""
        call_command("setup_demo")
        self.stage.start_zoom()
        self.zoom.options(access_token_ttl=TOKEN_SECONDS, delivery_workers=2)
        self.stage.start()
        owners.connect_all()
        self._wait("first import", self._runs_open, 120)
        if self.wrong:
            words = "\n".join(worker.last_words() for worker in self.stage.workers)
            raise RuntimeError(f"{self.wrong}\n{words}")
        self.hosts = Hosts(self.zoom, random.Random(self.dice.random()))
        self.visitors = Visitors(self.stage.places, random.Random(self.dice.random()))
        self.owners = owners.Owners(random.Random(self.dice.random()))
        self.troubles = Troubles(self.zoom, random.Random(self.dice.random()))

    def shake(self, seconds: float, *, kills: bool, faults: bool) -> None:
        """Everything at once, for some seconds."""
        loops: list[tuple[Callable[[], object], float]] = [
            (self.hosts.act, 0.4), (self.visitors.sign_up, 1.0), (self.visitors.read, 1.0),
            (self.visitors.cancel, 9.0), (self.owners.decide, 5.0), (self.owners.repair, 5.0),
            (self.owners.compare, 45.0),
        ]  # fmt: skip
        if faults:
            loops.append((self.troubles.change, 6.0))
        threads = [threading.Thread(target=self._loop, args=loop) for loop in loops]
        for thread in threads:
            thread.start()
        dice, until = random.Random(self.dice.random()), time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(dice.uniform(2, 8))
            if kills:
                self.stage.kill(dice)
                time.sleep(dice.uniform(0, 2))
                self.stage.revive()
        self._stop.set()
        for thread in threads:
            thread.join()

    def _loop(self, deed: Callable[[], object], pause: float) -> None:
        dice = random.Random(f"{deed.__name__}{pause}")  # type: ignore[attr-defined]
        while not self._stop.wait(dice.uniform(0.3, 1.7) * pause):
            try:
                deed()
            except Exception as problem:
                # A robot that stumbles over a fault goes on; what it saw is told at the end.
                self.checked[f"robot {deed.__name__}: {type(problem).__name__}"] += 1  # type: ignore[attr-defined]
            close_old_connections()
        connection.close()

    def settle(self, limit: float) -> None:
        """Faults off, everything runs, what was started ends; then one comparison."""
        self.troubles.clear()
        self.stage.revive()
        self.owners.repair()
        WebhookEvent.objects.filter(state="pending").update(run_after=timezone.now())
        Registration.objects.exclude(task="").exclude(error_class="personal_limit").update(
            task_at=timezone.now(), next_try_at=timezone.now()
        )
        enqueue("drain")
        self._wait("work off what is left", self._busy, limit)
        # Dates of a series stand in the detail only, which the comparison of six hours later reads.
        Meeting.objects.update(detail_at=F("detail_at") - timedelta(hours=6))
        for turn in (1, 2):
            # What vanished without a message takes two looks, by design (one for most things).
            for account in ZoomAccount.objects.all():
                runs.request_run(account, SyncRun.Mode.RECONCILE, None)
            self._wait(f"comparison {turn}", self._runs_open, limit)
        for pk in reconcile.wanted(timezone.now()).values_list("pk", flat=True):
            enqueue("check_registrants", pk)
        time.sleep(5)
        self._wait("sign-ups compared", self._busy, limit)

    def _runs_open(self) -> str:
        rows = SyncRun.objects.filter(state__in=OPEN)
        return ", ".join(f"run {row.pk} {row.state} {row.error_class}" for row in rows)

    def _busy(self) -> str:
        due = Registration.objects.filter(Q(mail_due__gt="") | Q(task__gt=""))
        left = {
            "messages": WebhookEvent.objects.filter(state="pending").count(),
            "sign-ups": due.exclude(error_class="personal_limit").count(),
        }
        told = [f"{count} {name}" for name, count in left.items() if count]
        return ", ".join([*told, *filter(None, [self._runs_open()])])

    def _wait(self, name: str, left: Callable[[], str], limit: float) -> None:
        began = time.monotonic()
        while text := left():
            if time.monotonic() - began > limit:
                self.wrong.append(f"{name}: not done after {limit:.0f} s: {text}")
                break
            time.sleep(0.5)
        self.seconds[name] = time.monotonic() - began

    def _remember(self) -> None:
        """For whoever looks for the reason: every call that Zoom received, and every message."""
        folder = self.stage.places.folder
        (folder / "calls.json").write_text(json.dumps(self.zoom.calls(), indent=1))
        messages = self.zoom.deliveries(limit=100_000)
        (folder / "deliveries.json").write_text(json.dumps(messages, indent=1))

    def report(self) -> bool:
        """Compare, and print what was done, how often, and what was lost."""
        for account in ZoomAccount.objects.order_by("pk"):
            mirror = Mirror(self.zoom, account)
            self.wrong += mirror.compare()
            self.checked += mirror.counts
        sign_ups = SignUps(self.zoom)
        self.wrong += sign_ups.compare(self.visitors.sign_ups)
        dead = WebhookEvent.objects.filter(state="dead")
        self.wrong += [f"message {row.event} is dead: {row.error_class}" for row in dead]
        runs_failed = SyncRun.objects.filter(state="failed").values_list("error_class", flat=True)
        events = Counter(
            one["state"] if one["number"] or one["state"] != "pending" else "waiting"
            for one in self.zoom.deliveries(limit=100_000)
        )
        calls = self.zoom.calls("path=/oauth/token")
        told = {
            "at Zoom": self.hosts.counts, "faults": self.troubles.hits,
            "processes": self.stage.counts, "visitors": self.visitors.counts,
            "owners": self.owners.counts, "deliveries of messages": events,
            "messages here": Counter(WebhookEvent.objects.values_list("state", flat=True)),
            "token calls": Counter(f"{one['grant_type']} {one['status']}" for one in calls),
            "runs": Counter(SyncRun.objects.values_list("state", flat=True)),
            "runs failed": Counter(runs_failed),
            "seconds": Counter({name: round(value) for name, value in self.seconds.items()}),
            "compared": self.checked, "sign-ups": sign_ups.counts,
        }  # fmt: skip
        for name, counts in told.items():
            print(f"\n{name}:")
            for what, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0]))):
                print(f"  {count:>7}  {what}")
        print()
        if self.wrong:
            self._remember()
        for text in self.wrong:
            print(f"WRONG  {text}")
        print("Nothing was lost, nothing was doubled, all rows agree." if not self.wrong
              else f"{len(self.wrong)} differences.", flush=True)  # fmt: skip
        return not self.wrong
