"""``manage.py check`` reports each missing or wrong setting, with the value to use."""

import re
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.checks import WARNING
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.urls import include, path
from wagtail import urls as wagtail_urls

from wagtail_zoom.checks import (
    check_databases,
    check_deploy,
    check_installed,
    check_queue,
    check_settings,
    check_time_zones,
    check_urls,
)
from wagtail_zoom.conf import DEFAULTS
from wagtail_zoom.conf import settings as zoom_settings
from wagtail_zoom.exceptions import ZoomConfigurationError


def ids(messages):
    return {message.id.removeprefix("wagtail_zoom.") for message in messages}


def test_the_test_project_is_clean():
    checks = (check_settings, check_queue, check_installed, check_urls, check_databases)
    assert [message for check in checks for message in check()] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"CLIENT_ID": ""}, "W001"),
        ({"CLIENT_SECRET": ""}, "W002"),
        ({"WEBHOOK_SECRET_TOKENS": []}, "W003"),
        ({"BASE_URL": ""}, "W004"),
        ({"WEBHOOK_SECRET_TOKENS": "text"}, "E005"),
        ({"BASE_URL": "cms.example.org"}, "E006"),
        ({"BASE_URL": "https://cms.example.org/cms"}, "E006"),
        ({"OAUTH_URL": "zoom.us"}, "E007"),
        ({"API_URL": "ftp://api.zoom.us"}, "E008"),
        ({"RATE_SHARE": 0}, "E009"),
        ({"RATE_SHARE": 2}, "E009"),
        ({"ENCRYPTION_KEYS": []}, "W010"),
        ({"ENCRYPTION_KEYS": "text"}, "E011"),
        ({"ENCRYPTION_KEYS": ["short"]}, "E012"),
        ({"CLIENTID": "x"}, "E015"),
        ({"REGISTRATION_LIMITS": [("network", 1, 2)]}, "E016"),
        ({"REGISTRATION_LIMITS": None}, "E016"),
        ({"REGISTRATION_LIMITS": {"netwrok": (60, 600)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": 60}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": (60, 600, 1)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": ("60", 600)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": (0, 600)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": (60, -1)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": (True, 600)}}, "E016"),
        ({"REGISTRATION_LIMITS": {"network": (60, 10**9)}}, "E016"),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, "E017"),
        ({"TRUSTED_PROXIES": ["10.0.0.1", "10.0.0.0/99"]}, "E017"),
        ({"TRUSTED_PROXIES": ["proxy.example.org"]}, "E017"),
        ({"REGISTRATION_MAX_BYTES": "64 kB"}, "E018"),
        ({"READ_TIMEOUT": None}, "E018"),
        ({"FORM_ORIGINS": "https://www.example.org"}, "E019"),
    ],
)
def test_each_wrong_setting_is_reported(settings, change, expected):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **change}
    messages = [message for message in check_settings() if message.id.endswith(expected)]
    assert messages and all(message.hint for message in messages)


def test_right_limits_and_proxies_are_not_reported(settings):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "REGISTRATION_LIMITS": {"network": [1, 1], "address": (5, 86400)},
        "TRUSTED_PROXIES": ("unix", "10.0.0.0/8", "2001:db8::/32", "192.0.2.7"),
        "REGISTRATION_SECONDS": "2.5",
    }
    assert check_settings() == []
    assert zoom_settings.registration_limits["network"] == (1, 1)
    assert zoom_settings.registration_limits["site"] == (6000, 60)


def test_secret_key_is_no_encryption_key(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [settings.SECRET_KEY]}
    assert "E013" in ids(check_settings())


def test_not_a_dict(settings):
    settings.WAGTAIL_ZOOM = ["CLIENT_ID"]
    assert "E014" in ids(check_settings())


def test_key_is_derived_only_under_debug(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": []}
    with pytest.raises(ZoomConfigurationError):
        _ = zoom_settings.encryption_keys
    settings.DEBUG = True
    assert len(zoom_settings.encryption_keys) == 1
    assert "W010" not in ids(check_settings())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timeout": None}, "W021"),
        ({"retry": 130}, "W022"),
        ({"max_attempts": 0}, "W023"),
        ({"poll": 2}, "W024"),
        ({"catch_up": True}, "I025"),
        ({"scheduler": False}, "W027"),
        ({"cluster_name": "fast"}, "W028"),
        ({"name": "site", "cluster_name": "fast"}, "W028"),
        ({"ALT_CLUSTERS": {"fast": {"timeout": 30}}}, "I026"),
        ({"orm": "elsewhere"}, "W029"),
    ],
)
def test_each_wrong_queue_value_is_reported(settings, change, expected):
    """Q1, Q2: values with which django-q2 repeats or loses work."""
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert expected in ids(check_queue())


def test_a_missing_queue_is_reported(settings):
    settings.Q_CLUSTER = {}
    assert ids(check_queue()) == {"W020"}


