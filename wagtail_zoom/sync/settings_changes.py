"""Effects of changed settings of a Site: log, purge, import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from ..frontend import disconnected
from ..models import SUMMARY, Activity, ExposedHost, Host, Plan, SyncRun, ZoomSettings
from ..models.mirror import UserType
from ..utils.queue import enqueue
from . import runs


@dataclass(frozen=True)
class SettingsSnapshot:
    """Kinds and hosts that a Site shows, to compare the settings before and after a change."""

    kinds: frozenset[str]
    hosts: frozenset[int]
    registration: bool = False
    transcripts: bool = False
    summaries: bool = False
    attendance: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The kinds, and ``registration`` and ``attendance``."""
        kinds = frozenset(str(kind) for kind in self.kinds)
        switches = {"registration": self.registration, "attendance": self.attendance}
        return kinds | {name for name, is_on in switches.items() if is_on}

    @classmethod
    def of(cls, site_settings: ZoomSettings) -> SettingsSnapshot:
        """As stored now."""
        hosts = ExposedHost.objects.filter(settings=site_settings).values_list("host_id", flat=True)
        return cls(
            frozenset(site_settings.kinds),
            frozenset(hosts),
            site_settings.show_registration,
            site_settings.show_recordings and site_settings.show_transcripts,
            site_settings.show_summaries,
            site_settings.record_attendance,
        )


def apply_settings_changes(
    site_settings: ZoomSettings, user: Any, before: SettingsSnapshot | None = None
) -> None:
    """After the owner saved the settings: delete what is switched off, import what is new."""
    after = SettingsSnapshot.of(site_settings)
    is_first, account = site_settings.configured_at is None, site_settings.account
    if account is None or site_settings.is_archive:
        return
    with transaction.atomic():
        disconnected.forget_former_hosts(site_settings)
        if is_first:
            site_settings.configured_at = timezone.now()
            ZoomSettings.objects.filter(pk=site_settings.pk).update(
                configured_at=site_settings.configured_at
            )
        data = {
            "kinds": sorted(str(kind) for kind in after.kinds),
            "hosts": len(after.hosts),
            "registration": after.registration,
            "transcripts": after.transcripts,
            "summaries": after.summaries,
        }
        if before is not None:
            data["turned_on"] = sorted(after.names - before.names)
            data["turned_off"] = sorted(before.names - after.names)
        Activity.log(
            [site_settings.site_id], "curation", "exposure_changed", data=data,
            account=account, user=user,
        )  # fmt: skip
        log(instance=site_settings, action="wagtail_zoom.expose", user=user, data=data)
        disconnected.unlink(site_settings.site_id)
        texts_off = before is not None and (
            (before.transcripts and not after.transcripts)
            or (before.summaries and not after.summaries)
        )
        if before is None or before.kinds - after.kinds or before.hosts - after.hosts or texts_off:
            enqueue("purge_account", account.pk)
        added = bool(
            is_first or before is None or after.kinds - before.kinds or after.hosts - before.hosts
        )
        added = added or (after.registration and before is not None and not before.registration)
        added = added or (after.transcripts and before is not None and not before.transcripts)
        added = added or (after.summaries and before is not None and not before.summaries)
        if added:
            enqueue("link_items", site_settings.pk)
        if added and site_settings.grant_id and after.kinds and site_settings.paused_at is None:
            runs.request_run(account, SyncRun.Mode.BACKFILL, user)
        if added and site_settings.grant_id:
            enqueue("resume_registrations", account.pk)


def turn_off(site_settings: ZoomSettings, names: Iterable[str], user: Any) -> None:
    """Turn off kinds (and ``registration``) of a Site, as if the owner had cleared their boxes."""
    plurals = {"registration": "registration", SUMMARY: "summaries"}
    fields = [f"show_{plurals.get(name, f'{name}s')}" for name in names]
    with transaction.atomic():
        before = SettingsSnapshot.of(site_settings)
        for field in fields:
            setattr(site_settings, field, False)
        site_settings.save(update_fields=fields)
        apply_settings_changes(site_settings, user, before)


def set_plan(site_settings: ZoomSettings, plan: str, user: Any) -> None:
    """Set the account's Zoom plan; empty: infer it (a licensed user means Pro).

    The plan sets the rate limit of the account, and how often it is reconciled.
    """
    account = site_settings.account
    if account is None:
        return
    licensed = Host.objects.filter(account=account, user_type=UserType.LICENSED).exists()
    account.plan = plan or (Plan.PRO if licensed else Plan.FREE)
    account.plan_stated = bool(plan)
    account.next_reconcile_at = runs.next_reconcile_time(account, timezone.now())
    account.save(update_fields=["plan", "plan_stated", "next_reconcile_at"])
    data = {"plan": account.plan, "stated": account.plan_stated}
    Activity.log(
        [site_settings.site_id], "connection", "plan_stated", data=data, account=account, user=user
    )  # fmt: skip
    log(instance=site_settings, action="wagtail_zoom.plan", user=user, data=data)


def pause(site_settings: ZoomSettings, user: Any) -> None:
    """Stop fetching for this Site; what it shows stays, and registrations continue."""
    _set_paused(site_settings, user, paused=True)


def resume(site_settings: ZoomSettings, user: Any) -> None:
    """Fetch again, beginning with a reconcile run: events in between were not processed."""
    _set_paused(site_settings, user, paused=False)
    if site_settings.account is not None and site_settings.grant_id and site_settings.kinds:
        runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE, user)


def _set_paused(site_settings: ZoomSettings, user: Any, *, paused: bool) -> None:
    site_settings.paused_at = timezone.now() if paused else None
    ZoomSettings.objects.filter(pk=site_settings.pk).update(paused_at=site_settings.paused_at)
    code = "paused" if paused else "resumed"
    Activity.log(
        [site_settings.site_id], "connection", code, account=site_settings.account, user=user
    )
    log(instance=site_settings, action=f"wagtail_zoom.{'pause' if paused else 'resume'}", user=user)
