"""Email addresses as identities of people: normalised, and as a keyed digest for lookups."""

from __future__ import annotations

import idna

from .crypto import blind_index, blind_indexes

PURPOSE = "registration-email"
"""Purpose of the blind index of email addresses."""


def normalise_email(email: str) -> str:
    """An email address for comparison: case-insensitive, as in Zoom."""
    return ascii_email(email.strip()).lower()


def ascii_email(email: str) -> str:
    """An email address with its domain in ASCII (IDNA 2008); unchanged where that is impossible."""
    name, separator, domain = email.rpartition("@")
    if not separator or domain.isascii():  # guard: emails-compared-by-domain
        return email
    try:
        return f"{name}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return email


def email_index(email: str) -> str:
    """The keyed digest of an email address, as stored."""
    return blind_index(normalise_email(email), PURPOSE)


def email_indexes(email: str) -> list[str]:
    """The digests of an email address with every active key, for lookups."""
    return blind_indexes(normalise_email(email), PURPOSE)
