"""Our own public addresses. Raw Zoom URLs stand in no HTML; these do, and decide when clicked.

An id in an address is opaque and bound to Site and thing: the random UUID of the thing and a
short keyed tag over it and the Site. On another host the tag does not fit, and the answer is 404.
The tag gives no right to anything: what the address opens is decided by the exposure gate.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.crypto import salted_hmac
from wagtail.models import Site

from ..conf import settings
from ..models import Occurrence, SiteItem, ZoomSettings

_SALT = "wagtail_zoom.frontend.links"
_TAG_BYTES = 8


def _tag(site_id: int, ident: uuid.UUID, secret: str | bytes | None = None) -> bytes:
    digest = salted_hmac(
        _SALT,
        f"{site_id}:{ident.hex}",  # guard: public-id-bound-to-site
        secret=secret,
        algorithm="sha256",
    ).digest()
    return digest[:_TAG_BYTES]


def opaque(site_id: int, ident: uuid.UUID) -> str:
    """The id of a thing on one Site: 32 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(ident.bytes + _tag(site_id, ident)).decode()


def resolve(site_id: int, text: str) -> uuid.UUID | None:
    """The UUID behind an opaque id; None when it is no such id or belongs to another Site."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw) != 16 + _TAG_BYTES:
        return None
    ident = uuid.UUID(bytes=raw[:16])
    secrets = (None, *django_settings.SECRET_KEY_FALLBACKS)
    if any(hmac.compare_digest(_tag(site_id, ident, key), raw[16:]) for key in secrets):
        return ident
    return None


def join(site_id: int, occurrence: Occurrence) -> str:
    """Where a visitor joins one date: decides at the click what happens."""
    return reverse("wagtail_zoom:join", args=[opaque(site_id, occurrence.public_id)])


def watch(item: SiteItem) -> str:
    """Where a visitor watches a recording."""
    return reverse("wagtail_zoom:watch", args=[opaque(item.site_id, item.public_id)])


def transcript(item: SiteItem) -> str:
    """Where a visitor reads what was said in a recording."""
    return reverse("wagtail_zoom:transcript", args=[opaque(item.site_id, item.public_id)])


def calendar(site_id: int, occurrence: Occurrence) -> str:
    """The calendar file of one date."""
    return reverse("wagtail_zoom:calendar_date", args=[opaque(site_id, occurrence.public_id)])


def series_calendar(item: SiteItem) -> str:
    """The calendar of all dates of one meeting, for subscribing."""
    return reverse("wagtail_zoom:calendar_series", args=[opaque(item.site_id, item.public_id)])


def site_calendar() -> str:
    """The calendar of everything that the Site of this host shows."""
    return reverse("wagtail_zoom:calendar_site")


def site_origin(choice: ZoomSettings) -> str:
    """Scheme and host for addresses in mails and files: never taken from the request.

    The Site's own choice first; else the canonical scheme with the Site's host name.
    """
    if choice.base_url:
        return choice.base_url.rstrip("/")
    return origin_of(choice.site)


def origin_of(site: Site) -> str:
    """The https origin of a Site; the canonical one when that is its host."""
    base = urlsplit(settings.base_url)
    if not base.scheme or base.hostname == site.hostname:
        return settings.base_url or site.root_url
    port = "" if site.port in (80, 443) else f":{site.port}"
    return f"{base.scheme}://{site.hostname}{port}"


def is_zoom_link(url: str) -> bool:
    """Whether a stored link really leads to Zoom, before anybody is sent there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    allowed = any(host == each or host.endswith(f".{each}") for each in settings.link_hosts)
    return allowed and (parts.scheme == "https" or (parts.scheme == "http" and _is_local(host)))


def _is_local(host: str) -> bool:
    """The simulator speaks plain HTTP on this machine; only ``DEBUG`` puts it on the list."""
    return django_settings.DEBUG and host in ("localhost", "127.0.0.1", "::1")
