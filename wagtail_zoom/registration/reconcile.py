"""Reconciles registrations with Zoom: counts, states and lost responses without a webhook event."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ..client import Priority, client_for_reading
from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import Meeting, Registration
from ..oauth.scopes import REGISTRATION
from ..utils.queue import enqueue
from . import capacity, delivery, mails, outbox, tokens
from .registrants import LISTED_STATUSES, STATE_BY_STATUS, Registrant, parse_registrant

INTERVAL = timedelta(hours=6)
RETRY_INTERVAL = timedelta(minutes=10)
"""After an error. A cancellation that was lost with a meeting must not wait for hours."""
MAX_PER_SWEEP = 50
STATES_AT_ZOOM = (
    Registration.State.PENDING,
    Registration.State.APPROVED,
    Registration.State.DENIED,
)


def reconcile_registrants(meeting: Meeting) -> int:
    """Read all registrants of a meeting and update our rows. Returns how many rows changed.

    Raises:
        ZoomError: Zoom did not answer.
    """
    began = timezone.now()
    client = client_for_reading(
        meeting.account, meeting.host_zoom_id, Priority.RECONCILE, kind=REGISTRATION
    )
    by_id: dict[str, Registrant] = {}
    by_email: dict[str, Registrant] = {}
    count = 0
    for status in LISTED_STATUSES:
        for page in client.registrants(meeting.zoom_id, meeting.kind, status):
            for item in page.items:
                registrant = parse_registrant(item, status)
                by_id[registrant.registrant_id] = registrant
                by_email[tokens.normalise_email(str(item.get("email", "")))] = registrant
                count += status != "denied"
    capacity.set_count(meeting, count)
    rows = Registration.objects.filter(
        outbox.of_linked_sites(meeting.host_zoom_id),  # guard: reconcile-linked-sites-only
        account=meeting.account_id,
        meeting_zoom_id=meeting.zoom_id,
        state__in=STATES_AT_ZOOM,
    ).exclude(zoom_registrant_id="")
    rows_at_zoom = rows.values_list("pk", "zoom_registrant_id", "state", "state_since")
    changed = 0
    for pk, registrant_id, state, since in list(rows_at_zoom):
        if since > began:
            continue
        listed = by_id.get(registrant_id)
        if listed is None or STATE_BY_STATUS.get(listed.status) != state:
            changed += _apply_listed(pk, listed)
    changed += _restore_returned(meeting, by_email, began)
    if changed:
        outbox.wake_worker()
    return changed


def _apply_listed(pk: int, registrant: Registrant | None) -> int:
    """Apply the status of Zoom's lists. A registrant that is in no list is checked separately."""
    with outbox.edit_row(pk) as row:
        if row.task or row.state not in STATES_AT_ZOOM:
            return 0
        if registrant is None or not registrant.status:
            outbox.queue_task(row, Registration.Task.CHECK)
        else:
            state = delivery.state_at_zoom(row, registrant)
            if state == row.state:
                return 0
            if registrant.join_url:
                row.join_url = registrant.join_url
            outbox.set_state(row, state, mail=mails.mail_after_change(row, state))
    return 1


def _restore_returned(meeting: Meeting, by_email: dict[str, Registrant], began: datetime) -> int:
    """Registrations that ended while Zoom had no such meeting, and that came back with it."""
    rows = Registration.objects.filter(
        outbox.of_linked_sites(meeting.host_zoom_id),
        account=meeting.account_id, meeting_zoom_id=meeting.zoom_id, task="", maybe_sent=True,
        state__in=(Registration.State.FAILED, Registration.State.CANCELLED), state_since__lt=began,
    )  # fmt: skip
    changed = 0
    for pk in list(rows.values_list("pk", flat=True)):
        with outbox.edit_row(pk) as row:
            email = row.email.reveal() if row.email.readable else ""
            registrant = by_email.get(tokens.normalise_email(email))
            if row.task or not row.maybe_sent or registrant is None:
                continue
            if registrant.status == "denied" and row.state == Registration.State.CANCELLED:
                continue
            row.zoom_registrant_id = registrant.registrant_id[:100]
            if row.state == Registration.State.CANCELLED:
                outbox.queue_task(row, Registration.Task.CANCEL)
            else:
                outbox.queue_task(row, Registration.Task.ADD)
                outbox.set_state(row, Registration.State.WAITING)
            row.clear_error()
            changed += 1
    return changed


def meetings_to_reconcile(now: datetime) -> QuerySet[Meeting]:
    """Meetings with registrations that a Site still accepts, and that are not over."""
    rows = Registration.objects.filter(
        account=OuterRef("account"), meeting_zoom_id=OuterRef("zoom_id")
    )
    return capacity.with_open_registration(now).filter(Exists(rows))


def sweep(now: datetime) -> int:
    """Every minute: queue one task for each meeting that is due for reconciliation."""
    queued = 0
    for pk in meetings_to_reconcile(now).order_by("pk").values_list("pk", flat=True)[:1000]:
        try:
            is_due = cache.add(_cache_key(pk), 1, INTERVAL.total_seconds())
        except Exception:
            return queued
        if is_due:
            enqueue("check_registrants", pk)
            queued += 1
        if queued >= MAX_PER_SWEEP:
            break
    return queued


def _cache_key(meeting_pk: int) -> str:
    """The key is in the cache until the next reconciliation of a meeting."""
    return f"wagtail-zoom:registrants:{meeting_pk}"


def reconcile_quietly(meeting_pk: int) -> None:
    """As a task: logs an error from Zoom and retries after ``RETRY_INTERVAL``."""
    meeting = Meeting.objects.select_related("account").filter(pk=meeting_pk).first()
    if meeting is None:
        return
    try:
        reconcile_registrants(meeting)
    except (ZoomError, ZoomConfigurationError) as error:
        delivery.logger.info("Registrants were not reconciled (%s).", type(error).__name__)
        with suppress(Exception):  # the cache is unavailable
            cache.set(_cache_key(meeting_pk), 1, RETRY_INTERVAL.total_seconds())
