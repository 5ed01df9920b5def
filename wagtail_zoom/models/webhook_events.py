"""Webhook events as they were received, and the locks under which they are processed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import ZoomIdField
from ..utils.leases import Leased
from .accounts import ZoomAccount


class WebhookEvent(models.Model):
    """One webhook event and its outcome. The queue of record: a task is only a wake-up.

    Headers are not stored, except the request id. ``payload`` is redacted at receipt (no download
    tokens, passcodes, registrants' data) and emptied after some days.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Nothing to do")
        PARKED = "parked", _("For an account that is not connected")
        DEAD = "dead", _("Failed")

    WORKER_LOST = "WorkerLost"
    """Stored in ``error_class`` before an attempt and removed after it. If it is still set while
    the lock is free, the worker crashed."""

    request_id = ZoomIdField(unique=True, null=True)
    content_key = models.CharField(max_length=64, unique=True)
    account_zoom_id = ZoomIdField(blank=True)
    event = models.CharField(max_length=64)
    event_ts = models.BigIntegerField(default=0)
    """Milliseconds since 1970, Zoom's clock."""
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    lock_key = ZoomIdField(max_length=220, blank=True)
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
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        # Each is written with every event. Not ``db_index``: PostgreSQL creates two of them for a
        # text column, one of them for LIKE queries, which are not used.
        indexes = [
            models.Index(fields=["account_zoom_id"], name="wagtail_zoom_event_account"),
            models.Index(fields=["state", "run_after"], name="wagtail_zoom_event_due"),
            models.Index(fields=["lock_key", "state"], name="wagtail_zoom_event_lock"),
        ]

    def __str__(self) -> str:
        return self.event


class ObjectLock(Leased):
    """Lock of one object of one account, so that its events are processed one after the other."""

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="object_locks")
    key = ZoomIdField(max_length=220, unique=True)
    not_before = models.DateTimeField(default=timezone.now)
    """Earliest next read: limits the reads of an object in a burst."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("object lock")
        verbose_name_plural = _("object locks")

    def __str__(self) -> str:
        return self.key
