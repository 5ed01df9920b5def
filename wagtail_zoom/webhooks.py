"""Zoom webhook endpoint: verifies the signature, stores the event, returns 200.

Cheap checks come first, and no SQL runs before the signature is verified. Zoom retries only on 5xx
and timeouts, never after a 3xx or 4xx, so 503 is returned exactly when a genuine event could not be
stored. Source for headers, signature and challenge: Zoom, "Using webhooks".
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
import re
import time
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, DataError, IntegrityError, connections, router, transaction
from django.db.models import NOT_PROVIDED, Field, Q
from django.db.models.sql import InsertQuery
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import path
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt

from .conf import settings
from .exceptions import ZoomConfigurationError
from .models import Secret, WebhookEvent
from .utils.error_reports import hide_people
from .utils.logging import get_logger, record_metric
from .utils.queue import debounce, enqueue
from .utils.redaction import clean, content_key, is_deeper_than, may_be_unstorable, redact

logger = get_logger("webhooks")

SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
EVENT_NAME = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
DUPLICATE_ERROR = re.compile("unique|duplicate", re.IGNORECASE)
UNIQUE_COLUMNS = ("request_id", "content_key")
"""Unique columns of an event, as databases name them when they refuse a duplicate."""
CHALLENGE = "endpoint.url_validation"
SUMMARY_EVENTS = "meeting.summary_"
MAX_DEPTH = 20
"""Levels of lists and objects that are accepted. Zoom's events have less than ten, and MariaDB
stores no more than 32."""


class WebhookRefused(Exception):
    """A request that is not answered with 200; ``reason`` is logged, never sent to the client."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status
        self.reason = reason


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@hide_people
def webhook(request: HttpRequest) -> HttpResponse:
    """``zoom/webhook/``: the one event URL of the app, for all accounts."""
    try:
        body, secret = _verify(request)
        data = _parse(body)
        if data["event"] == CHALLENGE:
            return _answer_challenge(data, secret)
        _store(request, data)
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


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def without_slash(request: HttpRequest) -> HttpResponse:
    """The URL without its slash: a redirect would silently lose the event, a 404 is noticed."""
    return HttpResponse(status=404)


def _verify(request: HttpRequest) -> tuple[bytes, Secret]:
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


def _parse(body: bytes) -> dict[str, Any]:
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


def _answer_challenge(data: dict[str, Any], secret: Secret) -> HttpResponse:
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


def _store(request: HttpRequest, data: dict[str, Any]) -> None:
    """Insert or ignore the event, committed before the response."""
    payload = data.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    well_formed = (
        bool(payload)
        and EVENT_NAME.fullmatch(data["event"]) is not None  # guard: webhook-event-name
    )
    request_id = request.headers.get("x-zm-request-id", "")
    event_ts = data.get("event_ts")
    event = WebhookEvent(
        request_id=request_id  # guard: webhook-request-id-unique
        if REQUEST_ID.fullmatch(request_id)
        else None,
        content_key=_content_key(data),  # guard: webhook-content-unique
        account_zoom_id=_truncate(payload.get("account_id")),
        event=data["event"][:64],
        event_ts=event_ts if isinstance(event_ts, int) and 0 <= event_ts < 10**15 else 0,
        lock_key=_lock_key(data["event"], payload),
        payload=redact(payload),
        state=WebhookEvent.State.PENDING if well_formed else WebhookEvent.State.DEAD,
        error_class="" if well_formed else "shape",
    )
    try:
        _insert(event)
        _wake_worker()
        record_metric("webhooks_received")
    except DataError as error:
        # It would be refused each time that Zoom repeats it.
        raise WebhookRefused(400, "the database does not take this value") from error
    except DatabaseError as error:
        raise WebhookRefused(
            503, "the event could not be stored"
        ) from error  # guard: webhook-unsaved-is-503


def _content_key(data: dict[str, Any]) -> str:
    try:
        return content_key(data)
    except ZoomConfigurationError as error:
        raise WebhookRefused(503, "no encryption key is configured") from error


def _insert(event: WebhookEvent) -> None:
    """One INSERT in autocommit mode; a duplicate event is no error.

    A transaction around it would cost two more round trips for each event. Where one is open
    (a middleware, a test) the refused INSERT must not break it.
    """
    connection = connections[router.db_for_write(WebhookEvent)]
    savepoint = transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext()
    statement, columns = _insert_statement(connection.alias)
    values = [
        column.get_db_prep_save(column.pre_save(event, True), connection=connection)
        for column in columns
    ]
    try:
        with savepoint, connection.cursor() as cursor:
            cursor.execute(statement, values)
    except IntegrityError as error:
        if not _is_duplicate(event, str(error)):
            raise


def _is_duplicate(event: WebhookEvent, error_text: str) -> bool:
    """Whether an INSERT was refused because the event is stored already.

    Most databases report it in English. If the error text is not clear, the table is queried, on
    the primary database and not on a replica that may lag behind.
    """
    # Below the first line PostgreSQL repeats the row, with any words that Zoom has sent.
    first_line = error_text.partition("\n")[0]
    if DUPLICATE_ERROR.search(first_line) and any(key in first_line for key in UNIQUE_COLUMNS):
        return True
    same_request = Q(request_id=event.request_id) if event.request_id else Q(pk__in=[])
    rows = WebhookEvent.objects.using(router.db_for_write(WebhookEvent))
    return rows.filter(same_request | Q(content_key=event.content_key)).exists()


@cache
def _insert_statement(using: str) -> tuple[str, list[Field[Any, Any]]]:
    """The INSERT of an event as Django compiles it for this database, and its columns.

    It is the same for every event, and compiling it took longer than running it. Columns with a
    database default are left out.
    """
    columns = [
        column
        for column in WebhookEvent._meta.concrete_fields
        if not column.primary_key and column.db_default is NOT_PROVIDED
    ]
    query = InsertQuery(WebhookEvent)
    query.insert_values(columns, [WebhookEvent()])
    [(statement, _values)] = query.get_compiler(using=using).as_sql()
    return statement, columns


def _wake_worker() -> None:
    """Enqueue event processing, at most once a second for all events.

    Events in between are not lost: the task processes everything that is pending and continues
    while there is more, and a job that runs every minute finds the rest.
    """
    if debounce("process_events", 1):
        enqueue("process_events")


def _truncate(value: Any) -> str:
    return value[:100] if isinstance(value, str) else ""


def _lock_key(event: str, payload: dict[str, Any]) -> str:
    """``<account>:<kind>:<id>``: events with the same key are processed one after the other."""
    item = payload.get("object")
    item = item if isinstance(item, dict) else {}
    family = event.partition(".")[0]
    # Recordings and summaries are identified by instance, meetings and webinars by number.
    value = item.get("uuid" if family == "recording" else "id")
    if event.startswith(SUMMARY_EVENTS):
        family, value = "summary", item.get("meeting_uuid")
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    object_id = str(value)[:90] if is_id else ""
    return f"{_truncate(payload.get('account_id'))}:{family[:20]}:{object_id}"


urlpatterns = [
    path("webhook/", webhook, name="webhook"),
    path("webhook", without_slash),
]