NEIGHBOURS = {
    "inline": {"sync": True},
    "no timeout": {"name": "site", "orm": "default"},
    "no values": {"orm": "default"},
    # The sample of django-q2's documentation.
    "sample": {
        "name": "myproject", "workers": 8, "recycle": 500, "timeout": 60, "compress": True,
        "save_limit": 250, "queue_limit": 500, "cpu_affinity": 1, "label": "Django Q2",
        "redis": {"host": "127.0.0.1", "port": 6379, "db": 0},
    },
    "none": None,
}  # fmt: skip


@pytest.mark.parametrize("cluster", NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_no_queue_of_the_project_stops_its_commands(settings, cluster):
    """Other apps may have configured it; ``migrate`` has to run all the same."""
    settings.Q_CLUSTER = cluster
    messages = check_queue()
    assert messages and max(message.level for message in messages) <= WARNING


def test_the_advice_for_a_long_queue_can_be_followed(settings):
    """Not a retry of an hour: a shorter queue, and what then suffices."""
    settings.Q_CLUSTER = NEIGHBOURS["sample"]
    (message,) = [message for message in check_queue() if message.id.endswith("W022")]
    limit, retry = map(int, re.findall(r"\d+", message.hint))
    assert limit == 16 and retry < 300
    settings.Q_CLUSTER = {**NEIGHBOURS["sample"], "queue_limit": limit, "retry": retry}
    assert "W022" not in ids(check_queue())


def test_queue_names_of_the_project_are_not_reported(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "name": "site", "cluster_name": "site"}
    assert check_queue() == []


MISSING = (
    {},
    dict.fromkeys(("CLIENT_ID", "CLIENT_SECRET", "BASE_URL"), ""),
    # What a variable that is not set leaves, as text, split, and as None.
    {"CLIENT_ID": None, "BASE_URL": None, "ENCRYPTION_KEYS": "", "WEBHOOK_SECRET_TOKENS": ""},
    {"ENCRYPTION_KEYS": [""], "WEBHOOK_SECRET_TOKENS": [""]},
    {"ENCRYPTION_KEYS": [], "WEBHOOK_SECRET_TOKENS": ()},
)


@pytest.mark.django_db
@pytest.mark.parametrize("values", MISSING)
def test_missing_secrets_stop_no_command(settings, values):
    """A project's CI has none; it migrates and runs its tests."""
    settings.WAGTAIL_ZOOM = values
    assert ids(check_settings()) == {"W001", "W002", "W003", "W004", "W010"}
    silent = {"verbosity": 0, "stderr": StringIO(), "stdout": StringIO()}
    call_command("check", **silent)
    call_command("migrate", skip_checks=False, **silent)


@pytest.fixture
def database(settings):
    """Changes values of the default database for one test."""
    row = settings.DATABASES["default"]
    before = dict(row)
    yield row
    row.clear()
    row.update(before)


POSTGRESQL = "django.db.backends.postgresql"


@pytest.mark.parametrize(
    ("values", "asgi", "expected"),
    [
        ({"CONN_MAX_AGE": 0}, False, {"W026"}),
        ({"CONN_MAX_AGE": None}, False, set()),
        ({"CONN_MAX_AGE": 600}, False, set()),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 600, "OPTIONS": {}}, False, set()),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 600, "OPTIONS": {}}, True, {"W043"}),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": None, "OPTIONS": {}}, True, {"W043"}),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 0, "OPTIONS": {}}, True, set()),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}, False, set()),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": {}}}, False, {"W026"}),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}, True, set()),
        ({"OPTIONS": {}}, False, {"W042"}),
        ({"OPTIONS": {"timeout": 20}}, False, {"W042"}),
        ({"OPTIONS": {"transaction_mode": "IMMEDIATE"}}, False, {"W042"}),
        ({"OPTIONS": {"transaction_mode": "DEFERRED", "timeout": 20}}, False, {"W042"}),
        ({"OPTIONS": {"transaction_mode": "immediate", "timeout": 20}}, False, set()),
        ({"OPTIONS": {"transaction_mode": "EXCLUSIVE", "timeout": 30}}, True, set()),
    ],
)
def test_connections_of_each_kind_of_server(settings, database, values, asgi, expected):
    database.update(values)
    settings.ASGI_APPLICATION = "site.asgi.application" if asgi else None
    messages = [*check_queue(), *check_databases()]
    assert ids(messages) == expected
    assert all(message.hint for message in messages)


@pytest.mark.parametrize("asgi", [False, True])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"CONN_MAX_AGE": 600, "OPTIONS": {}}, set()),
        ({"CONN_MAX_AGE": 0, "OPTIONS": {}}, {"W026"}),
        ({"CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}, {"W044"}),
    ],
)
def test_connections_of_the_worker(settings, database, monkeypatch, values, expected, asgi):
    """It forks, and has no request that closes connections; its settings may differ."""
    monkeypatch.setattr("sys.argv", ["manage.py", "qcluster"])
    database.update({"ENGINE": POSTGRESQL, **values})
    settings.ASGI_APPLICATION = "site.asgi.application" if asgi else None
    assert ids([*check_queue(), *check_databases()]) == expected


