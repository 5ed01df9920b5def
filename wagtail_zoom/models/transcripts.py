"""Transcripts of recordings: read only for Sites whose owners show them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .recordings import Recording


class Transcript(models.Model):
    """The transcript of one recording: plain text of limited length, without speaker names.

    A table of its own, so that lists of recordings do not load it. It is deleted with its
    recording, and when no Site shows it any more.
    """

    recording = models.OneToOneField(Recording, on_delete=models.CASCADE, related_name="transcript")
    source_version = models.CharField(max_length=150, blank=True)
    """Id and size of the source file at Zoom: a different file is read again."""
    text = models.TextField(blank=True)
    """Paragraphs between empty lines; empty when Zoom refused it."""
    read_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")

    def __str__(self) -> str:
        return f"{self.recording_id}"
