"""``python demo_site/manage.py <command>``: Django's commands on the demo's database."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run a command; imports start from the project root, not from this folder."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo_site.settings"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
