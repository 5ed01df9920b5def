"""The state of a grant: one table of transitions, each written once, logged once."""

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

CONNECTED, DEGRADED = GrantState.CONNECTED, GrantState.DEGRADED
NEEDS_RECONNECT, REVOKED = GrantState.NEEDS_RECONNECT, GrantState.REVOKED
MOVES: dict[str, set[str]] = {
    CONNECTED: {DEGRADED, NEEDS_RECONNECT, REVOKED, CONNECTED},
    DEGRADED: {CONNECTED, NEEDS_RECONNECT, REVOKED, DEGRADED},
    NEEDS_RECONNECT: {CONNECTED, REVOKED},
    REVOKED: {CONNECTED},
}
FAILURES_UNTIL_DEGRADED = 3
BACKOFF = (30, 60, 120, 300, 900, 1800)
"""Seconds until a degraded grant is tried again."""
OK_EVERY = timedelta(seconds=60)


class IllegalTransition(ValueError):
    """A move that the table does not have: a programming error."""


def transition(
    grant: Grant,
    state: str,
    reason: str = "",
    *,
    retry_at: datetime | None = None,
    generation: int | None = None,
    only_from: str = "",
) -> bool:
    """Move a grant to a state by conditional UPDATE; whether this call did it.

    Of many tasks that meet the same failure exactly one makes the move, writes the activity line
    and thereby lets the owner be told (once).

    Args:
        generation: the generation that the verdict is about: a newer authorisation is not its
            business.
        only_from: the one state that is left; whatever happened in the meantime stays.

    Raises:
        IllegalTransition: the table does not allow it.
    """
    allowed = [known for known, targets in MOVES.items() if state in targets]
    if grant.state not in allowed:
        raise IllegalTransition(f"{grant.state} → {state}")
    now = timezone.now()
    rows = Grant.objects.filter(pk=grant.pk, state__in=[only_from] if only_from else allowed)
    if generation is not None:
        rows = rows.filter(generation=generation)
    if state == DEGRADED:
        rows.filter(state=DEGRADED).update(retry_at=retry_at)
        rows = rows.exclude(state=DEGRADED)
    else:
        rows = rows.exclude(state=state, reason=reason)
    values = {"state": state, "reason": reason, "state_since": now, "retry_at": retry_at}
    if state == CONNECTED:
        values |= {"failures": 0, "last_ok_at": now, "notices": []}
    moved = bool(rows.update(**values))
    grant.refresh_from_db(fields=["state", "reason", "state_since", "retry_at", "failures"])
    if moved:
        logger.info("Grant %s of account %s is %s %s.", grant.pk, grant.account_id, state, reason)
        _log(grant, state, reason)
    return moved


def _log(grant: Grant, state: str, reason: str) -> None:
    sites = ZoomSettings.objects.filter(grant=grant).values_list("site_id", flat=True)
    good = state == CONNECTED
    Activity.log(
        sites,
        "connection",
        f"grant_{state}",
        outcome=Activity.Outcome.GOOD if good else Activity.Outcome.FAILED,
        data={"reason": reason},
        account=grant.account,
    )


def note_success(grant: Grant) -> None:
    """A call succeeded. Writes at most once a minute while all is well."""
    now = timezone.now()
    if grant.state == DEGRADED:
        Grant.objects.filter(pk=grant.pk).update(last_ok_at=now)
        transition(grant, CONNECTED, only_from=DEGRADED)
    elif grant.failures or grant.last_ok_at is None or now - grant.last_ok_at > OK_EVERY:
        Grant.objects.filter(pk=grant.pk).update(last_ok_at=now, failures=0)
    grant.last_ok_at, grant.failures = now, 0


def note_failure(grant: Grant, error: ZoomError) -> None:
    """A call failed. A transient failure keeps the grant connected; several in a row degrade it."""
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
            transition(grant, DEGRADED, GrantReason.TRANSIENT, retry_at=retry_at)
    elif isinstance(error, ZoomAuthError) and grant.is_usable:
        transition(grant, NEEDS_RECONNECT, error.reason)


def note_missing_scopes(grant: Grant, names: tuple[str, ...]) -> None:
    """Zoom says that the token lacks scopes: the features behind them are off, the rest goes on."""
    plain = {name.removesuffix(":admin").removesuffix(":master") for name in names}
    kinds = {
        scope.feature
        for scope in SCOPES
        if not scope.optional and {scope.name, scope.classic} & plain
    }
    added = sorted(kinds - set(grant.missing_kinds) - {"directory"})
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
