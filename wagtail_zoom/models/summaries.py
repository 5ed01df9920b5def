"""Summaries of meetings, written by Zoom's AI Companion, and the text that a Site's owner reviewed.

Zoom's text is part of the local copy. Visitors never see it: they see the text of a
``SummaryReview``, which a person has read and saved. So a change at Zoom changes nothing on a page
until somebody takes it over.
"""

from __future__ import annotations

import hashlib

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import ZoomIdField
from ..utils.markdown import markdown_to_text
from ..utils.secret_text import KnownValues
from .accounts import ZoomAccount
from .curation import SiteItem
from .mirror import Host, Meeting, Mirrored, Occurrence


def text_digest(text: str) -> str:
    """Identifies a version of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Summary(Mirrored):
    """What AI Companion wrote about one instance of a meeting: Markdown text, nothing else.

    Without the URL of Zoom's document, email addresses, links to Zoom and what opens the meeting.
    """

    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="summaries", db_index=False
    )
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="summaries")
    host_zoom_id = ZoomIdField()
    uuid = ZoomIdField()
    """Of the instance, as its recording has it."""
    meeting_zoom_id = ZoomIdField(blank=True, db_index=True)
    meeting = models.ForeignKey(
        Meeting, null=True, on_delete=models.SET_NULL, related_name="summaries"
    )
    occurrence = models.ForeignKey(
        Occurrence, null=True, on_delete=models.SET_NULL, related_name="summaries"
    )
    topic = models.CharField(max_length=300, blank=True)
    start = models.DateTimeField()
    """When the instance began (UTC)."""
    text = models.TextField(blank=True)
    """Markdown; empty once it was deleted at Zoom."""
    trashed_at = models.DateTimeField(null=True, blank=True)
    """In Zoom's trash since, or withdrawn because Zoom no longer has it."""

    class Meta:
        verbose_name = _("meeting summary")
        verbose_name_plural = _("meeting summaries")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "uuid"], name="wagtail_zoom_summary_identity"
            )
        ]
        indexes = [models.Index(fields=["account", "start"], name="wagtail_zoom_summary_start")]

    def __str__(self) -> str:
        return self.topic

    @property
    def timezone(self) -> str:
        """The time zone of its meeting, otherwise of its host; Zoom sends none."""
        if self.meeting is not None and self.meeting.timezone:
            return self.meeting.timezone
        return self.host.timezone if self.host else ""

    @property
    def known_values(self) -> KnownValues:
        """What opens its meeting, to be cut from texts."""
        numbers = [self.meeting_zoom_id, self.host.pmi if self.host else ""]
        known_values = KnownValues.of(numbers=numbers)
        return known_values | self.meeting.known_values if self.meeting else known_values

    @property
    def is_withdrawn(self) -> bool:
        """Whether Zoom no longer has it."""
        return self.removed_at is not None or self.trashed_at is not None

    @property
    def version(self) -> str:
        """Identifies the present text of Zoom's."""
        return text_digest(self.text)


class SummaryReview(models.Model):
    """The text of a summary as one Site's owner has read and saved it; visitors see only this.

    Whether they see it, the ``visibility`` of its item says.
    """

    item = models.OneToOneField(SiteItem, on_delete=models.CASCADE, related_name="review")
    text = models.TextField(blank=True)
    """Markdown."""
    plain_text = models.TextField(blank=True)
    """What visitors read of it, for search and excerpts: without markup."""
    zoom_version = models.CharField(max_length=64, blank=True)
    """``Summary.version`` on which the person decided."""
    is_edited = models.BooleanField(default=False)
    """The text is the person's own, not Zoom's."""
    reviewed_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reviewed_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("reviewed summary")
        verbose_name_plural = _("reviewed summaries")

    def __str__(self) -> str:
        return f"{self.item_id}"

    def set_text(self, text: str) -> None:
        """Set the text in both forms."""
        self.text, self.plain_text = text, markdown_to_text(text)

    def differs_from(self, summary: Summary) -> bool:
        """Whether Zoom has another version than the one on which the person decided."""
        return not summary.is_withdrawn and summary.version != self.zoom_version


def reset_reviews(items: models.QuerySet[SiteItem], *, delete_texts: bool) -> int:
    """Put published summaries back in review: nothing is shown until a person decides again.

    Hidden ones stay hidden. Returns how many were published.

    Args:
        items: summaries only.
        delete_texts: delete the reviewed texts too, because the summary is gone for good.
    """
    pks = list(items.values_list("pk", flat=True))
    if delete_texts:
        SummaryReview.objects.filter(item__in=pks).delete()
    published = SiteItem.objects.filter(pk__in=pks, visibility=SiteItem.Visibility.PUBLISHED)
    return published.update(
        visibility=SiteItem.Visibility.AUTO, decided_by=None, decided_at=None
    )  # guard: withdrawn-summary-needs-review
