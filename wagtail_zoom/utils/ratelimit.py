"""Limits that are counted in the database; and the client's network behind proxies.

The cache cannot count: some of Django's backends lose the expiry when a number is incremented, or
two increments at once. A row is moved by one conditional UPDATE, on every database and with every
cache.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta
from functools import lru_cache

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone

from ..conf import IPNetwork, settings
from .logging import get_logger

logger = get_logger("registration")

CLOCK_MARGIN = timedelta(minutes=5)
"""The clocks of two servers may differ. A counter that ends later than that is not trusted."""
MAX_ATTEMPTS = 10
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class RateLimitCounter(models.Model):
    """How often something was counted against a limit, until ``expires_at``."""

    key = models.CharField(max_length=80, unique=True)
    """Name of the limit and a keyed digest of what is counted."""
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key


def count(
    model: type[RateLimitCounter],
    key: str,
    times: int,
    window: timedelta,
    *,
    extends_window: bool = False,
) -> int:
    """Count one request. Returns 0, or the seconds to wait when the limit is exceeded.

    The window begins with the first request; with ``extends_window`` it ends when nothing was
    counted for its whole length.
    """
    counters = model._default_manager.filter(key=key)
    for _attempt in range(MAX_ATTEMPTS):
        now = timezone.now()
        end = now + window
        over = Q(expires_at__lte=now) | Q(expires_at__gt=end + CLOCK_MARGIN)
        changes = {"count": F("count") + 1, **({"expires_at": end} if extends_window else {})}
        if counters.exclude(over).filter(count__lt=times).update(**changes):
            return 0
        if counters.filter(over).update(count=1, expires_at=end):
            return 0
        counter = counters.first()
        if counter is not None:
            return max(1, math.ceil((counter.expires_at - now).total_seconds()))
        try:
            with transaction.atomic():
                model._default_manager.create(key=key, count=1, expires_at=end)
        except IntegrityError:
            # Another request was faster.
            continue
        return 0
    return 1


@lru_cache(maxsize=100)
def log_once(problem: str) -> None:
    """Log what is wrong in a setting, once in a process."""
    logger.error("%s The default is used.", problem)


def network_of(request: HttpRequest) -> str:
    """The visitor's network: an IPv4 address, or the /64 of an IPv6 address.

    ``X-Forwarded-For`` is read from the right, across proxies in ``TRUSTED_PROXIES`` only. The
    client may have forged everything further left.
    """
    for problem in settings.trusted_proxy_problems:
        log_once(problem)
    address = _parse_ip(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.trusted_networks
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


def _is_in_networks(address: IPAddress | None, networks: list[IPNetwork]) -> bool:
    return address is not None and any(
        address in network for network in networks if network.version == address.version
    )
