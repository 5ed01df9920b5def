"""The mirror: rows copied from Zoom, keyed by account. They have no Site and are never curated.

Times are UTC instants; the IANA zone of the Zoom event stands beside them. Ids are text.
Start URLs, host e-mails and download tokens have no column, so they cannot be stored.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import SecretField, ZoomIdField
from .accounts import ZoomAccount

SERIES_TYPES = (3, 6, 8, 9)
"""Zoom's types of meetings and webinars that have several dates."""
LONGEST_MINUTES = 60 * 24 * 31
"""What Zoom says of a longer date is not believed."""


class Kind(models.TextChoices):
    """What a thing from Zoom is; also the switches of the exposure screen (with REGISTRATION)."""

    MEETING = "meeting", _("Meeting")
    WEBINAR = "webinar", _("Webinar")
    RECORDING = "recording", _("Recording")


class Mirrored(models.Model):
    """Bookkeeping that every mirrored row carries.

    Rows are written often, and each index is written with them: an account is found by the
    indexes that begin with it, so the keys to it have none of their own (``db_index=False``).
    """

    content_hash = models.CharField(max_length=64, blank=True)
    """Keyed digest of the mapped fields: equal means nothing to write (BARS S8)."""
    provider_ts = models.DateTimeField(null=True, blank=True)
    """Time at Zoom of the newest fact applied; older facts never overwrite newer ones."""
    fetched_at = models.DateTimeField(null=True, blank=True)
    """When the read that filled this row *began*."""
    seen_run = models.PositiveBigIntegerField(default=0)
    missing_since = models.DateTimeField(null=True, blank=True)
    missed_run = models.PositiveBigIntegerField(default=0)
    """The run that missed it for the second time: only this one may conclude that it is gone."""
    removed_at = models.DateTimeField(null=True, blank=True)
    """Tombstone: deleted at Zoom (twice missing, or confirmed)."""
    created_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True


class Host(Mirrored):
    """A Zoom user of the account: the directory from which owners tick hosts. No e-mail."""

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="hosts")
    zoom_id = ZoomIdField()
    display_name = models.CharField(max_length=255, blank=True)
    user_type = models.PositiveSmallIntegerField(default=0)
    """1 basic, 2 licensed, 4 unassigned, 99 none (Zoom: users)."""
    status = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    """``{kind: total}`` as the first page of a listing says, before anything is fetched."""

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
    """A meeting or webinar number with everything its dates share."""

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
    """Belongs to Zoom Events, which keeps the registration to itself."""
    requires_login = models.BooleanField(default=False)
    """Visitors need a Zoom account to join (``meeting_authentication``)."""
    login_domains = models.CharField(max_length=255, blank=True)

    approval_type = models.PositiveSmallIntegerField(
        choices=ApprovalType, default=ApprovalType.NONE
    )
    registration_type = models.PositiveSmallIntegerField(default=1)
    """1 once for all dates, 2 each date, 3 once and choose several (Zoom: meetings)."""
    close_registration = models.BooleanField(default=False)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    registrant_count = models.PositiveIntegerField(null=True, blank=True)
    zoom_confirms = models.BooleanField(default=True)
    """Zoom mails registrants itself (``registrants_confirmation_email``)."""
    zoom_notifies = models.BooleanField(default=True)
    """Zoom mails about approval, denial and cancellation (``registrants_email_notification``)."""
    registration_block = models.CharField(max_length=20, blank=True)
    """Why Zoom lately refused sign-ups for the meeting as a whole, such as ``full``."""
    registration_block_at = models.DateTimeField(null=True, blank=True)
    questions = models.JSONField(default=dict, blank=True)
    """``{"questions": [...], "custom_questions": [...]}`` as Zoom gives them."""
    questions_at = models.DateTimeField(null=True, blank=True)

    join_url = SecretField()
    passcode = SecretField()

    detail_at = models.DateTimeField(null=True, blank=True)
    """When the detail was read; without it the meeting shows nowhere."""
    live_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    """Zoom let the number lapse after it was over: still shown, from our copy."""

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

    def secret_place(self) -> str:
        return f"{self.account_id}:{self.zoom_id}"

    @property
    def is_series(self) -> bool:
        return self.zoom_type in SERIES_TYPES

    @property
    def has_fixed_time(self) -> bool:
        """Undated series (types 3 and 6) have no occurrences and stay out of lists."""
        return self.zoom_type not in (1, 3, 4, 6)

    @property
    def takes_registration(self) -> bool:
        return self.approval_type in (self.ApprovalType.AUTOMATIC, self.ApprovalType.MANUAL)

    @property
    def zoom_sends_details(self) -> bool:
        """Whether registered people get their joining details in a mail of Zoom's.

        With approval by hand they come with the mail about the approval, which has its own switch.
        """
        by_hand = self.approval_type == self.ApprovalType.MANUAL
        return self.zoom_notifies if by_hand else self.zoom_confirms


class Occurrence(models.Model):
    """Every dated instance of a meeting, also the only one of a single meeting.

    The unit of every list, calendar entry and sign-up. ``public_id`` is our own identity: Zoom's
    occurrence id may change when a date is moved (unverified there), so registrations, calendar
    UIDs and links hang on ours.
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
    """Zoom's occurrence id; empty for the one date of a single meeting."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    previous_start = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    state_since = models.DateTimeField(default=timezone.now)
    sequence = models.PositiveIntegerField(default=0)
    """Goes up with every change that calendars must hear of (RFC 5545 SEQUENCE)."""
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
