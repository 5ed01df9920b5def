"""Sends one change of a meeting to Zoom. Everything is safe to repeat.

A change may have arrived although the response was lost. So ``maybe_sent_at`` is set before the
first call and cleared only when it certainly did not arrive. While it is set, Zoom is asked first:
for a new meeting by ``lookup``, for a changed one by reading it. Deleting can be repeated.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ..client import SiteClient, client_for_request, client_for_site
from ..client.error_policy import ErrorOutcome
from ..exceptions import (
    ZoomConfigurationError,
    ZoomError,
    ZoomNotFound,
    may_have_taken_effect,
)
from ..mapping.parsing import get_list
from ..models import Meeting, MeetingChange, SiteItem, fetch_scope
from ..oauth.tokens import RefreshRequired
from ..sync import removals
from ..sync.refetch import RefetchTarget
from ..sync.refetch_meetings import refetch_all
from ..utils.crypto import DecryptionError
from ..utils.error_reports import exc_info_of
from ..utils.leases import LeaseLost
from ..utils.logging import get_logger, log_context
from . import lookup, outbox
from .error_policy import classify
from .values import MeetingValues

logger = get_logger("scheduling")

Action, State = MeetingChange.Action, MeetingChange.State
NO_MEETING_CODE = 3001
LOOKUP_DELAY = timedelta(minutes=1)
"""Up to a quarter is added, so that equal rows do not look at the same moment again and again."""
LOOKUPS = 2
"""How often Zoom is asked in vain for a new meeting before it is sent again."""
EARLIER_DELAY = timedelta(minutes=1)
"""Until the next look at an earlier change; its end does not wait for it."""


@dataclass(frozen=True)
class RequestAttempt:
    """An attempt within a web request: its lease, and how long each call may take."""

    lease: str
    seconds: float


class Outdated(Exception):
    """It would begin in the past."""


class EarlierFirst(Exception):
    """An earlier change of the same meeting is not at Zoom yet; it would overwrite this one."""


class ChangedElsewhere(Exception):
    """Zoom has other values than the person saw."""


@sensitive_variables()
def process(pk: int, lease: str) -> None:
    """Do what is due for one claimed row."""
    row = MeetingChange.objects.select_related("account", "site").get(pk=pk)
    with log_context(account=row.account_id, site=row.site_id):
        attempt(row, lease)


@sensitive_variables()
def attempt(row: MeetingChange, lease: str, inline: RequestAttempt | None = None) -> None:
    """Attempt a claimed row and save the outcome. Never raises ``ZoomError``."""
    try:
        client = _client(row, inline)
        is_at_zoom = row.created_zoom_id is not None or _send(row, client)
        if not is_at_zoom:
            _look_later(row, lease)
            return
        copy_error = _update_copy(row)
    except RefreshRequired:
        outbox.release(row.pk, lease)
    except LeaseLost:
        return
    except EarlierFirst:
        _record_failure(row, ErrorOutcome("earlier", timezone.now() + EARLIER_DELAY), lease)
    except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
        _record_failure(row, classify(error, row.attempts), lease)
    except Outdated:
        _record_failure(row, ErrorOutcome("over"), lease)
    except ChangedElsewhere:
        _record_failure(row, ErrorOutcome("changed_elsewhere"), lease)
    except lookup.NumberTaken:
        # An equal row has it, or may have it: look again, which is no lookup in vain.
        _look_later(row, lease, counts=False)
    else:
        if copy_error is not None and _show(row) is not None:  # guard: copy-before-visibility
            # Until it is stored here, it cannot be shown or hidden.
            _record_failure(row, copy_error, lease)
            return
        _record_success(row, lease)


def _client(row: MeetingChange, inline: RequestAttempt | None) -> SiteClient:
    """A client with the permission of the row's Site, which is checked each time."""
    cancels = row.action in (Action.CANCEL_DATE, Action.CANCEL_SERIES)
    if inline is None:
        return client_for_site(
            row.site_id, row.account, row.host_zoom_id, row.kind, even_if_hidden=cancels
        )
    return client_for_request(
        row.site_id, row.account, row.host_zoom_id, row.kind, inline.seconds, even_if_hidden=cancels
    )


