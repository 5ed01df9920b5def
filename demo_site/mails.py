"""Reads the mails that the demo wrote to files instead of sending them."""

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
class Mail:
    """One mail as a person would read it."""

    subject: str
    to: str
    sent: datetime
    text: str
    attachments: tuple[str, ...]


def newest(folder: Path, limit: int = 50) -> list[Mail]:
    """The newest mails first. One file may hold several, one connection each."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    found: list[Mail] = []
    for file in files[:limit]:
        parts = [part for part in SEPARATOR.split(file.read_bytes()) if part.strip()]
        found.extend(_mail(part) for part in reversed(parts))
    return sorted(found, key=lambda mail: mail.sent, reverse=True)[:limit]


def forget(folder: Path, email: str) -> int:
    """Delete the mails to one person, as a mailbox of the project's would; how many there were."""
    deleted = 0
    for file in folder.glob("*.log"):
        parts = [part for part in SEPARATOR.split(file.read_bytes()) if part.strip()]
        kept = [part for part in parts if not _is_to(_mail(part), email)]
        deleted += len(parts) - len(kept)
        if not kept:
            file.unlink()
        elif len(kept) < len(parts):
            file.write_bytes((b"-" * 79 + b"\n").join([*kept, b""]))
    return deleted


def _is_to(mail: Mail, email: str) -> bool:
    return email.casefold() in {address.casefold() for _name, address in getaddresses([mail.to])}


def _mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - policy.default makes these
    body = message.get_body(("plain", "html"))
    date = message["Date"]
    names = (part.get_filename() or part.get_content_type() for part in message.iter_attachments())
    return Mail(
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        sent=parsedate_to_datetime(str(date)) if date else timezone.now(),
        text=body.get_content().strip() if body else "",
        attachments=tuple(names),
    )
