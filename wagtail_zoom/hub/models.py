"""Deployments, which Zoom users they are connected with, and the events on their way to them.

No token of Zoom is stored. The hub recognises a refresh token by a keyed digest of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..utils.fields import SecretField, ZoomIdField
from ..utils.leases import Leased
from ..utils.ratelimit import RateLimitCounter

DEAUTHORIZED = "app_deauthorized"
"""The event that a user has removed the app."""


class Deployment(models.Model):
    """A website with its own installation of ``wagtail_zoom``: an OAuth client of the hub."""

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=300)
    """Origin of the website, shown to people before they allow access."""
    client_id = ZoomIdField(_("client ID"), unique=True)
    redirect_uri = models.CharField(_("redirect URL"), max_length=500)
    """The only one; compared byte for byte."""
    webhook_url = models.CharField(_("webhook URL"), max_length=500)
    contact_email = models.EmailField(_("email address of the operator"))

    secret_hash = models.CharField(max_length=64)
    """SHA-256 of the client secret, which has 256 random bits."""
    webhook_secret = SecretField()
    """Signs the events that are sent to it."""
    previous_secret_hash = models.CharField(max_length=64, blank=True)
    previous_webhook_secret = SecretField()
    previous_until = models.DateTimeField(null=True, blank=True)
    """After a rotation the previous secrets are valid until then."""

    created_at = models.DateTimeField(_("added"), default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    """Since then its calls are refused and no event is sent to it."""

    last_delivered_at = models.DateTimeField(_("last delivery"), null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    """Failures in a row that concern the website, not one event."""
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    """Until then nothing is sent to it."""
    notified_at = models.DateTimeField(null=True, blank=True)
    """When the last email about lost events was sent."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    def secret_binding(self) -> str:
        return self.client_id

    @property
    def has_previous_secrets(self) -> bool:
        """Whether the secrets from before the last rotation are still valid."""
        return self.previous_until is not None and self.previous_until > timezone.now()


class Authorization(models.Model):
    """An authorisation under way: bound to the browser that pressed the button, single use."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, db_index=True)
    deployment_state = SecretField()
    """The deployment's own ``state``, returned unchanged."""
    challenge = models.CharField(max_length=128)
    """The deployment's PKCE challenge (S256)."""
    may_move = models.BooleanField(default=False)
    """The person agreed that another website loses this Zoom user."""
    code_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique
    """Set by the callback: the code may be exchanged by this deployment only."""
    conflict = models.CharField(max_length=100, blank=True)
    """Name of the website with which the Zoom user was connected when the code was exchanged."""
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("authorisation under way")
        verbose_name_plural = _("authorisations under way")

    def __str__(self) -> str:
        return f"{self.deployment_id}"

    def secret_binding(self) -> str:
        return self.state_hash


class BindingQuerySet(models.QuerySet["Binding"]):
    def active(self) -> BindingQuerySet:
        """Bindings in force, for the Zoom app in the settings."""
        return self.filter(
            ended_at=None,  # guard: hub-binding-in-force
            client_id=settings.client_id,
            deployment__removed_at=None,  # guard: hub-removed-deployment-unbound
        )


class Binding(models.Model):
    """A Zoom user who has authorised a deployment, as proved by ``/users/me`` with the new token.

    A second authorisation by the same user ends the first one's tokens (Zoom: error 4741), so an
    active binding is unique for the Zoom app, the account and the user.
    """

    class End(models.TextChoices):
        MOVED = "moved", _("moved to another website")
        REVOKED = "revoked", _("disconnected by the website")
        DEAUTHORIZED = "deauthorized", _("removed at Zoom")

    class Notice(models.TextChoices):
        MOVED = "moved", _("moved")
        INTERRUPTED = "interrupted", _("interrupted")

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="bindings")
    client_id = ZoomIdField()
    account_zoom_id = ZoomIdField(db_index=True)
    user_zoom_id = ZoomIdField()
    active_key = ZoomIdField(max_length=310, null=True, unique=True)
    """``<client id>:<account id>:<user id>`` while it is in force."""
    account_level = models.BooleanField(default=False)
    """The granted scopes cover the whole account, not only the user."""
    refresh_hash = models.CharField(max_length=64, blank=True, db_index=True)
    previous_refresh_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """The one before: its response may have been lost, and Zoom decides whether it still works."""
    digest_key = models.CharField(max_length=16, blank=True)
    """Which of the ``ENCRYPTION_KEYS`` both digests are made with; see ``bindings.key_label``."""
    connected_at = models.DateTimeField(default=timezone.now)
    refreshed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=End, blank=True)
    notice = models.CharField(max_length=20, choices=Notice, blank=True)
    """An email to the deployment's operator that has still to be sent."""

    objects = BindingQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("connection of a deployment")
        verbose_name_plural = _("connections of deployments")
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "client_id", "account_zoom_id", "user_zoom_id"],
                name="wagtail_zoom_hub_binding_identity",
            )
        ]

    def __str__(self) -> str:
        return f"{self.deployment} ({self.account_zoom_id})"

    @staticmethod
    def key_of(account_zoom_id: str, user_zoom_id: str) -> str:
        """``active_key`` of this user for the Zoom app in the settings."""
        return f"{settings.client_id}:{account_zoom_id}:{user_zoom_id}"


class Delivery(Leased):
    """One event on its way to one deployment. The queue of record: a task is only a wake-up."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Given up")

    LIFETIME = timedelta(hours=24)
    """How long a delivery is tried."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="deliveries")
    request_id = ZoomIdField(null=True)
    content_key = models.CharField(max_length=64)
    account_zoom_id = ZoomIdField(blank=True)
    event = models.CharField(max_length=64)
    body = SecretField()
    """The event as the deployment receives it; deleted once it is delivered."""
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField(default=timezone.now)
    last_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True)
    """Class of the last error, where there was no response."""
    delivered_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("delivery of an event")
        verbose_name_plural = _("deliveries of events")
        # Zoom's id is not signed, so the content counts as well; neither makes a second delivery.
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "request_id"], name="wagtail_zoom_hub_request"
            ),
            models.UniqueConstraint(
                fields=["deployment", "content_key"], name="wagtail_zoom_hub_content"
            ),
        ]
        indexes = [models.Index(fields=["state", "run_after"], name="wagtail_zoom_hub_due")]

    def __str__(self) -> str:
        return self.event

    def secret_binding(self) -> str:
        return f"{self.deployment_id}:{self.content_key}"


class CallCounter(RateLimitCounter):
    """How often a deployment or a network has called, until ``expires_at``."""

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("counter of calls")
        verbose_name_plural = _("counters of calls")


class JobRun(models.Model):
    """When a background job last ran: ``tick`` shows that the worker is running."""

    name = models.CharField(max_length=30, primary_key=True)
    ran_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("run of a background job")
        verbose_name_plural = _("runs of background jobs")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, name: str, time: datetime) -> None:
        """Store the time. Two statements: on MariaDB, processes that look for a missing row inside
        a transaction deadlock."""
        if not cls.objects.filter(name=name).update(ran_at=time):
            JobRun.objects.bulk_create([JobRun(name=name, ran_at=time)], ignore_conflicts=True)
