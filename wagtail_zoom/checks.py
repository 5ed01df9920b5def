"""System checks: report each missing or wrong setting, with the value to use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from .conf import settings

UNRELEASED_MIGRATION = "0002_transcript"
"""Applied only in databases from before the first release, whose 0001 created other tables."""


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """``WAGTAIL_ZOOM``: missing, wrong and unknown values."""
    return [*_app_settings(), *_urls(), *_keys(), *_unknown()]


@register(Tags.compatibility)
def check_queue(**kwargs: Any) -> list[CheckMessage]:
    """``Q_CLUSTER``: the values with which django-q2 neither repeats nor loses work."""
    cluster = getattr(django_settings, "Q_CLUSTER", None)
    if not cluster:
        example = (
            '{"orm": "default", "workers": 2, "timeout": 120, "retry": 600, "queue_limit": 4, '
            '"bulk": 1, "max_attempts": 3, "catch_up": False, "poll": 0.1, "save_limit": 250}'
        )
        return [
            Error(
                "Q_CLUSTER is not set: nothing would ever be fetched from Zoom.",
                hint=f"Add to your settings: Q_CLUSTER = {example}",
                id="wagtail_zoom.E020",
            )
        ]
    return list(_queue_cluster(cluster))


@register(Tags.compatibility)
def check_installed(**kwargs: Any) -> list[CheckMessage]:
    """Required apps in ``INSTALLED_APPS``."""
    needed = ("django_q", "wagtail.contrib.settings")
    missing = [name for name in needed if name not in _installed()]
    return [
        Error(
            f"{name!r} is missing from INSTALLED_APPS.",
            hint=f"Add {name!r} beside 'wagtail_zoom'.",
            id="wagtail_zoom.E030",
        )
        for name in missing
    ]


@register(Tags.security, deploy=True)
def check_deploy(**kwargs: Any) -> list[CheckMessage]:
    """Requirements of a public server."""
    warnings: list[CheckMessage] = []
    if settings.base_url and not settings.base_url.startswith("https://"):
        warnings.append(
            Warning(
                "WAGTAIL_ZOOM['BASE_URL'] does not start with https://.",
                hint="Zoom accepts https redirect and event URLs only.",
                id="wagtail_zoom.W040",
            )
        )
    backend = django_settings.CACHES.get("default", {}).get("BACKEND", "")
    if backend.endswith("LocMemCache"):
        warnings.append(
            Warning(
                "The default cache is local to each process.",
                hint="Limits on sign-ups count per process then. Use Redis or the database cache.",
                id="wagtail_zoom.W041",
            )
        )
    return warnings


@register(Tags.database)
def check_queue_permissions(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Users who may edit the queue's tables can run code in the worker (``check --database``)."""
    names = queue_editors() if databases else []
    return [
        Warning(
            f"May edit django-q2's tables, and so run any code in the worker: {name}.",
            hint="Take the rights to add and to change schedules and queued tasks away.",
            id="wagtail_zoom.W050",
        )
        for name in names
    ]


