"""Commands for operators: zoom_sync, zoom_rotate_keys, zoom_events, zoom_app_config (O25, W28)."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from tests.blocks import rows
from tests.default_site import default_site
from wagtail_zoom.management import base
from wagtail_zoom.models import Grant, Registration, SyncRun, WebhookEvent
from wagtail_zoom.oauth.scopes import SCHEDULING_SCOPES, SCOPES
from wagtail_zoom.registration.tokens import email_index, email_indexes
from wagtail_zoom.sync import handlers
from wagtail_zoom.utils import key_rotation
from wagtail_zoom.utils.crypto import is_current

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def site_settings(site):
    account = rows.account()
    return rows.site_settings(site, account, rows.host(account, "host-1"), user="host-1")


# Keys


@pytest.fixture
def stored(site_settings):
    grant = site_settings.grant
    grant.access_token, grant.refresh_token = "access", "refresh"
    grant.user_email = "owner@example.org"
    grant.save()
    registration = Registration(
        site=site_settings.site, account=site_settings.account, meeting_zoom_id="1",
        idempotency_key="k",
        email_index=email_index("ana@example.org"),
    )  # fmt: skip
    registration.email, registration.answers = "ana@example.org", "{}"
    registration.save()
    return grant, registration


def keys(settings, *names):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": list(names)}


def test_o25_all_rows_are_reencrypted_and_the_old_key_can_be_removed(stored, settings):
    old, new = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    keys(settings, new, old)
    output = run("zoom_rotate_keys", "--batch", "1")
    assert "older key(s) can be taken out" in output
    assert "@" not in output
    keys(settings, new)
    grant, registration = Grant.objects.get(), Registration.objects.get()
    assert grant.access_token.reveal() == "access"
    assert grant.user_email.reveal() == "owner@example.org"
    assert registration.email.reveal() == "ana@example.org"
    assert registration.email_index in email_indexes("ana@example.org")
    # A second time there is nothing to do.
    assert all(
        key_rotation.rotate(*model_and_columns).renewed == 0
        for model_and_columns in key_rotation.secret_models()
    )


def test_o25_a_key_removed_too_early_is_reported_and_nothing_is_lost(stored, settings):
    old = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0]
    keys(settings, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="keep the older keys"):
        run("zoom_rotate_keys")
    keys(settings, old)
    assert Grant.objects.get().access_token.reveal() == "access"


def test_o25_a_refresh_at_the_same_time_wins(stored, settings, monkeypatch):
    grant, _registration = stored
    new = Fernet.generate_key().decode()
    keys(settings, new, *settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"])

    def concurrent_refresh(token):
        row = Grant.objects.get()
        row.access_token = "newer"
        row.save(update_fields=["access_token"])
        monkeypatch.setattr(key_rotation, "is_current", is_current)
        return False

    monkeypatch.setattr(key_rotation, "is_current", concurrent_refresh)
    names = ["access_token", "refresh_token", "user_email"]
    assert key_rotation.rotate(Grant, names).conflicts == 1
    assert Grant.objects.get().access_token.reveal() == "newer"
    assert key_rotation.rotate(Grant, names).renewed == 1


def test_every_encrypted_column_is_rotated():
    columns = {model.__name__: set(names) for model, names in key_rotation.secret_models()}
    assert columns["Grant"] == {"access_token", "refresh_token", "user_email"}
    assert columns["Registration"] == {"email", "answers", "identity", "join_url"}
    assert {"OAuthState", "Meeting", "Recording"} <= set(columns)


# Events


def create_event(number, **fields):
    fields = {"event": "meeting.updated", "account_zoom_id": "acc", "payload": {"a": 1}, **fields}
    return WebhookEvent.objects.create(content_key=str(number), **fields)


def test_w28_list_and_stats_show_no_content(db):
    create_event(
        1, state="dead", error_class="ZoomRejected", attempts=10, payload={"topic": "Secret"}
    )
    create_event(2, event="recording.completed", state="done", done_at=timezone.now())
    create_event(3, account_zoom_id="other")
    output = run("zoom_events", "list")
    assert len(output.splitlines()) == 3
    assert "ZoomRejected after 10" in output
    assert "Secret" not in output
    assert len(run("zoom_events", "list", "--account", "acc").splitlines()) == 2
    assert len(run("zoom_events", "list", "--event", "recording.completed").splitlines()) == 1
    output = run("zoom_events", "stats")
    assert "meeting.updated\tdead\t1" in output
    assert "waiting: 1" in output
    assert "most events of one object: 1" in output


def test_w28_replay_takes_the_failed_ones(db):
    create_event(1, state="dead", attempts=10)
    create_event(2, state="dead", payload={})
    create_event(3, state="done")
    create_event(4, state="dead", received_at=timezone.now() - timedelta(days=2))
    assert "2 would be" in run("zoom_events", "replay", "--dry-run")
    assert "1 will be" in run("zoom_events", "replay", "--since", "1d")
    assert WebhookEvent.objects.get(content_key="1").state == "pending"
    assert WebhookEvent.objects.get(content_key="3").state == "done"
    assert "1 will be" in run("zoom_events", "replay", "--state", "done")


def test_w28_prune_follows_the_retention_rules(db):
    old = timezone.now() - timedelta(days=400)
    create_event(1, state="done", received_at=old)
    create_event(2, state="done")
    create_event(3, state="pending", received_at=old)
    create_event(4, state="parked", received_at=timezone.now() - timedelta(days=2))
    assert "2 would be" in run("zoom_events", "prune", "--dry-run")
    assert WebhookEvent.objects.count() == 4
    assert "2 deleted" in run("zoom_events", "prune")
    assert "1 deleted" in run("zoom_events", "prune", "--account", "acc")
    assert WebhookEvent.objects.get().content_key == "3"


@pytest.mark.parametrize("text", ["", "7", "d", "7w", "-1d", "1.5h", "٣d"])
def test_w28_an_invalid_duration_is_an_error(db, text):
    with pytest.raises(CommandError):
        run("zoom_events", "list", f"--since={text or 'x'}")


# The app at Zoom


@pytest.fixture
def without_hub(settings):
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if "hub" not in name]


def test_app_config_names_urls_scopes_and_events(settings, without_hub):
    output = run("zoom_app_config")
    assert "https://testserver/zoom/oauth/callback/" in output
    assert "https://testserver/zoom/webhook/" in output
    assert "https://testserver/zoom/start/" in output
    for scope in SCOPES:
        assert f"  {scope.name}:admin [{scope.feature}]" in output
    for scope in SCHEDULING_SCOPES:
        assert f"  {scope.name}:admin [scheduling] (optional): {scope.reason}" in output
    assert settings.WAGTAIL_ZOOM["CLIENT_SECRET"] not in output
    assert settings.WAGTAIL_ZOOM["WEBHOOK_SECRET_TOKENS"][0] not in output
    output = run("zoom_app_config", "--user-managed", "--kind", "meeting")
    assert "meeting:read:meeting [meeting]" in output
    assert ":admin" not in output
    assert "webinar" not in output.replace("converted_to_webinar", "")
    assert "user:read:list_users" not in output
    assert output.count("meeting:read [") == 0
    assert run("zoom_app_config", "--classic").count("  meeting:read:admin [") == 1


MANIFEST_SCHEMA = json.loads(
    (Path(__file__).parents[1] / "contract" / "manifest.schema.json").read_text()
)


@pytest.mark.parametrize(
    ("options", "usage"), [((), "ADMIN_MANAGEMENT"), (("--user-managed",), "USER_OPERATION")]
)
def test_app_config_prints_a_manifest_as_zoom_takes_it(options, usage, without_hub):
    """The file has no outer member; only the call of Zoom's API has one."""
    manifest = json.loads(run("zoom_app_config", "--manifest", "--name", "Our app", *options))
    jsonschema.validate(manifest, MANIFEST_SCHEMA)
    assert manifest["display_information"]["display_name"] == "Our app"
    oauth = manifest["oauth_information"]
    assert oauth["usage"] == usage
    assert oauth["oauth_allow_list"] == ["https://testserver/zoom/oauth/callback/"]
    assert len(oauth["scopes"]) == len([s for s in SCOPES if not options or not s.admin_only])
    (events,) = manifest["features"]["event_subscription"]["events"]
    for name in ("development_webhook_url", "production_webhook_url"):
        assert events[name] == "https://testserver/zoom/webhook/"
    assert "meeting.updated" in events["event_types"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("oauth_information", "usage"), "ADMIN_OPERATION"),
        (("features", "zoom_client_support", "pwa_client"), False),
        (("features", "event_subscription", "events", 0, "event_webhook_url"), "https://a/"),
        (("display_information", "display_name"), "x" * 50),
        (("manifest",), {}),
    ],
)
def test_the_schema_refuses_what_zoom_refuses(path, value):
    manifest = json.loads(run("zoom_app_config", "--manifest"))
    *parents, last = path
    place = manifest
    for name in parents:
        place = place[name]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, MANIFEST_SCHEMA)


