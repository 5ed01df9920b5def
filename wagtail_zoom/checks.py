"""System checks: report each missing or wrong setting, with the value to use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, TypeVar

from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Node, Template
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from django.urls.resolvers import LocalePrefixPattern

from .conf import settings
from .utils.urls import split_url

UNRELEASED_MIGRATION = "0002_transcript"
"""Applied only in databases from before the first release, whose 0001 created other tables."""
PUBLIC_FRAME = "wagtail_zoom/public/base.html"
PUBLIC_BLOCK = "zoom_content"
"""The template that a project overrides, and the block that our public pages fill."""
N = TypeVar("N", bound=Node)


DOCS = "https://github.com/wagtail-zoom/wagtail-zoom/blob/main/docs/"
"""The documentation is not part of the wheel."""


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """``WAGTAIL_ZOOM``: missing, wrong and unknown values."""
    return [*_app_settings(), *_urls(), *_keys(), *_unknown(), *_values()]


@register(Tags.compatibility)
def check_queue(**kwargs: Any) -> list[CheckMessage]:
    """``Q_CLUSTER``: the values with which django-q2 neither repeats nor loses work.

    Only warnings: the queue may be the project's own, and its other commands have to run.
    """
    cluster = getattr(django_settings, "Q_CLUSTER", None)
    if not cluster:
        example = (
            '{"orm": "default", "workers": 2, "timeout": 120, "retry": 600, "queue_limit": 4, '
            '"bulk": 1, "max_attempts": 3, "catch_up": False, "poll": 0.1, "save_limit": 250}'
        )
        return [
            Warning(
                "Q_CLUSTER is not set: nothing would ever be fetched from Zoom.",
                hint=f"Add to your settings: Q_CLUSTER = {example}",
                id="wagtail_zoom.W020",
            )
        ]
    if cluster.get("sync"):
        return [
            Info(
                "Q_CLUSTER['sync'] is on: tasks run inside requests, and no scheduled job runs.",
                hint="Leave it out where Zoom is connected.",
                id="wagtail_zoom.I019",
            )
        ]
    return [*_queue_cluster(cluster), *_queue_scheduler(cluster), *_queue_database(cluster)]


@register(Tags.urls)
def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """The line in the project's ``urls.py``."""
    line = 'path("zoom/", include("wagtail_zoom.urls"))'
    try:
        reverse("wagtail_zoom:webhook")
    except NoReverseMatch:
        return [
            Warning(
                "The URLs of wagtail_zoom are not in the project's urls.py: the Zoom panel, Zoom's "
                "webhooks and all links to join fail.",
                hint=f"Add this line above that of Wagtail's pages: {line}.",
                id="wagtail_zoom.W031",
            )
        ]
    if any(
        isinstance(entry, URLResolver)
        and isinstance(entry.pattern, LocalePrefixPattern)
        and "wagtail_zoom" in entry.namespace_dict
        for entry in get_resolver().url_patterns
    ):
        return [
            Error(
                "The URLs of wagtail_zoom are inside i18n_patterns: Zoom's webhooks are redirected "
                "to a language, and Zoom follows no redirect.",
                hint=f"Move the line out of i18n_patterns, into the list before them: {line}.",
                id="wagtail_zoom.E033",
            )
        ]
    return []


@register(Tags.compatibility)
def check_time_zones(**kwargs: Any) -> list[CheckMessage]:
    """Dates have time zones of their own."""
    if django_settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False: wagtail_zoom cannot compare the times that Zoom sends.",
            hint="Set USE_TZ = True.",
            id="wagtail_zoom.E032",
        )
    ]


@register(Tags.compatibility)
def check_databases(**kwargs: Any) -> list[CheckMessage]:
    """Connections: locks of SQLite, connections that are never closed, pools that are shared.

    Web server and worker may have different settings, so what concerns the worker alone is said
    when it starts.
    """
    from django.apps import apps
    from django.db import router

    aliases = {router.db_for_write(apps.get_model("wagtail_zoom", "ZoomSettings"))}
    if alias := (getattr(django_settings, "Q_CLUSTER", None) or {}).get("orm"):
        aliases.add(alias)
    messages: list[CheckMessage] = []
    for alias in sorted(aliases & set(django_settings.DATABASES)):
        database = django_settings.DATABASES[alias]
        is_sqlite = database["ENGINE"].endswith("sqlite3")
        stays_open = database.get("CONN_MAX_AGE", 0) != 0 and not is_sqlite
        if is_sqlite and not _waits_for_locks(database.get("OPTIONS", {})):
            messages.append(
                Warning(
                    f'SQLite answers "database is locked" when web server and worker write to '
                    f"the database {alias!r} at the same time.",
                    hint=f"Set DATABASES[{alias!r}]['OPTIONS'] = "
                    '{"timeout": 20, "transaction_mode": "IMMEDIATE"}.',
                    id="wagtail_zoom.W042",
                )
            )
        if _is_worker() and database.get("OPTIONS", {}).get("pool"):
            messages.append(
                Warning(
                    f"DATABASES[{alias!r}] has a pool, which the processes of the worker would "
                    "share: their queries get the answers of others.",
                    hint="Give the worker CONN_MAX_AGE = 600 instead of a pool "
                    f"({DOCS}how-to/production.md#connections).",
                    id="wagtail_zoom.W044",
                )
            )
        if stays_open and _is_asgi() and not _is_worker():
            messages.append(
                Warning(
                    f"DATABASES[{alias!r}]['CONN_MAX_AGE'] is set, and the project runs under "
                    "ASGI: each request opens a connection that stays open, until the database "
                    "refuses new ones.",
                    hint="Leave CONN_MAX_AGE out. With PostgreSQL, use OPTIONS = {'pool': True}.",
                    id="wagtail_zoom.W043",
                )
            )
    return messages


