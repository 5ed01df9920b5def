"""``python demo_site/hub/manage.py <command>``: Django's commands in the project of the hub."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run a command; imports start from the project root, not from this folder."""
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo_site.hub.settings"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
