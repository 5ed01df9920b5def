"""The data version of an account: it changes with everything that the account's Sites show.

It is part of the keys of cached HTML (``frontend.cache``). So it must change in the transaction
that changes the rows, and a value must never recur: not after a rollback or a restored backup.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from ..signals import mirror_changed
from .accounts import ZoomAccount, version_step


def bump_data_version(*accounts: int | None) -> None:
    """Give these accounts (primary keys) a new version.

    Call it as the last statement of the transaction, so that the row is locked only briefly.
    """
    account_ids = sorted({pk for pk in accounts if pk})
    if account_ids:
        now, step = version_step()
        rows = ZoomAccount.objects.filter(pk__in=account_ids)
        rows.update(data_version=Greatest(F("data_version"), Value(now)) + step)


def bump_data_version_of_sites(sites: Iterable[int]) -> None:
    """Give the accounts of these Sites a new version."""
    from .settings import ZoomSettings

    rows = ZoomSettings.objects.filter(site__in=list(sites)).exclude(account=None)
    bump_data_version(*rows.values_list("account", flat=True).distinct())


def publish_changes(
    account: ZoomAccount,
    meetings: Collection[int] = (),
    recordings: Collection[int] = (),
    summaries: Collection[int] = (),
) -> None:
    """Bump the version, and send ``mirror_changed`` after the commit; nothing if unchanged.

    Call it in the transaction that changed the rows with these primary keys. Bumping the version a
    second time does no harm.
    """
    if meetings or recordings or summaries:
        bump_data_version(account.pk)
        send_mirror_changed(account, meetings, recordings, summaries)


def send_mirror_changed(
    account: ZoomAccount,
    meetings: Collection[int],
    recordings: Collection[int],
    summaries: Collection[int] = (),
) -> None:
    """Send the signal after the commit."""
    ids = {
        "meetings": set(meetings),
        "recordings": set(recordings),
        "summaries": set(summaries),
    }
    transaction.on_commit(lambda: mirror_changed.send_robust(ZoomAccount, account=account, **ids))