def _waits_for_locks(options: dict[str, Any]) -> bool:
    mode = str(options.get("transaction_mode") or "").upper()
    return mode in ("IMMEDIATE", "EXCLUSIVE") and float(options.get("timeout", 5)) >= 10


def _is_worker() -> bool:
    return "qcluster" in sys.argv


def _is_asgi() -> bool:
    """Whether the settings say so. Uvicorn and others need no setting."""
    return bool(getattr(django_settings, "ASGI_APPLICATION", None)) or "daphne" in _installed()


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


@register(Tags.templates)
def check_public_frame(**kwargs: Any) -> list[CheckMessage]:
    """A project's frame around our public pages has room for them."""
    try:
        frame = getattr(get_template(PUBLIC_FRAME), "template", None)
        if not isinstance(frame, Template) or PUBLIC_BLOCK in _block_names(frame, {PUBLIC_FRAME}):
            return []
    except (TemplateDoesNotExist, TemplateSyntaxError):
        return []  # The page itself shows it.
    return [
        Warning(
            f"{PUBLIC_FRAME} has no block {PUBLIC_BLOCK!r}: the pages for registering, joining and "
            "watching are empty.",
            hint=f"Put {{% block {PUBLIC_BLOCK} %}}{{% endblock %}} where their content belongs.",
            id="wagtail_zoom.W034",
        )
    ]


def _block_names(template: Template, seen: set[str]) -> set[str]:
    """The blocks of a template and of those that it extends."""
    names = {node.name for node in _nodes(template, BlockNode)}
    for node in _nodes(template, ExtendsNode):
        parent = getattr(node.parent_name, "var", None)
        if parent in seen:  # It extends our own one of the same name.
            names.add(PUBLIC_BLOCK)
        elif isinstance(parent, str):
            # Of the same engine, as when it is rendered; another engine may have that name, too.
            names |= _block_names(template.engine.get_template(parent), seen | {parent})
    return names


def _nodes(template: Template, node_type: type[N]) -> list[N]:
    nodes = template.nodelist.get_nodes_by_type(node_type)
    return [node for node in nodes if isinstance(node, node_type)]


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
                hint="Each process then renders every block for itself. Use Redis or the database "
                "cache.",
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
        "WEBHOOK_SECRET_TOKENS": "a list with the app's secret token (Features > Access)",
        "BASE_URL": "the canonical origin of this installation, such as 'https://cms.example.org'",
    }
    # Only warnings: a project's CI has no secrets and has to migrate.
    for number, (name, meaning) in enumerate(needed.items(), start=1):
        if _is_blank(settings.get(name)):
            yield Warning(
                f"WAGTAIL_ZOOM[{name!r}] is missing.",
                hint=f"Set it to {meaning}.",
                id=f"wagtail_zoom.W00{number}",
            )
    tokens = settings.get("WEBHOOK_SECRET_TOKENS")
    if isinstance(tokens, str) and not _is_blank(tokens):
        yield Error(
            "WAGTAIL_ZOOM['WEBHOOK_SECRET_TOKENS'] must be a list, not a string.",
            hint="Write it as a list, newest secret first: ['the secret token'].",
            id="wagtail_zoom.E005",
        )


def _is_blank(value: Any) -> bool:
    """As a variable of the environment that is not set leaves it, split into a list or not."""
    return not value or (isinstance(value, list | tuple) and not any(value))


