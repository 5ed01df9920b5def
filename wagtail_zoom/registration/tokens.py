"""The personal token of a registration: opens its status page and its join page only.

A signed id as in all our public URLs: unguessable, and bound to the Site.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from django.http import HttpRequest
from django.urls import reverse

from ..frontend import links
from ..models import Registration, ZoomSettings
from ..utils.emails import ascii_email as ascii_email
from ..utils.emails import email_index as email_index
from ..utils.emails import email_indexes as email_indexes
from ..utils.emails import normalise_email as normalise_email


def mailbox_of(email: str) -> str:
    """The mailbox of an address, for limits: without the sub-address, ``name+news@``.

    Where a server does not know sub-addresses these are different mailboxes, which then share one
    limit: that only delays.
    """
    name, separator, domain = normalise_email(email).rpartition("@")
    return f"{name.partition('+')[0] or name}{separator}{domain}"


def token_of(row: Registration) -> str:
    """The token for emails and personal pages. Give it to the person only."""
    return links.sign_id(row.site_id, row.public_id)


def find(token: str) -> Registration | None:
    """The registration of a token, with Site, account and meeting; None for an invalid token."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        public_id = uuid.UUID(bytes=raw[:16])
    except (ValueError, binascii.Error):
        return None
    row = (
        Registration.objects.filter(public_id=public_id)
        .select_related("site", "account", "meeting")
        .first()
    )
    return (
        row if row and links.unsign_id(row.site_id, token) == public_id else None
    )  # guard: personal-token-bound-to-site


def find_for_request(request: HttpRequest, token: str) -> Registration | None:
    """Like ``find``, but only on a hostname of the registration's Site or the canonical one."""
    row = find(token)
    return row if row is not None and links.is_hostname_of_site(request, row.site_id) else None


def status_path(row: Registration) -> str:
    """The path of the person's status page."""
    return reverse("wagtail_zoom:registration", args=[token_of(row)])


def calendar_path(row: Registration) -> str:
    """The path of the person's calendar file, with the personal join link."""
    return reverse("wagtail_zoom:registration_calendar", args=[token_of(row)])


def status_url(row: Registration, site_settings: ZoomSettings) -> str:
    """The absolute URL of the status page, for emails."""
    return links.site_origin(site_settings) + status_path(row)


def join_path(row: Registration) -> str:
    """The path of the person's join link. The view checks access."""
    return reverse("wagtail_zoom:join", args=[token_of(row)])
