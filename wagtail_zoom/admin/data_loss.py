"""What would be deleted here if these choices were saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from ..models import Kind, Meeting, Recording, ZoomSettings
from . import formatting


@dataclass(frozen=True)
class Loss:
    """Rows of the mirror that no longer would be wanted by this Site."""

    kinds: list[str]
    hosts: int
    meetings: int
    recordings: int
    gone: int
    """How many of them no longer exist in Zoom and could not be fetched again."""

    @property
    def is_empty(self) -> bool:
        return not (self.meetings or self.recordings)

    @property
    def kind_names(self) -> str:
        return formatting.listing(formatting.kind_name(kind) for kind in self.kinds)


def of_choices(
    choice: ZoomSettings, before: frozenset[int], kinds: Iterable[Kind], hosts: Iterable[int]
) -> Loss:
    """What the Site has now and would not have with these kinds and hosts: two queries.

    ``choice`` is the row as it is stored, ``before`` are its ticked hosts. Another
    Site may want the same rows: then they stay in the database, but they leave this Site's pages
    all the same.
    """
    kinds, hosts = set(kinds), set(hosts)
    lost_kinds, lost_hosts = choice.kinds - kinds, before - hosts
    had = Q(account=choice.account_id, host__in=before, removed_at=None)
    meetings = Meeting.objects.filter(
        had, Q(kind__in=lost_kinds) | Q(host__in=lost_hosts), kind__in=choice.kinds
    )
    recordings = Recording.objects.filter(had)
    if Kind.RECORDING not in choice.kinds:
        recordings = recordings.none()
    elif Kind.RECORDING not in lost_kinds:
        recordings = recordings.filter(host__in=lost_hosts)
    lapsed = Q(expired_at__isnull=False)
    lost = meetings.aggregate(n=Count("pk"), gone=Count("pk", filter=lapsed))
    films = recordings.aggregate(
        n=Count("pk"), gone=Count("pk", filter=lapsed | Q(trashed_at__isnull=False))
    )
    return Loss(
        kinds=sorted(str(kind) for kind in lost_kinds),
        hosts=len(lost_hosts),
        meetings=lost["n"],
        recordings=films["n"],
        gone=lost["gone"] + films["gone"],
    )


def of_everything(choice: ZoomSettings, before: frozenset[int]) -> Loss:
    """What a disconnect with "remove" takes."""
    return of_choices(choice, before, (), ())
