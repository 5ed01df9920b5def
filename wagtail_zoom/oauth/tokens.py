"""Access tokens with exactly one writer.

``get_token`` is the only way to obtain a token. A process that finds it expired acquires the lease
by a conditional UPDATE, records the start of the refresh before the call, and stores the new pair
by compare-and-swap on the generation, committed before any use. Other processes wait for the new
generation.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connections, router
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..exceptions import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomError,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomTransient,
    may_have_taken_effect,
)
from ..models import Grant, GrantReason, GrantState, Secret, bump_data_version
from ..utils import leases
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, log_context, record_metric
from ..utils.queue import enqueue
from . import grant_state, protocol
from .http import refuse_in_transaction
from .scopes import is_account_level, missing_kinds

logger = get_logger("oauth")

LEEWAY_SECONDS = 120
"""Seconds before expiry at which a token counts as expired; random jitter is added."""
LEASE_SECONDS = 30
"""Seconds: longer than a token call can last (3 to connect, 10 to read)."""
MAX_WAIT_SECONDS = 10
POLL_SECONDS = 0.025
"""Seconds between two checks for the result of another process's refresh."""
IDLE_DAYS = 7
SAVE_ATTEMPTS = 4
RECOVERABLE_REASONS = (GrantReason.INVALID_GRANT, GrantReason.LOST_ROTATION)


@dataclass(frozen=True)
class AccessToken:
    """One access token with the base URL it may be sent to. Its repr shows no secret."""

    _secret: Secret
    generation: int
    api_base: str

    def reveal(self) -> str:
        """The token in clear, for the Authorization header only."""
        return self._secret.reveal()


class RefreshRequired(ZoomTransient):
    """The token has expired, and the caller must not wait for a refresh."""


def is_fresh(grant: Grant) -> bool:
    """Whether the grant, as loaded, has a token that can be used without a refresh."""
    return grant.access_token.readable and _is_fresh(grant)


def get_token(grant: Grant, *, allow_refresh: bool = True) -> AccessToken:
    """Return a token that is valid for at least two minutes.

    Args:
        allow_refresh: False in a web request: it could not wait for the end of a refresh, and an
            interrupted refresh would lose the authorisation.

    Raises:
        RefreshRequired: the token has expired, and ``allow_refresh`` is False.
        ZoomAuthError: the owner has to reconnect.
        ZoomTransient: Zoom cannot be reached, or another process is still refreshing after ten
            seconds.
        ZoomQuarantined: this database is a copy of another installation.
        TransactionOpen: called inside a database transaction while a refresh is due.
    """
    row = _load_usable(grant)
    if _is_fresh(row):
        return _access_token(row)
    if not allow_refresh:
        raise RefreshRequired
    return _refresh(row, row.generation)


def refresh_after_401(
    grant: Grant, failed: AccessToken, *, allow_refresh: bool = True
) -> AccessToken:
    """Return another token after Zoom refused this one: at most one refresh per refused token.

    Raises:
        RefreshRequired: there is no newer token, and ``allow_refresh`` is False.
    """
    row = _load_usable(grant)
    if row.generation != failed.generation:
        return _access_token(row)
    if not allow_refresh:
        raise RefreshRequired
    return _refresh(row, failed.generation)


def idle_grants() -> QuerySet[Grant]:
    """Grants not used for a week: refreshed so that their refresh token does not expire."""
    now = timezone.now()
    return (
        Grant.objects.usable()
        .filter(Q(refreshed_at__lt=now - timedelta(days=IDLE_DAYS)) | Q(refreshed_at=None))
        .filter(Q(retry_at=None) | Q(retry_at__lt=now), client_id=settings.client_id)
        .filter(site_settings__isnull=False, account__fingerprint=settings.fingerprint)
        .distinct()
    )


def sweep(now: datetime) -> None:
    """Periodic job: enqueue a refresh when grants have not been used for a week."""
    if idle_grants().exists():
        enqueue("refresh_idle")


def refresh_idle(limit: int = 5) -> int:
    """Refresh a few idle grants, oldest first; return how many. The next tick continues."""
    refreshed = 0
    for row in idle_grants().order_by("refreshed_at")[:limit]:
        with contextlib.suppress(ZoomError, ZoomConfigurationError):
            _refresh(_load_usable(row), row.generation)
            refreshed += 1
    return refreshed


