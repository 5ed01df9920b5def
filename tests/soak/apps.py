"""Shortens the package's leases and pauses to the timeouts of the soak test."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class SoakConfig(AppConfig):
    name = "tests.soak"
    label = "soak"

    def ready(self) -> None:
        from wagtail_zoom.registration import error_policy, outbox
        from wagtail_zoom.scheduling import delivery as changes
        from wagtail_zoom.scheduling import error_policy as change_errors
        from wagtail_zoom.scheduling import outbox as change_outbox
        from wagtail_zoom.sync import completion, inbox, locks, outcomes, runner, runs

        outbox.OUTBOX.lease = locks.LEASE = runs.LEASE = settings.LEASE
        error_policy.POLICY.retry_seconds = (3, 10, 20, 50, 150, 300, 600)
        outbox.AMBIGUOUS_SECONDS = 3
        change_outbox.OUTBOX.lease = settings.LEASE
        change_outbox.AMBIGUOUS_DELAY = timedelta(seconds=3)
        changes.LOOKUP_DELAY = timedelta(seconds=4)
        changes.EARLIER_DELAY = timedelta(seconds=5)
        change_errors.POLICY.retry_seconds = (2, 4, 8, 15, 30)
        outbox.MAIL_DELAY = timedelta(seconds=8)
        inbox.MAX_SECONDS = 8.0
        outcomes.TRANSIENT_RETRY_SECONDS = outcomes.RETRY_SECONDS = (4, 8, 16, 30)
        runner.STEP_OVERTIME = 8
        completion.RETRY_SECONDS = (2, 5, 10, 10, 20)
        runs.STALE_AFTER = settings.LEASE
