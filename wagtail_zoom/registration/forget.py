"""Exports and deletes what is stored about one person, here and at Zoom as far as possible.

Zoom's API cannot delete a past registrant; the registration can only be cancelled there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from wagtail.models import Site

from ..client import SiteClient
from ..exceptions import ZoomConfigurationError, ZoomError, ZoomTransient
from ..models import Activity, Registration, WebhookEvent
from ..signals import person_forgotten
from ..utils.crypto import DecryptionError
from . import moderation, outbox, registrants, tokens
from .dates import dates_of

REQUEST_SECONDS = 10.0
"""Limit for all calls to Zoom when an owner waits for the response."""


@dataclass(frozen=True)
class ForgetResult:
    """How many registrations were deleted here, and what failed."""

    deleted: int
    webhook_events: int
    not_at_zoom: int
    failed_receivers: int
    """Receivers of ``person_forgotten`` that failed: a project's own copies may be left."""


def registrations_of(email: str, site: Site | None = None) -> QuerySet[Registration]:
    """The registrations of an email address, on one Site or on all."""
    rows = Registration.objects.filter(email_index__in=tokens.email_indexes(email))
    return rows.filter(site=site) if site else rows


def export(email: str, site: Site | None = None, user: Any = None) -> list[dict[str, Any]]:
    """Everything stored about a person, ready to hand over to them. The export is logged."""
    rows = list(registrations_of(email, site).select_related("site", "meeting"))
    Activity.log({row.site_id for row in rows}, "registration", "person_exported", user=user)
    return [
        {
            "site": row.site.hostname,
            "meeting": row.snapshot.get("topic", ""),
            "dates": [date.when.iso_start for date in dates_of(row)],
            "state": str(row.state),
            "signed_up": row.created_at.isoformat(),
            "consented": row.consented_at.isoformat() if row.consented_at else None,
            "mails": row.mails,
            "answers": dict(moderation.details(row)),
            "attendance": _attendances(row),
            "deleted_after": row.purge_on.isoformat() if row.purge_on else None,
        }
        for row in rows
    ]


def _attendances(row: Registration) -> list[dict[str, Any]]:
    """Whether the person came to each date, as far as it is known."""
    return [
        {
            "date": attendance.reading.start.isoformat(),
            "came": attendance.came,
            "minutes": attendance.minutes,
            "first_arrival": (
                attendance.first_arrival.isoformat() if attendance.first_arrival else None
            ),
        }
        for attendance in row.attendances.select_related("reading").order_by("reading__start", "pk")
    ]


def forget(
    email: str,
    site: Site | None = None,
    user: Any = None,
    *,
    at_zoom: bool = True,
    seconds: float = 0,
) -> ForgetResult:
    """Delete a person's registrations and clear their webhook events.

    They are cancelled at Zoom first. ``person_forgotten`` notifies the project.

    Args:
        seconds: limit for all calls to Zoom, for a web request; 0 means no limit.
    """
    rows = list(registrations_of(email, site).select_related("site", "account", "meeting"))
    deadline = time.monotonic() + seconds if seconds else None
    not_at_zoom = sum(not _cancel_at_zoom(row, deadline) for row in rows) if at_zoom else 0
    webhook_events = 0
    with transaction.atomic():
        for row in rows:
            webhook_events += _clear_webhook_events(row)
        Registration.objects.filter(pk__in=[row.pk for row in rows]).delete()
    responses = person_forgotten.send_robust(sender=Registration, email=email, site=site)
    failed_receivers = sum(isinstance(value, Exception) for _receiver, value in responses)
    has_failed = bool(not_at_zoom or failed_receivers)
    Activity.log(
        {row.site_id for row in rows},
        "registration",
        "person_forgotten",
        outcome=Activity.Outcome.FAILED if has_failed else Activity.Outcome.GOOD,
        data={"count": len(rows), "not_at_zoom": not_at_zoom},
        user=user,
    )
    return ForgetResult(len(rows), webhook_events, not_at_zoom, failed_receivers)


def _cancel_at_zoom(row: Registration, deadline: float | None) -> bool:
    """Cancel at Zoom. Returns whether, as far as we know, no registration is left there."""
    if not row.zoom_registrant_id and not row.maybe_sent:
        return True
    if (
        row.state in (Registration.State.CANCELLED, Registration.State.FAILED)
        and not row.task
        and not row.maybe_sent
    ):
        return True
    with outbox.edit_row(row.pk) as locked:
        # A worker that processes it right now sees that another task was queued.
        outbox.queue_task(locked, Registration.Task.CANCEL)
    try:
        registrants.set_status(row, _client(row, deadline), Registration.Task.CANCEL)
    except (ZoomError, ZoomConfigurationError, DecryptionError):
        return False
    return True


def _client(row: Registration, deadline: float | None) -> SiteClient:
    if deadline is None:
        return registrants.worker_client(row, Registration.Task.CANCEL)
    seconds_left = deadline - time.monotonic()
    if seconds_left <= 0:
        raise ZoomTransient("No time is left.")
    return registrants.inline_client(
        row, Registration.Task.CANCEL, seconds_left, allow_refresh=True
    )


def _clear_webhook_events(row: Registration) -> int:
    """Clear the webhook events about this registrant: they hold only Zoom's id."""
    if not row.zoom_registrant_id:
        return 0
    rows = WebhookEvent.objects.filter(
        Q(payload__object__registrant__id=row.zoom_registrant_id),
        account_zoom_id=row.account.zoom_id,
    )
    states = WebhookEvent.State
    waiting = rows.filter(state=states.PENDING).update(state=states.IGNORED, payload={})
    return waiting + rows.exclude(payload={}).update(payload={})
