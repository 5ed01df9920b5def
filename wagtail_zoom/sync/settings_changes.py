"""What follows when an owner changes what the Site shows: log, purge, import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from ..models import Activity, ExposedHost, Host, Plan, SyncRun, ZoomSettings
from ..utils.queue import enqueue
from . import runs

LICENSED = 2
"""Zoom's type of a user with a licence."""


@dataclass(frozen=True)
class Choice:
    """Kinds and hosts of a Site at one moment, to compare before and after."""

    kinds: frozenset[str]
    hosts: frozenset[int]
    registration: bool = False
    transcripts: bool = False

    @classmethod
    def of(cls, choice: ZoomSettings) -> Choice:
        """As stored now."""
        hosts = ExposedHost.objects.filter(settings=choice).values_list("host_id", flat=True)
        return cls(
            frozenset(choice.kinds),
            frozenset(hosts),
            choice.show_registration,
            choice.show_recordings and choice.show_transcripts,
        )


def apply_exposure(choice: ZoomSettings, user: Any, before: Choice | None = None) -> None:
    """After the owner saved the choices: what is off goes, what is new is fetched."""
    now = Choice.of(choice)
    first = choice.configured_at is None
    if choice.account is None:
        return
    with transaction.atomic():
        if first:
            choice.configured_at = timezone.now()
            ZoomSettings.objects.filter(pk=choice.pk).update(configured_at=choice.configured_at)
        data = {
            "kinds": sorted(str(kind) for kind in now.kinds),
            "hosts": len(now.hosts),
            "registration": now.registration,
            "transcripts": now.transcripts,
        }
        Activity.log(
            [choice.site_id], "curation", "exposure_changed", data=data,
            account=choice.account, user=user,
        )  # fmt: skip
        log(instance=choice, action="wagtail_zoom.expose", user=user, data=data)
        less_text = before is not None and before.transcripts and not now.transcripts
        if before is None or before.kinds - now.kinds or before.hosts - now.hosts or less_text:
            enqueue("purge_account", choice.account_id)
        added = first or before is None or now.kinds - before.kinds or now.hosts - before.hosts
        added = added or (now.registration and before is not None and not before.registration)
        added = added or (now.transcripts and before is not None and not before.transcripts)
        if added and choice.grant_id and now.kinds and choice.paused_at is None:
            runs.request_run(choice.account, SyncRun.Mode.BACKFILL, user)


def state_plan(choice: ZoomSettings, plan: str, user: Any) -> None:
    """The owner says which plan the account has; empty: infer it (a licensed user means Pro).

    It sets the pace for all Sites of the account, and how often we look by ourselves.
    """
    account = choice.account
    if account is None:
        return
    licensed = Host.objects.filter(account=account, user_type=LICENSED).exists()
    account.plan = plan or (Plan.PRO if licensed else Plan.FREE)
    account.plan_stated = bool(plan)
    account.next_reconcile_at = runs.next_time(account, timezone.now())
    account.save(update_fields=["plan", "plan_stated", "next_reconcile_at"])
    data = {"plan": account.plan, "stated": account.plan_stated}
    Activity.log(
        [choice.site_id], "connection", "plan_stated", data=data, account=account, user=user
    )  # fmt: skip
    log(instance=choice, action="wagtail_zoom.plan", user=user, data=data)


def pause(choice: ZoomSettings, user: Any) -> None:
    """Go on showing, stop fetching for this Site. Sign-ups go on."""
    _set_pause(choice, user, paused=True)


def resume(choice: ZoomSettings, user: Any) -> None:
    """Fetch again, beginning with a comparison: nothing was heard in between."""
    _set_pause(choice, user, paused=False)
    if choice.account is not None and choice.grant_id and choice.kinds:
        runs.request_run(choice.account, SyncRun.Mode.RECONCILE, user)


def _set_pause(choice: ZoomSettings, user: Any, *, paused: bool) -> None:
    choice.paused_at = timezone.now() if paused else None
    ZoomSettings.objects.filter(pk=choice.pk).update(paused_at=choice.paused_at)
    name = "paused" if paused else "resumed"
    Activity.log([choice.site_id], "connection", name, account=choice.account, user=user)
    log(instance=choice, action=f"wagtail_zoom.{'pause' if paused else 'resume'}", user=user)
