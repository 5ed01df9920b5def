"""The guarded way to Zoom's servers: time-outs, no redirects, bounded answers, no open transaction.

Both the token calls and the REST client go through here, so a guard cannot be forgotten.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from django.db import connections
from django.views.decorators.debug import sensitive_variables
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from ..conf import settings
from ..exceptions import ZoomProtocolError, ZoomTransient
from .deadline import call_with_deadline

CHUNK = 64 * 1024
CONNECT_SECONDS = 1.0
"""For a connection, where somebody waits."""


@dataclass(frozen=True)
class Answer:
    """What Zoom answered: ``body`` is the parsed JSON, ``None`` when there is none."""

    status: int
    headers: Any
    body: Any = field(repr=False)


class Bearer(AuthBase):
    """Puts the token into the header; an auth object, so that no ``.netrc`` can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


_sessions: dict[int, requests.Session] = {}


def session() -> requests.Session:
    """The process's own session (connections must not be shared over a fork)."""
    found = _sessions.get(os.getpid())
    if found is None:
        found = requests.Session()
        guard(found)
        _sessions.clear()
        _sessions[os.getpid()] = found
    return found


def guard(found: requests.Session) -> None:
    """No cookies, no silent repetition, connections enough for parallel reads."""
    found.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_maxsize=16, max_retries=0)
    found.mount("https://", adapter)
    found.mount("http://", adapter)


class TransactionOpen(RuntimeError):
    """A call to Zoom was about to be made inside a database transaction: a programming error."""


def refuse_in_transaction() -> None:
    """No network call inside a transaction, anywhere: it would hold locks for seconds.

    Transactions that a test case keeps open around a whole test do not count.

    Raises:
        TransactionOpen: a transaction of the calling code is open.
    """
    for connection in connections.all(initialized_only=True):
        if any(
            not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
        ):  # guard: no-call-in-transaction
            raise TransactionOpen("A call to Zoom inside a database transaction.")


@sensitive_variables("params", "payload", "form")
def call(
    method: str,
    url: str,
    *,
    auth: AuthBase | tuple[str, str] | None = None,
    params: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    within: float | None = None,
) -> Answer:
    """One request, one answer; never repeated here.

    Args:
        within: seconds for all of it, from looking up the name to the last byte; without it, the
            time-outs of the settings count for each part.

    Raises:
        ZoomTransient: no answer; ``ambiguous`` tells that the request may have taken effect.
        ZoomProtocolError: the answer is too large, endless, or a redirect.
    """
    answer = exchange(
        method, url, auth=auth, params=params, payload=payload, form=form, within=within
    )
    if 300 <= answer.status < 400:  # guard: redirect-not-followed
        raise ZoomProtocolError("Zoom answered with a redirect.", status=answer.status)
    return Answer(answer.status, answer.headers, _parse(answer.body))


@sensitive_variables("params", "payload", "form", "facts")
def exchange(
    method: str,
    url: str,
    *,
    auth: AuthBase | tuple[str, str] | None = None,
    params: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    within: float | None = None,
    accept: str = "application/json",
) -> Answer:
    """As :func:`call`, but the body stays bytes and a redirect is an answer like any other."""
    refuse_in_transaction()
    writes = method not in ("GET", "HEAD")
    connect, read = settings.timeout
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    facts = {"auth": auth, "params": params, "json": payload, "data": form, "headers": headers}
    if within is None:  # guard: slow-answer-time-limit
        return _send(method, url, facts, (connect, read), 3 * read, writes)
    limits = (min(connect, CONNECT_SECONDS, within), within)
    return call_with_deadline(
        within, lambda: _send(method, url, facts, limits, within, writes), ambiguous=writes
    )


@sensitive_variables("facts")
def _send(
    method: str,
    url: str,
    facts: dict[str, Any],
    limits: tuple[float, float],
    body_seconds: float,
    writes: bool,
) -> Answer:
    response, failure = None, None
    try:
        response = session().request(
            method,
            url,
            timeout=limits,
            allow_redirects=False,  # guard: http-library-follows-no-redirect
            stream=True,
            **facts,
        )
    except Exception as error:
        failure = _failure(error, writes)
    if response is None:
        # Raised out here, without the frames of the library: the token stands in their variables,
        # and debug pages and error mails show variables.
        raise failure or ZoomTransient("The connection to Zoom broke.") from None
    try:
        raw = _read(response, time.monotonic() + body_seconds)
    except (requests.RequestException, OSError, zlib.error, _urllib_errors()):
        raise ZoomTransient("Zoom's answer broke off.", ambiguous=writes) from None
    finally:
        response.close()
    return Answer(response.status_code, response.headers, raw)


def _failure(error: Exception, writes: bool) -> Exception:
    """What an error of the library means to us."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return ZoomTransient("Zoom could not be reached.")
    if isinstance(error, requests.ConnectionError):
        lost = writes and not never_sent(error)
        return ZoomTransient("The connection to Zoom broke.", ambiguous=lost)
    if isinstance(error, requests.RequestException):
        return ZoomTransient("Zoom did not answer in time.", ambiguous=writes)
    return error.with_traceback(None)


def never_sent(error: requests.RequestException) -> bool:
    """No connection came about (refused, no such name, no TLS): nothing can have taken effect."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    text = repr(error.args[0]) if error.args else ""
    return "NewConnectionError" in text or "NameResolutionError" in text


def _urllib_errors() -> type[Exception]:
    from urllib3.exceptions import HTTPError

    return HTTPError


def _read(response: requests.Response, deadline: float) -> bytes:
    """The whole body, unpacked, at most ``MAX_RESPONSE_BYTES``: a bomb is never unpacked."""
    limit = settings.max_response_bytes
    packed = response.headers.get("Content-Encoding", "").lower() == "gzip"
    unpack = zlib.decompressobj(31) if packed else None
    parts: list[bytes] = []
    size = 0
    for chunk in _chunks(response.raw):
        part = unpack.decompress(chunk, limit + 1 - size) if unpack else chunk
        size += len(part)
        if size > limit or (unpack and unpack.unconsumed_tail):  # guard: answer-size-limit
            raise ZoomProtocolError("Zoom's answer is too large.", status=response.status_code)
        if time.monotonic() > deadline:
            raise ZoomTransient("Zoom answers too slowly.", ambiguous=True)
        parts.append(part)
    if unpack and not unpack.eof and size:
        raise zlib.error("The answer broke off.")
    return b"".join(parts)


def _chunks(raw: Any) -> Iterator[bytes]:
    """The body as it comes in. ``stream`` waits until a chunk is full, however long that takes."""
    if not hasattr(raw, "read1"):  # urllib3 before 2.1
        yield from raw.stream(CHUNK, decode_content=False)
        return
    while part := raw.read1(CHUNK, decode_content=False):
        yield part


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw.strip() else None
    except (ValueError, RecursionError):
        return NOT_JSON


NOT_JSON = object()
"""Stands for a body that is no JSON."""
