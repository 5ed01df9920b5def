"""Access tokens, with exactly one writer (DESIGN: tokens have one writer).

``get_token`` is the only way to a token. Who finds it expired claims the refresh by a conditional
UPDATE, marks it before the call, and stores the new pair by compare-and-swap on the generation,
in a commit of its own, before anybody uses it. The others wait for the new generation.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
import uuid
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
)
from ..models import Grant, GrantReason, Secret
from ..utils.crypto import DecryptionError
from ..utils.logging import get_logger, log_context, record_metric
from ..utils.queue import enqueue
from . import grant_state, protocol
from .http import refuse_in_transaction

logger = get_logger("oauth")

LEEWAY = 120
"""Seconds before its end at which a token counts as over; some jitter comes on top."""
LEASE = 30
"""Seconds: longer than a token call can last (3 to connect, 10 to read)."""
WAIT = 10
LOOK = 0.025
"""Seconds between two looks at a refresh that another process makes."""
IDLE_DAYS = 7
SAVE_TRIES = 4
TAKEN_FOR_LOST = (GrantReason.INVALID_GRANT, GrantReason.LOST_ROTATION)


@dataclass(frozen=True)
class AccessToken:
    """One access token with the place it may be sent to. Prints no secret."""

    _secret: Secret
    generation: int
    api_base: str

    def reveal(self) -> str:
        """The token in clear, for the Authorization header only."""
        return self._secret.reveal()


class RenewalDue(ZoomTransient):
    """The token has run out, and whoever asks must not wait for another one."""


def is_fresh(grant: Grant) -> bool:
    """Whether the grant, as it was read, holds a token that can be used without a renewal."""
    return grant.access_token.readable and _is_fresh(grant)


def get_token(grant: Grant, *, renew: bool = True) -> AccessToken:
    """A token that is good for at least two minutes.

    Args:
        renew: False in a web request, which could not wait for the end of a renewal; and one that
            is cut short would lose the permission.

    Raises:
        RenewalDue: the token has run out, and ``renew`` is False.
        ZoomAuthError: the grant needs its owner.
        ZoomTransient: Zoom is away, or another process is still refreshing after ten seconds.
        ZoomQuarantined: this database is a copy of another installation.
        TransactionOpen: called inside a database transaction while a refresh is due.
    """
    row = _read(grant)
    if _is_fresh(row):
        return _token(row)
    if not renew:
        raise RenewalDue
    return _refresh(row, row.generation)


def renew_after_401(grant: Grant, failed: AccessToken, *, renew: bool = True) -> AccessToken:
    """Another token after Zoom refused this one: at most one refresh for each refused token.

    Raises:
        RenewalDue: there is no other one yet, and ``renew`` is False.
    """
    row = _read(grant)
    if row.generation != failed.generation:
        return _token(row)
    if not renew:
        raise RenewalDue
    return _refresh(row, failed.generation)


def idle() -> QuerySet[Grant]:
    """Grants that nothing has used for a week: their refresh token must not run out unused."""
    now = timezone.now()
    return (
        Grant.objects.usable()
        .filter(Q(refreshed_at__lt=now - timedelta(days=IDLE_DAYS)) | Q(refreshed_at=None))
        .filter(Q(retry_at=None) | Q(retry_at__lt=now), client_id=settings.client_id)
        .filter(site_settings__isnull=False, account__fingerprint=settings.fingerprint)
        .distinct()
    )


def sweep(now: datetime) -> None:
    """Periodic job: wake the worker for grants that nothing has used for a week."""
    if idle().exists():
        enqueue("refresh_idle")


def refresh_idle(limit: int = 5) -> int:
    """Refresh a few idle grants, oldest first; how many. The next tick takes the next ones."""
    done = 0
    for row in idle().order_by("refreshed_at")[:limit]:
        with contextlib.suppress(ZoomError, ZoomConfigurationError):
            _refresh(_read(row), row.generation)
            done += 1
    return done


def _read(grant: Grant) -> Grant:
    row = Grant.objects.select_related("account").get(pk=grant.pk)
    if row.account.is_quarantined:  # guard: copy-sends-nothing
        raise ZoomQuarantined("This installation is a copy; nothing is sent to Zoom.")
    if row.is_usable and row.client_id != settings.client_id:
        reason = GrantReason.CLIENT_CHANGED
        grant_state.transition(row, grant_state.NEEDS_RECONNECT, reason, generation=row.generation)
    if not row.is_usable:
        raise ZoomAuthError(row.reason or GrantReason.INVALID_GRANT)
    if not row.access_token.readable or not row.refresh_token.readable:
        reason = GrantReason.DECRYPT
        grant_state.transition(row, grant_state.NEEDS_RECONNECT, reason, generation=row.generation)
        raise ZoomAuthError(GrantReason.DECRYPT)
    return row


def _is_fresh(row: Grant) -> bool:
    leeway = timedelta(seconds=LEEWAY + random.uniform(0, 30))  # noqa: S311 - spreads refreshes
    return (
        bool(row.access_token)
        and row.expires_at is not None
        and (row.expires_at - leeway > timezone.now())
    )


def _token(row: Grant) -> AccessToken:
    return AccessToken(row.access_token, row.generation, row.api_url or settings.api_url)


def _refresh(row: Grant, generation: int) -> AccessToken:
    """Refresh this generation, or wait for whoever does."""
    refuse_in_transaction()
    me = str(uuid.uuid4())
    give_up = time.monotonic() + WAIT
    while True:
        marked = row.refresh_started_at is not None
        if row.generation != generation:
            return _token(row)
        if row.retry_at and row.retry_at > timezone.now() and row.failures:
            raise ZoomTransient("Zoom is not answering.", retry_at=row.retry_at)
        with defer_sigalrm():  # guard: timeout-held-during-refresh
            if _claim(row, generation, me):
                return _rotate(row, generation, me, marked)
        if time.monotonic() > give_up:
            raise ZoomTransient("Another process is renewing the permission.")
        _look_on(row, generation, give_up)
        row = _read(row)


def _look_on(row: Grant, generation: int, give_up: float) -> None:
    """Until whoever refreshes is through: cheap looks, so that many who wait cost little."""
    while time.monotonic() <= give_up:
        time.sleep(LOOK)
        rows = Grant.objects.filter(pk=row.pk, generation=generation, state=row.state)
        if not rows.filter(lease_until__gte=timezone.now()).exists():
            return


def _claim(row: Grant, generation: int, me: str) -> bool:
    """Take the lease and write the mark ahead of the call, in one statement."""
    now = timezone.now()
    # The mark is part of the claim: whoever reads it must know how the last attempt ended.
    rows = Grant.objects.filter(
        pk=row.pk, generation=generation, refresh_started_at=row.refresh_started_at
    )
    rows = rows.filter(Q(lease_until=None) | Q(lease_until__lt=now))  # guard: token-refresh-lease
    return bool(
        rows.update(
            lease_owner=me,
            lease_until=now + timedelta(seconds=LEASE),
            refresh_started_at=now,  # guard: refresh-recorded-before-call
        )
    )


def _rotate(row: Grant, generation: int, me: str, marked: bool) -> AccessToken:
    """Call Zoom and store the pair. ``marked``: an earlier attempt never told how it ended."""
    with log_context(account=row.account_id):
        try:
            fresh = _rotated(row, generation, me, marked)
        except Exception as error:
            record_metric("token_refreshes", outcome=type(error).__name__)
            raise
    record_metric("token_refreshes", outcome="ok")
    return fresh


def _rotated(row: Grant, generation: int, me: str, marked: bool) -> AccessToken:
    try:
        fresh = protocol.renew(row.refresh_token)
    except ZoomTransient as error:
        # Without an answer the rotation may have happened: the mark stays.
        _release(row, me, keep_mark=error.ambiguous or marked)
        grant_state.note_failure(row, error)
        raise
    except ZoomAuthError as error:
        return _refused(row, generation, me, error, marked)
    except ZoomProtocolError as error:
        # Most likely Zoom has rotated and we cannot read the new pair.
        _release(row, me, keep_mark=True)
        grant_state.note_failure(row, error)
        raise
    except DecryptionError:
        _release(row, me, keep_mark=marked)
        raise
    except Exception:
        # A wrong client id or secret concerns the installation: every grant stays as it is.
        _release(row, me, keep_mark=marked)
        raise
    return _store(row, generation, fresh)


def _refused(
    row: Grant, generation: int, me: str, error: ZoomAuthError, marked: bool
) -> AccessToken:
    """``invalid_grant``: lost a race, or lost the permission?"""
    now_there = Grant.objects.select_related("account").get(pk=row.pk)
    if now_there.generation != generation:  # guard: refused-refresh-takes-newer-token
        return _token(now_there)
    _release(row, me, keep_mark=False)
    reason = error.reason
    if marked and reason == GrantReason.INVALID_GRANT:
        reason = GrantReason.LOST_ROTATION
    grant_state.transition(row, grant_state.NEEDS_RECONNECT, reason, generation=generation)
    raise ZoomAuthError(reason, code=error.code, status=error.status) from error


def _release(row: Grant, me: str, *, keep_mark: bool) -> None:
    values: dict[str, object] = {"lease_owner": "", "lease_until": None}
    if not keep_mark:
        values["refresh_started_at"] = None
    Grant.objects.filter(pk=row.pk, lease_owner=me).update(**values)


def _store(row: Grant, generation: int, fresh: protocol.TokenSet) -> AccessToken:
    """Compare and swap, with a few tries on a fresh connection: this pair exists nowhere else."""
    row.access_token, row.refresh_token = fresh.access_token, fresh.refresh_token
    now = timezone.now()
    values = {
        "access_token": row.access_token,
        "refresh_token": row.refresh_token,
        "expires_at": fresh.expires_at,
        "refreshed_at": now,
        "api_url": fresh.api_url,
        "generation": F("generation") + 1,
        "lease_owner": "",
        "lease_until": None,
        "refresh_started_at": None,
    }
    if fresh.scope:
        values["scope"] = fresh.scope
    for attempt in range(1, SAVE_TRIES + 1):
        try:
            Grant.objects.filter(
                pk=row.pk,
                generation=generation,  # guard: token-save-checks-generation
            ).update(**values)
            break
        except OperationalError:
            if attempt == SAVE_TRIES:
                raise
            connections[router.db_for_write(Grant)].close()
            time.sleep(0.1 * attempt)
    grant_state.note_success(row)
    # Whoever authorised anew in the meantime has the newer chain; theirs is in the row then.
    now_there = Grant.objects.select_related("account").get(pk=row.pk)
    if (
        now_there.generation == generation + 1 and now_there.reason in TAKEN_FOR_LOST
    ):  # guard: late-refresh-restores-connection
        # Somebody took us for dead (a clock that jumped ends every lease) and met a refresh token
        # that we had used. The pair in our hands says that nothing is lost.
        grant_state.transition(
            now_there, grant_state.CONNECTED, only_from=grant_state.NEEDS_RECONNECT
        )
    if not now_there.is_usable:
        # Let go while Zoom was answering: the pair is kept for the revocation only.
        raise ZoomAuthError(now_there.reason or GrantReason.DISCONNECTED)
    return _token(now_there)


@contextlib.contextmanager
def defer_sigalrm() -> Iterator[None]:
    """Hold django-q2's time-out (SIGALRM, at any line) back until the pair is stored."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    # A handler and no signal mask: a mask holds for one thread, the alarm may reach another.
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if rang:
            signal.raise_signal(signal.SIGALRM)
