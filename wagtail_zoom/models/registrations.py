"""Visitors' registrations, saved before they are sent to Zoom (an outbox)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..utils.fields import SecretField, ZoomIdField
from ..utils.ratelimit import RateLimitCounter
from .accounts import ZoomAccount
from .mirror import Meeting, Occurrence
from .outbox import OutboxRow


class Registration(OutboxRow):
    """A visitor's registration and its delivery to Zoom.

    ``next_try_at`` is the earlier of ``task_at`` and ``mail_at``.
    It outlives its meeting (``snapshot``) and has its own retention (``purge_on``). Everything the
    visitor entered is encrypted; the email can be looked up by a keyed digest only.
    """

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("Waiting for the person to confirm the address")
        WAITING = "waiting", _("On the way to Zoom")
        PENDING = "pending", _("Waiting for your answer")
        APPROVED = "approved", _("Registered")
        DENIED = "denied", _("Denied")
        CANCELLED = "cancelled", pgettext_lazy("registration", "Cancelled")
        FAILED = "failed", _("Needs attention")

    class Task(models.TextChoices):
        """What is still to be done at Zoom. ``state`` does not change until it is done."""

        ADD = "add", _("Register")
        CANCEL = "cancel", _("Cancel")
        APPROVE = "approve", _("Approve")
        DENY = "deny", _("Deny")
        CHECK = "check", _("Compare with Zoom")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.CASCADE, related_name="zoom_registrations"
    )
    page_id = models.PositiveBigIntegerField(null=True)
    account = models.ForeignKey(ZoomAccount, on_delete=models.PROTECT, related_name="+")
    meeting = models.ForeignKey(
        Meeting, null=True, on_delete=models.SET_NULL, related_name="registrations"
    )
    meeting_zoom_id = ZoomIdField(db_index=True)
    snapshot = models.JSONField(default=dict)
    """Topic, time zone and kind at registration, to show the row without its meeting."""
    locale = models.CharField(max_length=20, blank=True)

    email = SecretField()
    email_index = models.CharField(max_length=64, db_index=True)
    answers = SecretField()
    """JSON of everything entered, encrypted as one text."""
    consented_at = models.DateTimeField(null=True)
    submission_count = models.PositiveIntegerField(default=1, db_default=1)
    """How often the form was sent since the person registered, or registered again."""
    idempotency_key = models.CharField(max_length=64, unique=True)
    identity = SecretField(db_default="")
    """``idempotency_key`` is a keyed digest of it, calculated again with a new encryption key."""

    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    state_since = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True)
    """When it was cancelled, until Zoom has taken the person again. Zoom keeps who has cancelled
    among the denied, and registering again does not change that (devforum 39340)."""
    zoom_registrant_id = ZoomIdField(blank=True, db_index=True)
    join_url = SecretField()
    task = models.CharField(max_length=10, choices=Task, blank=True, default="")
    maybe_sent = models.BooleanField(default=False)
    """Set before a registration is sent, cleared when it certainly did not arrive. While it is set,
    the person is looked up before another attempt. It stays set if Zoom loses the meeting before
    that is known: when the meeting is restored, the reconciliation looks for the person."""
    task_at = models.DateTimeField(null=True)
    mails = models.JSONField(default=dict, blank=True)
    """``{email name: ISO time sent}``: no email is sent twice."""
    mail_due = models.CharField(max_length=20, blank=True, default="")
    """The name of the email to send to the person at ``mail_at``."""
    mail_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    purge_on = models.DateField(null=True, db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        indexes = [
            models.Index(fields=["site", "state"], name="wagtail_zoom_reg_site"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def secret_binding(self) -> str:
        return str(self.public_id)


class RegistrationDate(models.Model):
    """One occurrence that a registration is for."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="dates")
    occurrence = models.ForeignKey(
        Occurrence, null=True, on_delete=models.SET_NULL, related_name="registration_dates"
    )
    zoom_occurrence_id = ZoomIdField(blank=True)
    start = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    """When it was cancelled at Zoom; an interrupted cancellation continues with the other dates."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("date of a registration")
        verbose_name_plural = _("dates of registrations")

    def __str__(self) -> str:
        return f"{self.registration_id}"


class LimitCounter(RateLimitCounter):
    """How often something was counted against a limit of registrations, until ``expires_at``."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("counter of registrations")
        verbose_name_plural = _("counters of registrations")
