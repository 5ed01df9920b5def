"""State machine of a grant: each transition is written once and logged once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from ..exceptions import (
    ZoomAuthError,
    ZoomError,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomTransient,
)
from ..models import Activity, Grant, GrantReason, GrantState, ZoomSettings
from ..utils.logging import get_logger
from .scopes import REGISTRATION, SCOPES

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
BACKOFF = (30, 60, 120, 300, 900, 1800)
"""Seconds until a degraded grant is tried again, by number of failures."""
SUCCESS_WRITE_INTERVAL = timedelta(seconds=60)


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
    return moved


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
    """A call succeeded. Writes at most once a minute while the grant is healthy."""
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


def record_failure(grant: Grant, error: ZoomError) -> None:
    """A call failed. One transient failure changes nothing; several in a row degrade the grant."""
    if isinstance(error, ZoomRateLimited | ZoomQuarantined):
        return
    if isinstance(error, ZoomTransient | ZoomProtocolError):
        grant.refresh_from_db(fields=["state", "failures"])
        failures = grant.failures + 1
        Grant.objects.filter(pk=grant.pk).update(failures=failures)
        grant.failures = failures
        if failures >= FAILURES_UNTIL_DEGRADED and grant.is_usable:
            step = min(failures - FAILURES_UNTIL_DEGRADED, len(BACKOFF) - 1)
            retry_at = timezone.now() + timedelta(seconds=BACKOFF[step])
            transition(grant, GrantState.DEGRADED, GrantReason.TRANSIENT, retry_at=retry_at)
    elif isinstance(error, ZoomAuthError) and grant.is_usable:
        transition(grant, GrantState.NEEDS_RECONNECT, error.reason)


def record_missing_scopes(grant: Grant, names: tuple[str, ...]) -> None:
    """The token lacks scopes: disable the features that need them; the others continue."""
    base_names = {name.removesuffix(":admin").removesuffix(":master") for name in names}
    features = {
        scope.feature
        for scope in SCOPES
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
