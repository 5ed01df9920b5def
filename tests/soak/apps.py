"""Shortens the package's leases and pauses to the timeouts of the soak test."""

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
        error_policy.RETRY_SECONDS = (3, 10, 20, 50, 150, 300, 600)
        delivery.AMBIGUOUS_SECONDS = 3
        delivery.MAIL_DELAY = timedelta(seconds=8)
        inbox.MAX_SECONDS = 8.0
        outcomes.MAX_WAIT_SECONDS = 30
        runner.STEP_OVERTIME = 8
        completion.RETRY_SECONDS = (2, 5, 10, 10, 20)
        runs.STALE_AFTER = settings.LEASE