def _send(row: MeetingChange, client: SiteClient) -> bool:
    """Send it, unless Zoom has it. Returns False if it is to be looked for once more."""
    values = json.loads(row.payload.reveal() or "{}")
    if row.action == Action.CREATE:
        return _create(row, client, values)
    if row.action == Action.UPDATE:
        _update(row, client, values)
    else:
        _cancel(row, client, values)
    return True


def _create(row: MeetingChange, client: SiteClient, values: dict[str, Any]) -> bool:
    if row.maybe_sent_at is not None:  # guard: lost-meeting-looked-up
        number = lookup.find_created(row, client, values["body"])
        if number:
            _claim_number(row, number)
            return True
        if row.lookups + 1 < LOOKUPS:
            return False
        # Certainly not there: an older answer can no longer arrive.
        row.lookups, row.maybe_sent_at = 0, None
    start = lookup.start_of(values["body"])
    if start is not None and start < timezone.now() and "recurrence" not in values["body"]:
        raise Outdated
    answer = _call(row, lambda: client.create_meeting(row.host_zoom_id, row.kind, values["body"]))
    _claim_number(row, str(answer["id"]))
    return True


def _update(row: MeetingChange, client: SiteClient, values: dict[str, Any]) -> None:
    if outbox.updates_of(row).filter(pk__lt=row.pk).exists():  # guard: updates-in-their-order
        raise EarlierFirst
    body = values["body"]
    if "seen" in values and row.maybe_sent_at is None:
        present = MeetingValues.read(
            client, row.meeting_zoom_id, row.kind, row.occurrence_id, row.meeting
        )
        if present.as_json() != values["seen"]:  # guard: change-made-elsewhere-not-overwritten
            raise ChangedElsewhere
    if row.maybe_sent_at is not None and "recurrence" in body:
        # A rule that is sent twice makes all dates twice.
        stored = client.meeting(row.meeting_zoom_id, row.kind)
        if lookup.same_rule(stored, body):
            body = {name: value for name, value in body.items() if name != "recurrence"}
    if body:
        _call(
            row,
            lambda: client.update_meeting(row.meeting_zoom_id, row.kind, body, row.occurrence_id),
        )


def _cancel(row: MeetingChange, client: SiteClient, values: dict[str, Any]) -> None:
    notify = bool(values.get("notify"))
    was_sent = row.maybe_sent_at is not None
    try:
        _call(
            row,
            lambda: client.delete_meeting(
                row.meeting_zoom_id, row.kind, row.occurrence_id, notify_registrants=notify
            ),
        )
    except ZoomNotFound as error:
        if error.code != NO_MEETING_CODE or not (was_sent or _is_cancelled(row, client)):
            raise
        # It is not there any more: what was wanted.
        row.maybe_sent_at = None


def _is_cancelled(row: MeetingChange, client: SiteClient) -> bool:
    """Whether a meeting or date that Zoom does not have was cancelled.

    Not so a date of a former rule: the series may have another one in its place.
    """
    if row.action == Action.CANCEL_SERIES:
        return True
    try:
        stored = client.meeting(row.meeting_zoom_id, row.kind)
    except ZoomNotFound:
        return True
    dates = get_list(stored, "occurrences")
    return any(str(date.get("occurrence_id")) == row.occurrence_id for date in dates)


def _call(row: MeetingChange, send: Any) -> Any:
    """Make a call that changes something; remember in advance that it may arrive."""
    now = timezone.now()
    first = row.maybe_sent_at or now
    # The lease lasts from here: looking for a meeting may have taken long.
    held = MeetingChange.objects.filter(pk=row.pk, lease_owner=row.lease_owner)
    if not held.update(
        maybe_sent_at=first, lookups=row.lookups, lease_until=now + outbox.OUTBOX.lease
    ):  # guard: lease-held-before-sending
        raise LeaseLost
    before, row.maybe_sent_at = row.maybe_sent_at, first
    try:
        return send()
    except (ZoomError, ZoomConfigurationError) as error:
        if not may_have_taken_effect(error):
            row.maybe_sent_at = before
        raise


