"""``python -m benchmarks.prepare``: an empty database with every table."""

from __future__ import annotations

import django


def main() -> None:
    """Migrate."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
