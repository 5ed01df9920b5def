"""Zoom accounts, their OAuth grants and their used rate limit."""

from __future__ import annotations

import secrets
import time
from typing import Any

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..utils.fields import SecretField, ZoomIdField
from ..utils.leases import Leased


def version_step() -> tuple[int, int]:
    """The lowest next ``data_version`` (microseconds since 1970), and the step added to it.

    The random step makes two versions with the same base differ, whatever the clock does.
    """
    return time.time_ns() // 1000, 1 + secrets.randbelow(1 << 20)


class Plan(models.TextChoices):
    """What the account may do per second and whether it sends update events (Zoom: rate limits)."""

    UNKNOWN = "unknown", _("Not known")
    FREE = "free", _("Free")
    PRO = "pro", _("Pro")
    BUSINESS = "business", _("Business or above")


class ZoomAccount(Leased):
    """One Zoom account: root of the local copy, with rate limit, throttle and the lease of
    its sync.

    Several Sites may use one account. Rows of this table are never purged: curation refers to them.
    """

    zoom_id = ZoomIdField(unique=True)
    number = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=255, blank=True)
    plan = models.CharField(max_length=10, choices=Plan, default=Plan.UNKNOWN)
    plan_stated = models.BooleanField(default=False)
    """The owner has set the plan: do not infer it any more."""
    fingerprint = models.CharField(max_length=64, blank=True)
    """``settings.fingerprint`` of the installation that may call Zoom for this account."""

    throttled_until = models.DateTimeField(null=True, blank=True)
    throttle_daily = models.BooleanField(default=False)

    last_event_at = models.DateTimeField(null=True, blank=True)
    directory_at = models.DateTimeField(null=True, blank=True)
    """When the directory of hosts was last read."""
    reconciled_at = models.DateTimeField(null=True, blank=True)
    next_reconcile_at = models.DateTimeField(null=True, blank=True, db_index=True)
    summaries_at = models.DateTimeField(null=True, blank=True)
    """When the summaries of the last month were last compared with Zoom."""
    summaries_refused_at = models.DateTimeField(null=True, blank=True)
    """When Zoom last refused a summary: the plan or the settings of a host have none."""
    data_version = models.PositiveBigIntegerField(default=0)
    """Increases when data shown by the account's Sites changes; part of cache keys
    (``bump_data_version``)."""

    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("Zoom account")
        verbose_name_plural = _("Zoom accounts")

    def __str__(self) -> str:
        return self.name or self.number or self.zoom_id

    def save(self, **kwargs: Any) -> None:
        """Save; a row that was loaded earlier never restores an old version."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            now, step = version_step()
            self.data_version = max(self.data_version, now) + step
        super().save(**kwargs)

    @property
    def is_quarantined(self) -> bool:
        """Whether this database is a copy of another installation: nothing may be sent to Zoom."""
        return bool(self.fingerprint) and self.fingerprint != settings.fingerprint

    @property
    def is_throttled(self) -> bool:
        """Whether Zoom has asked to wait until a time that has not passed."""
        return self.throttled_until is not None and self.throttled_until > timezone.now()


class GrantState(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    DEGRADED = "degraded", _("Zoom is not answering")
    NEEDS_RECONNECT = "needs_reconnect", _("Needs to be connected again")
    REVOKED = "revoked", _("Ended")


class GrantReason(models.TextChoices):
    """Why a grant is not ``connected``; each has its own message in the panel."""

    NONE = "", _("None")
    INVALID_GRANT = "invalid_grant", _("the permission was taken back or ran out in Zoom")
    LOST_ROTATION = "lost_rotation", _("an answer of Zoom was lost")
    SCOPE = "scope", _("a permission is missing")
    DECRYPT = "decrypt", _("the stored permission cannot be read with the installation's keys")
    OWNER_GONE = "owner_gone", _("the person who connected is no longer in the Zoom account")
    DISABLED = "disabled", _("an administrator has switched the app off in Zoom")
    CLIENT_CHANGED = "client_changed", _("this site's Zoom app has changed")
    DEAUTHORIZED = "deauthorized", _("the app was removed in Zoom")
    DISCONNECTED = "disconnected", _("it was disconnected here")
    TRANSIENT = "transient", _("Zoom is not answering")


class GrantQuerySet(models.QuerySet["Grant"]):
    def usable(self) -> GrantQuerySet:
        """Grants with which calls may be made."""
        return self.filter(state__in=[GrantState.CONNECTED, GrantState.DEGRADED])

    def covering(self, host_zoom_id: str) -> GrantQuerySet:
        """Grants that may read the data of this Zoom user."""
        return self.filter(models.Q(account_level=True) | models.Q(zoom_user_id=host_zoom_id))


class Grant(Leased):
    """One OAuth authorisation with its tokens.

    Unique per (client, Zoom account, Zoom user), because a second authorisation by the same user
    revokes the first one's tokens (Zoom: error 4741). The granted scopes determine whether it
    covers the whole account. Only ``oauth/`` reads or writes the tokens.
    """

    client_id = ZoomIdField()
    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="grants")
    zoom_user_id = ZoomIdField()
    user_name = models.CharField(max_length=255, blank=True)
    user_email = SecretField()
    """Email address of the connecting Zoom user, for the panel only."""

    scope = models.TextField(blank=True)
    account_level = models.BooleanField(default=False)
    missing_kinds = models.JSONField(default=list, blank=True)
    """Content types that the granted scopes do not cover; the others are synced."""

    access_token = SecretField()
    refresh_token = SecretField()
    api_url = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True, db_index=True)

    generation = models.PositiveIntegerField(default=0)
    refresh_started_at = models.DateTimeField(null=True, blank=True)
    """Set before the token call; still set afterwards means that a rotation may be lost."""

    state = models.CharField(max_length=20, choices=GrantState, default=GrantState.CONNECTED)
    reason = models.CharField(max_length=20, choices=GrantReason, blank=True, default="")
    state_since = models.DateTimeField(default=timezone.now)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    """Failures in a row; those of calls that ran at the same time are one."""
    failed_at = models.DateTimeField(null=True, blank=True)
    """When the last of them was counted."""
    reminders_sent = models.JSONField(default=list, blank=True)
    """ISO times of the emails sent about the current state; emptied when it is repaired."""

    revoke_requested_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """Set when the last Site disconnects: the worker revokes at Zoom, then deletes the tokens."""
    revoke_attempts = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    """When we last sent a revocation, which Zoom may report as a removal of the app."""

    connected_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    connected_at = models.DateTimeField(default=timezone.now)

    objects = GrantQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("Zoom permission")
        verbose_name_plural = _("Zoom permissions")
        constraints = [
            models.UniqueConstraint(
                fields=["client_id", "account", "zoom_user_id"], name="wagtail_zoom_grant_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.user_name or self.zoom_user_id})"

    def secret_binding(self) -> str:
        return f"{self.client_id}:{self.account_id}:{self.zoom_user_id}"

    @property
    def is_usable(self) -> bool:
        """Whether calls may be made with it."""
        return self.state in (GrantState.CONNECTED, GrantState.DEGRADED)

    def covers(self, host_zoom_id: str) -> bool:
        """Whether it may read the data of this Zoom user."""
        return self.account_level or self.zoom_user_id == host_zoom_id

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


class RateBudget(models.Model):
    """Calls that this installation has used of one account's rate limit, shared by all processes.

    ``slot`` is the theoretical arrival time of the generic cell rate algorithm in microseconds
    since 1970: one number that a conditional UPDATE can move atomically on every database.
    """

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="budgets")
    label = models.CharField(max_length=10)
    slot = models.BigIntegerField(default=0)
    day = models.DateField(null=True)
    day_count = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("rate budget")
        verbose_name_plural = _("rate budgets")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "label"], name="wagtail_zoom_budget_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.label}"
