"""The Zoom settings of one Site: its grant and what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ..utils.fields import ZoomIdField
from .accounts import Grant, GrantState, ZoomAccount
from .mirror import SUMMARY, Host, Kind

if TYPE_CHECKING:

    class BaseSiteSetting(models.Model):
        """What Wagtail, which has no types, defines."""

        site: models.OneToOneField[Site, Site]

        class Meta:
            abstract = True

        @classmethod
        def for_site(cls, site: Site) -> Self: ...

else:
    from wagtail.contrib.settings.models import BaseSiteSetting


class ItemRule(models.TextChoices):
    ALL = "all", _("All of them")
    REGISTRATION = "registration", _("Only those with registration")
    MARKED = "marked", _("Only those marked with a word")
    PICKED = "picked", _("Only those I pick myself")


class JoinPolicy(models.TextChoices):
    PUBLIC = "public", _("Everybody, at any time")
    WINDOW = "window", _("Everybody, from some minutes before the start")
    REGISTRANTS = "registrants", _("Only people who registered")
    NEVER = "never", _("Nobody, the link stays in Zoom")


class PasscodePolicy(models.TextChoices):
    IN_LINK = "in_link", _("Is part of the join link")
    REGISTRANTS = "registrants", _("Only in the email to people who registered")
    NEVER = "never", _("Is never shown")


class ZoomSettings(BaseSiteSetting):
    """One Site's connection and settings. Has no secret, because templates can read all its fields.

    ``account`` outlives ``grant``: after disconnecting with "keep" the Site still shows what it
    showed then (``archived_at``, ``ArchivedRow``).
    """

    grant = models.ForeignKey(
        Grant, null=True, blank=True, on_delete=models.SET_NULL, related_name="site_settings"
    )
    account = models.ForeignKey(
        ZoomAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="site_settings"
    )
    linked_at = models.DateTimeField(null=True, blank=True)
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """The user who connected this Site, or who invited the person who did."""
    needs_confirmation = models.BooleanField(default=False)
    """Another user connected by invitation: nothing is fetched until the owner confirms."""
    configured_at = models.DateTimeField(null=True, blank=True)
    """When the owner first saved what to show; nothing is fetched before."""
    checklist_ends_at = models.DateTimeField(null=True, blank=True)
    """When the owner's checklist for the first run disappears; empty while a step is open."""
    paused_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_grant = models.ForeignKey(
        Grant, null=True, blank=True, on_delete=models.SET_NULL, related_name="archives"
    )
    """The grant that filled the archive. When its user removes the app, the archive ends."""

    show_meetings = models.BooleanField(_("meetings"), default=False)
    show_webinars = models.BooleanField(_("webinars"), default=False)
    show_recordings = models.BooleanField(_("recordings"), default=False)
    show_registration = models.BooleanField(_("registration"), default=False)
    hosts = models.ManyToManyField(Host, through="ExposedHost", related_name="+", blank=True)

    item_rule = models.CharField(
        _("which of their dates"), max_length=12, choices=ItemRule, default=ItemRule.ALL
    )
    mark_word = models.CharField(
        _("the word"),
        max_length=50,
        blank=True,
        default="#public",
        help_text=_("Write it into the topic or the description in Zoom. Visitors do not see it."),
    )
    join_policy = models.CharField(
        _("who may use the join link"),
        max_length=12,
        choices=JoinPolicy,
        default=JoinPolicy.WINDOW,
    )
    join_minutes = models.PositiveIntegerField(
        _("minutes before the start"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
    )
    passcode_policy = models.CharField(
        _("the passcode, when Zoom asks for one"),
        max_length=12,
        choices=PasscodePolicy,
        default=PasscodePolicy.IN_LINK,
    )
    review_recordings = models.BooleanField(_("look at each new recording first"), default=True)
    recording_days = models.PositiveIntegerField(
        _("take recordings off the pages after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Days. Leave empty to keep them."),
    )
    show_transcripts = models.BooleanField(_("transcripts"), default=False)
    show_summaries = models.BooleanField(
        _("summaries of meetings"), default=False, db_default=False
    )
    """What Zoom's AI Companion writes. Each one is reviewed by a person before it is shown."""
    show_host_names = models.BooleanField(_("names of the hosts"), default=True)

    editors_may_schedule = models.BooleanField(
        _("editors may schedule, change and cancel meetings"), default=False, db_default=False
    )
    """Users who edit pages of the Site, beside those who may change these settings."""
    record_attendance = models.BooleanField(
        _("record who attended"), default=False, db_default=False
    )
    attendance_since = models.DateTimeField(null=True, blank=True)
    """When it was switched on; what ended before is not read."""

    organiser = models.CharField(
        _("name of the organiser"),
        max_length=100,
        blank=True,
        help_text=_("Used in sentences to visitors. Empty: the name of the site."),
    )
    contact_email = models.EmailField(_("email about problems goes to"), blank=True)
    privacy_notice = models.TextField(_("privacy notice under the form"), blank=True)
    consent_text = models.CharField(_("consent to ask for"), max_length=300, blank=True)
    double_opt_in = models.BooleanField(
        _("ask people to confirm their address first"), default=False
    )
    registration_days = models.PositiveIntegerField(
        _("delete registrations after"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Days after the last date."),
    )
    base_url = models.URLField(
        _("address used in emails"),
        blank=True,
        help_text=_("Scheme and host, when visitors know the site by another address."),
    )

    panels: ClassVar[list[object]] = []  # guard: generic-settings-form-is-empty
    """Wagtail's generic form for settings has no field: only our panel changes this model."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("Zoom")

    def __str__(self) -> str:
        return f"{self.site}"

    def save(self, **kwargs: Any) -> None:
        """Save; ``attendance_since`` follows ``record_attendance``."""
        if self.record_attendance != (self.attendance_since is not None):
            self.attendance_since = timezone.now() if self.record_attendance else None
            names = kwargs.get("update_fields")
            if names is not None and "record_attendance" in names:
                kwargs["update_fields"] = {*names, "attendance_since"}
        super().save(**kwargs)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of data that this Site shows."""
        shown = {
            Kind.MEETING: self.show_meetings,
            Kind.WEBINAR: self.show_webinars,
            Kind.RECORDING: self.show_recordings,
        }
        return frozenset(kind for kind, is_shown in shown.items() if is_shown)

    @property
    def is_linked(self) -> bool:
        """Whether the Site has a grant, in any state."""
        return self.grant_id is not None

    @property
    def shows_data(self) -> bool:
        """Whether stored data may be shown: connected and configured, or archived."""
        if self.account_id is None or self.configured_at is None or self.needs_confirmation:
            return False
        if self.grant is not None:
            return self.grant.state != GrantState.REVOKED  # guard: ended-grant-shows-nothing
        return self.archived_at is not None

    @property
    def is_archive(self) -> bool:
        """Whether it shows only what it showed when it was disconnected."""
        return self.account_id is not None and not self.is_linked and self.archived_at is not None

    @property
    def decides_for_account(self) -> bool:
        """Whether this Site may decide what concerns its whole Zoom account: stop a run, approve
        removals, state the plan.

        Its grant covers the account, or no other Site is connected with it by another grant.
        """
        grant = self.grant
        if grant is None or not grant.is_usable:
            return False
        others = ZoomSettings.objects.filter(account=self.account_id, grant__isnull=False)
        return grant.account_level or not others.exclude(grant=grant).exists()


class ExposedHost(models.Model):
    """A host that the owner of a Site has selected."""

    settings = models.ForeignKey(ZoomSettings, on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="exposed_on")

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("shown host")
        verbose_name_plural = _("shown hosts")
        constraints = [
            models.UniqueConstraint(
                fields=["settings", "host"], name="wagtail_zoom_exposedhost_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host_id}"


class ArchivedRow(models.Model):
    """A meeting or recording that a Site showed when it was disconnected with "keep".

    The archive shows a row only while it is as it was then: another Site of the account may keep it
    up to date, and what came afterwards is not for the Site that left.
    """

    settings = models.ForeignKey(ZoomSettings, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=[*Kind.choices, (SUMMARY, _("Summary"))])
    key = ZoomIdField()
    """Meeting number, or UUID of the recording or of the summarised instance."""
    content_hash = models.CharField(max_length=64, blank=True)
    """Of the row, when the Site was disconnected."""
    host_name = models.CharField(max_length=255, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("archived row")
        verbose_name_plural = _("archived rows")
        constraints = [
            models.UniqueConstraint(
                fields=["settings", "kind", "key"], name="wagtail_zoom_archived_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class FormerHost(models.Model):
    """A host that was selected when the Site left a Zoom account, by Zoom's id.

    The host's row may be deleted meanwhile. It is selected again when the Site is connected to the
    same account and the row is there.
    """

    settings = models.ForeignKey(ZoomSettings, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="+")
    zoom_id = ZoomIdField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("formerly shown host")
        verbose_name_plural = _("formerly shown hosts")
        constraints = [
            models.UniqueConstraint(
                fields=["settings", "account", "zoom_id"], name="wagtail_zoom_formerhost_identity"
            )
        ]

    def __str__(self) -> str:
        return self.zoom_id


class RecordingRule(models.Model):
    """What happens to new recordings of one host or one series, instead of the Site's default."""

    class Action(models.TextChoices):
        PUBLISH = "publish", _("Publish automatically")
        REVIEW = "review", _("Wait for a look")
        HIDE = "hide", _("Hide")

    settings = models.ForeignKey(
        ZoomSettings, on_delete=models.CASCADE, related_name="recording_rules"
    )
    host_zoom_id = ZoomIdField(blank=True)
    meeting_zoom_id = ZoomIdField(blank=True)
    """Either the host or the series; a rule for the series takes precedence."""
    action = models.CharField(max_length=10, choices=Action)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("recording rule")
        verbose_name_plural = _("recording rules")
        constraints = [
            models.UniqueConstraint(
                fields=["settings", "host_zoom_id", "meeting_zoom_id"],
                name="wagtail_zoom_recrule_identity",
            )
        ]

    def __str__(self) -> str:
        return self.get_action_display()
