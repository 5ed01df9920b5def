"""What a Site may change at Zoom: with the grant that it is linked to now, and with no other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F

from .settings import ExposedHost, ZoomSettings


class Refusal(StrEnum):
    """Why a Site may not change anything about a meeting at Zoom now."""

    LEFT = "left"
    """It is not linked with the account that holds the meeting (any more)."""
    CONNECTION = "connection"
    """Its grant cannot be used until somebody connects again."""
    NOT_COVERED = "not_covered"
    """Its grant is limited to another Zoom user."""
    NOT_SHOWN = "not_shown"
    """The owner has switched this kind off, or unticked this host."""


@dataclass(frozen=True)
class WriteAccess:
    """What one Site may change at Zoom. Valid for one request or one task."""

    site_settings: ZoomSettings | None
    shown_hosts: frozenset[str]
    """Zoom's ids of the hosts that the Site shows."""

    @classmethod
    def of(cls, site_id: int) -> WriteAccess:
        """Read it: two queries."""
        rows = ZoomSettings.objects.select_related("grant__account")
        hosts = ExposedHost.objects.filter(
            settings__site=site_id, host__account=F("settings__account")
        )
        shown_hosts = frozenset(hosts.values_list("host__zoom_id", flat=True))
        return cls(rows.filter(site=site_id).first(), shown_hosts)

    def refusal(
        self, account_id: int, host_zoom_id: str, kind: str, *, even_if_hidden: bool = False
    ) -> Refusal | None:
        """Why nothing may be changed about a meeting of this account, host and kind; or None.

        ``even_if_hidden``: a person cancels or is forgotten. That also reaches Zoom while the owner
        does not show the kind or the host.
        """
        site_settings = self.site_settings
        grant = site_settings.grant if site_settings is not None else None
        if site_settings is None or grant is None:
            return Refusal.LEFT
        if site_settings.needs_confirmation:  # guard: unconfirmed-account-not-written
            return Refusal.LEFT
        if {grant.account_id, site_settings.account_id} != {account_id}:  # guard: site-grant-writes
            return Refusal.LEFT
        if not grant.is_usable:
            return Refusal.CONNECTION
        if not grant.covers(host_zoom_id):  # guard: write-covered-by-grant
            return Refusal.NOT_COVERED
        is_shown = kind in site_settings.kinds and host_zoom_id in self.shown_hosts
        if not even_if_hidden and not (
            is_shown and site_settings.shows_data
        ):  # guard: hidden-host-not-written
            return Refusal.NOT_SHOWN
        return None
