"""Curation: what one Site has set for objects from Zoom."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.images import get_image_model_string

from ..utils.fields import ZoomIdField
from .accounts import ZoomAccount
from .mirror import SUMMARY, Kind, Meeting
from .recordings import Recording


def public_day(value: datetime | None = None) -> date:
    """The day that it is for visitors, now or at another instant: by ``TIME_ZONE``, also while a
    user with another time zone is active. By it "show until" is entered, listed and enforced."""
    return timezone.localdate(value, timezone.get_default_timezone())


ITEM_KINDS = [*Kind.choices, (SUMMARY, _("Summary"))]
"""What an item stands for."""


class SiteItemQuerySet(models.QuerySet["SiteItem"]):
    def for_site(self, site: object) -> SiteItemQuerySet:
        """Items of one Site only; every view starts with it."""
        return self.filter(site=site)


class SiteItem(models.Model):
    """(Site, kind, Zoom account, natural key) plus curation.

    Admin listings, choosers and blocks reference it, because a local copy has no Site. It is keyed
    by Zoom's natural key and not deleted with the local copy: titles, images and decisions survive
    disabling and enabling a kind, and reconnecting. ``meeting``, ``recording`` and
    ``meeting_summary`` are only the current link to the local copy, and say nothing about whether
    the Site may read that row now: ``SiteVisibility`` does (``row_of``, ``rows_of``, ``items``),
    and nothing else follows them.
    """

    class Visibility(models.TextChoices):
        AUTO = "auto", _("As the rules say")
        PUBLISHED = "published", _("Published")
        HIDDEN = "hidden", _("Hidden")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """The id in public URLs, which are signed for the Site."""
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.CASCADE, related_name="zoom_items"
    )
    account = models.ForeignKey(ZoomAccount, on_delete=models.PROTECT, related_name="site_items")
    kind = models.CharField(max_length=10, choices=ITEM_KINDS)
    key = ZoomIdField()
    """Meeting number, or UUID of the recording or of the summarised instance, as Zoom has it."""
    meeting = models.ForeignKey(
        Meeting, null=True, on_delete=models.SET_NULL, related_name="site_items"
    )
    recording = models.ForeignKey(
        Recording, null=True, on_delete=models.SET_NULL, related_name="site_items"
    )
    meeting_summary = models.ForeignKey(
        "wagtail_zoom.Summary", null=True, on_delete=models.SET_NULL, related_name="site_items"
    )
    last_title = models.CharField(max_length=300, blank=True)
    """The last known topic, so that lists can name items whose local copy is deleted."""

    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.AUTO)
    title = models.CharField(_("own title"), max_length=255, blank=True)
    summary = models.TextField(_("own summary"), blank=True, max_length=2000)
    image = models.ForeignKey(
        get_image_model_string(),
        verbose_name=_("image"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    expires_on = models.DateField(_("show until"), null=True, blank=True)
    decided_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SiteItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "account", "kind", "key"], name="wagtail_zoom_item_identity"
            )
        ]
        indexes = [
            models.Index(fields=["site", "kind", "visibility"], name="wagtail_zoom_item_state"),
            # With the one above it finds the few hidden and expired items.
            models.Index(fields=["site", "kind", "expires_on"], name="wagtail_zoom_item_until"),
        ]

    def __str__(self) -> str:
        """Type and number, without the title: Wagtail and projects print any chosen object so."""
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def display_title(self) -> str:
        """For those who may read it: visitors of the Site where it is visible, and the users whom
        ``ItemAccess`` names."""
        return self.title or self.last_title or self.key

    @property
    def is_expired(self) -> bool:
        """Whether its last day, which still counts, is over."""
        return self.expires_on is not None and self.expires_on < public_day()

    @staticmethod
    def expired() -> models.Q:
        """The condition of ``is_expired``, for queries."""
        return models.Q(expires_on__lt=public_day())


class ItemTag(models.Model):
    """A tag with which the owner groups items. Per item, not shared between Sites."""

    item = models.ForeignKey(SiteItem, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["item", "name"], name="wagtail_zoom_tag_identity")
        ]
        indexes = [models.Index(fields=["name"], name="wagtail_zoom_tag_name")]

    def __str__(self) -> str:
        return self.name


class HiddenDate(models.Model):
    """One date of a meeting that the owner hides from visitors.

    By the occurrence's ``public_id``: it stays hidden when it moves, and when its row was purged
    and is read again.
    """

    item = models.ForeignKey(SiteItem, on_delete=models.CASCADE, related_name="hidden_dates")
    public_id = models.UUIDField()
    hidden_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    hidden_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("hidden date")
        verbose_name_plural = _("hidden dates")
        constraints = [
            models.UniqueConstraint(
                fields=["item", "public_id"], name="wagtail_zoom_hiddendate_identity"
            )
        ]
        indexes = [models.Index(fields=["public_id"], name="wagtail_zoom_hiddendate_id")]

    def __str__(self) -> str:
        return str(self.public_id)


class BlockUsage(models.Model):
    """Has no rows: a constant target for the reference index.

    A list block references no single row, but we must know which pages have one. Blocks return
    ``BlockUsage`` with a fixed key from ``extract_references``, and Wagtail updates the index.
    """

    MEETING_LIST = "meeting-list"
    RECORDING_LIST = "recording-list"
    REGISTRATION = "registration"
    MEETING = "meeting"
    CALENDAR = "calendar"

    key = models.CharField(primary_key=True, max_length=32)

    class Meta:
        verbose_name = _("block usage")
        verbose_name_plural = _("block usages")

    def __str__(self) -> str:
        return self.key
