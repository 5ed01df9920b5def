"""No more calls per second than the plan allows, however late a thread wakes (S18)."""

import threading
import time

from wagtail_zoom.client import ratelimit


def test_s18_calls_that_wake_together_are_sent_one_second_apart():
    sent_at = []

    def send():
        ratelimit.wait_for_process_slot(-1, "light", 10)
        sent_at.append(time.perf_counter())

    threads = [threading.Thread(target=send) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent_at.sort()
    assert all(later - early >= 1.0 for early, later in zip(sent_at, sent_at[10:], strict=False))
    assert len(sent_at) == 25


def test_s18_accounts_and_labels_have_their_own_limit():
    for key in ((-2, "light"), (-2, "medium"), (-3, "light")):
        started = time.perf_counter()
        for _ in range(5):
            ratelimit.wait_for_process_slot(*key, 5)
        assert time.perf_counter() - started < 0.5
