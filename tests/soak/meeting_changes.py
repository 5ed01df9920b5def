"""Many changes of meetings, with real processes: ``python -m tests.soak.meeting_changes``.

Two processes call ``wagtail_zoom.scheduling`` as web requests do, two qclusters deliver; all are
killed with SIGKILL again and again, while Zoom fails in every way. Then each meeting is compared.
The last line is JSON: the results, for the test that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo_site.processes import Process

from .installation import Installation, installation

TICK = 5.0
"""Seconds between two runs of the minutely job here, so that a lost task is soon replaced."""
HOSTS = 4
POST, WRITE = (
    {"method": "POST", "path": "^/v2/users/"},
    {"path": "^/v2/(meetings|webinars)/[0-9]+$"},
)
DAY_TEXT = "daily rate limit (100) of Meeting Create/Update API requests"
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("answer to a new one lost", {"kind": "cut_after", **POST, "probability": 0.5}),
    ("answer to a change lost", {"kind": "cut_after", **WRITE, "probability": 0.4}),
    ("half an answer", {"kind": "truncate", **POST, "probability": 0.4}),
    ("cut before a new one", {"kind": "cut_before", **POST, "probability": 0.5}),
    ("cut before a change", {"kind": "cut_before", **WRITE, "probability": 0.4}),
    ("slow", {"kind": "slow", "seconds": 1.5, "path": "^/v2/", "probability": 0.4}),
    ("slower than our limit", {"kind": "slow", "seconds": 4, **POST, "count": 3}),
    ("429 a second", {"kind": "status", "status": 429, "code": 429, "path": "^/v2/", "count": 3,
                      "headers": {"X-RateLimit-Type": "QPS"}}),
    ("429 a day, of a host", {"kind": "status", "status": 429, "code": 429, **POST, "count": 2,
                              "message": DAY_TEXT, "headers": {"X-RateLimit-Type": "Daily-limit"}}),
    ("429 a day", {"kind": "status", "status": 429, "code": 429, **POST, "count": 1,
                   "headers": {"X-RateLimit-Type": "Daily-limit", "Retry-After": "4"}}),
    ("500", {"kind": "status", "status": 500, "path": "^/v2/", "probability": 0.3}),
    ("a new one without a number", {"kind": "change_body", **POST, "drop": ["id"], "count": 2}),
    ("502 of a proxy", {"kind": "status", "status": 502, "path": "^/v2/", "probability": 0.3,
                        "body": "<html><h1>Bad gateway</h1></html>"}),
    ("refused", {"kind": "status", "status": 400, "code": 300, **POST, "count": 1}),
    ("change refused", {"kind": "status", "status": 400, "code": 300, **WRITE, "method": "PATCH",
                        "count": 1}),
    ("no permission", {"kind": "status", "status": 400, "code": 4711, **POST, "count": 1,
                       "message": "does not contain scopes:[meeting:write:meeting]"}),
)  # fmt: skip

ALWAYS = (("one answer of five lost", {"kind": "cut_after", **POST, "probability": 0.2}),)
"""Faults beside a few of the others: what could double a meeting."""


@dataclass
class Job:
    """One call of the service. Those of the same meeting come in this order."""

    key: str
    action: str
    """create, topic, move, cancel_date, cancel."""
    target: str = ""
    """Key of the job that creates the meeting."""
    values: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0
    """For how long the request waits for each call; 0: the worker does it all."""
    twice: bool = False
    """Both processes send it, as a double click does."""


def make_jobs(number: int, rng: random.Random) -> list[Job]:
    """Creations, some of them equal to each other; then changes and cancellations of them."""
    start = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0)
    start += timedelta(days=30)
    creates: list[Job] = []
    for index in range(number * 11 // 20):
        twin = index % 4 == 3
        values = dict(creates[-1].values) if twin else {
            "topic": f"Talk {index}",
            "start": (start + timedelta(days=index % 20, hours=index % 3)).isoformat(),
            "kind": "webinar" if index % 7 == 5 else "meeting",
            "dates": rng.randint(2, 5) if index % 2 else 0,
            "host": index % HOSTS,
        }  # fmt: skip
        creates.append(_job(f"create-{index}", "create", rng, values=values))
    jobs, cancelled = list(creates), set()
    for index in range(number - len(creates)):
        target = rng.choice([job for job in creates if job.key not in cancelled])
        actions = ["topic", "topic", "cancel"]
        if target.values["dates"]:
            actions += ["move", "cancel_date"]
        action = rng.choice(actions)
        if action == "cancel":
            cancelled.add(target.key)
        values = {"topic": f"Changed {index}"} if action == "topic" else {}
        jobs.append(_job(f"change-{index}", action, rng, target=target.key, values=values))
    return jobs


def _job(key: str, action: str, rng: random.Random, **values: Any) -> Job:
    seconds = rng.choice((0, 0, 1, 2.5))
    return Job(key, action, seconds=seconds, twice=rng.random() < 0.2, **values)


class Requests:
    """One process that calls the service for its share of the jobs, until all are saved."""

    def __init__(self, jobs: list[Job], part: int) -> None:
        from wagtail.models import Site

        from demo_site.sites import BOREALIS
        from wagtail_zoom.models import Host, ZoomSettings

        self.site = Site.objects.get(hostname=BOREALIS.hostname)
        account = ZoomSettings.for_site(self.site).account
        self.hosts = list(Host.objects.filter(account=account, user_type=2).order_by("zoom_id"))
        self.jobs = [job for index, job in enumerate(jobs) if job.twice or index % 2 == part]
        self.all_jobs = jobs

    def run(self) -> None:
        """A job follows when those before it of the same meeting are saved."""
        from wagtail_zoom.models import MeetingChange

        while True:
            rows = {row.key: row for row in MeetingChange.objects.filter(site=self.site)}
            missing = [job for job in self.jobs if job.key not in rows]
            if not missing:
                return
            for job in missing:
                before = [
                    other.key for other in self.all_jobs[: self.all_jobs.index(job)]
                    if job.target in (other.key, other.target) and job.target
                ]  # fmt: skip
                if all(key in rows for key in before):
                    self._send(job, rows.get(job.target))
            time.sleep(0.2)

    def _send(self, job: Job, target: Any) -> None:
        from wagtail_zoom import scheduling
        from wagtail_zoom.models import Meeting

        if job.action == "create":
            self._schedule(job)
            return
        meeting = Meeting.objects.filter(
            account=target.account_id, zoom_id=target.created_zoom_id, removed_at=None
        ).first()
        if meeting is None or target.state != "done":
            return
        common = {
            "site": self.site, "meeting": meeting, "key": job.key, "seconds": job.seconds
        }  # fmt: skip
        if job.action == "topic":
            scheduling.change(topic=job.values["topic"], **common)
        elif job.action == "cancel":
            scheduling.cancel(**common)
        else:
            dates = list(meeting.occurrences.exclude(state="cancelled").order_by("start"))
            if not dates:
                return
            if job.action == "cancel_date":
                scheduling.cancel(occurrence=dates[-1], **common)
            else:
                start = dates[0].start + timedelta(minutes=7)
                scheduling.change(occurrence=dates[0], start=start, **common)

    def _schedule(self, job: Job) -> None:
        from wagtail_zoom import scheduling

        values = dict(job.values)
        host = self.hosts[values.pop("host") % len(self.hosts)]
        start, count = datetime.fromisoformat(values.pop("start")), values.pop("dates")
        rule = scheduling.RecurrenceRule(scheduling.Frequency.DAILY, count=count) if count else None
        scheduling.schedule(
            site=self.site, host=host, start=start, rule=rule, key=job.key, zone="UTC", show=True,
            seconds=job.seconds, **values,
        )  # fmt: skip


class ChangesRun:
    """One Site, its meetings, and all processes."""

    def __init__(self, installed: Installation, seed: int, number: int) -> None:
        from wagtail_zoom.testing.server import SimulatorControl

        self.processes, self.rng = installed.processes, random.Random(seed)
        self.zoom = SimulatorControl(self.processes.config.simulator_url)
        self.jobs = make_jobs(number, self.rng)
        self.errors: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.edited = 0
        self.tried_again: set[str] = set()
        self.leased_at_kill: list[int] = []
        path = Path(self.processes.config.folder) / "jobs.json"
        path.write_text(json.dumps([asdict(job) for job in self.jobs]))
        self.requests = [self._requests_process(part, path) for part in (0, 1)]

    def _requests_process(self, part: int, path: Path) -> Process:
        arguments = ["-m", "tests.soak.meeting_changes", "--requests", str(path)]
        log = self.processes.config.folder / "logs" / f"requests-{part}.log"
        name = f"requests-{part}"
        return Process(name, [*arguments, "--part", str(part)], log, self.processes.environment)

    def prepare(self) -> None:
        """Database, one connected Site, all processes."""
        from django.core.management import call_command

        from demo_site.connections import wait_for_import
        from demo_site.sites import BOREALIS
        from wagtail_zoom.models import Meeting, ZoomAccount

        from . import owners

        call_command("setup_demo", verbosity=0)
        self.processes.start_zoom()
        self.processes.start()
        owners.connect(BOREALIS, "borealis-0")
        if not wait_for_import(120):
            raise RuntimeError(self.processes.workers[0].log_tail())
        ZoomAccount.objects.update(plan="business")
        self.account_id = Meeting.objects.values_list("account__zoom_id", flat=True)[0]
        self.before = {str(doc["id"]) for doc in self.zoom.meetings(self.account_id)}
        self.zoom.clear_calls()

    def run(self, limit: float) -> float:
        """Faults and kills until all jobs are saved, and a while longer. Returns the seconds."""
        began = changed = ticked = time.monotonic()
        for process in self.requests:
            process.start()
        saved_at = 0.0
        while time.monotonic() - began < limit:
            now = time.monotonic()
            if not saved_at and len(self._rows()) == len(self.jobs):
                saved_at = now
            if saved_at and now - saved_at > 8:
                break
            if now - changed > 4 or changed == began:
                self._change_faults()
                changed = now
            if now - ticked > TICK:
                self._tick()
                self._try_failed_again()
                ticked = now
            self._count_errors()
            time.sleep(self.rng.uniform(0.3, 2.0))
            self._kill()
            time.sleep(self.rng.uniform(0.0, 0.5))
            self._restart()
        self._change_faults(0)
        self.zoom.options(custom_keys_returned=True)
        return time.monotonic() - began

    def finish(self, limit: float) -> float:
        """As an owner does: *Try again* for what has failed, until nothing waits."""
        from wagtail_zoom.models import Grant, ZoomAccount
        from wagtail_zoom.scheduling import retry

        began = time.monotonic()
        while time.monotonic() - began < limit:
            self._restart()
            Grant.objects.exclude(retry_at=None).update(retry_at=None, failures=0)
            ZoomAccount.objects.exclude(throttled_until=None).update(throttled_until=None)
            self._count_errors()
            rows = self._rows()
            if len(rows) == len(self.jobs) and not [row for row in rows if self._is_open(row)]:
                break
            for row in rows:
                if self._is_open(row) and row.error_class not in ("looking", "unreachable", ""):
                    self.tried_again.add(row.key)
                    retry(row)
            self._tick()
            time.sleep(1)
        return time.monotonic() - began

    def _try_failed_again(self) -> None:
        """Changes of a meeting can only follow once it exists."""
        from wagtail_zoom.scheduling import edit, retry

        for row in self._rows():
            # Those that wait for midnight or for a permission block what is to follow here.
            is_blocked = row.error_class in ("host_limit", "daily_limit", "scope")
            if not (is_blocked or row.state == "failed") or not self._is_open(row):
                continue
            self.tried_again.add(row.key)
            if row.error_class == "fields" and row.maybe_sent_at is None:
                edit(row, duration=45)
                self.edited += 1
            else:
                retry(row)

    @staticmethod
    def _is_open(row: Any) -> bool:
        # A change of a meeting that was cancelled in between is not to be tried again.
        return row.state == "waiting" or (row.state == "failed" and row.error_class != "gone")

    @staticmethod
    def _rows() -> list[Any]:
        from wagtail_zoom.models import MeetingChange

        return list(MeetingChange.objects.order_by("pk"))

    @staticmethod
    def _tick() -> None:
        from wagtail_zoom.utils.queue import enqueue

        enqueue("tick")

    def _count_errors(self) -> None:
        for row in self._rows():
            if row.error_class:
                self.errors[f"{row.state} {row.error_class}"] += 1

    def _change_faults(self, number: int = 4) -> None:
        for fault in self.zoom.state()["faults"]:
            self.hits[fault["label"]] += fault["hits"]
        self.zoom.clear_faults()
        chosen = self.rng.sample(FAULTS, min(number, self.rng.randint(1, 4)))
        for label, fields in [*chosen, *(ALWAYS if number else ())]:
            self.zoom.fault(label=label, **fields)
        self.zoom.options(custom_keys_returned=self.rng.random() < 0.5)

    def _kill(self) -> None:
        from django.utils import timezone

        from wagtail_zoom.models import MeetingChange

        leased = MeetingChange.objects.filter(lease_until__gte=timezone.now())
        self.leased_at_kill.append(leased.count())
        # Half as often a request: a process that only ever starts would save nothing.
        candidates = [*self.processes.workers * 2, *self.requests]
        self.processes.kill(self.rng, candidates)

    def _restart(self) -> None:
        self.processes.restart()
        for process in self.requests:
            if process.child is not None and process.child.poll() not in (None, 0):
                process.stop()
                process.start()

    # Results

    def results(self) -> dict[str, Any]:
        """What differs between our rows and Zoom; each list is empty if all is well."""
        from wagtail_zoom.models import SiteItem
        from wagtail_zoom.scheduling.error_policy import MESSAGES

        rows = {row.key: row for row in self._rows()}
        at_zoom = {
            str(doc["id"]): doc for doc in self.zoom.meetings(self.account_id)
            if str(doc["id"]) not in self.before
        }  # fmt: skip
        numbers = Counter(row.created_zoom_id for row in rows.values() if row.action == "create")
        shown = SiteItem.objects.filter(meeting__zoom_id__in=at_zoom, visibility="published")
        wrong = [text for job in self.jobs for text in self._differences(job, rows, at_zoom)]
        return {
            "rows": len(rows),
            "jobs": len(self.jobs),
            "states": Counter(row.state for row in rows.values()),
            "gone": sum(row.error_class == "gone" for row in rows.values()),
            "created": len(at_zoom),
            "twice": [number for number, count in numbers.items() if count > 1],
            "only_at_zoom": sorted(set(at_zoom) - set(numbers)),
            "only_here": sorted(str(number) for number in set(numbers) - set(at_zoom)),
            "wrong": wrong,
            "not_shown": len(at_zoom) - shown.count(),
            "errors": self.errors,
            "without_sentence": sorted(
                {name.split()[1] for name in self.errors} - set(MESSAGES)
            ),
            "left": [
                f"{row.key} {row.state} {row.error_class}" for row in rows.values()
                if self._is_open(row)
            ],
            "edited": self.edited,
            "faults": {label: count for label, count in self.hits.items() if count},
            "processes": self.processes.counts,
            "leased_when_killed": self.leased_at_kill,
        }  # fmt: skip

    def wait_for_copies(self, limit: float) -> list[str]:
        """Where our copy differs from Zoom. What was not read at first comes by an event."""
        began = time.monotonic()
        while (differing := self._differing_copies()) and time.monotonic() - began < limit:
            self._tick()
            time.sleep(1)
        return differing

    def _differing_copies(self) -> list[str]:
        from wagtail_zoom.models import Meeting

        stored = {row.zoom_id: row for row in Meeting.objects.prefetch_related("occurrences")}
        differing = []
        for doc in self.zoom.meetings(self.account_id):
            row = stored.get(str(doc["id"]))
            if str(doc["id"]) in self.before:
                continue
            is_deleted = doc["state"] == "deleted"
            if row is None or (row.removed_at is not None) is not is_deleted:
                differing.append(f"{doc['id']} is {doc['state']} at Zoom")
                continue
            dates = [
                datetime.fromisoformat(date["start_time"]) for date in doc.get("occurrences", [doc])
                if date.get("status") != "deleted"
            ]  # fmt: skip
            starts = [date.start for date in row.occurrences.all() if date.state != "cancelled"]
            if not is_deleted and (row.topic != doc["topic"] or sorted(starts) != sorted(dates)):
                differing.append(f"{doc['id']} has another topic or other dates")
        return differing

    def _differences(
        self, job: Job, rows: dict[str, Any], at_zoom: dict[str, dict[str, Any]]
    ) -> list[str]:
        """What is not as the jobs of one meeting want it."""
        row = rows.get(job.key)
        if job.action != "create" or row is None:
            return []
        doc = at_zoom.get(row.created_zoom_id or "")
        if doc is None:
            return [f"{job.key}: not at Zoom"]
        changes: dict[str, list[Job]] = defaultdict(list)
        for other in self.jobs:
            if other.target == job.key:
                changes[other.action].append(other)
        is_cancelled = bool(changes["cancel"])
        wrong = []
        topics = [other for other in changes["topic"] if rows[other.key].state == "done"]
        untouched = [other for other in topics if other.key not in self.tried_again]
        if untouched != sorted(untouched, key=lambda other: rows[other.key].finished_at):
            wrong.append(f"{job.key}: its changes were sent in another order")
        # What somebody tries again comes after what was sent in between.
        topics.sort(key=lambda other: rows[other.key].finished_at)
        topic = topics[-1].values["topic"] if topics else job.values["topic"]
        if (doc["state"] == "deleted") is not is_cancelled:
            wrong.append(f"{job.key}: it is {doc['state']}")
        if doc["topic"] != topic and not is_cancelled:
            wrong.append(f"{job.key}: topic {doc['topic']} instead of {topic}")
        if is_cancelled or not job.values["dates"]:
            return wrong
        dates = doc["occurrences"]
        removed = {rows[other.key].occurrence_id for other in changes["cancel_date"]}
        moved = {rows[other.key].occurrence_id for other in changes["move"]}
        if len(dates) != job.values["dates"]:
            wrong.append(f"{job.key}: {len(dates)} dates instead of {job.values['dates']}")
        for date in dates:
            number = date["occurrence_id"]
            if (date["status"] == "deleted") is not (number in removed):
                wrong.append(f"{job.key}: date {number} is {date['status']}")
            minutes = {datetime.fromisoformat(date["start_time"]).minute}
            if number not in removed and bool(minutes - {0}) is not (number in moved):
                wrong.append(f"{job.key}: date {number} begins at {date['start_time']}")
        return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="meeting_changes", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=40)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--requests", default="", help="a file of jobs: be such a process")
    parser.add_argument("--part", type=int, default=0)
    options = parser.parse_args()
    if options.requests:
        import django

        django.setup()
        jobs = [Job(**values) for values in json.loads(Path(options.requests).read_text())]
        Requests(jobs, options.part).run()
        return 0
    os.environ["SOAK_LEASE"] = "12"
    with installation(options.database) as installed:
        changes = ChangesRun(installed, options.seed, options.number)
        changes.prepare()
        seconds = [changes.run(20 + options.number * 2), changes.finish(150)]
        copies = changes.wait_for_copies(60)
        results = {"seconds": seconds, "differing_copies": copies, **changes.results()}
        installed.good = not (results["left"] or results["wrong"] or copies)
    print(json.dumps(results), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
