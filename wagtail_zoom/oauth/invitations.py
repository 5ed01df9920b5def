"""Invitation links: a Zoom administrator without a CMS login connects one Site."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from ..conf import settings
from ..models import Activity, Invitation, ZoomSettings
from ..permissions import may_change

VALID_DAYS = 7


def digest(text: str) -> str:
    """SHA-256 of a random string; only this is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def create(site: Site, user: Any) -> tuple[Invitation, str]:
    """Create a link, valid once and for seven days; earlier open links of the Site are revoked."""
    end_open(site)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        site=site,
        token_hash=digest(token),
        created_by=user,
        expires_at=timezone.now() + timedelta(days=VALID_DAYS),
    )
    Activity.log([site.pk], "connection", "invited", user=user)
    return invitation, f"{settings.base_url}{reverse('wagtail_zoom:invite', args=[token])}"


def find(token: str) -> Invitation | None:
    """Return the invitation of a link if it is open and its creator still has the permission."""
    invitation = (
        Invitation.objects.filter(token_hash=digest(token))
        .select_related("site", "created_by")
        .first()
    )
    return (
        invitation
        if invitation and invitation.is_open and may_change(invitation.created_by, invitation.site)
        else None
    )


def end_open(site: Site) -> None:
    """Revoke the open links of a Site."""
    rows = Invitation.objects.filter(site=site, used_at=None, revoked_at=None)
    rows.update(revoked_at=timezone.now())


def end_of(invitation: Invitation | None) -> str:
    """Key in ``MESSAGES`` for a link that opens nothing."""
    site_id = invitation.site_id if invitation is not None else None
    is_connected = ZoomSettings.objects.filter(site=site_id).exclude(grant=None).exists()
    return "invitation_connected" if is_connected else "invitation"


def end_of_link(token: str) -> str:
    """As :func:`end_of`, of the invitation of a link."""
    return end_of(Invitation.objects.filter(token_hash=digest(token)).first())


def bind_to_browser(invitation: Invitation, browser: str) -> bool:
    """Bind the link to the browser that uses it first; return whether this is that browser."""
    Invitation.objects.filter(pk=invitation.pk, nonce_hash="").update(nonce_hash=browser)
    return Invitation.objects.filter(pk=invitation.pk, nonce_hash=browser).exists()


def mark_used(invitation: Invitation) -> bool:
    """Mark it as used; False when another request was faster."""
    return bool(
        Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None).update(
            used_at=timezone.now()
        )
    )


def revoke(invitation: Invitation) -> None:
    """Revoke the link."""
    Invitation.objects.filter(pk=invitation.pk, used_at=None).update(revoked_at=timezone.now())
