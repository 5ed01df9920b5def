"""Reads the emails that the demo writes to files instead of sending them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from django.utils import timezone

SEPARATOR = re.compile(rb"^-{79}\n", re.MULTILINE)


@dataclass(frozen=True)
class Email:
    """One parsed email."""

    subject: str
    to: str
    sent: datetime
    text: str
    attachments: tuple[str, ...]


def newest_emails(folder: Path, limit: int = 50) -> list[Email]:
    """The emails, newest first. One file contains all emails of one connection."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    emails: list[Email] = []
    for file in files[:limit]:
        parts = [part for part in SEPARATOR.split(file.read_bytes()) if part.strip()]
        emails.extend(_parse(part) for part in reversed(parts))
    return sorted(emails, key=lambda email: email.sent, reverse=True)[:limit]


def delete_emails(folder: Path, email: str) -> int:
    """Delete the emails to one person; returns how many there were."""
    deleted = 0
    for file in folder.glob("*.log"):
        parts = [part for part in SEPARATOR.split(file.read_bytes()) if part.strip()]
        remaining = [part for part in parts if not _is_to(_parse(part), email)]
        deleted += len(parts) - len(remaining)
        if not remaining:
            file.unlink()
        elif len(remaining) < len(parts):
            file.write_bytes((b"-" * 79 + b"\n").join([*remaining, b""]))
    return deleted


def _is_to(message: Email, email: str) -> bool:
    return email.casefold() in {address.casefold() for _name, address in getaddresses([message.to])}


def _parse(raw: bytes) -> Email:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - policy.default makes these
    body = message.get_body(("plain", "html"))
    date = message["Date"]
    names = (part.get_filename() or part.get_content_type() for part in message.iter_attachments())
    return Email(
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        sent=parsedate_to_datetime(str(date)) if date else timezone.now(),
        text=body.get_content().strip() if body else "",
        attachments=tuple(names),
    )