def _urls() -> Iterator[CheckMessage]:
    for number, name in enumerate(("BASE_URL", "OAUTH_URL", "API_URL"), start=6):
        value = str(settings.get(name) or "")
        parts = split_url(value)
        wrong = parts.scheme not in ("http", "https") or not parts.netloc
        if value and (wrong or (name == "BASE_URL" and parts.path not in ("", "/"))):
            yield Error(
                f"WAGTAIL_ZOOM[{name!r}] is not a valid URL here.",
                hint="Write scheme and hostname, such as 'https://cms.example.org'.",
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
    if _is_blank(keys):
        if not django_settings.DEBUG:
            yield Warning(
                "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is missing: Zoom's tokens cannot be stored.",
                hint=f"Paste this fresh key and keep it safe: ['{Fernet.generate_key().decode()}']",
                id="wagtail_zoom.W010",
            )
        return
    if isinstance(keys, str):
        yield Error(
            "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] must be a list, not a string.",
            hint="Write it as a list, newest key first.",
            id="wagtail_zoom.E011",
        )
        return
    for key in keys:
        try:
            Fernet(key)
        except (ValueError, TypeError):
            yield Error(
                "A key in WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is not a valid Fernet key.",
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
            hint=f"Check for a typo; the settings are listed at {DOCS}reference/settings.md.",
            id="wagtail_zoom.E015",
        )


def _values() -> Iterator[CheckMessage]:
    """Values for which the default is used at run time, because a visitor is waiting."""
    for problem in settings.registration_limit_problems:
        yield Error(
            problem,
            hint="Write for instance {'network': (60, 600)}: at most 60 times in 600 seconds.",
            id="wagtail_zoom.E016",
        )
    for problem in settings.trusted_proxy_problems:
        yield Error(
            problem,
            hint="Write a list of addresses or networks such as ['10.0.0.0/8'], or 'unix'.",
            id="wagtail_zoom.E017",
        )
    for name in settings.malformed_numbers:
        yield Error(
            f"WAGTAIL_ZOOM[{name!r}] is not a number.",
            hint="Write a number, or leave it out to use the default.",
            id="wagtail_zoom.E018",
        )
    if not isinstance(settings.get("FORM_ORIGINS"), list | tuple | set):
        yield Error(
            "WAGTAIL_ZOOM['FORM_ORIGINS'] must be a list.",
            hint="Write a list of origins such as ['https://www.example.org'].",
            id="wagtail_zoom.E019",
        )


def _queue_cluster(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 60)
    workers = max(1, int(cluster.get("workers") or 2))
    bulk = int(cluster.get("bulk") or 1)
    queue_limit = int(cluster.get("queue_limit") or workers**2)
    if not timeout:
        yield Warning(
            "Q_CLUSTER has no 'timeout': a hanging task would hold a worker for ever.",
            hint="Set 'timeout' to 120 seconds.",
            id="wagtail_zoom.W021",
        )
    elif retry <= _longest_wait(timeout, queue_limit + bulk, workers):
        limit = min(queue_limit, 2 * workers)
        minimum = max(retry, int(_longest_wait(timeout, limit + bulk, workers)) + 1)
        yield Warning(
            "Q_CLUSTER['retry'] is too short: tasks that wait for a free worker are run twice.",
            hint=f"Set 'queue_limit' to {limit} and 'retry' to {minimum} seconds or more.",
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


def _longest_wait(timeout: float, queued: int, workers: int) -> float:
    """Seconds until the last of the tasks that a cluster has taken is done: ``retry`` counts from
    when they are taken."""
    return timeout * (queued / workers + 1)


def _queue_scheduler(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    """Only the cluster whose name is that of the queue runs our schedule and our tasks."""
    name = cluster.get("name", "default")
    if not cluster.get("scheduler", True):
        yield Warning(
            "Q_CLUSTER['scheduler'] is off: the job that runs every minute never runs.",
            hint="Leave 'scheduler' out.",
            id="wagtail_zoom.W027",
        )
    if cluster.get("cluster_name", name) != name:
        yield Warning(
            "Q_CLUSTER['cluster_name'] is not its 'name': such a cluster runs no schedule without "
            "a cluster, so the job that runs every minute never runs.",
            hint="Leave 'cluster_name' out, and name further clusters in 'ALT_CLUSTERS'.",
            id="wagtail_zoom.W028",
        )
    if cluster.get("ALT_CLUSTERS"):
        yield Info(
            "Q_CLUSTER has further clusters, which run none of wagtail_zoom's tasks.",
            hint="Run `manage.py qcluster` without a name beside them.",
            id="wagtail_zoom.I026",
        )


def _queue_database(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    from django.apps import apps
    from django.db import router

    alias = cluster.get("orm")
    if not alias:
        return
    if alias not in django_settings.DATABASES:
        yield Warning(
            f"Q_CLUSTER['orm'] is {alias!r}, which is not in DATABASES.",
            hint="Set 'orm' to 'default'.",
            id="wagtail_zoom.W029",
        )
        return
    database = django_settings.DATABASES[alias]
    has_pool = bool(database.get("OPTIONS", {}).get("pool"))
    is_concerned = _is_worker() or not _is_asgi()
    if database.get("CONN_MAX_AGE", 0) == 0 and not has_pool and is_concerned:
        yield Warning(
            "The ORM broker opens a new database connection for every task.",
            hint=f"Set DATABASES[{alias!r}]['CONN_MAX_AGE'] to 600; under ASGI for the worker only "
            f"({DOCS}how-to/production.md#connections).",
            id="wagtail_zoom.W026",
        )
    if not apps.is_installed("django_q"):
        return
    schedules = router.db_for_write(apps.get_model("django_q", "Schedule"))
    if schedules != alias:
        yield Warning(
            f"Q_CLUSTER['orm'] is {alias!r}, but django-q2's schedules are in the database "
            f"{schedules!r}: the scheduler fails every 30 seconds, and each job runs twice.",
            hint=f"Set 'orm' to {schedules!r}, or route the app 'django_q' to {alias!r} with a "
            "router in DATABASE_ROUTERS (django-q2 issue 293).",
            id="wagtail_zoom.W030",
        )
