"""The tasks that django-q2 may run; each only calls another package.

Arguments are ids only. Every task may run twice, late, or never: the rows hold the state.
"""

from __future__ import annotations

from django.utils import timezone

from .exceptions import ZoomError
from .frontend.cache import purge
from .models import Host, Meeting, SyncRun, ZoomAccount, ZoomSettings, fetch_scope
from .oauth import disconnect, notifications, tokens
from .registration import capacity, delivery, outbox, reconcile
from .scheduling import delivery as change_delivery
from .scheduling import outbox as change_outbox
from .sync import (
    attendance,
    clock_skew,
    event_effects,
    inbox,
    items,
    questions,
    retention,
    runner,
    runs,
    users,
)
from .utils.logging import get_logger, instrumented_task
from .utils.queue import PeriodicJob, run_periodic_jobs

logger = get_logger("tasks")

PERIODIC_JOBS: tuple[PeriodicJob, ...] = (
    clock_skew.check_clock,  # guard: job-clock-check
    retention.record_heartbeat,  # guard: job-heartbeat
    retention.delete_outdated,  # guard: job-retention
    event_effects.close_past_occurrences,  # guard: job-close-past
    inbox.sweep,  # guard: job-webhook-inbox
    runs.sweep,  # guard: job-sync-runs
    disconnect.sweep,  # guard: job-revocations
    tokens.sweep,  # guard: job-idle-tokens
    outbox.sweep,  # guard: job-registration-outbox
    change_outbox.sweep,  # guard: job-meeting-changes
    reconcile.sweep,  # guard: job-registration-reconcile
    capacity.sweep,  # guard: job-registrant-count
    attendance.sweep,  # guard: job-attendance
    purge.sweep,  # guard: job-front-end-purge
    notifications.send_due_notifications,  # guard: job-reconnect-emails
)
"""What runs every minute, in this order. Each gets the time (UTC), is short, and may run twice."""


@instrumented_task
def tick() -> None:
    """The only schedule: run every periodic job once."""
    run_periodic_jobs(PERIODIC_JOBS, timezone.now(), logger)


@instrumented_task
def process_events() -> None:
    """Process due webhook events."""
    clock_skew.check_clock()
    inbox.process_events()


@instrumented_task
def sync_slice(run_pk: int) -> None:
    """Run one slice of a sync run."""
    clock_skew.check_clock()
    runner.run_slice(run_pk)


@instrumented_task
def sync_directory(account_pk: int) -> None:
    """Read the users of an account, so that hosts can be selected."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is None:
        return
    try:
        users.refresh_directory(account)
        users.count_selected_hosts(account)
    except ZoomError as error:
        # Every run reads the directory first, so it will be read later.
        logger.warning("The directory of account %s: %s.", account_pk, type(error).__name__)
    if not fetch_scope(account).is_empty:
        # Connected again: events in between were not processed.
        runs.request_run(account, SyncRun.Mode.RECONCILE)


@instrumented_task
def link_items(settings_pk: int) -> None:
    """Link a Site's items to rows that are stored already."""
    site_settings = (
        ZoomSettings.objects.select_related("grant", "account").filter(pk=settings_pk).first()
    )
    if site_settings is not None:
        items.link_stored_rows(site_settings)


@instrumented_task
def count_hosts(account_pk: int, *host_pks: int) -> None:
    """Count what Zoom has of hosts that an owner is about to select."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is not None and not account.is_quarantined:
        hosts = Host.objects.filter(account=account, removed_at=None, pk__in=host_pks)
        users.count_hosts(account, hosts[: users.COUNTED_HOSTS])


@instrumented_task
def revoke(grant_pk: int) -> None:
    """Revoke a grant at Zoom."""
    disconnect.revoke_pending(grant_pk)


@instrumented_task
def refresh_idle() -> None:
    """Refresh grants that were not used for a week."""
    tokens.refresh_idle()


@instrumented_task
def purge_account(account_pk: int) -> None:
    """Delete what no Site needs any more."""
    account = ZoomAccount.objects.filter(pk=account_pk).first()
    if account is not None:
        retention.purge_outside_scope(account)


@instrumented_task
def deliver_registrations() -> None:
    """Submit registrations to Zoom, and send their emails."""
    clock_skew.check_clock()
    outbox.run(delivery.process)


@instrumented_task
def resume_registrations(account_pk: int) -> None:
    """Send at once what waited for a connection with an account."""
    outbox.resume(account_pk)
    change_outbox.resume(account_pk)
    attendance.resume(account_pk)


@instrumented_task
def deliver_meeting_changes() -> None:
    """Create, change and cancel meetings at Zoom."""
    clock_skew.check_clock()
    change_outbox.run(change_delivery.process)


@instrumented_task
def read_attendance() -> None:
    """Read who came to dates that are over."""
    clock_skew.check_clock()
    attendance.read_due()


@instrumented_task
def check_registrants(meeting_pk: int) -> None:
    """Reconcile the registrations of one meeting with Zoom."""
    reconcile.reconcile_quietly(meeting_pk)


@instrumented_task
def count_registrants(meeting_pk: int) -> None:
    """Count the registrants of one meeting with a limit."""
    capacity.count_registrants(meeting_pk)


@instrumented_task
def read_questions(meeting_pk: int) -> None:
    """Read the registration questions of one meeting again."""
    meeting = Meeting.objects.select_related("account", "host").filter(pk=meeting_pk).first()
    if meeting is not None:
        questions.refresh_quietly(meeting.account, meeting)


@instrumented_task
def apply_registration_retention(site_pk: int) -> None:
    """Apply a changed retention to the registrations of a Site."""
    outbox.apply_retention(site_pk)
