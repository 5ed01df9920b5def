"""The dotted paths that django-q2 may run; each only calls into a room.

Arguments are ids only. Every task may run twice, late, or never: the rows behind it are the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from .exceptions import ZoomError
from .frontend.cache import purge
from .models import Host, Meeting, SyncRun, ZoomAccount, fetch_scope
from .oauth import disconnect, notifications, tokens
from .registration import delivery, outbox, reconcile
from .sync import clock_skew, event_effects, inbox, questions, retention, runner, runs, users
from .utils.logging import get_logger, instrumented_task

logger = get_logger("tasks")


PERIODIC_JOBS: tuple[Callable[[datetime], object], ...] = (
    clock_skew.look,
    retention.beat,
    retention.delete_outdated,
    event_effects.close_past,
    inbox.sweep,
    runs.sweep,
    disconnect.sweep,
    tokens.sweep,
    outbox.sweep,
    reconcile.sweep,
    purge.sweep,
    notifications.send_due_notices,
)
"""What runs every minute, in this order. Each gets the time (UTC), is short, and may run twice."""


@instrumented_task
def tick() -> None:
    """The only schedule: run every periodic job once."""
    now = timezone.now()
    for job in PERIODIC_JOBS:
        try:
            job(now)
        except Exception:
            # The other jobs still run.
            logger.exception("The periodic job %s.%s failed.", job.__module__, job.__name__)


@instrumented_task
def drain() -> None:
    """Work off the inbox."""
    clock_skew.look()
    inbox.drain()


@instrumented_task
def sync_slice(run_pk: int) -> None:
    """A few seconds of a run."""
    clock_skew.look()
    runner.run_slice(run_pk)


@instrumented_task
def sync_directory(account_pk: int) -> None:
    """Read the people of an account, so that hosts can be chosen."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is None:
        return
    try:
        users.refresh_directory(account)
    except ZoomError as error:
        # Every run reads the directory first, so it will be there in the end.
        logger.warning("The directory of account %s: %s.", account_pk, type(error).__name__)
    if not fetch_scope(account).is_empty:
        # Connected again: nothing was heard in between.
        runs.request_run(account, SyncRun.Mode.RECONCILE)


@instrumented_task
def count_hosts(account_pk: int, *host_pks: int) -> None:
    """How much Zoom has of hosts that an owner is about to tick."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is not None and not account.is_quarantined:
        hosts = Host.objects.filter(account=account, removed_at=None, pk__in=host_pks)
        users.count_hosts(account, hosts[: users.COUNTED_HOSTS])


@instrumented_task
def revoke(grant_pk: int) -> None:
    """Give a permission back to Zoom."""
    disconnect.revoke_pending(grant_pk)


@instrumented_task
def refresh_idle() -> None:
    """Renew permissions that nothing has used for a week."""
    tokens.refresh_idle()


@instrumented_task
def purge_account(account_pk: int) -> None:
    """Delete what no Site wants any more."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is not None:
        retention.purge_outside_scope(account)


@instrumented_task
def deliver_registrations() -> None:
    """Bring sign-ups to Zoom, and send their mails."""
    clock_skew.look()
    outbox.run(delivery.work)


@instrumented_task
def check_registrants(meeting_pk: int) -> None:
    """Compare the sign-ups of one meeting with Zoom."""
    reconcile.check_quietly(meeting_pk)


@instrumented_task
def read_questions(meeting_pk: int) -> None:
    """Read anew what the registration of one meeting asks."""
    meeting = Meeting.objects.select_related("account", "host").filter(pk=meeting_pk).first()
    if meeting is not None:
        questions.refresh_quietly(meeting.account, meeting)


@instrumented_task
def date_registrations(site_pk: int) -> None:
    """Apply a changed retention to the sign-ups of a Site."""
    outbox.date_anew(site_pk)
