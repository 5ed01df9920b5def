"""Which addresses are Zoom's own. Every check of a link asks here."""

from __future__ import annotations

import re
from urllib.parse import SplitResult

from ..conf import settings
from .urls import split_url

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_HOSTNAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.?|::1")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
"""Browsers drop or rewrite these before they look for the hostname."""


def is_zoom_url(
    value: object, *, also: tuple[str, ...] = (), any_loopback_name: bool = True
) -> bool:
    """Whether this is an https URL on one of ``settings.link_hosts`` or ``also``, or below one.

    Vanity hostnames are below Zoom's domains, so the end of the hostname decides. Plain HTTP is
    allowed for the simulator on this machine only, whose names count as one unless
    ``any_loopback_name`` is off.
    """
    parts = _split(value)
    if parts is None:
        return False
    host = (parts.hostname or "").rstrip(".")
    schemes = ("https", "http") if _is_this_machine(host) else ("https",)
    is_local = any_loopback_name and _is_local_zoom(host)
    return parts.scheme in schemes and (is_local or is_zoom_host(host, also=also))


def is_zoom_host(host: str, *, also: tuple[str, ...] = ()) -> bool:
    """Whether a hostname is one of Zoom's domains, or below one."""
    return any(
        host == name or host.endswith(f".{name}") for name in (*settings.link_hosts, *also) if name
    )


def hostname_of(value: object) -> str:
    """The hostname of a link that may not be shown, for the owner; ``?`` if it has none."""
    host = split_url(value).hostname if isinstance(value, str) else None
    return re.sub(r"[^\w.-]", "?", host or "?")[:100]


def _split(value: object) -> SplitResult | None:
    """The parts of a URL that every browser reads as we do; otherwise None."""
    if not isinstance(value, str) or len(value) > 2000 or _UNSAFE.search(value):
        return None
    parts = split_url(value)
    port, host = parts.port, parts.hostname or ""
    if not _HOSTNAME.fullmatch(host) or "@" in parts.netloc or "xn--" in host:
        return None
    if "[" in parts.netloc and not re.fullmatch(r"\[::1\](?::\d+)?", parts.netloc):
        return None
    return parts if port in (None, 443) or _is_this_machine(host) else None


def _is_local_zoom(host: str) -> bool:
    """The names of this machine are one: settings and the simulator's links may use different ones.

    Only while the settings themselves name this machine as Zoom.
    """
    oauth_host = split_url(settings.oauth_url).hostname or ""
    return _is_this_machine(host) and _is_this_machine(oauth_host)


def _is_this_machine(host: str) -> bool:
    return host in LOOPBACK_NAMES or host.endswith(".localhost")
