"""Copies of the whole state of the simulator, to which tests return."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from .errors import ControlError
from .world import World


@dataclass
class Snapshot:
    """Everything that a reset deletes, in memory."""

    rows: sqlite3.Connection
    options: dict[str, Any]
    clock: tuple[float, float | None]
    random_state: Any
    faults: list[dict[str, Any]]
    limits: Any
    calls: list[dict[str, Any]]


class Snapshots:
    """The named snapshots of a simulator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._snapshots: dict[str, Snapshot] = {}

    def take(self, name: str) -> None:
        """Store the present state; an earlier snapshot of that name is replaced."""
        world = self.world
        with world.store.lock:
            self._snapshots[name] = Snapshot(
                rows=world.store.copy_to_memory(),
                options=world.options.dump(),
                clock=(world.clock.offset, world.clock.frozen),
                random_state=world.ids.random.getstate(),
                faults=world.faults.dump(),
                limits=world.limits.dump(),
                calls=world.recorder.dump(),
            )

    def restore(self, name: str) -> None:
        """Replace the present state by that snapshot; exchanges are not part of it."""
        snapshot, world = self._snapshots.get(name), self.world
        if snapshot is None:
            raise ControlError(f"no snapshot {name!r}")
        with world.store.lock:
            world.epoch += 1
            world.store.replace(snapshot.rows)
            world.options.update(snapshot.options)
            world.clock.offset, world.clock.frozen = snapshot.clock
            world.ids.random.setstate(snapshot.random_state)
            world.faults.load(snapshot.faults)
            world.limits.load(snapshot.limits)
            world.recorder.load(snapshot.calls)
        world.wake()
