"""Who of the people registered here came: one reading of Zoom's lists for each date.

Nothing is stored of people who did not register on this installation, except how many there were.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import ZoomIdField
from .accounts import ZoomAccount
from .mirror import Kind
from .outbox import OutboxRow
from .registrations import Registration


class AttendanceReading(OutboxRow):
    """Reading Zoom's lists of who took part in one date: when it is next due, and what it gave.

    Serves all Sites of the account that record attendance. It outlives the local copy of the date,
    as registrations do: ``occurrence_public_id`` finds the date again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Not read yet")
        PROVISIONAL = "provisional", _("Read, may still change")
        FINAL = "final", _("Final")
        UNAVAILABLE = "unavailable", _("Zoom does not say")

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="+")
    occurrence_public_id = models.UUIDField(unique=True, editable=False)
    """``Occurrence.public_id`` of the date."""
    meeting_zoom_id = ZoomIdField(db_index=True)
    host_zoom_id = ZoomIdField()
    kind = models.CharField(max_length=10, choices=Kind)
    start = models.DateTimeField()
    """The planned start of the date."""
    ended_at = models.DateTimeField()
    """When it was over: its planned end, or the end of its last part if that was later."""

    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    read_at = models.DateTimeField(null=True)
    row_count = models.PositiveIntegerField(default=0)
    """Rows of the last reading: one for each time that somebody joined."""
    people = models.PositiveIntegerField(null=True)
    """About how many people came, registered here or not; None while it is not known."""
    digest = models.CharField(max_length=64, blank=True, default="")
    """Of the last complete reading: two equal ones are final. Holds no personal data."""
    created_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("reading of attendance")
        verbose_name_plural = _("readings of attendance")
        indexes = [
            models.Index(fields=["account", "ended_at"], name="wagtail_zoom_reading_end"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting_zoom_id} {self.start:%Y-%m-%d %H:%M}Z"


class AttendanceInstance(models.Model):
    """One part of a date at Zoom, with a list of its own: a look-in, the meeting, what followed a
    pause."""

    reading = models.ForeignKey(
        AttendanceReading, on_delete=models.CASCADE, related_name="instances"
    )
    uuid = ZoomIdField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("part of a date")
        verbose_name_plural = _("parts of dates")
        constraints = [
            models.UniqueConstraint(fields=["reading", "uuid"], name="wagtail_zoom_instance_uuid")
        ]

    def __str__(self) -> str:
        return f"{self.reading_id} {self.uuid}"


class Attendance(models.Model):
    """Whether one registered person came to one date. Deleted with the registration."""

    reading = models.ForeignKey(
        AttendanceReading, on_delete=models.CASCADE, related_name="attendances"
    )
    registration = models.ForeignKey(
        Registration, on_delete=models.CASCADE, related_name="attendances"
    )
    came = models.BooleanField(null=True)
    """None while it is not known. False only once the reading is final."""
    minutes = models.PositiveIntegerField(null=True)
    """In the meeting, the waiting room not counted; twice at the same time counts once."""
    first_arrival = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "registration"], name="wagtail_zoom_attendance_identity"
            )
        ]
        indexes = [
            models.Index(fields=["registration", "came"], name="wagtail_zoom_attendance_came"),
        ]

    def __str__(self) -> str:
        return f"{self.reading_id} {self.registration_id}"
