"""Fetch scope of an account: the kinds and hosts that at least one of its Sites has enabled.

It determines what is fetched and stored. The visibility rules determine what a Site shows of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Max, Sum

from ..conf import settings as zoom_settings
from .accounts import GrantState, ZoomAccount
from .mirror import SUMMARY, Host, Kind
from .settings import ExposedHost, ZoomSettings

TRANSCRIPT = "transcript"
"""Used in a scope like a kind: transcripts of recordings, only for Sites that show them."""


@dataclass(frozen=True)
class FetchScope:
    """``fetch[kind][host_pk]`` and the others are sets of Site ids.

    ``fetch`` has the Sites that may fetch now. ``read`` also has paused Sites and Sites with a
    broken grant: nothing is refreshed for them, but they may read what another Site keeps fresh,
    except kinds that Zoom has not allowed them.
    ``retain`` also has archives: their rows are not deleted, and what is new in them is not theirs.
    """

    fetch: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    read: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    retain: dict[str, dict[int, set[int]]] = field(default_factory=dict)

    def hosts(self, kind: str) -> set[int]:
        """Primary keys of the hosts whose rows of this kind are fetched."""
        return set(self.fetch.get(kind, {}))

    def retained_hosts(self, kind: str) -> set[int]:
        """Primary keys of the hosts whose rows of this kind must not be deleted."""
        return set(self.retain.get(kind, {}))

    def sites(self, kind: str, host_pk: int | None) -> set[int]:
        """Ids of the Sites that may read rows of this kind and host."""
        return self.read.get(kind, {}).get(host_pk or 0, set())

    def includes(self, kind: str, host_pk: int | None) -> bool:
        """Whether rows of this kind and host are fetched."""
        return (host_pk or 0) in self.fetch.get(kind, {})

    @property
    def is_empty(self) -> bool:
        return not any(self.fetch.values())


def fetch_scope(account: ZoomAccount) -> FetchScope:
    """The current scope of one account: three queries for any size."""
    fetch: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    read: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    retain: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for site_settings, host, is_active in _site_demands(account):
        grant = site_settings.grant
        for kind in _requested_kinds(site_settings):
            retain[kind][host.pk].add(site_settings.site_id)
            if grant is None:  # guard: archive-gets-no-news
                continue
            if _zoom_kind(kind) in grant.missing_kinds:  # guard: missing-kind-gets-no-news
                continue
            read[kind][host.pk].add(site_settings.site_id)
            if is_active:
                fetch[kind][host.pk].add(site_settings.site_id)
    return FetchScope(
        fetch={kind: dict(hosts) for kind, hosts in fetch.items()},
        read={kind: dict(hosts) for kind, hosts in read.items()},
        retain={kind: dict(hosts) for kind, hosts in retain.items()},
    )


def scope_fingerprint(account: ZoomAccount) -> tuple[object, ...]:
    """Cheap fingerprint of the fetch scope, to notice changes during a long import.

    Covers everything that :func:`fetch_scope` depends on, with two small queries instead of
    reading thousands of exposed hosts.
    """
    settings_values = (
        ZoomSettings.objects.filter(account=account)
        .order_by("pk")
        .values_list(*_FINGERPRINT_FIELDS)
    )
    # If one row replaces another, the newest key changes even if the sum is the same.
    exposed = ExposedHost.objects.filter(settings__account=account).aggregate(
        rows=Count("pk"), newest=Max("pk"), hosts=Sum("host_id")
    )
    return (*settings_values, *exposed.values())


_FINGERPRINT_FIELDS = (
    *("pk", "site_id", "configured_at", "needs_confirmation", "archived_at", "paused_at"),
    *("show_meetings", "show_webinars", "show_recordings", "show_transcripts"),
    "show_summaries",
    *("grant__pk", "grant__state", "grant__client_id", "grant__missing_kinds"),
    *("grant__account_level", "grant__zoom_user_id"),
)


def _requested_kinds(site_settings: ZoomSettings) -> list[str]:
    kinds = [str(kind) for kind in site_settings.kinds]
    with_transcripts = site_settings.show_recordings and site_settings.show_transcripts
    if with_transcripts:
        kinds.append(TRANSCRIPT)
    if site_settings.show_summaries:
        kinds.append(SUMMARY)
    return kinds


def _zoom_kind(kind: str) -> str:
    """The kind whose OAuth scopes are needed."""
    return Kind.RECORDING.value if kind == TRANSCRIPT else kind


def _site_demands(account: ZoomAccount) -> Iterator[tuple[ZoomSettings, Host, bool]]:
    settings_by_id = {
        site_settings.pk: site_settings
        for site_settings in ZoomSettings.objects.filter(account=account).select_related("grant")
        if site_settings.shows_data
    }
    exposed_hosts = ExposedHost.objects.filter(
        settings__in=list(settings_by_id), host__account=account
    ).select_related("host")
    for row in exposed_hosts:
        site_settings = settings_by_id[row.settings_id]
        if site_settings.grant is None:
            yield site_settings, row.host, False
        elif site_settings.grant.covers(row.host.zoom_id):
            is_active = (
                site_settings.paused_at is None
                and site_settings.grant.state in (GrantState.CONNECTED, GrantState.DEGRADED)
                and site_settings.grant.client_id == zoom_settings.client_id
            )
            yield site_settings, row.host, is_active
