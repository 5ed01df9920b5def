"""``manage.py check`` reports each missing or wrong setting, with the value to use."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from wagtail_zoom.checks import check_deploy, check_installed, check_queue, check_settings
from wagtail_zoom.conf import DEFAULTS
from wagtail_zoom.conf import settings as zoom_settings
from wagtail_zoom.exceptions import ZoomConfigurationError


def ids(messages):
    return {message.id.removeprefix("wagtail_zoom.") for message in messages}


def test_the_test_project_is_clean():
    assert not check_settings() and not check_queue() and not check_installed()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"CLIENT_ID": ""}, "E001"),
        ({"CLIENT_SECRET": ""}, "E002"),
        ({"WEBHOOK_SECRET_TOKENS": []}, "E003"),
        ({"BASE_URL": ""}, "E004"),
        ({"WEBHOOK_SECRET_TOKENS": "text"}, "E005"),
        ({"BASE_URL": "cms.example.org"}, "E006"),
        ({"BASE_URL": "https://cms.example.org/cms"}, "E006"),
        ({"OAUTH_URL": "zoom.us"}, "E007"),
        ({"API_URL": "ftp://api.zoom.us"}, "E008"),
        ({"RATE_SHARE": 0}, "E009"),
        ({"RATE_SHARE": 2}, "E009"),
        ({"ENCRYPTION_KEYS": []}, "E010"),
        ({"ENCRYPTION_KEYS": "text"}, "E011"),
        ({"ENCRYPTION_KEYS": ["short"]}, "E012"),
        ({"CLIENTID": "x"}, "E015"),
    ],
)
def test_each_wrong_setting_is_reported(settings, change, expected):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **change}
    messages = [message for message in check_settings() if message.id.endswith(expected)]
    assert messages and all(message.hint for message in messages)


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
    assert "E010" not in ids(check_settings())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timeout": None}, "E021"),
        ({"retry": 130}, "W022"),
        ({"max_attempts": 0}, "W023"),
        ({"poll": 2}, "W024"),
        ({"catch_up": True}, "I025"),
    ],
)
def test_each_wrong_queue_value_is_reported(settings, change, expected):
    """Q1, Q2: values with which django-q2 repeats or loses work."""
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert expected in ids(check_queue())


def test_missing_queue_is_an_error(settings):
    settings.Q_CLUSTER = {}
    assert ids(check_queue()) == {"E020"}


def test_reconnecting_broker_is_reported(settings):
    before = settings.DATABASES["default"].get("CONN_MAX_AGE")
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
    try:
        assert "W026" in ids(check_queue())
    finally:
        settings.DATABASES["default"]["CONN_MAX_AGE"] = before


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
    from io import StringIO

    from django.contrib.auth.models import Group, Permission
    from django.core.management import call_command

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
