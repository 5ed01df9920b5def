"""Dates of meetings whose local copy is deleted while people are registered for them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..utils.fields import ZoomIdField
from .accounts import ZoomAccount
from .mirror import Occurrence


class PurgedOccurrence(models.Model):
    """What links, calendars and registrations need to find a date again when it is fetched again.

    Written when a meeting with registrations is purged, because the owner has switched its kind or
    host off or has disconnected. Deleted when the date is restored, or with the last registration.
    """

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="+")
    meeting_zoom_id = ZoomIdField(db_index=True)
    public_id = models.UUIDField(unique=True)
    zoom_id = ZoomIdField(blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    duration = models.PositiveIntegerField(default=0)
    previous_start = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=Occurrence.State)
    sequence = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("purged date")
        verbose_name_plural = _("purged dates")

    def __str__(self) -> str:
        return f"{self.meeting_zoom_id} {self.start:%Y-%m-%d %H:%M}Z"
