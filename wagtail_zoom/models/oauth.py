"""Short-lived rows of the OAuth flow: invitations and pending authorisations."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.fields import SecretField, ZoomIdField


class Invitation(models.Model):
    """An expiring, single-use link with which another person connects a Site."""

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    nonce_hash = models.CharField(max_length=64, blank=True)
    """Binds the link to the browser that used it first."""
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.site_id}"

    @property
    def is_open(self) -> bool:
        return not self.used_at and not self.revoked_at and self.expires_at > timezone.now()


class OAuthState(models.Model):
    """One pending authorisation: single use, ten minutes, bound to browser, user and Site."""

    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64, db_index=True)
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")
    invitation = models.ForeignKey(
        Invitation, null=True, on_delete=models.CASCADE, related_name="+"
    )
    client_id = ZoomIdField()
    issuer = models.CharField(max_length=200)
    redirect_uri = models.CharField(max_length=300)
    origin = models.CharField(max_length=300)
    """Scheme and host where the flow began and is completed."""
    verifier = SecretField()
    code = SecretField()
    """The authorisation code, stored between the canonical and the originating host."""
    ticket_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Digest of the ticket that went to the browser which brought the code, and only there."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("authorisation under way")
        verbose_name_plural = _("authorisations under way")

    def __str__(self) -> str:
        return f"{self.site_id}"

    def secret_binding(self) -> str:
        return self.state_hash