@pytest.mark.parametrize("name", ["Zoom for us", " zoom", "", "x" * 50])
def test_app_config_refuses_names_that_the_marketplace_refuses(name):
    with pytest.raises(CommandError, match="name of an app"):
        run("zoom_app_config", "--name", name)


HUB_URLS = (
    "https://hub.example.org/zoom/hub/callback/",
    "https://hub.example.org/zoom/hub/webhook/",
)


def test_app_config_of_a_hub_elsewhere():
    """Its one redirect URL and its one event URL, nothing of this installation."""
    hub = ("--hub", "https://hub.example.org/zoom/hub/")
    output = run("zoom_app_config", *hub)
    assert all(f"URL and allow list: {url}\n" in output or f"URL:   {url}\n" in output
               for url in HUB_URLS)  # fmt: skip
    assert "testserver" not in output
    manifest = json.loads(run("zoom_app_config", "--manifest", *hub))
    jsonschema.validate(manifest, MANIFEST_SCHEMA)
    assert manifest["oauth_information"]["oauth_allow_list"] == [HUB_URLS[0]]
    (events,) = manifest["features"]["event_subscription"]["events"]
    assert events["production_webhook_url"] == HUB_URLS[1]
    with pytest.raises(CommandError, match="not the URL of a hub"):
        run("zoom_app_config", "--hub", "hub.example.org")


