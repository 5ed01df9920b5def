"""Takes addresses apart that others have written: no text makes it fail."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urljoin, urlsplit

_HOSTNAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}

NO_URL = SplitResult("", "", "", "", "")


def split_url(text: str) -> SplitResult:
    """The parts of an address; all empty when it cannot be read.

    ``urlsplit`` raises for a bad host in brackets, and ``port`` only when it is asked for.
    """
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return NO_URL
    return parts


def normalize_hostname(text: str) -> str:
    """A hostname for comparison, in its ASCII form; empty when it is none.

    Browsers take full-width letters, capitals and numbers for the same host.
    """
    try:
        hostname = text.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return ""
    if len(hostname) > 253 or not _HOSTNAME.fullmatch(hostname):
        return ""
    last = hostname.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # Browsers read it as a number, in many spellings; only the usual one can be compared.
        try:
            return str(ipaddress.IPv4Address(hostname))
        except ValueError:
            return ""
    return hostname


def split_origin(text: str) -> tuple[str, str, int | None] | None:
    """Scheme, hostname and port (None: the scheme's own) of ``https://host``; else None.

    A path, a query, a fragment or user information make it none.
    """
    parts = split_url(text)
    hostname = normalize_hostname(parts.hostname or "")
    if parts.scheme not in DEFAULT_PORTS or not hostname:
        return None
    port = None if parts.port == DEFAULT_PORTS[parts.scheme] else parts.port
    given = text.lower().removesuffix("/")
    if given != f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}":
        return None
    return parts.scheme, hostname, port


def join_urls(base: str, text: str) -> str:
    """An address relative to another one; empty when it cannot be read."""
    try:
        return urljoin(base, text)
    except ValueError:
        return ""
