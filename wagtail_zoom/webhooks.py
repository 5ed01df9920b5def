"""The door for Zoom's messages: verify, store, answer. Nothing else happens here.

Checks run from cheap to dear and no SQL runs before the signature has passed. Zoom retries only on
5xx and on silence, and never after a 3xx or 4xx, so 503 is answered exactly when a genuine message
could not be stored. Source for headers, signature and challenge: Zoom, "Using webhooks".
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import time
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.db.models import NOT_PROVIDED, Field, Q
from django.db.models.sql import InsertQuery
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import path
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from .conf import settings
from .exceptions import ZoomConfigurationError
from .models import Secret, WebhookEvent
from .utils.logging import get_logger, record_metric
from .utils.queue import debounce, enqueue
from .utils.redaction import clean, content_key, may_be_unstorable, redact

logger = get_logger("webhooks")

SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
EVENT = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
REPEATED = re.compile("unique|duplicate", re.IGNORECASE)
KEYS = ("request_id", "content_key")
"""What a message that is there already is known by, as databases name it in a refusal."""
CHALLENGE = "endpoint.url_validation"


class Refused(Exception):
    """A request that is not answered with 200; ``reason`` goes to the log, never to the sender."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status
        self.reason = reason


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def webhook(request: HttpRequest) -> HttpResponse:
    """``zoom/webhook/``: the one event URL of the app, for all accounts."""
    try:
        body, secret = _verified(request)
        message = _parse(body)
        if message["event"] == CHALLENGE:
            return _answer_challenge(message, secret)
        _store(request, message)
    except Refused as refused:
        record_metric("messages_refused", reason=refused.reason)
        response = HttpResponse(status=refused.status)
        said = ("A message to the Zoom endpoint was refused: %s.", refused.reason)
        if refused.status >= 500:
            # Django adds its own line, which mails ADMINS: a host has to do something.
            logger.error(*said)
        else:
            # Django takes it as said, and writes no second line about the same answer.
            log_response(*said, response=response, request=request, logger=logger)
        return response
    return JsonResponse({})


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def without_slash(request: HttpRequest) -> HttpResponse:
    """The address without its slash: a redirect would lose the event for good, a 404 is seen."""
    return HttpResponse(status=404)


@sensitive_variables("secrets", "secret", "signature", "wanted")
def _verified(request: HttpRequest) -> tuple[bytes, Secret]:
    """The raw body and the secret that signed it."""
    if request.method != "POST":
        raise Refused(405, "method")
    if request.content_type != "application/json":  # guard: webhook-json-only
        raise Refused(415, "content type")
    secrets = settings.webhook_secret_tokens
    if not secrets:  # guard: webhook-secret-required
        raise Refused(503, "no secret token is configured")
    signature = request.headers.get("x-zm-signature", "")
    timestamp = request.headers.get("x-zm-request-timestamp", "")
    if not SIGNATURE.fullmatch(signature) or not TIMESTAMP.fullmatch(timestamp):
        raise Refused(400, "headers")
    age = time.time() - int(timestamp)
    if (
        age > settings.webhook_max_age  # guard: webhook-old-message-refused
        or age < -settings.webhook_max_ahead  # guard: webhook-future-message-refused
    ):
        raise Refused(400, "age")
    body = _read(request)
    record_metric("message_age_seconds", age)
    signed = (  # guard: webhook-signature-over-raw-body
        b"v0:" + timestamp.encode() + b":" + body
    )
    for secret in secrets:
        wanted = "v0=" + hmac.digest(secret.encode(), signed, "sha256").hex()
        if hmac.compare_digest(wanted, signature):  # guard: webhook-signature-compared
            return body, Secret(value=secret)
    raise Refused(401, "signature")


def _read(request: HttpRequest) -> bytes:
    """The body, refused above the limit before it is read where its length is declared."""
    limit = settings.webhook_max_bytes
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared and (not declared.isascii() or not declared.isdigit()):
        raise Refused(400, "length")
    if declared and int(declared[:15]) > limit:  # guard: webhook-declared-length-limit
        raise Refused(413, "size")
    try:
        body = request.body if declared else request.read(limit + 1)
    except RequestDataTooBig as error:
        raise Refused(413, "size") from error
    except (UnreadablePostError, OSError) as error:
        raise Refused(400, "unreadable body") from error
    if len(body) > limit:  # guard: webhook-read-length-limit
        raise Refused(413, "size")
    return body


def _parse(body: bytes) -> dict[str, Any]:
    """The message, cleaned of what no database can hold."""
    try:
        text = body.decode("utf-8")
        message = json.loads(text)
        if may_be_unstorable(text):
            message = clean(message)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise Refused(400, "shape")
    return message


