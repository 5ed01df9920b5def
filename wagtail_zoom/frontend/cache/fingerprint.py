"""Fingerprints of what HTML depends on besides rows: templates, settings, translations and the
installed release. They are part of each cache key."""

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

TEMPLATE_FOLDERS = ("blocks", "registration")
SECRET_SETTINGS = ("CLIENT_SECRET", "WEBHOOK_SECRET_TOKENS", "ENCRYPTION_KEYS", "HEALTH_TOKEN")
"""Our settings that do not affect HTML. They are not part of any digest."""
DJANGO_SETTINGS = (
    "LANGUAGE_CODE", "TIME_ZONE", "USE_I18N", "FORMAT_MODULE_PATH", "USE_THOUSAND_SEPARATOR",
    "MEDIA_URL", "STATIC_URL", "DEBUG",
)  # fmt: skip
"""Django settings that affect times, numbers, URLs and words on a page."""

_translation_digests: dict[str, tuple[Any, str]] = {}


@cache
def template_source(name: str) -> str:
    """A template's source; empty when it cannot be read (another template engine)."""
    try:
        template = get_template(name)
    except TemplateDoesNotExist:
        return ""
    return str(getattr(getattr(template, "template", None), "source", ""))


@cache
def template_digest(name: str) -> str:
    """A short digest of one template."""
    return hashlib.sha256(template_source(name).encode()).hexdigest()[:16]


@cache
def fingerprint() -> str:
    """A digest of this release, the settings and all block templates, with the project's
    overrides."""
    root = Path(__file__).parents[2] / "templates"
    names = [
        path.relative_to(root).as_posix()
        for folder in TEMPLATE_FOLDERS
        for path in sorted((root / "wagtail_zoom" / folder).glob("*.html"))
    ]
    text = " ".join(
        [_package_version(), _settings_text(), _script_url(), *map(template_digest, names)]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _settings_text() -> str:
    """The settings as text, the same in every process."""
    package_values = {name: settings.get(name) for name in DEFAULTS if name not in SECRET_SETTINGS}
    django_values = {name: getattr(django_settings, name, None) for name in DJANGO_SETTINGS}
    return json.dumps([package_values, django_values], sort_keys=True, default=_json_default)


def _json_default(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def translations_digest(language: str | None) -> str:
    """A digest of all translations into a language, the project's own included, as this process
    has loaded them. A process that was started before a deploy still uses its old ones."""
    if not language or not django_settings.USE_I18N:
        return ""
    translation: Any = trans_real.translation(language)
    cached = _translation_digests.get(language)
    if cached is None or cached[0] is not translation:
        digest, catalogue = hashlib.sha256(), translation
        while catalogue is not None:
            pairs = getattr(catalogue, "_catalog", None) or {}
            for pair in sorted(map(repr, pairs.items())):
                digest.update(pair.encode())
            catalogue = getattr(catalogue, "_fallback", None)
        cached = _translation_digests[language] = (translation, digest.hexdigest()[:16])
    return cached[1]


def _script_url() -> str:
    """The URL of the form's script, which changes with its content in most projects."""
    try:
        return static("wagtail_zoom/registration.js")
    except ValueError:  # static files were collected without ours
        return ""


def _package_version() -> str:
    """The installed version; in development the time of the last change of the package."""
    try:
        installed = version("wagtail-zoom")
    except PackageNotFoundError:
        installed = ""
    if installed and not django_settings.DEBUG:
        return installed
    return str(max(path.stat().st_mtime for path in Path(__file__).parents[2].rglob("*.py")))


def clear_fingerprint(**kwargs: Any) -> None:
    """Read the templates again: one changed while the development server is running."""
    for function in (template_source, template_digest, fingerprint):
        function.cache_clear()
