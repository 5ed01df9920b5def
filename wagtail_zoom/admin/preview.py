"""What visitors would see with choices that are not saved yet, and what Zoom has of it.

Of what is fetched already, the gate itself is asked. Of the rest there is a number only, from one
listing call for each host and kind: nothing is fetched before the owner has saved.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from ..frontend.visibility import Audience, Exposure, Surface
from ..models import GrantState, Kind, Meeting, Occurrence, Recording, SyncRun, ZoomSettings
from ..utils.queue import enqueue
from .forms import offered_hosts, or_connector
from .site_status import Facts

COUNTING = 30
"""Seconds in which a count that was asked for is waited for, and not asked for again."""
COUNTED_AT_ONCE = 20


@dataclass(frozen=True)
class Prospect(Exposure):
    """The gate of a Site as it would be with other choices and with these hosts ticked."""

    ticked: frozenset[int] = field(default_factory=frozenset)

    def _hosts(self, choice: ZoomSettings) -> Q:  # type: ignore[override]
        covered = offered_hosts(choice).order_by().filter(pk__in=self.ticked)
        return Q(host__in=covered.values("pk"))


@dataclass
class Outlook:
    """One set of choices, saved or not."""

    facts: Facts
    choice: ZoomSettings
    hosts: frozenset[int]

    @classmethod
    def of(cls, facts: Facts) -> Outlook:
        """As it is stored; before the first choice with the person who connected."""
        ticked = or_connector(facts.choice, facts.stored_hosts)
        return cls(facts, facts.choice, frozenset(ticked))

    @classmethod
    def tried(cls, facts: Facts, form: Any) -> Outlook:
        """As the form says, also when something in it cannot be saved like that."""
        form.is_valid()
        hosts = form.cleaned_data.get("hosts")
        if hosts is None:
            return cls(facts, form.instance, cls.of(facts).hosts)
        ticked = {host.pk for host in hosts}
        return cls(facts, form.instance, frozenset(ticked))

    @cached_property
    def gate(self) -> Prospect:
        choice = copy.copy(self.choice)
        choice.configured_at = choice.configured_at or timezone.now()
        return Prospect(choice, ticked=self.hosts)

    @cached_property
    def shows(self) -> dict[str, int]:
        """Of what is fetched: upcoming dates of meetings and webinars, and recordings."""
        gone = (Occurrence.State.CANCELLED, Occurrence.State.EXPIRED)
        rows = self.gate.occurrences(Audience.VISITOR, Surface.PAGE)
        rows = rows.filter(end__gte=self.facts.now).exclude(state__in=gone)
        counts = rows.order_by().values("meeting__kind").annotate(n=Count("pk"))
        found = {str(row["meeting__kind"]): row["n"] for row in counts}
        if Kind.RECORDING in self.choice.kinds:
            films = self.gate.recordings(Audience.VISITOR, Surface.PAGE)
            found[Kind.RECORDING.value] = films.count()
        return found

    @cached_property
    def totals(self) -> dict[str, int]:
        """What Zoom says it has, by kind; kinds that were not asked for lack."""
        sums: dict[str, int] = {}
        for totals in self._totals():
            for kind, n in (totals or {}).items():
                sums[kind] = sums.get(kind, 0) + int(n or 0)
        if self.is_fetched(Kind.RECORDING):
            # The listing answers for a month only; of what is fetched we know all.
            films = Recording.objects.filter(host__in=self._rows(), removed_at=None)
            sums[Kind.RECORDING.value] = films.count()
        return sums

    @cached_property
    def asking(self) -> int:
        """Fetched meetings that ask for registration."""
        rows = Meeting.objects.filter(host__in=self._rows(), removed_at=None)
        return rows.filter(approval_type__in=(0, 1)).count()

    def _totals(self) -> list[dict[str, int]]:
        """What Zoom has said of each host. The panel has read the stored ones for its list."""
        if self is self.facts.__dict__.get("outlook"):
            return [host.totals for host in self.facts.ticked]
        return list(self._rows().values_list("totals", flat=True))

    def is_fetched(self, kind: Kind) -> bool:
        """Everything of this kind and these hosts is stored here."""
        choice, account = self.facts.choice, self.facts.account
        if account is None or choice.configured_at is None or account.reconciled_at is None:
            return False
        run = self.facts.open_run
        if run is not None and run.mode == SyncRun.Mode.BACKFILL:
            return False
        return kind in choice.kinds and self.hosts <= self.facts.stored_hosts

    @property
    def is_partial(self) -> bool:
        """Some of what is switched on is still to be fetched."""
        return any(not self.is_fetched(kind) for kind in self.choice.kinds)

    def count_missing(self) -> bool:
        """Have the worker ask Zoom how much the ticked hosts have, where nobody has asked yet.

        Whether an answer is on its way; asked for again only after a while.
        """
        grant, account = self.facts.grant, self.facts.account
        if grant is None or account is None or account.is_quarantined:
            return False
        if grant.state != GrantState.CONNECTED or self.choice.needs_confirmation:
            return False
        rows = self._rows()
        allowed = {kind.value for kind in Kind} - set(grant.missing_kinds or [])
        lacking = [pk for pk, totals in rows.values_list("pk", "totals") if allowed - set(totals)]
        if not lacking:
            return False
        lacking = sorted(lacking)[:COUNTED_AT_ONCE]
        key = f"wagtail_zoom.count.{account.pk}.{'-'.join(map(str, lacking))}"
        asked = cache.get(key)
        if asked is None:
            cache.set(key, timezone.now().timestamp(), 10 * COUNTING)
            enqueue("count_hosts", account.pk, *lacking)
            return True
        return timezone.now().timestamp() - asked < COUNTING

    def _rows(self) -> Any:
        return offered_hosts(self.choice).order_by().filter(pk__in=self.hosts)