def _answer_challenge(message: dict[str, Any], secret: Secret) -> HttpResponse:
    """Prove that we know the secret. Signed requests only, and only tokens that can be no message:
    else the endpoint would sign chosen text for anybody."""
    payload = message.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if (
        not isinstance(token, str)
        or not PLAIN_TOKEN.fullmatch(token)  # guard: webhook-challenge-token-plain
    ):
        raise Refused(400, "challenge")
    proof = hmac.new(secret.reveal().encode(), token.encode(), hashlib.sha256).hexdigest()
    return JsonResponse({"plainToken": token, "encryptedToken": proof})


def _store(request: HttpRequest, message: dict[str, Any]) -> None:
    """Insert or ignore, committed before anything is answered."""
    payload = message.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    well_formed = bool(payload) and EVENT.fullmatch(message["event"]) is not None
    request_id = request.headers.get("x-zm-request-id", "")
    stamp = message.get("event_ts")
    event = WebhookEvent(
        request_id=request_id  # guard: webhook-request-id-unique
        if REQUEST_ID.fullmatch(request_id)
        else None,
        content_key=_content_key(message),  # guard: webhook-content-unique
        account_zoom_id=_short(payload.get("account_id")),
        event=message["event"][:64],
        event_ts=stamp if isinstance(stamp, int) and 0 <= stamp < 10**15 else 0,
        lock_key=_lane(message["event"], payload),
        payload=redact(payload),
        state=WebhookEvent.State.PENDING if well_formed else WebhookEvent.State.DEAD,
        error_class="" if well_formed else "shape",
    )
    try:
        _insert(event)
        _wake()
        record_metric("messages_received")
    except DatabaseError as error:
        raise Refused(
            503, "the message could not be stored"
        ) from error  # guard: webhook-unsaved-is-503


def _content_key(message: dict[str, Any]) -> str:
    try:
        return content_key(message)
    except ZoomConfigurationError as error:
        raise Refused(503, "no encryption key is configured") from error


def _insert(event: WebhookEvent) -> None:
    """One INSERT that commits by itself; a message that is there already is no error.

    A transaction around it would cost two more round trips for each message. Where one is open
    (an odd middleware, a test) the refused INSERT must not spoil it.
    """
    connection = connections[router.db_for_write(WebhookEvent)]
    guard = transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext()
    statement, columns = _statement(connection.alias)
    values = [
        column.get_db_prep_save(column.pre_save(event, True), connection=connection)
        for column in columns
    ]
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(statement, values)
    except IntegrityError as error:
        if not _is_repeated(event, str(error)):
            raise


def _is_repeated(event: WebhookEvent, refusal: str) -> bool:
    """Whether an INSERT was refused because the message is there. Databases say so, most of them in
    English; where the words do not tell, the table does, and not a copy of it that lags behind."""
    # Below the first line PostgreSQL repeats the row, with whatever words Zoom has sent.
    said = refusal.partition("\n")[0]
    if REPEATED.search(said) and any(key in said for key in KEYS):
        return True
    same = Q(request_id=event.request_id) if event.request_id else Q(pk__in=[])
    rows = WebhookEvent.objects.using(router.db_for_write(WebhookEvent))
    return rows.filter(same | Q(content_key=event.content_key)).exists()


@cache
def _statement(using: str) -> tuple[str, list[Field[Any, Any]]]:
    """The INSERT of a message as Django writes it for this database, and its columns.

    It is the same for every message; putting it together took longer than running it. Columns
    that the database fills by itself are left to it.
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


def _wake() -> None:
    """Call the worker, at most once a second over all messages.

    Nothing is lost by the messages in between: the drain takes everything that is pending when it
    runs and comes back while there is more, and the minutely sweep finds what no drain saw.
    """
    if debounce("drain", 1):
        enqueue("drain")


def _short(value: Any) -> str:
    return value[:100] if isinstance(value, str) else ""


def _lane(event: str, payload: dict[str, Any]) -> str:
    """``<account>:<kind>:<id>``: what is worked on one after the other."""
    thing = payload.get("object")
    thing = thing if isinstance(thing, dict) else {}
    family = event.partition(".")[0]
    # Recordings are told apart by instance, meetings and webinars by number.
    name = "uuid" if family == "recording" else "id"
    found = thing.get(name)
    known = isinstance(found, str | int) and not isinstance(found, bool)
    return f"{_short(payload.get('account_id'))}:{family[:20]}:{str(found)[:90] if known else ''}"


urlpatterns = [
    path("webhook/", webhook, name="webhook"),
    path("webhook", without_slash),
]