class RouteQueue:
    """Puts django-q2's tables into another database."""

    def db_for_write(self, model, **hints):
        return "queue" if model._meta.app_label == "django_q" else None

    db_for_read = db_for_write


def test_a_queue_in_a_database_of_its_own_is_reported(settings):
    """django-q2 issue 293: its scheduler and its broker have to be in one database."""
    settings.DATABASES["queue"] = settings.DATABASES["default"]
    try:
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, "orm": "queue"}
        assert ids(check_queue()) == {"W030"}
        with override_settings(DATABASE_ROUTERS=["tests.checks.test_checks.RouteQueue"]):
            assert check_queue() == []
    finally:
        del settings.DATABASES["queue"]


def test_local_times_are_reported(settings):
    assert check_time_zones() == []
    settings.USE_TZ = False
    assert ids(check_time_zones()) == {"E032"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("urlpatterns", set()), ("without_line", {"W031"}), ("in_languages", {"E033"}),
     ("beside_languages", set())],
)  # fmt: skip
def test_urls_are_reported(settings, name, expected):
    module = ModuleType("urls_of_a_project")
    module.urlpatterns = URLCONFS[name]
    settings.ROOT_URLCONF = module
    messages = check_urls()
    assert ids(messages) == expected
    assert all('include("wagtail_zoom.urls")' in message.hint for message in messages)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "word"), [("without_line", "urls.py"), ("in_languages", "i18n")])
def test_the_doctor_does_not_call_it_well_without_urls(settings, name, word):
    module = ModuleType("urls_of_a_project")
    module.urlpatterns = URLCONFS[name]
    settings.ROOT_URLCONF = module
    with pytest.raises(CommandError, match=word) as caught:
        call_command("zoom_doctor", stdout=StringIO())
    assert caught.value.returncode == 2


PAGES = path("", include(wagtail_urls))
LINE = path("zoom/", include("wagtail_zoom.urls"))
URLCONFS = {
    "urlpatterns": [LINE, PAGES],
    "without_line": [PAGES],
    "in_languages": i18n_patterns(LINE, PAGES),
    "beside_languages": [LINE, *i18n_patterns(PAGES, prefix_default_language=False)],
}


def test_deploy_reports_http_and_local_cache(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "http://cms.example.org"}
    assert ids(check_deploy()) == {"W040", "W041"}


def test_every_setting_is_documented():
    """The reference lists every key; an unknown key is a programming error."""
    page = (Path(__file__).parents[2] / "docs/reference/settings.md").read_text()
    assert [name for name in DEFAULTS if f"| `{name}` |" not in page] == []
    with pytest.raises(KeyError):
        zoom_settings.get("NO_SUCH_SETTING")


def test_fingerprint_depends_on_base_url_and_id(settings):
    """Another BASE_URL or ID is another installation."""
    first = zoom_settings.fingerprint
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://staging.example.org"}
    second = zoom_settings.fingerprint
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "INSTALLATION_ID": "b"}
    assert len({first, second, zoom_settings.fingerprint}) == 3


@pytest.mark.django_db
def test_x22_users_who_may_edit_the_queue_are_reported(django_user_model):
    """X22: a schedule names the function that the worker calls; superusers are trusted."""
    from django.contrib.auth.models import Group, Permission

    from wagtail_zoom.checks import check_queue_permissions

    django_user_model.objects.create_superuser("root", "root@example.org", "pw")
    assert check_queue_permissions(databases=["default"]) == []
    permission = Permission.objects.get(
        content_type__app_label="django_q", codename="change_schedule"
    )
    Group.objects.create(name="Night shift").permissions.add(permission)
    user = django_user_model.objects.create_user("jo", "jo@example.org", "pw")
    add_permission = Permission.objects.get(content_type__app_label="django_q", codename="add_ormq")
    user.user_permissions.add(add_permission)
    warnings = check_queue_permissions(databases=["default"])
    assert ids(warnings) == {"W050"}
    assert [("Night shift" in warning.msg, "jo" in warning.msg) for warning in warnings] == [
        (True, False),
        (False, True),
    ]
    assert check_queue_permissions(databases=None) == []
    out = StringIO()
    call_command("check", databases=["default"], stderr=out, stdout=out)
    assert "Night shift" in out.getvalue()


@pytest.mark.django_db
def test_tables_from_before_the_first_release_are_reported():
    """By ``check --database default`` and by ``migrate``, before it changes anything."""
    for command in ("check", "migrate"):
        call_command(
            command, **({"databases": ["default"]} if command == "check" else {}), verbosity=0
        )
    MigrationRecorder(connection).record_applied("wagtail_zoom", "0002_transcript")
    for command in ("check", "migrate"):
        with pytest.raises(SystemCheckError) as caught:
            call_command(
                command,
                **({"databases": ["default"]} if command == "check" else {"skip_checks": False}),
                verbosity=0,
            )
        assert "created by a version before the first release" in str(caught.value)
        assert "make demo-reset" in str(caught.value)
