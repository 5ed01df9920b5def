"""Encryption at rest, with rotation, for every secret that we store.

Fernet (AES-CBC with HMAC-SHA256, from ``cryptography``) with a list of keys: the first encrypts,
all decrypt. The plaintext includes its binding (model, field and the row's natural key), so that a
ciphertext copied into another row is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..conf import settings

SEPARATOR = "\x1f"


class DecryptionError(Exception):
    """The ciphertext cannot be read with any key, or belongs to another row."""


@lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str, binding: str) -> str:
    """Ciphertext of ``text``; it can be decrypted with the same ``binding`` only."""
    token = _cipher(tuple(settings.encryption_keys)).encrypt(f"{binding}{SEPARATOR}{text}".encode())
    return token.decode()


def decrypt(token: str, binding: str) -> str:
    """The text that was passed to ``encrypt``.

    Raises:
        DecryptionError: no key fits, the token was altered, or its binding differs.
    """
    try:
        plain = _cipher(tuple(settings.encryption_keys)).decrypt(token.encode()).decode()
    except (InvalidToken, UnicodeDecodeError, ValueError) as error:
        raise DecryptionError("A stored secret cannot be decrypted.") from error
    stored_binding, separator, text = plain.partition(SEPARATOR)
    if (
        not separator
        or not hmac.compare_digest(
            stored_binding.encode(), binding.encode()
        )  # guard: ciphertext-bound-to-row
    ):
        raise DecryptionError("A stored secret belongs to another row.")
    return text


def is_current(token: str) -> bool:
    """Whether the newest key encrypted this token; otherwise it is due for rotation."""
    try:
        Fernet(settings.encryption_keys[0]).decrypt(token.encode())
    except (InvalidToken, ValueError):
        return False
    return True


def blind_index(value: str, purpose: str, *, key: str | None = None) -> str:
    """Keyed digest with which a normalised value can be looked up without being stored.

    Keyed with the newest encryption key unless ``key`` names another (rotation looks up under
    every key and rewrites).
    """
    return indexer(purpose, key=key)(value)


def indexer(purpose: str, *, key: str | None = None) -> Callable[[str], str]:
    """``blind_index`` for many values of one purpose: the key is derived once."""
    secret = hashlib.sha256(f"{purpose}:{key or settings.encryption_keys[0]}".encode()).digest()
    return lambda value: hmac.digest(secret, value.encode(), "sha256").hex()


def blind_indexes(value: str, purpose: str) -> list[str]:
    """The digests of ``value`` under every active key, newest first, for lookups."""
    return [blind_index(value, purpose, key=key) for key in settings.encryption_keys]
