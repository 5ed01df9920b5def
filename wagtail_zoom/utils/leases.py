"""Leases: which process works on a row.

A lease is acquired by one conditional UPDATE, so one of many processes gets it. It has an owner, so
that nobody extends or releases another's, and it expires, so that a killed process delays a row
only for a while.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

RELEASED: dict[str, Any] = {"lease_owner": "", "lease_until": None}
"""The columns of a row that nobody works on."""


class LeaseLost(Exception):
    """Another process has taken the row over."""


class Leased(models.Model):
    """A row on which one process works at a time."""

    lease_owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_leased(self) -> bool:
        """Whether a process was working on it when it was loaded."""
        return self.lease_until is not None and self.lease_until >= timezone.now()

    def set_lease(self, owner: str, duration: timedelta) -> None:
        """Acquire the lease of a new row, which is not saved yet."""
        self.lease_owner, self.lease_until = owner, timezone.now() + duration


def new_owner() -> str:
    """An id for the process that works on a row."""
    return str(uuid.uuid4())


def is_free(now: datetime, prefix: str = "") -> Q:
    """The condition that no process works on a row. ``prefix`` leads to the leased row."""
    return Q(**{f"{prefix}lease_until": None}) | Q(**{f"{prefix}lease_until__lt": now})


def acquire(
    rows: QuerySet[Any], duration: timedelta, now: datetime | None = None, **values: Any
) -> str:
    """Acquire those of these rows that are free, and set ``values``, in one statement.

    Returns:
        The id of the owner; empty if none was free.
    """
    now, owner = now or timezone.now(), new_owner()
    rows = rows.filter(is_free(now))  # guard: lease-in-force
    acquired = rows.update(lease_owner=owner, lease_until=now + duration, **values)
    return owner if acquired else ""


def extend(rows: QuerySet[Any], owner: str, duration: timedelta) -> bool:
    """Let a lease last longer from now on; False when another process has acquired the row."""
    return bool(rows.filter(lease_owner=owner).update(lease_until=timezone.now() + duration))


def release(rows: QuerySet[Any], owner: str, **values: Any) -> bool:
    """Release a lease and set ``values``; False when another process has acquired the row."""
    return bool(rows.filter(lease_owner=owner).update(**RELEASED, **values))
