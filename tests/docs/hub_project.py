"""The hub in a Django project of its own, made from the samples of ``docs/how-to/hub.md``."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/hub.md").read_text()
SECRETS = {
    "HUB_URL": "https://hub.example.org",
    "SECRET_KEY": "k" * 20 + "0123456789" * 4,
    "ZOOM_CLIENT_ID": "app",
    "ZOOM_CLIENT_SECRET": "secret",
    "ZOOM_WEBHOOK_TOKENS": "token",
    "ZOOM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}
(SIMULATOR,) = re.findall(r"^export DJANGO_SETTINGS_MODULE=(\S+)$", PAGE, re.MULTILINE)
"""Settings of the hub with the Zoom simulator; they need no environment."""


def samples(language: str) -> list[str]:
    """The samples of one language, in order."""
    matches = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(sample) for sample in matches]


def sample(part: str) -> str:
    """The Python sample that contains this text."""
    (code,) = [code for code in samples("python") if part in code]
    return code


def commands() -> list[list[str]]:
    """The words of each ``manage.py`` command."""
    lines = [line for sample in samples("console") for line in sample.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("python manage.py")]


def make_project(folder: Path) -> Path:
    """Start the project and replace its files, as the page says."""
    (start,) = re.findall(r"^django-admin (.*)$", PAGE, re.MULTILINE)
    subprocess.run([sys.executable, "-m", "django", *start.split()], cwd=folder, check=True)
    (folder / "zoomhub/settings.py").write_text(sample("BASE_DIR = "))
    (folder / "zoomhub/urls.py").write_text(sample("urlpatterns = "))
    (folder / "zoomhub/simulator.py").write_text(sample("from .settings import *"))
    return folder


def environment(settings: str = "") -> dict[str, str]:
    """The environment of a process of the hub, and nothing of this one's settings."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    extra = {"DJANGO_SETTINGS_MODULE": settings} if settings else SECRETS
    return {**keep, "PYTHONPATH": str(ROOT), **extra}


def run(project: Path, *arguments: str, settings: str = "", status: int = 0) -> str:
    """Run ``manage.py``; return its output, which is also the message of a failure."""
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stdout
    return result.stdout


def settings_of(text: str) -> dict[str, object]:
    """``WAGTAIL_ZOOM`` as printed by ``zoom_hub add``."""
    namespace: dict[str, dict[str, object]] = {}
    exec(text[text.index("WAGTAIL_ZOOM") :], namespace)  # noqa: S102 - our own sample
    return namespace["WAGTAIL_ZOOM"]
