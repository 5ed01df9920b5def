"""Webhook requests that Zoom has signed: signature, age, size and shape, and the URL validation.

Cheap checks come first, and nothing here uses the database. Zoom retries only on 5xx and timeouts,
never after a 3xx or 4xx, so 503 is returned exactly when a genuine event could not be stored.
Source for headers, signature and challenge: Zoom, "Using webhooks".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.log import log_response

from ..conf import settings
from .fields import Secret
from .logging import get_logger, record_metric
from .redaction import clean, is_deeper_than, may_be_unstorable

logger = get_logger("webhooks")

SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
EVENT_NAME = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
CHALLENGE = "endpoint.url_validation"
MAX_DEPTH = 20
"""Levels of lists and objects that are accepted. Zoom's events have less than ten, and MariaDB
stores no more than 32."""


class WebhookRefused(Exception):
    """A request that is not answered with 200; ``reason`` is logged, never sent to the client."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class SignedEvent:
    """A genuine event. Its repr shows nothing of it: it can name people."""

    data: dict[str, Any] = field(repr=False)
    """The JSON object, without characters that databases cannot store."""
    body: bytes = field(repr=False)
    """As it was received."""
    request_id: str = ""
    """Zoom's id of the event, the same in its retries; empty if there is none of its form."""

    @property
    def name(self) -> str:
        """Zoom's name of the event, such as ``meeting.updated``."""
        return str(self.data["event"])

    @property
    def payload(self) -> dict[str, Any]:
        """The event's ``payload``; empty when it is no object."""
        payload = self.data.get("payload")
        return payload if isinstance(payload, dict) else {}

    @property
    def is_well_formed(self) -> bool:
        """Whether it has a payload and a name of the form that Zoom uses."""
        return (
            bool(self.payload)
            and EVENT_NAME.fullmatch(self.name) is not None  # guard: webhook-event-name
        )


def receive(request: HttpRequest, store: Callable[[SignedEvent], None]) -> HttpResponse:
    """The response to a webhook request; ``store`` gets the event of a genuine one.

    ``store`` raises :class:`WebhookRefused` with 503 when the event could not be stored.
    """
    try:
        body, secret = verify(request)
        data = parse(body)
        if data["event"] == CHALLENGE:
            return answer_challenge(data, secret)
        store(SignedEvent(data, body, _request_id(request)))
    except WebhookRefused as refused:
        record_metric("webhooks_refused", reason=refused.reason)
        response = HttpResponse(status=refused.status)
        log_args = ("A request to the Zoom webhook was refused: %s.", refused.reason)
        if refused.status >= 500:
            # Django adds its own line, which is emailed to ADMINS: the operator has to act.
            logger.error(*log_args)
        else:
            # Django then writes no second line about the same response.
            log_response(
                *log_args,
                response=response,
                request=request,
                logger=logger,  # type: ignore[arg-type]  # it only calls a method of it
            )
        return response
    return JsonResponse({})


def _request_id(request: HttpRequest) -> str:
    request_id = request.headers.get("x-zm-request-id", "")
    return request_id if REQUEST_ID.fullmatch(request_id) else ""


def sign(body: bytes, timestamp: int, secret: str) -> str:
    """The signature that Zoom sends with ``body`` in the header ``x-zm-signature``."""
    signed = b"v0:%d:%b" % (timestamp, body)
    return "v0=" + hmac.digest(secret.encode(), signed, "sha256").hex()


def verify(request: HttpRequest) -> tuple[bytes, Secret]:
    """The raw body and the secret that signed it."""
    if request.method != "POST":
        raise WebhookRefused(405, "method")
    if request.content_type != "application/json":  # guard: webhook-json-only
        raise WebhookRefused(415, "content type")
    secrets = settings.webhook_secret_tokens
    if not secrets:  # guard: webhook-secret-required
        raise WebhookRefused(503, "no secret token is configured")
    signature = request.headers.get("x-zm-signature", "")
    timestamp = request.headers.get("x-zm-request-timestamp", "")
    if not SIGNATURE.fullmatch(signature) or not TIMESTAMP.fullmatch(timestamp):
        raise WebhookRefused(400, "headers")
    age = time.time() - int(timestamp)
    if (
        age > settings.webhook_max_age  # guard: webhook-old-refused
        or age < -settings.webhook_max_ahead  # guard: webhook-future-refused
    ):
        raise WebhookRefused(400, "age")
    body = _read_body(request)
    record_metric("webhook_age_seconds", age)
    signed = (  # guard: webhook-signature-over-raw-body
        b"v0:" + timestamp.encode() + b":" + body
    )
    for secret in secrets:
        expected = "v0=" + hmac.digest(secret.encode(), signed, "sha256").hex()
        if hmac.compare_digest(expected, signature):  # guard: webhook-signature-compared
            return body, Secret(value=secret)
    raise WebhookRefused(401, "signature")


def _read_body(request: HttpRequest) -> bytes:
    """The body. A declared length above the limit is refused before anything is read."""
    limit = settings.webhook_max_bytes
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared and (not declared.isascii() or not declared.isdigit()):
        raise WebhookRefused(400, "length")
    if declared and int(declared[:15]) > limit:  # guard: webhook-declared-length-limit
        raise WebhookRefused(413, "size")
    try:
        body = request.body if declared else request.read(limit + 1)
    except RequestDataTooBig as error:
        raise WebhookRefused(413, "size") from error
    except (UnreadablePostError, OSError) as error:
        raise WebhookRefused(400, "unreadable body") from error
    if len(body) > limit:  # guard: webhook-read-length-limit
        raise WebhookRefused(413, "size")
    return body


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object, without characters that databases cannot store."""
    try:
        text = body.decode("utf-8")
        data = json.loads(text, parse_float=_parse_float, parse_constant=_refuse_constant)
        if is_deeper_than(data, MAX_DEPTH):  # guard: webhook-depth-limit
            raise WebhookRefused(400, "depth")
        if may_be_unstorable(text):
            data = clean(data)
    except (ValueError, RecursionError) as error:
        raise WebhookRefused(400, "not JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        raise WebhookRefused(400, "shape")
    return data


def _parse_float(text: str) -> float:
    """A number that JSON can hold again: not ``1e400``, which Python reads as infinity."""
    number = float(text)
    if math.isinf(number):  # guard: webhook-numbers-are-finite
        raise ValueError("The number is too large.")
    return number


def _refuse_constant(text: str) -> None:
    """Python reads ``NaN`` and ``Infinity``; JSON and the databases do not know them."""
    raise ValueError("This is not JSON.")  # guard: webhook-constants-refused


def answer_challenge(data: dict[str, Any], secret: Secret) -> HttpResponse:
    """Prove that we know the secret.

    Only for signed requests and tokens that cannot be a request body; otherwise the endpoint would
    be a signing oracle.
    """
    payload = data.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if (
        not isinstance(token, str)
        or not PLAIN_TOKEN.fullmatch(token)  # guard: webhook-challenge-token-plain
    ):
        raise WebhookRefused(400, "challenge")
    proof = hmac.new(secret.reveal().encode(), token.encode(), hashlib.sha256).hexdigest()
    return JsonResponse({"plainToken": token, "encryptedToken": proof})