def test_app_config_beside_a_hub_in_the_same_installation():
    """The Sites' own redirect URL is allowed too; Zoom's events go to the hub."""
    manifest = json.loads(run("zoom_app_config", "--manifest"))
    assert manifest["oauth_information"]["oauth_allow_list"] == [
        "https://testserver/zoom/hub/callback/",
        "https://testserver/zoom/oauth/callback/",
    ]
    output = run("zoom_app_config")
    assert "endpoint URL:   https://testserver/zoom/hub/webhook/\n" in output
    assert "https://testserver/zoom/start/" in output


def test_app_config_needs_the_base_url(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": ""}
    with pytest.raises(CommandError, match="BASE_URL"):
        run("zoom_app_config")


def test_every_feature_has_its_events_and_every_subscription_a_reason():
    rows = handlers.subscriptions(admin=True)
    assert {feature for _name, feature, _reason in rows} == {scope.feature for scope in SCOPES}
    assert all(str(reason) for _name, _feature, reason in rows)
    summaries = handlers.subscriptions(admin=True, kinds=["summary"])
    assert sum(feature == "summary" for _name, feature, _reason in summaries) == 6
    without = set(handlers.EVENT_TYPES) - {name for name, *_ in (*rows, *summaries)}
    assert without == {
        "app_deauthorized", "recording.paused", "recording.resumed", "recording.started",
        "recording.stopped", "user.invitation_accepted",
    }  # fmt: skip
    personal = {feature for _name, feature, _reason in handlers.subscriptions(admin=False)}
    assert "directory" not in personal


# Sync


def test_sync_requests_runs_and_reports_empty_scopes(site_settings):
    site_settings.show_meetings, site_settings.configured_at = True, timezone.now()
    site_settings.save()
    assert "asked for" in run("zoom_sync", "--site", site_settings.site.hostname)
    assert SyncRun.objects.get().mode == "reconcile"
    SyncRun.objects.all().delete()
    assert "asked for" in run("zoom_sync", "--account", site_settings.account.zoom_id, "--full")
    assert SyncRun.objects.get().mode == "backfill"
    type(site_settings).objects.update(paused_at=timezone.now())
    assert "no site wants anything" in run("zoom_sync")


def test_sync_names_unknown_sites(db):
    with pytest.raises(CommandError, match=r"nobody\.example"):
        run("zoom_sync", "--site", "nobody.example")


# A database that is not ready

DATABASE_COMMANDS = (
    ["zoom_doctor"],
    ["zoom_events", "list"],
    ["zoom_forget", "ana@example.org"],
    ["zoom_rotate_keys"],
    ["zoom_sync"],
)


@pytest.mark.parametrize("arguments", DATABASE_COMMANDS, ids=lambda arguments: arguments[0])
def test_a_database_that_is_not_migrated_is_said_in_a_sentence(arguments):
    MigrationRecorder.Migration.objects.filter(app="wagtail_zoom").last().delete()
    with pytest.raises(CommandError, match="not been migrated: run manage.py migrate") as failure:
        run(*arguments)
    assert failure.value.returncode == 2


@pytest.mark.parametrize("arguments", DATABASE_COMMANDS, ids=lambda arguments: arguments[0])
def test_a_database_that_does_not_answer_is_said_in_a_sentence(arguments, monkeypatch):
    def refuse(*_args):
        raise OperationalError

    monkeypatch.setattr(base, "MigrationExecutor", refuse)
    with pytest.raises(CommandError, match=r"cannot be used \(OperationalError\)") as failure:
        run(*arguments)
    assert failure.value.returncode == 2
