"""What blocks are made of beside rows: templates, settings, translations, this release. Kept HTML
must not outlive a change of any."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.translation import trans_real

from ...conf import DEFAULTS, settings

FOLDERS = ("blocks", "registration")
SECRET = ("CLIENT_SECRET", "WEBHOOK_SECRET_TOKENS", "ENCRYPTION_KEYS", "HEALTH_TOKEN")
"""Settings of ours that no HTML follows from, and no digest should."""
OF_DJANGO = (
    "LANGUAGE_CODE", "TIME_ZONE", "USE_I18N", "FORMAT_MODULE_PATH", "USE_THOUSAND_SEPARATOR",
    "MEDIA_URL", "STATIC_URL", "DEBUG",
)  # fmt: skip
"""Django's settings that times, numbers, addresses and words on a page follow from."""

_catalogues: dict[str, tuple[Any, str]] = {}


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
    """A digest of this release, of the settings and of all templates of blocks, the project's own
    in their place."""
    root = Path(__file__).parents[2] / "templates"
    names = [
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in sorted((root / "wagtail_zoom" / folder).glob("*.html"))
    ]
    text = " ".join([_release(), _settings(), _script(), *map(digest_of, names)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _settings() -> str:
    """The settings as text, the same in every process."""
    ours = {name: settings.get(name) for name in DEFAULTS if name not in SECRET}
    theirs = {name: getattr(django_settings, name, None) for name in OF_DJANGO}
    return json.dumps([ours, theirs], sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def catalogue(language: str | None) -> str:
    """A digest of all translations into a language, the project's own among them, as this process
    has them: a process that was started before a deploy goes on speaking of its old ones."""
    if not language or not django_settings.USE_I18N:
        return ""
    found: Any = trans_real.translation(language)
    known = _catalogues.get(language)
    if known is None or known[0] is not found:
        digest, rest = hashlib.sha256(), found
        while rest is not None:
            pairs = getattr(rest, "_catalog", None) or {}
            for pair in sorted(map(repr, pairs.items())):
                digest.update(pair.encode())
            rest = getattr(rest, "_fallback", None)
        known = _catalogues[language] = (found, digest.hexdigest()[:16])
    return known[1]


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
    return str(max(path.stat().st_mtime for path in Path(__file__).parents[2].rglob("*.py")))


def clear_fingerprint(**kwargs: Any) -> None:
    """Read the templates anew: one was changed while the development server runs."""
    for each in (text_of, digest_of, fingerprint):
        each.cache_clear()
