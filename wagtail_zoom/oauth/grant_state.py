"""State machine of a grant: each transition is written once and logged once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from ..exceptions import (
    ZoomAuthError,
    ZoomError,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomTransient,
)
from ..frontend import disconnected
from ..models import (
    Activity,
    Grant,
    GrantReason,
    GrantState,
    ZoomSettings,
    bump_data_version,
)
from ..utils import backoff
from ..utils.logging import get_logger
from ..utils.queue import enqueue
from .scopes import REGISTRATION, SCOPES, SUMMARY_SCOPES

logger = get_logger("oauth")

TRANSITIONS: dict[str, set[str]] = {
    GrantState.CONNECTED: {
        GrantState.DEGRADED,
        GrantState.NEEDS_RECONNECT,
        GrantState.REVOKED,
        GrantState.CONNECTED,
    },
    GrantState.DEGRADED: {
        GrantState.CONNECTED,
        GrantState.NEEDS_RECONNECT,
        GrantState.REVOKED,
        GrantState.DEGRADED,
    },
    GrantState.NEEDS_RECONNECT: {GrantState.CONNECTED, GrantState.REVOKED},
    GrantState.REVOKED: {GrantState.CONNECTED},
}
FAILURES_UNTIL_DEGRADED = 3
RETRY_SECONDS = (30, 60, 120, 300, 900, 1800)
"""Seconds until a degraded grant is tried again, by number of failures."""
SUCCESS_WRITE_INTERVAL = timedelta(seconds=10)
"""How exact ``last_ok_at`` is. Screens show minutes."""


class IllegalTransition(ValueError):
    """A transition that ``TRANSITIONS`` does not allow: a programming error."""


def transition(
    grant: Grant,
    state: str,
    reason: str = "",
    *,
    retry_at: datetime | None = None,
    generation: int | None = None,
    only_from: str = "",
) -> bool:
    """Move a grant to a state by conditional UPDATE; return whether this call did it.

    Of many tasks with the same failure exactly one makes the transition and writes the activity
    entry, so the owner is notified once.

    Args:
        generation: only this generation: the result does not apply to a newer authorisation.
        only_from: only from this state; any other state is left unchanged.

    Raises:
        IllegalTransition: ``TRANSITIONS`` does not allow it.
    """
    allowed = [source for source, targets in TRANSITIONS.items() if state in targets]
    if grant.state not in allowed:
        raise IllegalTransition(f"{grant.state} → {state}")
    now = timezone.now()
    rows = Grant.objects.filter(pk=grant.pk, state__in=[only_from] if only_from else allowed)
    if generation is not None:
        rows = rows.filter(generation=generation)
    if state == GrantState.DEGRADED:
        rows.filter(state=GrantState.DEGRADED).update(retry_at=retry_at)
        rows = rows.exclude(state=GrantState.DEGRADED)
    else:
        rows = rows.exclude(state=state, reason=reason)
    values = {"state": state, "reason": reason, "state_since": now, "retry_at": retry_at}
    if state == GrantState.CONNECTED:
        values |= {"failures": 0, "last_ok_at": now, "reminders_sent": []}
    moved = bool(rows.update(**values))
    grant.refresh_from_db(fields=["state", "reason", "state_since", "retry_at", "failures"])
    if moved:
        logger.info("Grant %s of account %s is %s %s.", grant.pk, grant.account_id, state, reason)
        _log_activity(grant, state, reason)
        if state == GrantState.CONNECTED:
            enqueue("resume_registrations", grant.account_id)
        if state == GrantState.REVOKED:  # guard: ended-grant-unlinks
            unlink_sites(grant)
            bump_data_version(grant.account_id)
    return moved


def unlink_sites(grant: Grant) -> None:
    """Cut the Sites of a grant that covers less than before off from what they may not read now."""
    for site_id in ZoomSettings.objects.filter(grant=grant).values_list("site", flat=True):
        disconnected.unlink(site_id)


def _log_activity(grant: Grant, state: str, reason: str) -> None:
    sites = ZoomSettings.objects.filter(grant=grant).values_list("site_id", flat=True)
    good = state == GrantState.CONNECTED
    Activity.log(
        sites,
        "connection",
        f"grant_{state}",
        outcome=Activity.Outcome.GOOD if good else Activity.Outcome.FAILED,
        data={"reason": reason},
        account=grant.account,
    )


def record_success(grant: Grant) -> None:
    """A call succeeded. Writes at most every ten seconds while the grant is healthy."""
    now = timezone.now()
    if grant.state == GrantState.DEGRADED:
        Grant.objects.filter(pk=grant.pk).update(last_ok_at=now)
        transition(grant, GrantState.CONNECTED, only_from=GrantState.DEGRADED)
    elif (
        grant.failures
        or grant.last_ok_at is None
        or now - grant.last_ok_at > SUCCESS_WRITE_INTERVAL
    ):
        Grant.objects.filter(pk=grant.pk).update(last_ok_at=now, failures=0)
    grant.last_ok_at, grant.failures = now, 0


def record_failure(grant: Grant, error: ZoomError, began_at: datetime | None = None) -> None:
    """A call failed. One transient failure changes nothing; several in a row degrade the grant.

    Args:
        began_at: when the call began. If another failure was counted since, both are one: many
            processes that meet the same trouble are not many failures in a row.
    """
    if isinstance(error, ZoomRateLimited | ZoomQuarantined):
        return
    if isinstance(error, ZoomTransient | ZoomProtocolError):
        now = timezone.now()
        is_another = Q(failed_at=None) | Q(failed_at__lte=began_at or now)
        rows = Grant.objects.filter(is_another, pk=grant.pk)
        counted = rows.update(failures=F("failures") + 1, failed_at=now)
        grant.refresh_from_db(fields=["state", "failures"])
        if counted and grant.failures >= FAILURES_UNTIL_DEGRADED and grant.is_usable:
            times = grant.failures - FAILURES_UNTIL_DEGRADED + 1
            retry_at = backoff.retry_at(RETRY_SECONDS, times)
            transition(grant, GrantState.DEGRADED, GrantReason.TRANSIENT, retry_at=retry_at)
    elif isinstance(error, ZoomAuthError) and grant.is_usable:
        transition(grant, GrantState.NEEDS_RECONNECT, error.reason)


def record_missing_scopes(grant: Grant, names: tuple[str, ...]) -> None:
    """The token lacks scopes: disable the features that need them; the others continue."""
    base_names = {name.removesuffix(":admin").removesuffix(":master") for name in names}
    features = {
        scope.feature
        for scope in (*SCOPES, *SUMMARY_SCOPES)
        if not scope.optional and {scope.name, scope.classic} & base_names
    }
    added = sorted(features - set(grant.missing_kinds) - {"directory"})
    if not added:
        return
    grant.missing_kinds = sorted({*grant.missing_kinds, *added})
    Grant.objects.filter(pk=grant.pk).update(missing_kinds=grant.missing_kinds)
    sites = ZoomSettings.objects.filter(grant=grant).values_list("site_id", flat=True)
    Activity.log(
        sites,
        "connection",
        "scope_missing",
        outcome=Activity.Outcome.FAILED,
        data={"kinds": added, "registration": REGISTRATION in added},
        account=grant.account,
    )
