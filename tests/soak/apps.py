"""Shortens the leases of the product to the soak's time-outs."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class SoakConfig(AppConfig):
    name = "tests.soak"
    label = "soak"

    def ready(self) -> None:
        from wagtail_zoom.registration import delivery, error_policy, outbox
        from wagtail_zoom.sync import completion, inbox, locks, outcomes, runner, runs

        for module in (outbox, locks, runs):
            module.LEASE = settings.LEASE
        error_policy.STEPS = (3, 10, 20, 50, 150, 300, 600)
        delivery.AMBIGUOUS_PAUSE = 3
        delivery.MAIL_PAUSE = timedelta(seconds=8)
        inbox.BUDGET = 8.0
        outcomes.LONGEST_WAIT = 30
        runner.LONGEST_UNIT = 8
        completion.BACKOFF = (2, 5, 10, 10, 20)
        runs.QUIET = settings.LEASE
