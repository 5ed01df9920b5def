"""Sends events to deployments: to public addresses only, no redirects, limited time and size.

The address is checked on the connection itself, after the name was resolved and before anything is
sent, so that no DNS answer can lead into a private network.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from ..conf import settings
from ..oauth.deadline import call_with_deadline
from ..oauth.http import configure_session

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
MAX_SECONDS = 8.0
"""Seconds for a delivery, from the resolution of the name to the status of the response."""
MAX_ANSWER_BYTES = 4096
_current = threading.local()


class PrivateAddress(OSError):
    """The name of a deployment leads into a private network."""


def is_private_literal(hostname: str) -> bool:
    """Whether a hostname is an IP address to which nothing may be sent."""
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return False
    return not is_allowed(hostname)


def is_allowed(address: str) -> bool:
    """Whether an event may be sent to this IP address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    candidates: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [parsed]
    if isinstance(parsed, ipaddress.IPv6Address):
        embedded = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in NAT64:
            embedded.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        candidates = [value for value in embedded if value is not None] or candidates
    return all(_is_allowed(value) for value in candidates)


NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that a translator leads to the IPv4 address in their last 32 bits (RFC 6052)."""


def _is_allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.is_global and not address.is_multicast:
        return True
    return any(
        address in network
        for network in settings.hub_private_networks
        if network.version == address.version
    )


class _CheckedConnection:
    """Mixin of a urllib3 connection that checks the address before anything is sent."""

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]  # of urllib3
        with contextlib.suppress(AttributeError):
            _current.sockets.append(connection)
        if not is_allowed(connection.getpeername()[0]):  # guard: hub-no-private-address
            connection.close()
            raise PrivateAddress("A private address.")
        return connection


class _HTTPConnection(_CheckedConnection, HTTPConnection):
    pass


class _HTTPSConnection(_CheckedConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _CheckedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def checked_session() -> requests.Session:
    """A session without cookies, proxies and retries, to public addresses only."""
    session = requests.Session()
    configure_session(session)
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _CheckedAdapter(max_retries=0))
    return session


def post(url: str, body: bytes, headers: dict[str, str], sockets: list[socket.socket]) -> int:
    """Send one event; the status of the response, whose body is not read.

    Args:
        sockets: gets the connection, so that another thread can end it.

    Raises:
        requests.RequestException, OSError: there was no response.
    """
    _current.sockets = sockets
    with checked_session() as session:
        response = session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,  # guard: hub-follows-no-redirect
            stream=True,
        )
        with response:
            return int(response.status_code)


def ask(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and beginning of the response, whatever the other side does, within ``MAX_SECONDS``.

    Raises:
        requests.RequestException, OSError, HTTPError, ZoomTransient: there was no response, or it
            takes too long.
    """
    end = time.monotonic() + MAX_SECONDS

    def call() -> tuple[int, bytes]:
        with checked_session() as session:
            response = session.post(
                url, data=body, headers=headers, allow_redirects=False, stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )  # fmt: skip
            text = b""
            while len(text) < MAX_ANSWER_BYTES and time.monotonic() < end:
                # More at once would wait until all of it is there.
                if not (byte := response.raw.read(1, decode_content=True)):
                    break
                text += byte
            return int(response.status_code), text

    return call_with_deadline(MAX_SECONDS, call, ambiguous=False)


def end_connections(sockets: list[socket.socket]) -> None:
    """End the connections of a call in another thread, which then fails."""
    for connection in list(sockets):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
