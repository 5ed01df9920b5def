"""``python -m benchmarks.figure <name> [argument]``: one measurement in its own process."""

from __future__ import annotations

import importlib
import sys

import django


def main() -> None:
    """Prepare Django and call ``module.function``."""
    django.setup()
    module, _dot, function = sys.argv[1].partition(".")
    work = getattr(importlib.import_module(f"benchmarks.{module}"), function or "run")
    work(*[int(text) for text in sys.argv[2:]])


if __name__ == "__main__":
    main()
