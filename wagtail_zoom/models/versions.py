"""The version of what an account's Sites show: whoever changes that gives it a new one.

Kept HTML is found by it (``keeping``), so it must change in the transaction that changes the
rows, and must never come back: not after a rollback, not after a restored backup.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Value
from django.db.models.functions import Greatest

from .accounts import ZoomAccount, version_step


def bump_data_version(*accounts: int | None) -> None:
    """Give these accounts (primary keys) a new version.

    Call it as the last statement of the transaction, so that the row is locked only briefly.
    """
    wanted = sorted({pk for pk in accounts if pk})
    if wanted:
        now, step = version_step()
        rows = ZoomAccount.objects.filter(pk__in=wanted)
        rows.update(data_version=Greatest(F("data_version"), Value(now)) + step)


def bump_data_version_of_sites(sites: Iterable[int]) -> None:
    """The same for the accounts that these Sites show."""
    from .settings import ZoomSettings

    found = ZoomSettings.objects.filter(site__in=list(sites)).exclude(account=None)
    bump_data_version(*found.values_list("account", flat=True).distinct())
