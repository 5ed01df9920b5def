"""Fetch scope: kinds × hosts that at least one Site wants of an account (DESIGN: words).

It decides what is fetched and stored; exposure then decides what of that a Site shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Max, Sum

from ..conf import settings as zoom_settings
from .accounts import GrantState, ZoomAccount
from .mirror import Host, Kind
from .settings import ExposedHost, ZoomSettings

TRANSCRIPT = "transcript"
"""In a scope beside the kinds: text of recordings, wanted only where the owner chose to show it."""


@dataclass(frozen=True)
class FetchScope:
    """Who wants what: ``wants[kind][host_pk]`` is the set of Site ids that want it.

    ``fetch`` holds the demand of Sites that let us fetch now; ``keep`` adds paused and archived
    Sites and Sites whose grant is broken: their rows stay, but are not refreshed for them.
    """

    fetch: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    keep: dict[str, dict[int, set[int]]] = field(default_factory=dict)

    def hosts(self, kind: str) -> set[int]:
        """Primary keys of the hosts whose things of this kind are to be fetched."""
        return set(self.fetch.get(kind, {}))

    def kept_hosts(self, kind: str) -> set[int]:
        """Primary keys of the hosts whose rows of this kind must not be purged."""
        return set(self.keep.get(kind, {}))

    def sites(self, kind: str, host_pk: int | None) -> set[int]:
        """Ids of the Sites for which a thing of this kind and host is stored."""
        return self.keep.get(kind, {}).get(host_pk or 0, set())

    def wants(self, kind: str, host_pk: int | None) -> bool:
        """Whether a thing of this kind and host is to be fetched."""
        return (host_pk or 0) in self.fetch.get(kind, {})

    @property
    def is_empty(self) -> bool:
        return not any(self.fetch.values())


def fetch_scope(account: ZoomAccount) -> FetchScope:
    """The present demand on one account: three queries, whatever its size."""
    fetch: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    keep: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for choice, host, live in _demand(account):
        for kind in _wanted(choice):
            keep[kind][host.pk].add(choice.site_id)
            if live and _plain(kind) not in (choice.grant.missing_kinds or []):
                fetch[kind][host.pk].add(choice.site_id)
    return FetchScope(
        fetch={kind: dict(hosts) for kind, hosts in fetch.items()},
        keep={kind: dict(hosts) for kind, hosts in keep.items()},
    )


def demand_mark(account: ZoomAccount) -> tuple[object, ...]:
    """Everything that :func:`fetch_scope` depends on, in two small queries.

    Equal marks mean an equal scope, so that whoever looks after every page of a long import does
    not read thousands of ticked hosts each time.
    """
    choices = ZoomSettings.objects.filter(account=account).order_by("pk").values_list(*_READ)
    # A row that goes and one that comes instead: the newest key differs even where the sum agrees.
    ticked = ExposedHost.objects.filter(settings__account=account).aggregate(
        rows=Count("pk"), newest=Max("pk"), hosts=Sum("host_id")
    )
    return (*choices, *ticked.values())


_READ = (
    *("pk", "site_id", "configured_at", "needs_confirmation", "archived_at", "paused_at"),
    *("show_meetings", "show_webinars", "show_recordings", "show_transcripts"),
    *("grant__pk", "grant__state", "grant__client_id", "grant__missing_kinds"),
    *("grant__account_level", "grant__zoom_user_id"),
)


def _wanted(choice: ZoomSettings) -> list[str]:
    kinds = [str(kind) for kind in choice.kinds]
    with_text = choice.show_recordings and choice.show_transcripts
    return [*kinds, TRANSCRIPT] if with_text else kinds


def _plain(kind: str) -> str:
    """The kind whose scopes at Zoom are needed."""
    return Kind.RECORDING.value if kind == TRANSCRIPT else kind


def _demand(account: ZoomAccount) -> Iterator[tuple[ZoomSettings, Host, bool]]:
    choices = {
        choice.pk: choice
        for choice in ZoomSettings.objects.filter(account=account).select_related("grant")
        if choice.shows_data
    }
    ticked = ExposedHost.objects.filter(
        settings__in=list(choices), host__account=account
    ).select_related("host")
    for row in ticked:
        choice = choices[row.settings_id]
        if choice.grant is None:
            yield choice, row.host, False
        elif choice.grant.covers(row.host.zoom_id):
            live = (
                choice.paused_at is None
                and choice.grant.state in (GrantState.CONNECTED, GrantState.DEGRADED)
                and choice.grant.client_id == zoom_settings.client_id
            )
            yield choice, row.host, live
