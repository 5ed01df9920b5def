"""``make soak MINUTES=30``: random changes, faults and kills; then all rows are compared."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from types import FrameType

from .installation import installation

FINISH_SECONDS = 240
"""Seconds allowed for finishing: leases expire, retries become due."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=None, help="seed of the random numbers")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--redis", default="", help="URL of a Redis: broker and cache")
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave logs and database behind")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"Soak: {options.minutes:g} minutes on {options.database}, "
          f"{'Redis' if options.redis else 'ORM'} broker, seed {seed}.", flush=True)  # fmt: skip
    signal.signal(signal.SIGTERM, _end)
    with installation(options.database, options.redis, keep=options.keep) as installed:
        from .run import Soak

        soak = Soak(installed.processes, random.Random(seed))
        soak.prepare()
        soak.run(options.minutes * 60, kills=not options.no_kills, faults=not options.no_faults)
        soak.finish(FINISH_SECONDS)
        installed.good = soak.report()
    return 0 if installed.good else 1


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
