"""HTTP requests to Zoom: time-outs, no redirects, limited response size, no open transaction.

Both the token calls and the REST client use this module, so that no check can be forgotten.
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

CHUNK_BYTES = 64 * 1024
MAX_CONNECT_SECONDS = 1.0
"""Seconds to wait for a connection when the call has a deadline."""


@dataclass(frozen=True)
class ZoomResponse:
    """Zoom's response: ``body`` is the parsed JSON, ``None`` when there is none."""

    status: int
    headers: Any
    body: Any = field(repr=False)


class BearerAuth(AuthBase):
    """Adds the token to the header; an auth object, so that no ``.netrc`` can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


_sessions: dict[int, requests.Session] = {}


def get_session() -> requests.Session:
    """Return the session of this process (connections must not be shared across a fork)."""
    session = _sessions.get(os.getpid())
    if session is None:
        session = requests.Session()
        configure_session(session)
        _sessions.clear()
        _sessions[os.getpid()] = session
    return session


def configure_session(session: requests.Session) -> None:
    """No cookies, no automatic retries, enough connections for parallel reads."""
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_maxsize=16, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


class TransactionOpen(RuntimeError):
    """A call to Zoom was about to be made inside a database transaction: a programming error."""


def refuse_in_transaction() -> None:
    """Refuse network calls inside a transaction: they would hold locks for seconds.

    Transactions that a test case opens around a whole test do not count.

    Raises:
        TransactionOpen: a transaction of the calling code is open.
    """
    for connection in connections.all(initialized_only=True):
        if any(
            not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
        ):  # guard: no-call-in-transaction
            raise TransactionOpen("A call to Zoom inside a database transaction.")


@sensitive_variables()
def request_json(
    method: str,
    url: str,
    *,
    auth: AuthBase | tuple[str, str] | None = None,
    params: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    deadline: float | None = None,
) -> ZoomResponse:
    """Send one request and parse the response; never retried here.

    Args:
        deadline: seconds for the whole request, from name resolution to the last byte; without it,
            the time-outs of the settings apply to each part.

    Raises:
        ZoomTransient: no response; with ``ambiguous`` the request may have taken effect.
        ZoomProtocolError: the response is too large, endless, or a redirect.
    """
    response = send_request(
        method, url, auth=auth, params=params, payload=payload, form=form, deadline=deadline
    )
    if 300 <= response.status < 400:  # guard: redirect-not-followed
        raise ZoomProtocolError("Zoom answered with a redirect.", status=response.status)
    return ZoomResponse(response.status, response.headers, _parse_json(response.body))


@sensitive_variables()
def send_request(
    method: str,
    url: str,
    *,
    auth: AuthBase | tuple[str, str] | None = None,
    params: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    deadline: float | None = None,
    accept: str = "application/json",
) -> ZoomResponse:
    """Like :func:`request_json`, but the body stays bytes and redirects are returned."""
    refuse_in_transaction()
    is_write = method not in ("GET", "HEAD")
    connect_timeout, read_timeout = settings.timeout
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    request_options = {
        "auth": auth,
        "params": params,
        "json": payload,
        "data": form,
        "headers": headers,
    }
    if deadline is None:  # guard: slow-response-time-limit
        return _send(
            method,
            url,
            request_options,
            (connect_timeout, read_timeout),
            3 * read_timeout,
            is_write,
        )
    timeouts = (min(connect_timeout, MAX_CONNECT_SECONDS, deadline), deadline)
    return call_with_deadline(
        deadline,
        lambda: _send(method, url, request_options, timeouts, deadline, is_write),
        ambiguous=is_write,
    )


@sensitive_variables()
def _send(
    method: str,
    url: str,
    request_options: dict[str, Any],
    timeouts: tuple[float, float],
    body_seconds: float,
    is_write: bool,
) -> ZoomResponse:
    response, failure = None, None
    try:
        response = get_session().request(
            method,
            url,
            timeout=timeouts,
            allow_redirects=False,  # guard: http-library-follows-no-redirect
            stream=True,
            **request_options,
        )
    except Exception as error:
        failure = _translate_error(error, is_write)
    if response is None:
        # Raised here, without the frames of the library: their variables hold the token, and debug
        # pages and error emails show variables.
        raise failure or ZoomTransient("The connection to Zoom was lost.") from None
    try:
        raw = _read_body(response, time.monotonic() + body_seconds)
    except (requests.RequestException, OSError, zlib.error, _urllib_errors()):
        raise ZoomTransient("Zoom's response was interrupted.", ambiguous=is_write) from None
    finally:
        response.close()
    return ZoomResponse(response.status_code, response.headers, raw)


def _translate_error(error: Exception, is_write: bool) -> Exception:
    """Translate an error of the HTTP library into one of our exceptions."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return ZoomTransient("Zoom could not be reached.")
    if isinstance(error, requests.ConnectionError):
        ambiguous = is_write and not never_sent(error)
        return ZoomTransient("The connection to Zoom was lost.", ambiguous=ambiguous)
    if isinstance(error, requests.RequestException):
        return ZoomTransient("Zoom did not answer in time.", ambiguous=is_write)
    return error.with_traceback(None)


def never_sent(error: requests.RequestException) -> bool:
    """No connection was made (refused, unknown name, no TLS), so nothing can have taken effect."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    text = repr(error.args[0]) if error.args else ""
    return "NewConnectionError" in text or "NameResolutionError" in text


def _urllib_errors() -> type[Exception]:
    from urllib3.exceptions import HTTPError

    return HTTPError


def _read_body(response: requests.Response, deadline: float) -> bytes:
    """Read and decompress the body, at most ``MAX_RESPONSE_BYTES``, also of a gzip bomb."""
    limit = settings.max_response_bytes
    is_gzip = response.headers.get("Content-Encoding", "").lower() == "gzip"
    decompressor = zlib.decompressobj(31) if is_gzip else None
    parts: list[bytes] = []
    size = 0
    for chunk in _chunks(response.raw):
        part = decompressor.decompress(chunk, limit + 1 - size) if decompressor else chunk
        size += len(part)
        if size > limit or (
            decompressor and decompressor.unconsumed_tail
        ):  # guard: response-size-limit
            raise ZoomProtocolError("Zoom's response is too large.", status=response.status_code)
        if time.monotonic() > deadline:
            raise ZoomTransient("Zoom answers too slowly.", ambiguous=True)
        parts.append(part)
    if decompressor and not decompressor.eof and size:
        raise zlib.error("The response was interrupted.")
    return b"".join(parts)


def _chunks(raw: Any) -> Iterator[bytes]:
    """Yield the body as it arrives. ``stream`` would wait until a chunk is full."""
    if not hasattr(raw, "read1"):  # urllib3 before 2.1
        yield from raw.stream(CHUNK_BYTES, decode_content=False)
        return
    while part := raw.read1(CHUNK_BYTES, decode_content=False):
        yield part


def _parse_json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw.strip() else None
    except (ValueError, RecursionError):
        return NOT_JSON


NOT_JSON = object()
"""The body of a response that is not valid JSON."""
