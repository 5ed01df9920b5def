"""Our public URLs. HTML contains these instead of Zoom's URLs; their views decide on each request.

An id in a URL is opaque and bound to a Site: the random public id of the object and a short
signature over it and the Site. On another hostname the signature does not match: 404. The
signature grants no access. The visibility rules decide what the URL opens.

Links to join, watch and read also name the page that offers them, in the same signature: whoever
may not see that page cannot use them (``restrictions``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from wagtail.models import Site

from ..conf import settings
from ..models import Occurrence, SiteItem, ZoomSettings
from ..utils.urls import normalize_hostname, split_origin, split_url

_SALT = "wagtail_zoom.frontend.links"
_SIGNATURE_BYTES = 8
_PAGE_BYTES = 6


@dataclass(frozen=True)
class SignedLink:
    """What one of our links names."""

    public_id: uuid.UUID
    page_id: int | None = None
    """The page that offers the link; None in calendar files, in the API and in emails."""


def _signature(site_id: int, signed: bytes, secret: str | bytes | None = None) -> bytes:
    digest = salted_hmac(
        _SALT,
        f"{site_id}:{signed.hex()}",  # guard: public-id-bound-to-site
        secret=secret,
        algorithm="sha256",
    ).digest()
    return digest[:_SIGNATURE_BYTES]


def sign_id(site_id: int, public_id: uuid.UUID, page_id: int | None = None) -> str:
    """The id of an object for the URLs of one Site, and the page that offers it: 32 characters of
    URL-safe base64, with a page 40."""
    page = b"" if page_id is None else page_id.to_bytes(_PAGE_BYTES, "big")
    signed = public_id.bytes + page
    return base64.urlsafe_b64encode(signed + _signature(site_id, signed)).decode()


def unsign_id(site_id: int, text: str) -> uuid.UUID | None:
    """The public id in a signed id; None when it is invalid, belongs to another Site or names a
    page: such an id opens nothing but the link that it was made for."""
    link = unsign_link(site_id, text)
    if link is None or link.page_id is not None:  # guard: page-link-opens-no-feed
        return None
    return link.public_id


def unsign_link(site_id: int, text: str) -> SignedLink | None:
    """Public id and page of a signed id; None when it is invalid or belongs to another Site."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    signed, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    if len(signed) not in (16, 16 + _PAGE_BYTES):
        return None
    secrets = (None, *django_settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(_signature(site_id, signed, key), signature) for key in secrets):
        return None
    page_id = int.from_bytes(signed[16:], "big") if len(signed) > 16 else None
    return SignedLink(uuid.UUID(bytes=signed[:16]), page_id)


def join_url(site_id: int, occurrence: Occurrence, page_id: int | None = None) -> str:
    """The join page of one occurrence."""
    return reverse("wagtail_zoom:join", args=[sign_id(site_id, occurrence.public_id, page_id)])


def watch_url(item: SiteItem, page_id: int | None = None) -> str:
    """The watch page of a recording."""
    return reverse("wagtail_zoom:watch", args=[sign_id(item.site_id, item.public_id, page_id)])


def transcript_url(item: SiteItem, page_id: int | None = None) -> str:
    """The transcript page of a recording."""
    return reverse("wagtail_zoom:transcript", args=[sign_id(item.site_id, item.public_id, page_id)])


def summary_url(item: SiteItem, page_id: int | None = None) -> str:
    """The page of a meeting's summary."""
    return reverse("wagtail_zoom:summary", args=[sign_id(item.site_id, item.public_id, page_id)])


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

    The owner's address first, if the Site may use it; otherwise the canonical scheme with the
    Site's hostname. Asked once for each settings object: feeds need it for every row.
    """
    address = site_settings.base_url
    if not address:
        return origin_of(site_settings.site)
    origins: dict[str, str] = site_settings.__dict__.setdefault("_origins", {})
    if address not in origins:
        refused = base_url_problem(site_settings.site, address)  # guard: base-url-checked-at-use
        origins[address] = origin_of(site_settings.site) if refused else address.strip("/").lower()
    return origins[address]


def base_url_problem(site: Site, address: str) -> str:
    """Why a Site may not use this address in emails: ``form``, ``port`` or ``taken``; else empty.

    An owner could send people from his own Site to the page of another one, or show his form
    there. So it is never a hostname of another Site or of the installation, except its own.
    """
    origin = split_origin(address)
    if origin is None:
        return "form"
    _scheme, hostname, port = origin
    if port is not None and port != _own_port(site):
        return "port"
    is_own = hostname == normalize_hostname(site.hostname)
    others = Site.objects.exclude(pk=site.pk)
    if is_own:
        twins = others.filter(hostname__in=_spellings(hostname))
        return "taken" if any(_own_port(twin) == port for twin in twins) else ""
    bare = hostname.removeprefix("www.")
    if others.filter(
        hostname__in=_spellings(hostname) | _spellings(bare) | _spellings(f"www.{bare}")
    ).exists():
        return "taken"
    canonical = normalize_hostname(split_url(settings.base_url).hostname or "")
    if hostname == canonical:
        # The default Site answers at every name that no other Site has.
        return "" if site.is_default_site else "taken"
    admin_hostnames = {split_url(f"//{name}").hostname or "" for name in settings.admin_hosts}
    return "taken" if hostname in {normalize_hostname(name) for name in admin_hostnames} else ""


def _own_port(site: Site) -> int | None:
    """The port in a Site's addresses; None for the schemes' own ones."""
    return None if site.port in (80, 443) else site.port


def _spellings(hostname: str) -> set[str]:
    """A hostname in ASCII as it may be stored with a Site."""
    try:
        return {hostname, hostname.encode().decode("idna")}
    except UnicodeError:
        return {hostname}


def origin_of(site: Site) -> str:
    """The https origin of a Site; the canonical origin when the hostname is the same."""
    base = split_url(settings.base_url)
    if not base.scheme or base.hostname == site.hostname:
        return settings.base_url or site.root_url
    port = "" if site.port in (80, 443) else f":{site.port}"
    return f"{base.scheme}://{site.hostname}{port}"


def is_hostname_of_site(request: HttpRequest, site_id: int) -> bool:
    """Whether the request's hostname is one of that Site, or the canonical one.

    One owner's content must not appear under the hostname of another Site.
    """
    request_site = Site.find_for_request(request)
    if request_site is not None and request_site.pk == site_id:
        return True
    host = request.get_host()
    if request_site is not None and request_site.hostname == split_url(f"//{host}").hostname:
        return False  # guard: hostname-of-another-site-refused
    if host == split_url(settings.base_url).netloc:
        return True
    site_settings = ZoomSettings.objects.filter(site=site_id).select_related("site").first()
    return site_settings is not None and host == split_url(site_origin(site_settings)).netloc
