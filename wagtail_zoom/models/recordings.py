"""Recordings in Zoom's cloud, as part of the local copy."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..utils.fields import Secret, SecretField, ZoomIdField
from ..utils.secret_text import KnownValues, passcodes_in
from .accounts import ZoomAccount
from .mirror import SHOWABLE_TYPES, Host, Meeting, Mirrored, Occurrence, revealed

SCHEDULED_TYPES = tuple(str(zoom_type) for zoom_type in SHOWABLE_TYPES)
"""Types that a rule may publish. Others need a decision: instant (1), personal room (4, 7), screen
share only (10), uploads (99), imports (100), a missing type, and those that Zoom adds later."""


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
    """Of a personal room, instant or of an unknown kind: never published automatically."""
    topic = models.CharField(max_length=300, blank=True)
    start = models.DateTimeField()
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    timezone = models.CharField(max_length=64, blank=True)
    share_url = SecretField()
    play_url = SecretField()
    """Only where Zoom gives no ``share_url``: the play link of the first complete file."""
    passcode = SecretField()
    has_link = models.BooleanField(default=True, db_default=True)
    """Pages do not load the links; without one a recording is not shown."""
    unknown_link_host = models.CharField(max_length=100, blank=True, default="", db_default="")
    """Where the link leads that Zoom gave, if it was dropped because this is not Zoom."""
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
    def needs_decision(self) -> bool:
        """Whether no rule may publish it; the same rule for pages, lists and reasons."""
        return self.is_unscheduled or self.zoom_type not in ("", *SCHEDULED_TYPES)

    @property
    def known_values(self) -> KnownValues:
        """What opens it, to be cut from texts."""
        links = (revealed(self.share_url), revealed(self.play_url))
        passcodes = [
            revealed(self.passcode),
            *(value for link in links for value in passcodes_in(link)),
        ]
        return KnownValues.of(numbers=[self.meeting_zoom_id], passcodes=passcodes)

    @property
    def watch_url(self) -> Secret:
        """The link that opens the recording at Zoom; empty where Zoom gave none."""
        return self.share_url or self.play_url
