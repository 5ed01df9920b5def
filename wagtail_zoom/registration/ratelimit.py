"""Rate limits of registrations, counted in the cache; and the visitor's network behind proxies.

A limit is ``(times, seconds)`` in fixed windows. Without a cache there is no limit: a registration
is more important than a limit.
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
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def seconds_to_wait(name: str, *parts: str | int) -> int:
    """Count one request. Returns 0, or the seconds to wait when the limit is exceeded."""
    times, seconds = settings.registration_limits.get(name, DEFAULTS[name])
    now = int(time.time())
    window = now // seconds
    text = ":".join(str(part) for part in parts)
    # Keyed: the cache key does not reveal which email address was counted.
    digest = blind_index(text, PURPOSE)[:32]  # guard: rate-limit-keys-keyed
    key = f"wagtail-zoom:limit:{name}:{digest}:{window}"
    try:
        cache.add(key, 0, timeout=seconds + 5)
        count = cache.incr(key)
    except Exception as error:
        logger.warning("The cache cannot count registrations (%s).", type(error).__name__)
        return 0
    return 0 if count <= times else (window + 1) * seconds - now


def network_of(request: HttpRequest) -> str:
    """The visitor's network: an IPv4 address, or the /64 of an IPv6 address.

    ``X-Forwarded-For`` is read from the right, across proxies in ``TRUSTED_PROXIES`` only. The
    client may have forged everything further left.
    """
    address = _parse_ip(request.META.get("REMOTE_ADDR", ""))
    trusted = [
        ipaddress.ip_network(network, strict=False)
        for network in settings.trusted_proxies
        if network != "unix"
    ]
    # On a Unix socket REMOTE_ADDR is empty: only the local web server can connect.
    is_proxy = (
        _is_in_networks(address, trusted) if address else "unix" in settings.trusted_proxies
    )  # guard: proxy-trusted-by-name
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-20:]
    while is_proxy and forwarded:
        previous_hop = _parse_ip(forwarded.pop())
        if previous_hop is None:
            break
        address, is_proxy = previous_hop, _is_in_networks(previous_hop, trusted)
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)


def _parse_ip(text: str) -> IPAddress | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in_networks(
    address: IPAddress | None, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    return address is not None and any(
        address in network for network in networks if network.version == address.version
    )
