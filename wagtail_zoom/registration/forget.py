"""What is stored about one person, and how it is forgotten: here, and at Zoom as far as it lets us.

Zoom has no call that erases a registrant of the past; cancelling is what can be done there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from wagtail.models import Site

from ..client import ZoomClient
from ..exceptions import ZoomConfigurationError, ZoomError, ZoomTransient
from ..models import Activity, Registration, WebhookEvent
from ..signals import person_forgotten
from ..utils.crypto import DecryptionError
from . import moderation, outbox, registrants, tokens
from .dates import dates_of

State, Task = Registration.State, Registration.Task
REQUEST_SECONDS = 10.0
"""For all calls to Zoom, when an owner waits for it."""


@dataclass(frozen=True)
class Forgotten:
    """How many sign-ups were deleted here, and what could not be done."""

    deleted: int
    messages: int
    not_at_zoom: int
    not_elsewhere: int
    """Receivers of ``person_forgotten`` that failed: a project's own copies may be left."""


def rows_of(email: str, site: Site | None = None) -> QuerySet[Registration]:
    """The sign-ups of an address, on one Site or on all."""
    rows = Registration.objects.filter(email_index__in=tokens.email_indexes(email))
    return rows.filter(site=site) if site else rows


def export(email: str, site: Site | None = None, user: Any = None) -> list[dict[str, Any]]:
    """Everything stored about a person, in a form that can be handed to them; it is logged."""
    rows = list(rows_of(email, site).select_related("site", "meeting"))
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
            "deleted_after": row.purge_on.isoformat() if row.purge_on else None,
        }
        for row in rows
    ]


def forget(
    email: str,
    site: Site | None = None,
    user: Any = None,
    *,
    at_zoom: bool = True,
    seconds: float = 0,
) -> Forgotten:
    """Delete a person's sign-ups, and what the inbox holds of them. Zoom is told first, projects
    by ``person_forgotten``.

    Args:
        seconds: how long all calls to Zoom may take, for a web request; else as long as it takes.
    """
    rows = list(rows_of(email, site).select_related("site", "account", "meeting"))
    until = time.monotonic() + seconds if seconds else None
    failed = sum(not _at_zoom(row, until) for row in rows) if at_zoom else 0
    messages = 0
    with transaction.atomic():
        for row in rows:
            messages += _forget_messages(row)
        Registration.objects.filter(pk__in=[row.pk for row in rows]).delete()
    answers = person_forgotten.send_robust(sender=Registration, email=email, site=site)
    astray = sum(isinstance(answer, Exception) for _receiver, answer in answers)
    Activity.log(
        {row.site_id for row in rows},
        "registration",
        "person_forgotten",
        outcome=Activity.Outcome.FAILED if failed or astray else Activity.Outcome.GOOD,
        data={"count": len(rows), "not_at_zoom": failed},
        user=user,
    )
    return Forgotten(len(rows), messages, failed, astray)


def _at_zoom(row: Registration, until: float | None) -> bool:
    """Cancel at Zoom; whether nothing is left there as far as we can tell."""
    if not row.zoom_registrant_id and not row.maybe_sent:
        return True
    if row.state in (State.CANCELLED, State.FAILED) and not row.task and not row.maybe_sent:
        return True
    with outbox.locked(row.pk) as found:
        # Whoever works on it at this moment finds that something else was decided.
        outbox.plan(found, Task.CANCEL)
        found.save()
    try:
        registrants.decide(row, _client(row, until), Task.CANCEL)
    except (ZoomError, ZoomConfigurationError, DecryptionError):
        return False
    return True


def _client(row: Registration, until: float | None) -> ZoomClient:
    if until is None:
        return registrants.client_of(row)
    left = until - time.monotonic()
    if left <= 0:
        raise ZoomTransient("No time is left.")
    return registrants.hurried_client(row, left, renew=True)


def _forget_messages(row: Registration) -> int:
    """Empty the messages about this registrant: they hold an id of Zoom's, nothing more."""
    if not row.zoom_registrant_id:
        return 0
    rows = WebhookEvent.objects.filter(
        Q(payload__object__registrant__id=row.zoom_registrant_id),
        account_zoom_id=row.account.zoom_id,
    )
    states = WebhookEvent.State
    waiting = rows.filter(state=states.PENDING).update(state=states.IGNORED, payload={})
    return waiting + rows.exclude(payload={}).update(payload={})
