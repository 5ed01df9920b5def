"""Links with which somebody without a CMS log-in connects one Site (the Zoom administrator)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from ..conf import settings
from ..models import Activity, Invitation
from ..permissions import may_change
from .flow import digest

DAYS = 7


def create(site: Site, user: Any) -> tuple[Invitation, str]:
    """A new link, good once and for seven days; earlier open ones of the Site end."""
    Invitation.objects.filter(site=site, used_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        site=site,
        token_hash=digest(token),
        created_by=user,
        expires_at=timezone.now() + timedelta(days=DAYS),
    )
    Activity.log([site.pk], "connection", "invited", user=user)
    return row, f"{settings.base_url}{reverse('wagtail_zoom:invite', args=[token])}"


def find(token: str) -> Invitation | None:
    """The invitation behind a link, while it is open and its sender may still invite."""
    row = (
        Invitation.objects.filter(token_hash=digest(token))
        .select_related("site", "created_by")
        .first()
    )
    return row if row and row.is_open and may_change(row.created_by, row.site) else None


def bind(row: Invitation, browser: str) -> bool:
    """Tie the link to the browser that pressed its button first; whether this is that browser."""
    Invitation.objects.filter(pk=row.pk, nonce_hash="").update(nonce_hash=browser)
    return Invitation.objects.filter(pk=row.pk, nonce_hash=browser).exists()


def use(row: Invitation) -> bool:
    """Mark it used; False when somebody was faster."""
    return bool(
        Invitation.objects.filter(pk=row.pk, used_at=None, revoked_at=None).update(
            used_at=timezone.now()
        )
    )


def revoke(row: Invitation) -> None:
    """Take the link back."""
    Invitation.objects.filter(pk=row.pk, used_at=None).update(revoked_at=timezone.now())
