"""Compares sign-ups with Zoom, for whatever no message told: counts, states, lost answers."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ..client import Priority, client_for
from ..exceptions import ZoomConfigurationError, ZoomError
from ..models import Meeting, Registration, ZoomSettings
from ..utils.queue import enqueue
from . import capacity, delivery, mails, outbox, tokens
from .registrants import LISTED, STATES, Found, read

State, Task = Registration.State, Registration.Task
EVERY = timedelta(hours=6)
AGAIN = timedelta(minutes=10)
"""After trouble with Zoom: a cancellation that was lost with a meeting must not wait for hours."""
AT_ONCE = 50
SETTLED = (State.PENDING, State.APPROVED, State.DENIED)


def check(meeting: Meeting) -> int:
    """Read all registrants of a meeting and bring our rows into step; how many rows changed.

    Raises:
        ZoomError: Zoom did not answer.
    """
    began = timezone.now()
    client = client_for(meeting.account, meeting.host_zoom_id, Priority.RECONCILE)
    found: dict[str, Found] = {}
    addresses: dict[str, Found] = {}
    count = 0
    for status in LISTED:
        for page in client.registrants(meeting.zoom_id, meeting.kind, status):
            for item in page.items:
                one = read(item, status)
                found[one.registrant_id] = one
                addresses[tokens.normalise(str(item.get("email", "")))] = one
                count += status != "denied"
    capacity.set_count(meeting, count)
    rows = Registration.objects.filter(
        account=meeting.account_id, meeting_zoom_id=meeting.zoom_id, state__in=SETTLED
    ).exclude(zoom_registrant_id="")
    known = rows.values_list("pk", "zoom_registrant_id", "state", "state_since")
    changed = 0
    for pk, ident, state, since in list(known):
        if since > began:
            continue
        seen = found.get(ident)
        if seen is None or STATES.get(seen.status) != state:
            changed += _adopt(pk, seen)
    changed += _returned(meeting, addresses, began)
    if changed:
        outbox.wake()
    return changed


def _adopt(pk: int, seen: Found | None) -> int:
    """Take over what the list said; one that is in no list is looked at by itself."""
    with outbox.locked(pk) as row:
        if row.task or row.state not in SETTLED:
            return 0
        if seen is None or not seen.status:
            outbox.plan(row, Task.CHECK)
        else:
            if seen.join_url:
                row.join_url = seen.join_url
            state = delivery.follow(row, seen)
            outbox.move(row, state, mail=mails.after_change(row, state))
        row.save()
    return 1


def _returned(meeting: Meeting, addresses: dict[str, Found], began: datetime) -> int:
    """Sign-ups that were settled while the meeting was gone at Zoom, and it came back with them."""
    rows = Registration.objects.filter(
        account=meeting.account_id, meeting_zoom_id=meeting.zoom_id, task="", maybe_sent=True,
        state__in=(State.FAILED, State.CANCELLED), state_since__lt=began,
    )  # fmt: skip
    changed = 0
    for pk in list(rows.values_list("pk", flat=True)):
        with outbox.locked(pk) as row:
            address = row.email.reveal() if row.email.readable else ""
            seen = addresses.get(tokens.normalise(address))
            if row.task or not row.maybe_sent or seen is None:
                continue
            row.zoom_registrant_id = seen.registrant_id[:100]
            if row.state == State.CANCELLED:
                outbox.plan(row, Task.CANCEL)
            else:
                outbox.plan(row, Task.ADD)
                outbox.move(row, State.WAITING)
            row.error_class, row.error_code, row.attempts = "", None, 0
            row.save()
            changed += 1
    return changed


def wanted(now: datetime) -> QuerySet[Meeting]:
    """Meetings that some Site takes sign-ups for and that are not over."""
    rows = Registration.objects.filter(
        account=OuterRef("account"), meeting_zoom_id=OuterRef("zoom_id")
    )
    sites = ZoomSettings.objects.filter(
        account=OuterRef("account"), show_registration=True, paused_at=None, grant__isnull=False
    )
    coming = Meeting.objects.filter(occurrences__end__gt=now) | Meeting.objects.filter(
        zoom_type__in=(3, 6)
    )
    live = coming.filter(removed_at=None, approval_type__in=(0, 1), is_events_webinar=False)
    return live.filter(Exists(sites)).filter(Exists(rows)).distinct()


def sweep(now: datetime) -> int:
    """For the tick: have meetings with sign-ups compared every few hours, one task each."""
    asked = 0
    for pk in wanted(now).order_by("pk").values_list("pk", flat=True)[:1000]:
        try:
            first = cache.add(_mark(pk), 1, EVERY.total_seconds())
        except Exception:
            return asked
        if first:
            enqueue("check_registrants", pk)
            asked += 1
        if asked >= AT_ONCE:
            break
    return asked


def _mark(meeting_pk: int) -> str:
    """In the cache while a meeting need not be compared again."""
    return f"wagtail-zoom:registrants:{meeting_pk}"


def check_quietly(meeting_pk: int) -> None:
    """As a task: after trouble with Zoom it is soon tried again."""
    meeting = Meeting.objects.select_related("account").filter(pk=meeting_pk).first()
    if meeting is None:
        return
    try:
        check(meeting)
    except (ZoomError, ZoomConfigurationError) as error:
        delivery.logger.info("Registrants were not compared (%s).", type(error).__name__)
        with suppress(Exception):  # a cache that is away
            cache.set(_mark(meeting_pk), 1, AGAIN.total_seconds())
