"""Limits on sign-ups, counted on the cache; and who a visitor is behind proxies.

A limit is ``(times, seconds)`` in fixed windows. A cache that is away limits nothing: a sign-up is
worth more than a limit.
"""

from __future__ import annotations

import ipaddress
import time

from django.core.cache import cache
from django.http import HttpRequest

from ..conf import settings
from ..utils.crypto import blind_index
from ..utils.logging import get_logger

logger = get_logger("registration")

DEFAULTS: dict[str, tuple[int, int]] = {
    "network": (60, 600),
    "address": (5, 3600),
    "meeting": (3000, 60),
    "site": (6000, 60),
}
PURPOSE = "registration-limit"
"""Purpose of the blind index of what is counted."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def exceeded(name: str, *parts: str | int) -> int:
    """Count one more and return 0, or the seconds to wait when it was too many."""
    times, seconds = settings.registration_limits.get(name, DEFAULTS[name])
    now = int(time.time())
    window = now // seconds
    text = ":".join(str(part) for part in parts)
    # Keyed: whoever reads the cache cannot find out by trying whose address was counted.
    digest = blind_index(text, PURPOSE)[:32]  # guard: rate-limit-keys-keyed
    key = f"wagtail-zoom:limit:{name}:{digest}:{window}"
    try:
        cache.add(key, 0, timeout=seconds + 5)
        count = cache.incr(key)
    except Exception as error:
        logger.warning("The cache cannot count sign-ups (%s).", type(error).__name__)
        return 0
    return 0 if count <= times else (window + 1) * seconds - now


def network_of(request: HttpRequest) -> str:
    """The visitor's network: an IPv4 address, or the /64 of an IPv6 address.

    ``X-Forwarded-For`` is read from the right, over proxies named in ``TRUSTED_PROXIES`` only;
    what stands further left was written by whoever sent the request.
    """
    found = _address(request.META.get("REMOTE_ADDR", ""))
    trusted = [
        ipaddress.ip_network(network, strict=False)
        for network in settings.trusted_proxies
        if network != "unix"
    ]
    # A web server on a Unix socket leaves REMOTE_ADDR empty: only it can have connected.
    behind = (
        _is_in(found, trusted) if found else "unix" in settings.trusted_proxies
    )  # guard: proxy-trusted-by-name
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-20:]
    while behind and forwarded:
        nearer = _address(forwarded.pop())
        if nearer is None:
            break
        found, behind = nearer, _is_in(nearer, trusted)
    if found is None:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{found}/64", strict=False))
    return str(found)


def _address(text: str) -> Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_in(
    address: Address | None, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    return address is not None and any(
        address in network for network in networks if network.version == address.version
    )
