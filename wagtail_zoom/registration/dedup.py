"""What makes two sign-ups the same one: Site, meeting, person and chosen dates, or a project's key.

The text is stored encrypted; a keyed digest of it is unique in the table, and is what a second
sign-up is found by. With a new encryption key the digest is made anew from the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import models

from ..models import Meeting, Occurrence, Registration
from ..utils.crypto import blind_index, blind_indexes
from .tokens import normalise

KEY = "registration-key"
"""Purpose of the blind index that makes doubles impossible."""
_PERSON = 3
"""Where the person stands in an identity without a project's key."""


def of_key(site_id: int, key: str) -> str:
    """By a project's own key, such as the number of an order."""
    return json.dumps([site_id, "key", key])


def of_person(site_id: int, meeting: Meeting, email: str, chosen: Sequence[Occurrence]) -> str:
    """By person and meeting; ``chosen`` only where a visitor chooses dates."""
    return _person(site_id, meeting.account_id, meeting.zoom_id, email, chosen)


def _person(
    site_id: int, account_id: int, number: str, email: str, chosen: Sequence[Occurrence]
) -> str:
    dates = sorted(str(one.public_id) for one in chosen)
    return json.dumps([site_id, account_id, number, normalise(email), dates])


def digest(text: str) -> str:
    """The digest to store."""
    return blind_index(text, KEY)


def find(text: str) -> models.QuerySet[Registration]:
    """The sign-up with this identity, whichever key its digest was made with."""
    return Registration.objects.filter(idempotency_key__in=blind_indexes(text, KEY))


def with_address(row: Registration, email: str) -> dict[str, str]:
    """Columns for a row whose person gets another address; none when that is another sign-up.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    text = known(row)
    parts: list[Any] = json.loads(text) if text else []
    if len(parts) <= _PERSON or parts[1] == "key":
        return {}
    parts[_PERSON] = normalise(email)
    return _columns(row, json.dumps(parts))


def renewed(row: Registration) -> dict[str, str]:
    """Columns that the newest key asks for; none when they are as they should be.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    text = known(row)
    if not text or (row.identity and digest(text) == row.idempotency_key):
        return {}
    return _columns(row, text)


def _columns(row: Registration, text: str) -> dict[str, str]:
    if find(text).exclude(pk=row.pk).exists():
        return {}
    return {"identity": text, "idempotency_key": digest(text)}


def known(row: Registration) -> str:
    """The identity of a row; of one without, what its digest turns out to be made of."""
    if row.identity:
        return row.identity.reveal()
    dates = [one.occurrence for one in row.dates.select_related("occurrence") if one.occurrence]
    for chosen in ([], dates):
        text = _person(row.site_id, row.account_id, row.meeting_zoom_id, row.email.reveal(), chosen)
        if row.idempotency_key in blind_indexes(text, KEY):
            return text
    return ""