@register(Tags.database)
def check_schema(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Tables from before the first release (``migrate``, ``check --database default``)."""
    from django.db import DatabaseError, connections
    from django.db.migrations.recorder import MigrationRecorder

    errors: list[CheckMessage] = []
    for alias in databases or []:
        try:
            applied = MigrationRecorder(connections[alias]).applied_migrations()
        except DatabaseError:
            continue  # The connection itself is the problem; Django reports it.
        if ("wagtail_zoom", UNRELEASED_MIGRATION) in applied:
            errors.append(
                Error(
                    f"The wagtail_zoom tables in the database {alias!r} were created by a version "
                    "before the first release. They cannot be upgraded.",
                    hint="Use a new database, or drop the tables whose names begin with "
                    "'wagtail_zoom_', delete the rows of 'wagtail_zoom' from 'django_migrations' "
                    "and run 'manage.py migrate' again. Demo: run 'make demo-reset'.",
                    id="wagtail_zoom.E040",
                )
            )
    return errors


def queue_editors() -> list[str]:
    """Groups and users, except superusers, that may add or change schedules or queued tasks.

    A schedule names the function that the worker calls, and a queued task is a pickle.
    """
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group, Permission
    from django.db import DatabaseError

    permissions = Permission.objects.filter(
        content_type__app_label="django_q",
        codename__in=[
            f"{action}_{model}" for action in ("add", "change") for model in ("schedule", "ormq")
        ],
    )
    user_model = get_user_model()
    users = user_model._default_manager.filter(user_permissions__in=permissions, is_superuser=False)
    groups = Group.objects.filter(permissions__in=permissions)
    try:
        names = [str(group) for group in groups.distinct().order_by("name")]
        return names + [str(user) for user in users.distinct().order_by("pk")]
    except DatabaseError:
        return []  # before the first migrate


def _installed() -> set[str]:
    from django.apps import apps

    return {config.name for config in apps.get_app_configs()}


def _app_settings() -> Iterator[CheckMessage]:
    needed = {
        "CLIENT_ID": "the client ID of your app in the Zoom Marketplace",
        "CLIENT_SECRET": "the client secret of that app",
        "WEBHOOK_SECRET_TOKENS": "a list with the app's secret token (Feature, Access)",
        "BASE_URL": "the canonical origin of this installation, such as 'https://cms.example.org'",
    }
    for number, (name, meaning) in enumerate(needed.items(), start=1):
        if not settings.get(name):
            yield Error(
                f"WAGTAIL_ZOOM[{name!r}] is missing.",
                hint=f"Set it to {meaning}.",
                id=f"wagtail_zoom.E00{number}",
            )
    if isinstance(settings.get("WEBHOOK_SECRET_TOKENS"), str):
        yield Error(
            "WAGTAIL_ZOOM['WEBHOOK_SECRET_TOKENS'] is a text, not a list.",
            hint="Write it as a list, newest secret first: ['the secret token'].",
            id="wagtail_zoom.E005",
        )


def _urls() -> Iterator[CheckMessage]:
    for number, name in enumerate(("BASE_URL", "OAUTH_URL", "API_URL"), start=6):
        value = str(settings.get(name))
        parts = urlsplit(value)
        wrong = parts.scheme not in ("http", "https") or not parts.netloc
        if value and (wrong or (name == "BASE_URL" and parts.path not in ("", "/"))):
            yield Error(
                f"WAGTAIL_ZOOM[{name!r}] is not an absolute address.",
                hint="Write scheme and host, for BASE_URL nothing after them.",
                id=f"wagtail_zoom.E00{number}",
            )
    if not 0 < settings.rate_share <= 1:
        yield Error(
            "WAGTAIL_ZOOM['RATE_SHARE'] must be above 0 and at most 1.",
            hint="0.5 leaves half of the account's rate limit to other apps.",
            id="wagtail_zoom.E009",
        )


def _keys() -> Iterator[CheckMessage]:
    keys = settings.get("ENCRYPTION_KEYS")
    if not keys and not django_settings.DEBUG:
        yield Error(
            "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is missing: Zoom's tokens cannot be stored.",
            hint=f"Paste this fresh key and keep it safe: ['{Fernet.generate_key().decode()}']",
            id="wagtail_zoom.E010",
        )
    if isinstance(keys, str):
        yield Error(
            "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is a text, not a list.",
            hint="Write it as a list, newest key first.",
            id="wagtail_zoom.E011",
        )
        return
    for key in keys:
        try:
            Fernet(key)
        except (ValueError, TypeError):
            yield Error(
                "A key in WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is no Fernet key.",
                hint=f"A key has 44 characters. Here is one: {Fernet.generate_key().decode()}",
                id="wagtail_zoom.E012",
            )
    if django_settings.SECRET_KEY in keys:
        yield Error(
            "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] holds the SECRET_KEY.",
            hint="Use a key of its own: SECRET_KEY changes for other reasons.",
            id="wagtail_zoom.E013",
        )


def _unknown() -> Iterator[CheckMessage]:
    if not isinstance(getattr(django_settings, "WAGTAIL_ZOOM", {}), dict):
        yield Error(
            "WAGTAIL_ZOOM is not a dict.",
            hint="WAGTAIL_ZOOM = {'CLIENT_ID': '...', ...}",
            id="wagtail_zoom.E014",
        )
    for name in settings.unknown_keys:
        yield Error(
            f"WAGTAIL_ZOOM has the unknown key {name!r}.",
            hint="Look for a typing slip; the settings are listed in docs/reference/settings.md.",
            id="wagtail_zoom.E015",
        )


def _queue_cluster(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 60)
    workers = max(1, int(cluster.get("workers") or 2))
    queued = int(cluster.get("queue_limit") or workers**2) + int(cluster.get("bulk") or 1)
    if not timeout:
        yield Error(
            "Q_CLUSTER has no 'timeout': a hanging task would hold a worker for ever.",
            hint="Set 'timeout' to 120 seconds.",
            id="wagtail_zoom.E021",
        )
    elif retry <= (minimum := int(timeout * (queued / workers + 1))):
        yield Warning(
            "Q_CLUSTER['retry'] is too short: waiting tasks would be run twice.",
            hint=f"With these values set it above {minimum} seconds.",
            id="wagtail_zoom.W022",
        )
    if not cluster.get("max_attempts"):
        yield Warning(
            "Q_CLUSTER has no 'max_attempts': a failing task would come back for ever.",
            hint="Set 'max_attempts' to 3.",
            id="wagtail_zoom.W023",
        )
    if cluster.get("poll", 0.2) > 0.2:
        yield Warning(
            "Q_CLUSTER['poll'] is slow: changes at Zoom show up later than they could.",
            hint="Set 'poll' to 0.1 seconds.",
            id="wagtail_zoom.W024",
        )
    if cluster.get("catch_up", True):
        yield Info(
            "Q_CLUSTER['catch_up'] is on: after a pause every missed minute is run again.",
            hint="Set 'catch_up' to False.",
            id="wagtail_zoom.I025",
        )
    alias = cluster.get("orm")
    if alias and not django_settings.DATABASES.get(alias, {}).get("CONN_MAX_AGE"):
        yield Warning(
            "The ORM broker opens a new database connection for every task.",
            hint=f"Set DATABASES[{alias!r}]['CONN_MAX_AGE'] to 600.",
            id="wagtail_zoom.W026",
        )
