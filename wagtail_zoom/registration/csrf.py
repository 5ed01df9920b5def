"""Where a posted form came from. There is no cookie and so no authority to forge, but nobody's
browser shall be made to register its owner from a foreign page."""

from __future__ import annotations

import hashlib
from enum import Enum
from urllib.parse import urlsplit

from django.core import signing
from django.http import HttpRequest

from ..conf import settings

SALT = "wagtail_zoom.registration.confirm"
CONFIRM_SECONDS = 3600


class Origin(Enum):
    OURS = "ours"
    UNKNOWN = "unknown"
    """The browser does not say: ask the person on a page of our own."""
    FOREIGN = "foreign"


def origin_of(request: HttpRequest) -> Origin:
    """Judge ``Sec-Fetch-Site`` and ``Origin``, which a page's script cannot set."""
    site = request.headers.get("Sec-Fetch-Site", "")
    origin = request.headers.get("Origin", "")
    if site == "same-origin":
        return Origin.OURS
    if origin and origin != "null":
        return Origin.OURS if _is_ours(request, origin) else Origin.FOREIGN
    return Origin.UNKNOWN if site in ("", "none", "same-site") else Origin.FOREIGN


def _is_ours(request: HttpRequest, origin: str) -> bool:
    if origin.rstrip("/") in settings.form_origins:
        return True
    parts = urlsplit(origin)
    # Behind a proxy that ends TLS, the request may look like plain http; never the other way.
    return parts.netloc == request.get_host() and parts.scheme in ("https", request.scheme)


def confirmation(ref: str) -> str:
    """A proof for our own confirm page that it was shown for this form a short while ago."""
    return signing.TimestampSigner(salt=SALT).sign(_short(ref))


def is_confirmed(ref: str, text: str) -> bool:
    """Whether the proof is genuine, fresh and of this form."""
    try:
        found = signing.TimestampSigner(salt=SALT).unsign(text, max_age=CONFIRM_SECONDS)
    except signing.BadSignature:
        return False
    return found == _short(ref)


def _short(ref: str) -> str:
    return hashlib.sha256(ref.encode()).hexdigest()[:24]