def _load_usable(grant: Grant) -> Grant:
    row = Grant.objects.select_related("account").get(pk=grant.pk)
    if row.account.is_quarantined:  # guard: copy-sends-nothing
        raise ZoomQuarantined("This installation is a copy; nothing is sent to Zoom.")
    if row.is_usable and row.client_id != settings.client_id:
        reason = GrantReason.CLIENT_CHANGED
        grant_state.transition(row, GrantState.NEEDS_RECONNECT, reason, generation=row.generation)
    if not row.is_usable:
        raise ZoomAuthError(row.reason or GrantReason.INVALID_GRANT)
    if not row.access_token.readable or not row.refresh_token.readable:
        reason = GrantReason.DECRYPT
        grant_state.transition(row, GrantState.NEEDS_RECONNECT, reason, generation=row.generation)
        raise ZoomAuthError(GrantReason.DECRYPT)
    return row


def _is_fresh(row: Grant) -> bool:
    jitter = random.uniform(0, 30)  # noqa: S311 - spreads refreshes
    leeway = timedelta(seconds=LEEWAY_SECONDS + jitter)
    return (
        bool(row.access_token)
        and row.expires_at is not None
        and (row.expires_at - leeway > timezone.now())
    )


def _access_token(row: Grant) -> AccessToken:
    return AccessToken(row.access_token, row.generation, row.api_url or settings.api_url)


def _refresh(row: Grant, generation: int) -> AccessToken:
    """Refresh this generation, or wait for the process that does."""
    refuse_in_transaction()
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        unfinished = row.refresh_started_at is not None
        if row.generation != generation:
            return _access_token(row)
        if row.retry_at and row.retry_at > timezone.now() and row.failures:
            raise ZoomTransient("Zoom is not answering.", retry_at=row.retry_at)
        with defer_sigalrm():  # guard: timeout-held-during-refresh
            if lease_owner := _acquire_lease(row, generation):
                return _rotate(row, generation, lease_owner, unfinished)
        if time.monotonic() > deadline:
            raise ZoomTransient("Another process is refreshing the token.")
        _wait_for_refresh(row, generation, deadline)
        row = _load_usable(row)


def _wait_for_refresh(row: Grant, generation: int, deadline: float) -> None:
    """Poll until the other process has finished, with one cheap query each time."""
    while time.monotonic() <= deadline:
        time.sleep(POLL_SECONDS)
        rows = Grant.objects.filter(pk=row.pk, generation=generation, state=row.state)
        if not rows.exclude(leases.is_free(timezone.now())).exists():
            return


def _acquire_lease(row: Grant, generation: int) -> str:
    """Acquire the lease and record the start of the refresh, in one statement."""
    now = timezone.now()
    # The condition includes the start time: the caller must know how the last attempt ended.
    rows = Grant.objects.filter(
        pk=row.pk, generation=generation, refresh_started_at=row.refresh_started_at
    )
    return leases.acquire(
        rows,
        timedelta(seconds=LEASE_SECONDS),
        now,
        refresh_started_at=now,  # guard: refresh-recorded-before-call
    )


def _rotate(row: Grant, generation: int, lease_owner: str, unfinished: bool) -> AccessToken:
    """Call Zoom and store the pair. ``unfinished``: the result of an earlier attempt is unknown."""
    with log_context(account=row.account_id):
        try:
            token = _request_and_store(row, generation, lease_owner, unfinished)
        except Exception as error:
            record_metric("token_refreshes", outcome=type(error).__name__)
            raise
    record_metric("token_refreshes", outcome="ok")
    return token


def _request_and_store(
    row: Grant, generation: int, lease_owner: str, unfinished: bool
) -> AccessToken:
    try:
        token_set = protocol.refresh(row.refresh_token)
    except (ZoomTransient, ZoomProtocolError) as error:
        # Without a readable response the rotation may have happened: keep ``refresh_started_at``.
        keep = may_have_taken_effect(error) or unfinished
        _release_lease(row, lease_owner, keep_refresh_started=keep)
        grant_state.record_failure(row, error)
        raise
    except ZoomAuthError as error:
        return _handle_refusal(row, generation, lease_owner, error, unfinished)
    except DecryptionError:
        _release_lease(row, lease_owner, keep_refresh_started=unfinished)
        raise
    except Exception:
        # A wrong client ID or secret concerns the installation: grants stay unchanged.
        _release_lease(row, lease_owner, keep_refresh_started=unfinished)
        raise
    return _store_tokens(row, generation, token_set)


