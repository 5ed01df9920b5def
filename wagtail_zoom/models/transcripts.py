"""What was said in a recording, as text: read only for Sites whose owners want to show it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .recordings import Recording


class Transcript(models.Model):
    """The text of one recording: plain, bounded, without the names of those who spoke.

    A table of its own, so that no list of recordings ever loads it. It goes with its recording,
    and when the last Site that wanted it no longer does.
    """

    recording = models.OneToOneField(Recording, on_delete=models.CASCADE, related_name="transcript")
    mark = models.CharField(max_length=150, blank=True)
    """Id and size of the file at Zoom that the text was read from: another one is read anew."""
    text = models.TextField(blank=True)
    """Paragraphs between empty lines; nothing when Zoom would not hand it out."""
    read_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")

    def __str__(self) -> str:
        return f"{self.recording_id}"
