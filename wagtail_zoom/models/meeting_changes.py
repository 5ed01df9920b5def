"""What the CMS creates, changes and cancels at Zoom, saved before Zoom is asked (an outbox)."""

from __future__ import annotations

import uuid

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import SecretField, ZoomIdField
from .accounts import ZoomAccount
from .mirror import Kind, Meeting
from .outbox import OutboxRow


class MeetingChange(OutboxRow):
    """One meeting or webinar to be created, changed or cancelled at Zoom for a Site."""

    class Action(models.TextChoices):
        CREATE = "create", _("Schedule")
        UPDATE = "update", _("Change")
        CANCEL_DATE = "cancel_date", _("Cancel this date")
        CANCEL_SERIES = "cancel_series", _("Cancel all dates")

    class State(models.TextChoices):
        WAITING = "waiting", _("On the way to Zoom")
        DONE = "done", _("Zoom has it")
        FAILED = "failed", _("Needs attention")
        GIVEN_UP = "given_up", _("Given up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """Also sent to Zoom, so that a meeting is recognised whose creation was not answered."""
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.CASCADE, related_name="zoom_meeting_changes"
    )
    account = models.ForeignKey(ZoomAccount, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64)
    """Of whoever requests it: the same key of the same Site is one change."""
    action = models.CharField(max_length=15, choices=Action)
    kind = models.CharField(max_length=10, choices=Kind)
    host_zoom_id = ZoomIdField()
    meeting = models.ForeignKey(
        Meeting, null=True, on_delete=models.SET_NULL, related_name="changes"
    )
    meeting_zoom_id = ZoomIdField(blank=True, db_index=True)
    """Empty until a new meeting is at Zoom."""
    created_zoom_id = ZoomIdField(null=True)
    """Number of the meeting that this row has created: no other row can claim it."""
    occurrence_id = ZoomIdField(blank=True)
    topic = models.CharField(max_length=300, blank=True)
    payload = SecretField()
    """JSON of what to send, encrypted as one text: it can hold a passcode. Deleted with success."""

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    maybe_sent_at = models.DateTimeField(null=True)
    """Set before the first call, cleared when it certainly did not arrive. While it is set, Zoom is
    asked what became of it before another attempt."""
    lookups = models.PositiveSmallIntegerField(default=0)
    """How often Zoom was asked for it in vain since the last call."""
    requested_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("change of a meeting")
        verbose_name_plural = _("changes of meetings")
        constraints = [
            models.UniqueConstraint(fields=["site", "key"], name="wagtail_zoom_change_key"),
            models.UniqueConstraint(
                fields=["account", "created_zoom_id"], name="wagtail_zoom_change_number"
            ),
        ]
        indexes = [
            models.Index(fields=["site", "state"], name="wagtail_zoom_change_state"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def secret_binding(self) -> str:
        return str(self.public_id)
