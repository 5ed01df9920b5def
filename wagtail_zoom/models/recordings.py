"""Recordings in Zoom's cloud, as part of the local copy."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..utils.fields import Secret, SecretField, ZoomIdField
from .accounts import ZoomAccount
from .mirror import Host, Meeting, Mirrored, Occurrence


class Recording(Mirrored):
    """One recorded instance in Zoom's cloud, with what is needed to watch it."""

    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="recordings", db_index=False
    )
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="recordings")
    host_zoom_id = ZoomIdField()
    uuid = ZoomIdField()
    meeting_zoom_id = ZoomIdField(blank=True, db_index=True)
    meeting = models.ForeignKey(
        Meeting, null=True, on_delete=models.SET_NULL, related_name="recordings"
    )
    occurrence = models.ForeignKey(
        Occurrence, null=True, on_delete=models.SET_NULL, related_name="recordings"
    )
    zoom_type = models.CharField(max_length=4, blank=True)
    is_unscheduled = models.BooleanField(default=False)
    """Of a personal room or an instant meeting: needs review, never published automatically."""
    topic = models.CharField(max_length=300, blank=True)
    start = models.DateTimeField()
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    timezone = models.CharField(max_length=64, blank=True)
    share_url = SecretField()
    play_url = SecretField()
    """Only where Zoom gives no ``share_url``: the play link of the first complete file."""
    passcode = SecretField()
    file_count = models.PositiveIntegerField(default=0)
    file_types = models.JSONField(default=list, blank=True)
    """Zoom's file types, each once and sorted, such as ``["CHAT", "MP4"]``."""
    is_ready = models.BooleanField(default=False)
    """At least one video or audio file is complete."""
    has_transcript = models.BooleanField(default=False)
    deletes_on = models.DateField(null=True, blank=True)
    """Day on which Zoom deletes it automatically."""
    trashed_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "uuid"], name="wagtail_zoom_recording_identity"
            )
        ]
        indexes = [models.Index(fields=["account", "start"], name="wagtail_zoom_rec_start")]

    def __str__(self) -> str:
        return self.topic

    def secret_binding(self) -> str:
        return f"{self.account_id}:{self.uuid}"

    @property
    def watch_url(self) -> Secret:
        """The link that opens the recording at Zoom; empty where Zoom gave none."""
        return self.share_url or self.play_url
