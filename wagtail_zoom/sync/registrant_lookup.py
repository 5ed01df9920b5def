"""Stores details of meetings, and looks up registrants where it depends on them what has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..client import ZoomClient
from ..exceptions import ZoomError, ZoomTransient
from ..mapping.meetings import MappedMeeting
from ..models import FetchScope, Meeting, ZoomAccount
from . import persist
from .occurrences import RegistrantsNeeded, people_of
from .persist import WriteContext, WriteResult

LISTED_STATUSES = ("approved", "pending")


def store_meetings(
    client: ZoomClient,
    account: ZoomAccount,
    scope: FetchScope,
    mapped: Sequence[MappedMeeting],
    context: WriteContext,
) -> WriteResult:
    """``persist.store_meetings``; asks Zoom for registrants in the rare case that it needs them.

    Raises:
        ZoomTransient: Zoom did not answer; nothing was stored.
    """
    try:
        return persist.store_meetings(account, scope, mapped, context)
    except RegistrantsNeeded as needed:
        listed = {meeting.zoom_id: _is_listed(client, meeting) for meeting in needed.meetings}
    return persist.store_meetings(account, scope, mapped, replace(context, still_registered=listed))


def _is_listed(client: ZoomClient, meeting: Meeting) -> bool:
    """Whether Zoom still lists somebody who has registered here for the meeting."""
    registrant_ids = set(people_of(meeting).values_list("zoom_registrant_id", flat=True)) - {""}
    try:
        for status in LISTED_STATUSES:
            for page in client.registrants(meeting.zoom_id, meeting.kind, status):
                if registrant_ids & {str(item.get("id") or "") for item in page.items}:
                    return True
    except ZoomTransient:
        raise
    except ZoomError:
        return True  # not known: nobody is told that a date is cancelled which may only have moved
    return False