def _claim_number(row: MeetingChange, number: str) -> None:
    """Write the number of the new meeting before anything else: no second one is made."""
    try:
        with transaction.atomic():
            MeetingChange.objects.filter(pk=row.pk).update(
                created_zoom_id=number, meeting_zoom_id=number, maybe_sent_at=None
            )
    except IntegrityError as error:
        raise lookup.NumberTaken from error
    row.created_zoom_id = row.meeting_zoom_id = number
    row.maybe_sent_at = None


def _update_copy(row: MeetingChange) -> ErrorOutcome | None:
    """Store what Zoom has now, so that pages show it without waiting for the event.

    The change is at Zoom: an error here is logged, and the event or the next import repairs it.
    Returns when to try again, if that may help.
    """
    try:
        number, account = row.meeting_zoom_id, row.account
        if row.action == Action.CANCEL_SERIES:
            stored = Meeting.objects.filter(account=account, zoom_id=number, removed_at=None)
            removals.remove(account, fetch_scope(account), list(stored))
        else:
            target = RefetchTarget(account, row.kind, number, row.host_zoom_id)
            result = refetch_all(account, [target])
            for error in result.errors.values():
                raise error
        row.meeting = Meeting.objects.filter(account=account, zoom_id=number).first()
        _apply_visibility(row)
    except Exception as error:
        logger.warning("A changed meeting could not be read again.", exc_info=exc_info_of(error))
        outcome = classify(error, row.attempts)
        return replace(outcome, error="copy") if outcome.retry_at else None
    return None


def _show(row: MeetingChange) -> bool | None:
    """Whether a new meeting is to be shown or hidden; None leaves it to the rules of the Site."""
    if row.action != Action.CREATE:
        return None
    show: bool | None = json.loads(row.payload.reveal() or "{}").get("show")
    return show


def _apply_visibility(row: MeetingChange) -> None:
    """Show or hide a new meeting on the Site that has created it."""
    show = _show(row)
    if show is None or row.meeting is None:
        return
    states = SiteItem.Visibility
    items = SiteItem.objects.for_site(row.site_id).filter(meeting=row.meeting)
    for item in items.filter(visibility=states.AUTO):
        item.visibility = states.PUBLISHED if show else states.HIDDEN
        item.decided_at, item.decided_by_id = timezone.now(), row.requested_by_id
        item.save()


def _record_success(attempted: MeetingChange, lease: str) -> None:
    with outbox.edit_row(attempted.pk, lease) as row:
        row.maybe_sent_at, row.meeting = None, attempted.meeting
        row.clear_error()
        outbox.finish(row, State.DONE)


def _look_later(attempted: MeetingChange, lease: str, *, counts: bool = True) -> None:
    with outbox.edit_row(attempted.pk, lease) as row:
        if row.lease_owner != lease:
            return
        row.lookups = attempted.lookups + counts
        row.maybe_sent_at = attempted.maybe_sent_at
        row.error_class = "looking"
        if row.state == State.WAITING:
            delay = LOOKUP_DELAY * random.uniform(1, 1.25)  # noqa: S311 - no secret
            row.next_try_at = timezone.now() + delay


def _record_failure(attempted: MeetingChange, outcome: ErrorOutcome, lease: str) -> None:
    with outbox.edit_row(attempted.pk, lease) as row:
        if row.lease_owner != lease:
            # Another process has taken it over, and knows more.
            return
        row.maybe_sent_at, row.lookups = attempted.maybe_sent_at, attempted.lookups
        row.error_class, row.error_code = outcome.error, outcome.code
        row.attempts += outcome.counts_as_failure
        if row.state != State.WAITING:
            return
        if outcome.retry_at is None:
            outbox.finish(row, State.FAILED)
            return
        row.next_try_at = outcome.retry_at
        if row.maybe_sent_at is not None:
            row.next_try_at = max(outcome.retry_at, timezone.now() + outbox.AMBIGUOUS_DELAY)
