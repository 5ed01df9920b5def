"""Our public URLs. HTML contains these instead of Zoom's URLs; their views decide on each request.

An id in a URL is opaque and bound to a Site: the random public id of the object and a short
signature over it and the Site. On another hostname the signature does not match: 404. The
signature grants no access. The visibility rules decide what the URL opens.
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
_SIGNATURE_BYTES = 8


def _signature(site_id: int, public_id: uuid.UUID, secret: str | bytes | None = None) -> bytes:
    digest = salted_hmac(
        _SALT,
        f"{site_id}:{public_id.hex}",  # guard: public-id-bound-to-site
        secret=secret,
        algorithm="sha256",
    ).digest()
    return digest[:_SIGNATURE_BYTES]


def sign_id(site_id: int, public_id: uuid.UUID) -> str:
    """The id of an object for the URLs of one Site: 32 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(public_id.bytes + _signature(site_id, public_id)).decode()


def unsign_id(site_id: int, text: str) -> uuid.UUID | None:
    """The public id in a signed id; None when it is invalid or belongs to another Site."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw) != 16 + _SIGNATURE_BYTES:
        return None
    public_id = uuid.UUID(bytes=raw[:16])
    secrets = (None, *django_settings.SECRET_KEY_FALLBACKS)
    if any(hmac.compare_digest(_signature(site_id, public_id, key), raw[16:]) for key in secrets):
        return public_id
    return None


def join_url(site_id: int, occurrence: Occurrence) -> str:
    """The join page of one occurrence."""
    return reverse("wagtail_zoom:join", args=[sign_id(site_id, occurrence.public_id)])


def watch_url(item: SiteItem) -> str:
    """The watch page of a recording."""
    return reverse("wagtail_zoom:watch", args=[sign_id(item.site_id, item.public_id)])


def transcript_url(item: SiteItem) -> str:
    """The transcript page of a recording."""
    return reverse("wagtail_zoom:transcript", args=[sign_id(item.site_id, item.public_id)])


def calendar_url(site_id: int, occurrence: Occurrence) -> str:
    """The calendar file of one occurrence."""
    return reverse("wagtail_zoom:calendar_date", args=[sign_id(site_id, occurrence.public_id)])


def series_calendar_url(item: SiteItem) -> str:
    """The calendar of all occurrences of one meeting, for subscribing."""
    return reverse("wagtail_zoom:calendar_series", args=[sign_id(item.site_id, item.public_id)])


def site_calendar_url() -> str:
    """The calendar of all occurrences of the Site."""
    return reverse("wagtail_zoom:calendar_site")


def site_origin(site_settings: ZoomSettings) -> str:
    """Scheme and hostname for URLs in emails and files: never taken from the request.

    The Site's setting first, otherwise the canonical scheme with the Site's hostname.
    """
    if site_settings.base_url:
        return site_settings.base_url.rstrip("/")
    return origin_of(site_settings.site)


def origin_of(site: Site) -> str:
    """The https origin of a Site; the canonical origin when the hostname is the same."""
    base = urlsplit(settings.base_url)
    if not base.scheme or base.hostname == site.hostname:
        return settings.base_url or site.root_url
    port = "" if site.port in (80, 443) else f":{site.port}"
    return f"{base.scheme}://{site.hostname}{port}"


def is_zoom_link(url: str) -> bool:
    """Whether a stored link leads to Zoom; checked before each redirect."""
    parts = urlsplit(url)
    hostname = parts.hostname or ""
    allowed = any(
        hostname == link_host or hostname.endswith(f".{link_host}")
        for link_host in settings.link_hosts
    )
    return allowed and (parts.scheme == "https" or (parts.scheme == "http" and _is_local(hostname)))


def _is_local(hostname: str) -> bool:
    """The simulator uses plain HTTP on this machine, which is allowed with ``DEBUG`` only."""
    return django_settings.DEBUG and hostname in ("localhost", "127.0.0.1", "::1")
