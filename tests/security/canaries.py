"""Collects the secrets of a test run, and searches stored and written data for them."""

from __future__ import annotations

import io
import logging
import pickle
import re
import zipfile
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.core import serializers
from django.core.cache import cache
from django.db import connection

TOKENS = {
    "access_token", "refresh_token", "code", "code_verifier", "token", "state", "download_token",
    "download_access_token",
}  # fmt: skip
LINKS = {
    "join_url", "start_url", "download_url", "play_url", "share_url", "registration_url",
    "chat_join_url",
}  # fmt: skip
PASSCODES = {
    "password", "passcode", "recording_play_passcode", "encrypted_password", "encrypted_passcode",
    "pstn_password", "h323_password", "h323_passcode", "host_key", "participant_pin_code",
}  # fmt: skip
PERSONAL = {"email", "host_email", "owner_email", "operator", "alternative_hosts"}
MIN_LENGTH = 6


class Canaries:
    """Values that must not leak, by the field name in Zoom's data."""

    def __init__(self) -> None:
        self.secret: dict[str, set[str]] = defaultdict(set)
        self.personal: dict[str, set[str]] = defaultdict(set)

    def collect(self, value: Any, name: str = "") -> None:
        """Collect the secrets of a request or a response."""
        if isinstance(value, dict):
            for key, item in value.items():
                self.collect(item, key)
        elif isinstance(value, list):
            for item in value:
                self.collect(item, name)
        elif isinstance(value, str | int) and len(str(value)) >= MIN_LENGTH:
            self._store(name, str(value))

    def _store(self, name: str, text: str) -> None:
        if name in LINKS:
            self.secret[name].add(text)
            for part, item in parse_qsl(urlsplit(text).query):
                if len(item) >= MIN_LENGTH:
                    self.secret[part].add(item)
        elif name in TOKENS or name in PASSCODES:
            self.secret[name].add(text)
        elif name in PERSONAL and "@" in text:
            self.personal["email"].add(text)

    def collect_exchanges(self, exchanges: list[dict[str, Any]]) -> None:
        """Requests and responses recorded by the Zoom simulator."""
        for exchange in exchanges:
            self.collect(dict(parse_qsl(exchange["query"])))
            self.collect([exchange["form"], exchange["sent"], exchange["json"]])

    def leaks_in(self, text: str, *, personal: bool = False) -> list[str]:
        """Names and excerpts of secrets in a text."""
        leaks = []
        for kind in (self.secret, self.personal) if personal else (self.secret,):
            for name, values in kind.items():
                for value in values:
                    if value not in text:
                        continue
                    match = re.search(rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])", text)
                    if match:
                        leaks.append(
                            f"{name}: {text[max(0, match.start() - 60) : match.end() + 20]!r}"
                        )
        return leaks


def dump_database() -> str:
    """All columns of all rows of all tables, as stored; sessions decoded."""
    lines = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, bytes | memoryview):
                        value = bytes(value).decode("latin-1")
                    lines.append(f"{table}.{name}={value}")
                    if (table, name) == ("django_session", "session_data"):
                        lines.append(f"session={SessionStore().decode(value)}")
    return "\n".join(lines)


def dump_queue() -> tuple[str, list[Any]]:
    """The rows of django-q2, unpickled: as text, and the arguments of all tasks."""
    from django_q.models import OrmQ, Task
    from django_q.signing import SignedPackage

    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    results = [[row.func, row.args, row.kwargs, row.result] for row in Task.objects.all()]
    arguments = [value for package in packages for value in package["args"]]
    return repr(packages) + repr(results), arguments


def dump_models() -> str:
    """``dumpdata``, and ``repr()`` and ``str()`` of every row."""
    models = apps.get_app_config("wagtail_zoom").get_models()
    rows = [row for model in models for row in model._default_manager.all()]
    return serializers.serialize("json", rows) + "\n".join(f"{row!r} {row}" for row in rows)


def dump_cache() -> str:
    """The cache of this process."""
    values = [pickle.loads(raw) for raw in cache._cache.values()]  # noqa: S301
    return f"{list(cache._cache)}{values!r}"


def format_log(records: list[logging.LogRecord]) -> str:
    """All log records, with arguments and tracebacks."""
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(f"{formatter.format(record)} {record.args!r}" for record in records)


def text_of(response: Any) -> str:
    """The body of a response; spreadsheets are unpacked."""
    body = b"".join(response) if response.streaming else response.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    return body.decode(errors="replace")
