"""Cross-origin check of posted forms.

There is no cookie and so no session to abuse. But a foreign page must not make a browser register
its user.
"""

from __future__ import annotations

import hashlib
from enum import Enum

from django.core import signing
from django.http import HttpRequest

from ..conf import settings

SALT = "wagtail_zoom.registration.confirm"
CONFIRM_SECONDS = 3600


class Origin(Enum):
    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    """The browser does not send it: the person has to confirm on our own page."""
    FOREIGN = "foreign"


def classify_origin(request: HttpRequest) -> Origin:
    """Check ``Sec-Fetch-Site`` and ``Origin``, which a page's script cannot set."""
    site = request.headers.get("Sec-Fetch-Site", "")
    origin = request.headers.get("Origin", "")
    if site == "same-origin":
        return Origin.TRUSTED
    if origin and origin != "null":
        return Origin.TRUSTED if _is_trusted(request, origin) else Origin.FOREIGN
    return Origin.UNKNOWN if site in ("", "none", "same-site") else Origin.FOREIGN


def _is_trusted(request: HttpRequest, origin: str) -> bool:
    if origin.rstrip("/") in settings.form_origins:
        return True
    # Behind a proxy that terminates TLS, the request may look like http; never the other way.
    # Whole texts are compared: no text in this header can be one that the parser refuses.
    own_origins = {f"{scheme}://{request.get_host()}" for scheme in ("https", request.scheme)}
    return origin in own_origins


def sign_confirmation(signed_link: str) -> str:
    """A signed value that proves that our confirmation page was shown for this form recently."""
    return signing.TimestampSigner(salt=SALT).sign(_link_digest(signed_link))


def is_confirmed(signed_link: str, text: str) -> bool:
    """Whether the signed value is valid, recent and for this form."""
    try:
        digest = signing.TimestampSigner(salt=SALT).unsign(
            text,
            max_age=CONFIRM_SECONDS,  # guard: form-confirmation-expires
        )
    except signing.BadSignature:
        return False
    return digest == _link_digest(signed_link)


def _link_digest(signed_link: str) -> str:
    return hashlib.sha256(signed_link.encode()).hexdigest()[:24]
