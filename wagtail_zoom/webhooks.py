"""Zoom webhook endpoint: verifies the signature, stores the event, returns 200.

No SQL runs before the signature is verified (:mod:`.utils.webhook_requests`).
"""

from __future__ import annotations

import contextlib
import re
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, DataError, IntegrityError, connections, router, transaction
from django.db.models import NOT_PROVIDED, Field, Q
from django.db.models.sql import InsertQuery
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from .exceptions import ZoomConfigurationError
from .models import WebhookEvent
from .utils.error_reports import hide_people
from .utils.logging import record_metric
from .utils.queue import debounce, enqueue
from .utils.redaction import content_key, redact
from .utils.webhook_requests import SignedEvent, WebhookRefused, receive

DUPLICATE_ERROR = re.compile("unique|duplicate", re.IGNORECASE)
UNIQUE_COLUMNS = ("request_id", "content_key")
"""Unique columns of an event, as databases name them when they refuse a duplicate."""
SUMMARY_EVENTS = "meeting.summary_"


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@hide_people
def webhook(request: HttpRequest) -> HttpResponse:
    """``zoom/webhook/``: the one event URL of the app, for all accounts."""
    return receive(request, store_event)


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def without_slash(request: HttpRequest) -> HttpResponse:
    """The URL without its slash: a redirect would silently lose the event, a 404 is noticed."""
    return HttpResponse(status=404)


def store_event(received: SignedEvent) -> None:
    """Insert or ignore the event, committed before the response.

    Raises:
        WebhookRefused: it could not be stored.
    """
    data, payload, well_formed = received.data, received.payload, received.is_well_formed
    event_ts = data.get("event_ts")
    event = WebhookEvent(
        request_id=received.request_id or None,  # guard: webhook-request-id-unique
        content_key=_content_key(data),  # guard: webhook-content-unique
        account_zoom_id=_truncate(payload.get("account_id")),
        event=received.name[:64],
        event_ts=event_ts if isinstance(event_ts, int) and 0 <= event_ts < 10**15 else 0,
        lock_key=_lock_key(received.name, payload),
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