def _handle_refusal(
    row: Grant, generation: int, lease_owner: str, error: ZoomAuthError, unfinished: bool
) -> AccessToken:
    """Handle ``invalid_grant``: a lost race, or a lost authorisation?"""
    current = Grant.objects.select_related("account").get(pk=row.pk)
    if current.generation != generation:  # guard: refused-refresh-takes-newer-token
        return _access_token(current)
    _release_lease(row, lease_owner, keep_refresh_started=False)
    reason = error.reason
    if unfinished and reason == GrantReason.INVALID_GRANT:
        reason = GrantReason.LOST_ROTATION
    grant_state.transition(row, GrantState.NEEDS_RECONNECT, reason, generation=generation)
    raise ZoomAuthError(reason, code=error.code, status=error.status) from error


def _release_lease(row: Grant, lease_owner: str, *, keep_refresh_started: bool) -> None:
    values = {} if keep_refresh_started else {"refresh_started_at": None}
    leases.release(Grant.objects.filter(pk=row.pk), lease_owner, **values)


def _store_tokens(row: Grant, generation: int, token_set: protocol.TokenSet) -> AccessToken:
    """Compare and swap, retried on a new connection: this pair is stored nowhere else."""
    row.access_token, row.refresh_token = token_set.access_token, token_set.refresh_token
    now = timezone.now()
    values = {
        "access_token": row.access_token,
        "refresh_token": row.refresh_token,
        "expires_at": token_set.expires_at,
        "refreshed_at": now,
        "api_url": token_set.api_url,
        "generation": F("generation") + 1,
        **leases.RELEASED,
        "refresh_started_at": None,
    }
    granted = token_set.scope.split()
    is_narrower = bool(row.scopes - set(granted)) and bool(granted)
    if granted:
        values["scope"] = " ".join(sorted(granted))
    if is_narrower:  # guard: narrowed-refresh-narrows
        values["account_level"] = row.account_level and is_account_level(granted)
        values["missing_kinds"] = sorted({*row.missing_kinds, *missing_kinds(granted)})
    for attempt in range(1, SAVE_ATTEMPTS + 1):
        try:
            Grant.objects.filter(
                pk=row.pk,
                generation=generation,  # guard: token-save-checks-generation
            ).update(**values)
            break
        except OperationalError:
            if attempt == SAVE_ATTEMPTS:
                raise
            connections[router.db_for_write(Grant)].close()
            time.sleep(0.1 * attempt)
    if is_narrower:
        grant_state.unlink_sites(row)
        bump_data_version(row.account_id)
    grant_state.record_success(row)
    # After a new authorisation in the meantime, the row holds its newer pair.
    current = Grant.objects.select_related("account").get(pk=row.pk)
    if (
        current.generation == generation + 1 and current.reason in RECOVERABLE_REASONS
    ):  # guard: late-refresh-restores-connection
        # Another process assumed that this one had died (a clock jump ends every lease) and used
        # the refresh token that was already exchanged here. The new pair is valid.
        grant_state.transition(current, GrantState.CONNECTED, only_from=GrantState.NEEDS_RECONNECT)
    if not current.is_usable:
        # Disconnected during the call: the pair is stored for the revocation only.
        raise ZoomAuthError(current.reason or GrantReason.DISCONNECTED)
    return _access_token(current)


@contextlib.contextmanager
def defer_sigalrm() -> Iterator[None]:
    """Defer django-q2's time-out (SIGALRM, at any line) until the pair is stored."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    # A handler, not a signal mask: a mask affects one thread, the signal may reach another.
    pending_signals: list[int] = []
    previous_handler = signal.signal(
        signal.SIGALRM, lambda number, frame: pending_signals.append(number)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, previous_handler or signal.SIG_DFL)
        if pending_signals:
            signal.raise_signal(signal.SIGALRM)
