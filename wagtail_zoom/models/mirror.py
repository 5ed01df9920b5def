"""The local copy of Zoom's data, keyed by account. Its rows have no Site and are never edited.

Times are in UTC; the meeting's IANA time zone has a column of its own. Ids are text.
Start URLs, host emails and download tokens have no column, so they cannot be stored.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import SecretField, ZoomIdField
from .accounts import ZoomAccount

SERIES_TYPES = (3, 6, 8, 9)
"""Zoom's types of recurring meetings and webinars."""
MAX_MINUTES = 60 * 24 * 31
"""Longer durations are cut to this."""


class Kind(models.TextChoices):
    """Kinds of Zoom objects; also the switches of the settings panel (with registration)."""

    MEETING = "meeting", _("Meeting")
    WEBINAR = "webinar", _("Webinar")
    RECORDING = "recording", _("Recording")


class Mirrored(models.Model):
    """Sync columns of every copied row.

    Rows are written often, and each index with them. Indexes that begin with the account serve
    lookups by account, so its foreign keys have none of their own (``db_index=False``).
    """

    content_hash = models.CharField(max_length=64, blank=True)
    """Keyed digest of the mapped fields: equal means nothing to write (S8)."""
    provider_ts = models.DateTimeField(null=True, blank=True)
    """Time at Zoom of the newest data applied; older data never overwrites newer data."""
    fetched_at = models.DateTimeField(null=True, blank=True)
    """When the read that filled this row *began*."""
    seen_run = models.PositiveBigIntegerField(default=0)
    missing_since = models.DateTimeField(null=True, blank=True)
    missed_run = models.PositiveBigIntegerField(default=0)
    """The run that missed it for the second time: only this run may remove it."""
    removed_at = models.DateTimeField(null=True, blank=True)
    """Soft delete: deleted at Zoom (missing twice, or confirmed)."""
    created_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True


class Host(Mirrored):
    """A Zoom user of the account: the directory from which owners select hosts. No email."""

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="hosts")
    zoom_id = ZoomIdField()
    display_name = models.CharField(max_length=255, blank=True)
    user_type = models.PositiveSmallIntegerField(default=0)
    """1 basic, 2 licensed, 4 unassigned, 99 none (Zoom: users)."""
    status = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    """``{kind: total}`` from the first page of a listing, before anything is fetched."""

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "zoom_id"], name="wagtail_zoom_host_identity"
            )
        ]

    def __str__(self) -> str:
        return self.display_name or self.zoom_id

    @property
    def is_licensed(self) -> bool:
        return self.user_type == 2


class Meeting(Mirrored):
    """A meeting or webinar number with everything its occurrences share."""

    class ApprovalType(models.IntegerChoices):
        AUTOMATIC = 0
        MANUAL = 1
        NONE = 2

    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="meetings", db_index=False
    )
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="meetings")
    host_zoom_id = ZoomIdField()
    kind = models.CharField(max_length=10, choices=Kind)
    zoom_id = ZoomIdField()
    uuid = ZoomIdField(blank=True)
    zoom_type = models.PositiveSmallIntegerField(default=0)
    """1 instant, 2 scheduled, 3 no fixed time, 4 personal room, 8 series; 5, 6, 9 webinars."""
    topic = models.CharField(max_length=300, blank=True)
    agenda = models.TextField(blank=True)
    start = models.DateTimeField(null=True, blank=True)
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    timezone = models.CharField(max_length=64, blank=True)

    is_private = models.BooleanField(default=False)
    uses_personal_room = models.BooleanField(default=False)
    is_events_webinar = models.BooleanField(default=False)
    """Belongs to Zoom Events, which handles the registration."""
    requires_login = models.BooleanField(default=False)
    """Visitors need a Zoom account to join (``meeting_authentication``)."""
    login_domains = models.CharField(max_length=255, blank=True)

    approval_type = models.PositiveSmallIntegerField(
        choices=ApprovalType, default=ApprovalType.NONE
    )
    registration_type = models.PositiveSmallIntegerField(default=1)
    """1 once for all occurrences, 2 for each, 3 once for several selected (Zoom: meetings)."""
    close_registration = models.BooleanField(default=False)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    registrant_count = models.PositiveIntegerField(null=True, blank=True)
    zoom_confirms = models.BooleanField(default=True)
    """Zoom emails registrants (``registrants_confirmation_email``)."""
    zoom_notifies = models.BooleanField(default=True)
    """Zoom emails about approval, denial and cancellation (``registrants_email_notification``)."""
    registration_block = models.CharField(max_length=20, blank=True)
    """Why Zoom recently refused registrations for the whole meeting, such as ``full``."""
    registration_block_at = models.DateTimeField(null=True, blank=True)
    questions = models.JSONField(default=dict, blank=True)
    """``{"questions": [...], "custom_questions": [...]}`` as Zoom gives them."""
    questions_at = models.DateTimeField(null=True, blank=True)

    join_url = SecretField()
    passcode = SecretField()

    detail_at = models.DateTimeField(null=True, blank=True)
    """When the detail was read; without it the meeting is not shown."""
    live_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    """Zoom dropped the number after it was over: still shown, from our copy."""

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "zoom_id"], name="wagtail_zoom_meeting_identity"
            )
        ]
        indexes = [
            models.Index(fields=["account", "kind", "host"], name="wagtail_zoom_meeting_scope")
        ]

    def __str__(self) -> str:
        return self.topic

    def secret_binding(self) -> str:
        return f"{self.account_id}:{self.zoom_id}"

    @property
    def is_series(self) -> bool:
        return self.zoom_type in SERIES_TYPES

    @property
    def has_fixed_time(self) -> bool:
        """Series without fixed times (types 3 and 6) have no occurrences and are not listed."""
        return self.zoom_type not in (1, 3, 4, 6)

    @property
    def takes_registration(self) -> bool:
        return self.approval_type in (self.ApprovalType.AUTOMATIC, self.ApprovalType.MANUAL)

    @property
    def zoom_sends_details(self) -> bool:
        """Whether Zoom emails the joining details to registrants.

        With manual approval they come with the email about the approval, which has its own switch.
        """
        is_manual = self.approval_type == self.ApprovalType.MANUAL
        return self.zoom_notifies if is_manual else self.zoom_confirms


class Occurrence(models.Model):
    """Every dated instance of a meeting, also the only one of a single meeting.

    Lists, calendar entries and registrations refer to it. ``public_id`` is our own id: Zoom's
    occurrence id may change when an occurrence is moved (unverified), so registrations, calendar
    UIDs and links use ours.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        MOVED = "moved", _("New time")
        LIVE = "live", _("Live now")
        OVER = "over", _("Over")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Over, no longer at Zoom")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="occurrences")
    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    zoom_id = ZoomIdField(blank=True)
    """Zoom's occurrence id; empty for the only occurrence of a single meeting."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    previous_start = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    state_since = models.DateTimeField(default=timezone.now)
    sequence = models.PositiveIntegerField(default=0)
    """Increases with every change that calendars must receive (RFC 5545 SEQUENCE)."""
    updated_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("date")
        verbose_name_plural = _("dates")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "zoom_id"], name="wagtail_zoom_occurrence_identity"
            )
        ]
        indexes = [
            models.Index(fields=["account", "start"], name="wagtail_zoom_occ_start"),
            models.Index(fields=["account", "end"], name="wagtail_zoom_occ_end"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.start:%Y-%m-%d %H:%M}Z"
