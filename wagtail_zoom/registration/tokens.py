"""The personal token of a sign-up: opens its status page and its join page, and nothing else.

The same opaque id as in every public address of ours: unguessable, and bound to the Site.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from wagtail.models import Site

from ..conf import settings
from ..frontend import links
from ..models import Registration, ZoomSettings
from ..utils.crypto import blind_index, blind_indexes

EMAIL = "registration-email"
"""Purpose of the blind index of addresses."""


def normalise(email: str) -> str:
    """How addresses are compared, as Zoom does: without case."""
    return email.strip().casefold()


def email_index(email: str) -> str:
    """The keyed digest under which an address is stored."""
    return blind_index(normalise(email), EMAIL)


def email_indexes(email: str) -> list[str]:
    """The digests of an address under every active key, for look-ups."""
    return blind_indexes(normalise(email), EMAIL)


def token_of(row: Registration) -> str:
    """The token for mails and personal pages. Give it to the person only."""
    return links.opaque(row.site_id, row.public_id)


def find(text: str) -> Registration | None:
    """The sign-up that a token opens, with Site, account and meeting; None for anything else."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        ident = uuid.UUID(bytes=raw[:16])
    except (ValueError, binascii.Error):
        return None
    row = (
        Registration.objects.filter(public_id=ident)
        .select_related("site", "account", "meeting")
        .first()
    )
    return (
        row if row and links.resolve(row.site_id, text) == ident else None
    )  # guard: personal-token-bound-to-site


def find_here(request: HttpRequest, text: str) -> Registration | None:
    """As ``find``, but only on a host of the sign-up's Site or on the canonical one."""
    row = find(text)
    return row if row is not None and is_at_home(request, row.site_id) else None


def is_at_home(request: HttpRequest, site_id: int) -> bool:
    """Whether this is a host of that Site, or the canonical one.

    What one owner writes must not stand under the name of another Site.
    """
    here = Site.find_for_request(request)
    if here is not None and here.pk == site_id:
        return True
    choice = ZoomSettings.objects.filter(site=site_id).first()
    known = {urlsplit(settings.base_url).netloc, urlsplit(choice.base_url if choice else "").netloc}
    return request.get_host() in known - {""}


def status_path(row: Registration) -> str:
    """The person's own page."""
    return reverse("wagtail_zoom:registration", args=[token_of(row)])


def status_url(row: Registration, choice: ZoomSettings) -> str:
    """The same with scheme and host, for mails."""
    return links.site_origin(choice) + status_path(row)


def join_path(row: Registration) -> str:
    """The person's own way into the meeting: decides at the click."""
    return reverse("wagtail_zoom:join", args=[token_of(row)])
