"""Sync runs, the activity log and the worker's heartbeat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.leases import Leased
from .accounts import ZoomAccount
from .curation import SiteItem
from .webhook_events import WebhookEvent


class SyncRun(models.Model):
    """One sync run of one account, resumable at ``cursor``.

    ``cursor`` holds our steps (kind, month, host), never Zoom's page tokens, which expire after
    fifteen minutes: an interrupted step is repeated completely. ``remaining`` names the meetings
    of a complete listing whose details were not read yet.
    """

    class Mode(models.TextChoices):
        BACKFILL = "backfill", _("First import")
        RECONCILE = "reconcile", _("Comparison with Zoom")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Broke off")
        CANCELLED = "cancelled", _("Stopped")

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=10, choices=Mode)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    requested_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    """Last heartbeat; a running run without one for long is resumed."""
    cursor = models.JSONField(default=dict, blank=True)
    progress = models.JSONField(default=dict, blank=True)
    """``{kind: [done, total]}`` for the progress bars."""
    counts = models.JSONField(default=dict, blank=True)
    """``{kind: {seen, created, changed, unchanged, removed, withheld, failed}}``."""
    run_again = models.BooleanField(default=False)
    """Requested again while it was running."""
    cancel_requested = models.BooleanField(default=False)
    allow_removals = models.BooleanField(default=False)
    """The owner approved the removals that the mass delete guard withheld."""
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.IntegerField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        indexes = [models.Index(fields=["account", "state"], name="wagtail_zoom_run_state")]

    def __str__(self) -> str:
        return f"{self.get_mode_display()} {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class Activity(models.Model):
    """One line of a Site's activity log.

    Stored as ``code`` and ``data`` and formatted when shown, in the reader's language
    (``admin/activity`` holds the texts). ``data`` holds topics and times, no personal data.
    """

    class Outcome(models.TextChoices):
        GOOD = "good", _("Done")
        WAITING = "waiting", _("Waiting")
        FAILED = "failed", _("Failed")
        INFO = "info", _("For information")

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.CASCADE, related_name="zoom_activity"
    )
    account = models.ForeignKey(ZoomAccount, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    category = models.CharField(max_length=20)
    """connection, sync, event, registration, curation."""
    code = models.CharField(max_length=50)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.INFO)
    data = models.JSONField(default=dict, blank=True)
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    item = models.ForeignKey(
        SiteItem, null=True, on_delete=models.SET_NULL, related_name="activity"
    )
    event = models.ForeignKey(WebhookEvent, null=True, on_delete=models.SET_NULL, related_name="+")

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity")
        indexes = [models.Index(fields=["site", "created_at"], name="wagtail_zoom_activity_at")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def log(
        cls,
        site_ids: Iterable[int],
        category: str,
        code: str,
        *,
        outcome: str = Outcome.INFO,
        data: dict[str, Any] | None = None,
        account: ZoomAccount | None = None,
        user: Any = None,
        event: WebhookEvent | None = None,
        items: dict[int, SiteItem] | None = None,
    ) -> None:
        """Write the same line to the logs of several Sites (``items`` by Site id)."""
        Activity.objects.bulk_create(
            cls.lines(
                site_ids, category, code, outcome=outcome, data=data, account=account, user=user,
                event=event, items=items,
            )
        )  # fmt: skip

    @classmethod
    def lines(
        cls,
        site_ids: Iterable[int],
        category: str,
        code: str,
        *,
        outcome: str = Outcome.INFO,
        data: dict[str, Any] | None = None,
        account: ZoomAccount | None = None,
        user: Any = None,
        event: WebhookEvent | None = None,
        items: dict[int, SiteItem] | None = None,
    ) -> list[Activity]:
        """The lines that ``log`` writes, unsaved, so that many can be created at once."""
        user = user if user is not None and user.is_authenticated else None
        return [
            cls(
                site_id=site_id,
                category=category,
                code=code,
                outcome=outcome,
                data=data or {},
                account=account,
                user=user,
                event=event,
                item=(items or {}).get(site_id),
            )
            for site_id in sorted(set(site_ids))
        ]


class Heartbeat(Leased):
    """When a background job last ran: ``tick`` is the worker's heartbeat. Slots of workers, too."""

    name = models.CharField(max_length=30, primary_key=True)
    beat_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=36, blank=True, default="", db_default="")

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("signs of life")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str, time: datetime | None = None) -> None:
        """Store the time. Two separate statements: on MariaDB, several processes that look for a
        missing row inside a transaction deadlock."""
        time = time or timezone.now()
        if not cls.objects.filter(name=name).update(beat_at=time):
            Heartbeat.objects.bulk_create(
                [Heartbeat(name=name, beat_at=time)], ignore_conflicts=True
            )
