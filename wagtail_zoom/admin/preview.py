"""Preview of unsaved settings: what visitors would see, and how much Zoom has.

Imported data is counted by the visibility rules. For the rest only a total is known, from one
list request for each host and kind: nothing is imported before the owner saves.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import GrantState, Kind, Meeting, Recording, SyncRun, ZoomSettings
from ..models.mirror import CLOSED_STATES
from ..utils.queue import enqueue
from .forms import available_hosts, with_default_host
from .site_status import SiteStatus

COUNT_TIMEOUT = 30
"""Seconds to wait for a requested count before it is requested again."""
MAX_COUNTED_HOSTS = 20


@dataclass(frozen=True)
class PreviewVisibility(SiteVisibility):
    """Visibility rules of a Site as if these settings were saved and these hosts selected."""

    host_ids: frozenset[int] = field(default_factory=frozenset)

    def _exposed_hosts(self, site_settings: ZoomSettings) -> Q:
        covered = available_hosts(site_settings).order_by().filter(pk__in=self.host_ids)
        return Q(host__in=covered.values("pk"))


@dataclass
class ExposurePreview:
    """What one set of settings would show, saved or not."""

    site_status: SiteStatus
    site_settings: ZoomSettings
    host_ids: frozenset[int]

    @classmethod
    def from_stored(cls, site_status: SiteStatus) -> ExposurePreview:
        """The stored settings; until the first save, with the host who connected."""
        host_ids = with_default_host(site_status.site_settings, site_status.stored_host_ids)
        return cls(site_status, site_status.site_settings, frozenset(host_ids))

    @classmethod
    def from_form(cls, site_status: SiteStatus, form: Any) -> ExposurePreview:
        """The posted settings, even if they are not valid."""
        form.is_valid()
        hosts = form.cleaned_data.get("hosts")
        if hosts is None:
            return cls(site_status, form.instance, cls.from_stored(site_status).host_ids)
        return cls(site_status, form.instance, frozenset(host.pk for host in hosts))

    @cached_property
    def visibility(self) -> PreviewVisibility:
        site_settings = copy.copy(self.site_settings)
        site_settings.configured_at = site_settings.configured_at or timezone.now()
        return PreviewVisibility(site_settings, host_ids=self.host_ids)

    @cached_property
    def shown_counts(self) -> dict[str, int]:
        """Of the imported data: upcoming occurrences by kind, and recordings."""
        rows = self.visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        rows = rows.filter(end__gte=self.site_status.now).exclude(state__in=CLOSED_STATES)
        kinds = rows.order_by().values("meeting__kind").annotate(n=Count("pk"))
        counts = {str(row["meeting__kind"]): row["n"] for row in kinds}
        if Kind.RECORDING in self.site_settings.kinds:
            recordings = self.visibility.recordings(Audience.VISITOR, Channel.PAGE)
            counts[Kind.RECORDING.value] = recordings.count()
        return counts

    @cached_property
    def zoom_totals(self) -> dict[str, int]:
        """Totals in Zoom by kind; kinds that were not counted are left out."""
        sums: dict[str, int] = {}
        for totals in self._totals_of_hosts():
            for kind, n in (totals or {}).items():
                if self.is_allowed(kind):  # guard: totals-of-allowed-kinds
                    sums[kind] = sums.get(kind, 0) + int(n or 0)
        if self.is_imported(Kind.RECORDING) and self.is_allowed(Kind.RECORDING):
            # Zoom lists one month only; imported recordings are complete.
            recordings = Recording.objects.filter(host__in=self._rows(), removed_at=None)
            sums[Kind.RECORDING.value] = recordings.count()
        return sums

    @cached_property
    def registration_count(self) -> int:
        """Imported meetings that require registration."""
        allowed = [kind for kind in (Kind.MEETING, Kind.WEBINAR) if self.is_allowed(kind)]
        rows = Meeting.objects.filter(
            host__in=self._rows(),
            removed_at=None,
            kind__in=allowed,  # guard: registrations-counted-of-allowed-kinds
        )
        return rows.taking_registration().count()

    def _totals_of_hosts(self) -> list[dict[str, int]]:
        """Totals of each host. The panel has already loaded those of the stored settings."""
        if self is self.site_status.__dict__.get("preview"):
            return [host.totals for host in self.site_status.selected_hosts]
        return list(self._rows().values_list("totals", flat=True))

    def is_imported(self, kind: Kind) -> bool:
        """Whether all objects of this kind and these hosts are imported."""
        site_settings, account = self.site_status.site_settings, self.site_status.account
        if account is None or site_settings.configured_at is None or account.reconciled_at is None:
            return False
        run = self.site_status.open_run
        if run is not None and run.mode == SyncRun.Mode.BACKFILL:
            return False
        return kind in site_settings.kinds and self.host_ids <= self.site_status.stored_host_ids

    def is_allowed(self, kind: str) -> bool:
        """Whether Zoom has allowed this kind to the Site's own grant; another Site may have it."""
        return self.site_status.is_allowed(kind)

    @property
    def is_partial(self) -> bool:
        """Whether some enabled kind is not imported yet."""
        return any(not self.is_imported(kind) for kind in self.site_settings.kinds)

    def request_missing_counts(self) -> bool:
        """Have the worker count what the selected hosts have in Zoom, where it is unknown.

        Returns whether a count is pending; the same count is requested again after a while.
        """
        grant, account = self.site_status.grant, self.site_status.account
        if grant is None or account is None or account.is_quarantined:
            return False
        if grant.state != GrantState.CONNECTED or self.site_settings.needs_confirmation:
            return False
        rows = self._rows()
        allowed = {kind.value for kind in Kind} - set(grant.missing_kinds or [])
        totals_by_host = rows.values_list("pk", "totals")
        uncounted_ids = [pk for pk, totals in totals_by_host if allowed - set(totals)]
        if not uncounted_ids:
            return False
        uncounted_ids = sorted(uncounted_ids)[:MAX_COUNTED_HOSTS]
        key = f"wagtail_zoom.count.{account.pk}.{'-'.join(map(str, uncounted_ids))}"
        requested_at = cache.get(key)
        if requested_at is None:
            cache.set(key, timezone.now().timestamp(), 10 * COUNT_TIMEOUT)
            enqueue("count_hosts", account.pk, *uncounted_ids)
            return True
        return timezone.now().timestamp() - requested_at < COUNT_TIMEOUT

    def _rows(self) -> Any:
        return available_hosts(self.site_settings).order_by().filter(pk__in=self.host_ids)
