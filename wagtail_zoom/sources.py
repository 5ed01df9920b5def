"""The templates that blocks are made of, as text: kept HTML must not outlive a new template."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.autoreload import file_changed

FOLDERS = ("blocks", "registration")


@cache
def text_of(name: str) -> str:
    """A template's source; empty when there is none to be had (another template engine)."""
    try:
        found = get_template(name)
    except TemplateDoesNotExist:
        return ""
    return str(getattr(getattr(found, "template", None), "source", ""))


@cache
def digest_of(name: str) -> str:
    """A short digest of one template."""
    return hashlib.sha256(text_of(name).encode()).hexdigest()[:16]


@cache
def fingerprint() -> str:
    """A digest of this release and of all templates of blocks, the project's own in their place."""
    root = Path(__file__).parent / "templates"
    names = [
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in sorted((root / "wagtail_zoom" / folder).glob("*.html"))
    ]
    text = " ".join([_release(), _script(), *map(digest_of, names)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _script() -> str:
    """The address of the form's script, which changes with its content in most projects."""
    try:
        return static("wagtail_zoom/registration.js")
    except ValueError:  # collected without our files
        return ""


def _release() -> str:
    """The installed version; while the package itself is worked on, when that was done last."""
    try:
        found = version("wagtail-zoom")
    except PackageNotFoundError:
        found = ""
    if found and not django_settings.DEBUG:
        return found
    return str(max(path.stat().st_mtime for path in Path(__file__).parent.rglob("*.py")))


def forget(**kwargs: Any) -> None:
    """Read the templates anew: one was changed while the development server runs."""
    for each in (text_of, digest_of, fingerprint):
        each.cache_clear()


file_changed.connect(forget, dispatch_uid="wagtail_zoom.sources")
setting_changed.connect(forget, dispatch_uid="wagtail_zoom.sources")
