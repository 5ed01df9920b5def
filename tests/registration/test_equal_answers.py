"""X25: neither the answer nor its time tells who is known."""

import statistics
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from wagtail_zoom.models import Registration

from .conftest import hurry, post, work

pytestmark = pytest.mark.django_db
ROUNDS = 7
LATENCY = 80


STATES = ("approved", "pending", "denied", "cancelled", "failed", "waiting", "limited")
PEOPLE = {name: f"{name}@example.org" for name in STATES}


def everybody(client, case):
    """One person for each state that an address can be in, really registered at Zoom."""
    for name, address in PEOPLE.items():
        post(client, case.url, {"email": address})
        row = Registration.objects.latest("pk")
        Registration.objects.filter(pk=row.pk).update(snapshot={**row.snapshot, "who": name})


def put_back():
    """Bring everybody (back) into their state, with nothing under way."""
    later = timezone.now() + timedelta(hours=1)
    for row in Registration.objects.filter(snapshot__who__isnull=False):
        name = row.snapshot["who"]
        row.lease_owner, row.lease_until, row.error_class, row.mail_due = "", None, "", ""
        row.task, row.task_at, row.next_try_at, row.maybe_sent = "", None, None, False
        row.state = name
        if name in ("waiting", "limited"):
            row.state, row.task, row.task_at, row.next_try_at = "waiting", "add", later, later
            row.error_class = "unreachable" if name == "waiting" else "personal_limit"
            row.maybe_sent = name == "waiting"
        row.save()


def timed(client, url, address):
    cache.clear()
    began = time.perf_counter()
    answer = post(client, url, {"email": address})
    return time.perf_counter() - began, (answer.status_code, answer.url)


@pytest.mark.slow
def test_x25_answer_and_its_time_are_of_one_class(client, connected):
    """Medians of interleaved rounds: every class within a fraction of one call to Zoom."""
    case = connected()
    everybody(client, case)
    hurry()
    work()
    case.zoom.options(latency=LATENCY)
    took = {name: [] for name in ("new", *PEOPLE)}
    told = set()
    for number in range(ROUNDS):
        put_back()
        for name in took:
            seconds, answer = timed(client, case.url, PEOPLE.get(name, f"new{number}@example.org"))
            took[name].append(seconds)
            told.add(answer)
    case.zoom.options(latency=0)
    assert len(told) == 1
    middle = {name: statistics.median(times) for name, times in took.items()}
    assert max(middle.values()) - min(middle.values()) < 0.6 * LATENCY / 1000, middle


@pytest.mark.parametrize("double_opt_in", [False, True])
def test_x25_the_same_number_of_calls_whoever_it_is(client, connected, double_opt_in):
    """What makes the time: one call to Zoom for everybody, or none for anybody."""
    case = connected()
    everybody(client, case)
    put_back()
    case.place.choice.double_opt_in = double_opt_in
    case.place.choice.save()
    calls = {}
    for name in ("new", *PEOPLE, "often"):
        address = PEOPLE.get(name, f"{name}@example.org")
        cache.clear()
        for _time in range(6 if name == "often" else 1):
            case.zoom.forget_calls()
            post(client, case.url, {"email": address})
        calls[name] = len(case.zoom.calls())
    assert set(calls.values()) == {0 if double_opt_in else 1}, calls
