"""The inbox: stored deliveries, and the lanes in which they are worked off."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import ZoomIdField
from .accounts import ZoomAccount


class WebhookEvent(models.Model):
    """One delivery of Zoom's and its fate. The queue of record: a task is only a wake-up.

    Headers are not kept, except request id and timestamp. ``payload`` is redacted at
    receipt (no download tokens, passcodes, registrants' data) and emptied after some days.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Nothing to do")
        PARKED = "parked", _("For an account that is not connected")
        DEAD = "dead", _("Failed")

    WORKER_LOST = "WorkerLost"
    """Stands in ``error_class`` from the beginning of a try to its end: who finds it there while
    nobody holds the lane knows that a worker has died with the message in its hands."""

    request_id = ZoomIdField(unique=True, null=True)
    content_key = models.CharField(max_length=64, unique=True)
    account_zoom_id = ZoomIdField(blank=True)
    event = models.CharField(max_length=64)
    event_ts = models.BigIntegerField(default=0)
    """Milliseconds since 1970, Zoom's clock."""
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    lane = ZoomIdField(max_length=220, blank=True)
    """``<account zoom id>:<object kind>:<object id>``."""
    payload = models.JSONField(default=dict, blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField(default=timezone.now)
    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.IntegerField(null=True)
    done_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("message from Zoom")
        verbose_name_plural = _("messages from Zoom")
        # Each is written with every message. Not ``db_index``: PostgreSQL gets two of that for a
        # text, one of them for searches that nobody makes.
        indexes = [
            models.Index(fields=["account_zoom_id"], name="wagtail_zoom_event_account"),
            models.Index(fields=["state", "run_after"], name="wagtail_zoom_event_due"),
            models.Index(fields=["lane", "state"], name="wagtail_zoom_event_lane"),
        ]

    def __str__(self) -> str:
        return self.event


class Lane(models.Model):
    """Serial work on one object of one account: claim, read once, mark its events done."""

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="lanes")
    key = ZoomIdField(max_length=220, unique=True)
    not_before = models.DateTimeField(default=timezone.now)
    """Earliest next read: spaces trailing reads of an object in a storm."""
    lease_owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")

    def __str__(self) -> str:
        return self.key
