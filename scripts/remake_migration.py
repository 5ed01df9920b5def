"""Write the one migration of the unreleased schema anew.

Until the first release there is a single ``0001_initial``; afterwards every change gets a
migration of its own and this script goes. It also makes the result independent of the Wagtail
version at hand and of the project's image model.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "wagtail_zoom/migrations/0001_initial.py"
OLDEST_CORE = "0078_referenceindex"


def portable(text: str) -> str:
    """Lower the dependency on Wagtail's core and follow the project's image model."""
    text = re.sub(r'\("wagtailcore", "\d{4}_\w+"\)', f'("wagtailcore", "{OLDEST_CORE}")', text)
    text = re.sub(
        r'\("wagtailimages", "\d{4}_\w+"\)',
        "migrations.swappable_dependency(get_image_model_string())",
        text,
    )
    text = text.replace('to="wagtailimages.image"', "to=get_image_model_string()")
    return text.replace(
        "\n\n\nclass Migration",
        "\nfrom wagtail.images import get_image_model_string\n\n\nclass Migration",
    )


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    TARGET.unlink(missing_ok=True)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("makemigrations", "wagtail_zoom", "--no-header")
    subprocess.run(["ruff", "format", "--isolated", "--line-length", "100", TARGET], check=True)
    TARGET.write_text(portable(TARGET.read_text()))


if __name__ == "__main__":
    main()
