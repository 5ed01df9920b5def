"""De-duplication: a registration's identity is Site, meeting, person and dates, or a project's key.

The identity is stored encrypted. Its keyed digest is unique in the table and finds an existing
registration. With a new encryption key the digest is calculated again from the identity.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import models

from ..models import Meeting, Occurrence, Registration
from ..utils.crypto import blind_index, blind_indexes
from .tokens import normalise_email

PURPOSE = "registration-key"
"""Purpose of the blind index that prevents duplicates."""
_EMAIL_POSITION = 3
"""Position of the email in an identity without a project's key."""


def identity_of_key(site_id: int, key: str) -> str:
    """The identity with a project's own key, such as an order number."""
    return json.dumps([site_id, "key", key])


def identity_of_person(
    site_id: int, meeting: Meeting, email: str, occurrences: Sequence[Occurrence]
) -> str:
    """The identity of person and meeting; ``occurrences`` only where a visitor chooses dates."""
    return _person_identity(site_id, meeting.account_id, meeting.zoom_id, email, occurrences)


def _person_identity(
    site_id: int,
    account_id: int,
    meeting_zoom_id: str,
    email: str,
    occurrences: Sequence[Occurrence],
) -> str:
    dates = sorted(str(occurrence.public_id) for occurrence in occurrences)
    return json.dumps([site_id, account_id, meeting_zoom_id, normalise_email(email), dates])


def digest(identity: str) -> str:
    """The digest to store."""
    return blind_index(identity, PURPOSE)


def find(identity: str) -> models.QuerySet[Registration]:
    """The registration with this identity, whichever key its digest was calculated with."""
    return Registration.objects.filter(idempotency_key__in=blind_indexes(identity, PURPOSE))


def columns_for_email(row: Registration, email: str) -> dict[str, str]:
    """Columns for a row that gets another email; empty if that is another registration.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    identity = identity_of(row)
    parts: list[Any] = json.loads(identity) if identity else []
    if len(parts) <= _EMAIL_POSITION or parts[1] == "key":
        return {}
    parts[_EMAIL_POSITION] = normalise_email(email)
    return _columns(row, json.dumps(parts))


def columns_for_newest_key(row: Registration) -> dict[str, str]:
    """Columns that change with the newest key; empty when they are up to date.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    identity = identity_of(row)
    if not identity or (row.identity and digest(identity) == row.idempotency_key):
        return {}
    return _columns(row, identity)


def _columns(row: Registration, identity: str) -> dict[str, str]:
    if find(identity).exclude(pk=row.pk).exists():
        return {}
    return {"identity": identity, "idempotency_key": digest(identity)}


def identity_of(row: Registration) -> str:
    """The identity of a row. Where it is not stored, the one that matches the digest."""
    if row.identity:
        return row.identity.reveal()
    dates = [
        row_date.occurrence
        for row_date in row.dates.select_related("occurrence")
        if row_date.occurrence
    ]
    for occurrences in ([], dates):
        identity = _person_identity(
            row.site_id, row.account_id, row.meeting_zoom_id, row.email.reveal(), occurrences
        )
        if row.idempotency_key in blind_indexes(identity, PURPOSE):
            return identity
    return ""
