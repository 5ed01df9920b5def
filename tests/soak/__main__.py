"""``make soak MINUTES=30``: random changes, faults and kills; then the rows are compared."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from types import FrameType

from .ground import installation

SETTLE = 240
"""Seconds that the end may take: leases run out, retries come due."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=None, help="the same dice again")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--redis", default="", help="address of a Redis: broker and cache")
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave logs and database behind")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"Soak: {given.minutes:g} minutes on {given.database}, "
          f"{'Redis' if given.redis else 'ORM'} broker, seed {seed}.", flush=True)  # fmt: skip
    signal.signal(signal.SIGTERM, _end)
    with installation(given.database, given.redis, keep=given.keep) as ground:
        from .run import Soak

        soak = Soak(ground.stage, random.Random(seed))
        soak.prepare()
        soak.shake(given.minutes * 60, kills=not given.no_kills, faults=not given.no_faults)
        soak.settle(SETTLE)
        ground.good = soak.report()
    return 0 if ground.good else 1


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
