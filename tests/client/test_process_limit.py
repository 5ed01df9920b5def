"""No more calls leave within a second than the plan allows, however late a thread wakes (S18)."""

import threading
import time

from wagtail_zoom.client import ratelimit


def test_s18_calls_that_wake_together_leave_one_second_apart():
    left = []

    def send():
        ratelimit.wait_in_process(-1, "light", 10)
        left.append(time.perf_counter())

    threads = [threading.Thread(target=send) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left.sort()
    assert all(later - early >= 1.0 for early, later in zip(left, left[10:], strict=False))
    assert len(left) == 25


def test_s18_accounts_and_labels_have_a_pace_of_their_own():
    for name in ((-2, "light"), (-2, "medium"), (-3, "light")):
        began = time.perf_counter()
        for _ in range(5):
            ratelimit.wait_in_process(*name, 5)
        assert time.perf_counter() - began < 0.5
