"""What would be deleted here if these choices were saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from ..models import ExposedHost, Kind, Meeting, Recording, ZoomSettings
from . import wording


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
        return wording.listing(wording.kind_name(kind) for kind in self.kinds)


def of_choices(choice: ZoomSettings, kinds: Iterable[Kind], hosts: Iterable[int]) -> Loss:
    """What the Site has now and would not have with these kinds and hosts.

    ``choice`` is the row as it is stored. Another Site may want the same rows: then they stay in
    the database, but they leave this Site's pages all the same.
    """
    kinds, hosts = set(kinds), set(hosts)
    before = set(ExposedHost.objects.filter(settings=choice.pk).values_list("host", flat=True))
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
    return Loss(
        kinds=sorted(str(kind) for kind in lost_kinds),
        hosts=len(lost_hosts),
        meetings=meetings.count(),
        recordings=recordings.count(),
        gone=meetings.filter(lapsed).count()
        + recordings.filter(lapsed | Q(trashed_at__isnull=False)).count(),
    )


def of_everything(choice: ZoomSettings) -> Loss:
    """What a disconnect with "remove" takes."""
    return of_choices(choice, (), ())
