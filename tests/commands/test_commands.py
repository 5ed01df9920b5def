"""Commands for operators: zoom_sync, zoom_rotate_keys, zoom_events, zoom_app_config (O25, W28)."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.blocks import rows
from tests.default_site import default_site
from wagtail_zoom.management.commands import zoom_rotate_keys
from wagtail_zoom.models import Grant, Registration, SyncRun, WebhookEvent
from wagtail_zoom.oauth import marketplace
from wagtail_zoom.oauth.scopes import SCOPES
from wagtail_zoom.registration.tokens import email_index, email_indexes
from wagtail_zoom.sync import handlers
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
def choice(site):
    account = rows.account()
    return rows.choice(site, account, rows.host(account, "host-1"), user="host-1")


# Keys


@pytest.fixture
def stored(choice):
    grant = choice.grant
    grant.access_token, grant.refresh_token = "access", "refresh"
    grant.user_email = "owner@example.org"
    grant.save()
    signup = Registration(
        site=choice.site, account=choice.account, meeting_zoom_id="1", idempotency_key="k",
        email_index=email_index("ana@example.org"),
    )  # fmt: skip
    signup.email, signup.answers = "ana@example.org", "{}"
    signup.save()
    return grant, signup


def keys(settings, *names):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": list(names)}


def test_o25_everything_is_renewed_and_the_old_key_can_go(stored, settings):
    old, new = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    keys(settings, new, old)
    told = run("zoom_rotate_keys", "--batch", "1")
    assert "older key(s) can be taken out" in told
    assert "@" not in told
    keys(settings, new)
    grant, signup = Grant.objects.get(), Registration.objects.get()
    assert grant.access_token.reveal() == "access"
    assert grant.user_email.reveal() == "owner@example.org"
    assert signup.email.reveal() == "ana@example.org"
    assert signup.email_index in email_indexes("ana@example.org")
    # A second time there is nothing to do.
    assert all(
        zoom_rotate_keys.rotate(*one).renewed == 0 for one in zoom_rotate_keys.secret_models()
    )


def test_o25_a_key_dropped_too_early_is_told_and_nothing_is_lost(stored, settings):
    old = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0]
    keys(settings, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="keep the older keys"):
        run("zoom_rotate_keys")
    keys(settings, old)
    assert Grant.objects.get().access_token.reveal() == "access"


def test_o25_a_refresh_at_the_same_time_wins(stored, settings, monkeypatch):
    grant, _signup = stored
    new = Fernet.generate_key().decode()
    keys(settings, new, *settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"])

    def meanwhile(token):
        row = Grant.objects.get()
        row.access_token = "newer"
        row.save(update_fields=["access_token"])
        monkeypatch.setattr(zoom_rotate_keys, "is_current", is_current)
        return False

    monkeypatch.setattr(zoom_rotate_keys, "is_current", meanwhile)
    names = ["access_token", "refresh_token", "user_email"]
    assert zoom_rotate_keys.rotate(Grant, names).overtaken == 1
    assert Grant.objects.get().access_token.reveal() == "newer"
    assert zoom_rotate_keys.rotate(Grant, names).renewed == 1


def test_every_encrypted_column_is_found():
    found = {model.__name__: set(names) for model, names in zoom_rotate_keys.secret_models()}
    assert found["Grant"] == {"access_token", "refresh_token", "user_email"}
    assert found["Registration"] == {"email", "answers", "identity", "join_url"}
    assert {"OAuthState", "Meeting", "Recording"} <= set(found)


# Messages


def make(number, **facts):
    facts = {"event": "meeting.updated", "account_zoom_id": "acc", "payload": {"a": 1}, **facts}
    return WebhookEvent.objects.create(content_key=str(number), **facts)


def test_w28_list_and_stats_say_nothing_of_the_content(db):
    make(1, state="dead", error_class="ZoomRejected", attempts=10, payload={"topic": "Secret"})
    make(2, event="recording.completed", state="done", done_at=timezone.now())
    make(3, account_zoom_id="other")
    told = run("zoom_events", "list")
    assert len(told.splitlines()) == 3
    assert "ZoomRejected after 10" in told
    assert "Secret" not in told
    assert len(run("zoom_events", "list", "--account", "acc").splitlines()) == 2
    assert len(run("zoom_events", "list", "--event", "recording.completed").splitlines()) == 1
    told = run("zoom_events", "stats")
    assert "meeting.updated\tdead\t1" in told
    assert "waiting: 1" in told
    assert "deepest lane: 1" in told


def test_w28_replay_takes_the_failed_ones(db):
    make(1, state="dead", attempts=10)
    make(2, state="dead", payload={})
    make(3, state="done")
    make(4, state="dead", received_at=timezone.now() - timedelta(days=2))
    assert "2 would be" in run("zoom_events", "replay", "--dry-run")
    assert "1 will be" in run("zoom_events", "replay", "--since", "1d")
    assert WebhookEvent.objects.get(content_key="1").state == "pending"
    assert WebhookEvent.objects.get(content_key="3").state == "done"
    assert "1 will be" in run("zoom_events", "replay", "--state", "done")


def test_w28_prune_follows_the_rules_of_retention(db):
    old = timezone.now() - timedelta(days=400)
    make(1, state="done", received_at=old)
    make(2, state="done")
    make(3, state="pending", received_at=old)
    make(4, state="parked", received_at=timezone.now() - timedelta(days=2))
    assert "2 would be" in run("zoom_events", "prune", "--dry-run")
    assert WebhookEvent.objects.count() == 4
    assert "2 deleted" in run("zoom_events", "prune")
    assert "1 deleted" in run("zoom_events", "prune", "--account", "acc")
    assert WebhookEvent.objects.get().content_key == "3"


@pytest.mark.parametrize("text", ["", "7", "d", "7w", "-1d", "1.5h", "٣d"])
def test_w28_a_wrong_span_is_named(db, text):
    with pytest.raises(CommandError):
        run("zoom_events", "list", f"--since={text or 'x'}")


# The app at Zoom


def test_app_config_names_urls_scopes_and_events(settings):
    told = run("zoom_app_config")
    assert "https://testserver/zoom/oauth/callback/" in told
    assert "https://testserver/zoom/webhook/" in told
    assert "https://testserver/zoom/start/" in told
    for scope in SCOPES:
        assert f"  {scope.name}:admin [{scope.feature}]" in told
    assert settings.WAGTAIL_ZOOM["CLIENT_SECRET"] not in told
    assert settings.WAGTAIL_ZOOM["WEBHOOK_SECRET_TOKENS"][0] not in told
    told = run("zoom_app_config", "--user-managed", "--kind", "meeting")
    assert "meeting:read:meeting [meeting]" in told
    assert ":admin" not in told
    assert "webinar" not in told.replace("converted_to_webinar", "")
    assert "user:read:list_users" not in told
    assert told.count("meeting:read [") == 0
    assert run("zoom_app_config", "--classic").count("  meeting:read:admin [") == 1


def test_app_config_prints_a_manifest():
    found = json.loads(run("zoom_app_config", "--manifest", "--name", "Our app"))["manifest"]
    assert found["display_information"]["display_name"] == "Our app"
    oauth = found["oauth_information"]
    assert oauth["oauth_allow_list"] == ["https://testserver/zoom/oauth/callback/"]
    assert len(oauth["scopes"]) == len(SCOPES)
    (events,) = found["features"]["event_subscription"]["events"]
    assert events["event_webhook_url"] == "https://testserver/zoom/webhook/"
    assert "meeting.updated" in events["event_types"]


@pytest.mark.parametrize("name", ["Zoom for us", " zoom", "", "x" * 51])
def test_app_config_refuses_names_that_the_marketplace_refuses(name):
    with pytest.raises(CommandError, match="name of an app"):
        run("zoom_app_config", "--name", name)


def test_app_config_needs_the_base_url(settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": ""}
    with pytest.raises(CommandError, match="BASE_URL"):
        run("zoom_app_config")


def test_the_subscribed_events_are_the_ones_that_are_understood():
    names = {row[0] for row in marketplace.EVENTS}
    for family in ("meeting", "webinar"):
        for what in handlers.READS:
            if what != f"converted_to_{family}":
                assert f"{family}.{what}" in names
    assert {f"recording.{what}" for what in handlers.RECORDING_READS} <= names
    assert {row[1] for row in marketplace.EVENTS} == {scope.feature for scope in SCOPES}


# Comparing


def test_sync_asks_and_says_who_wants_nothing(choice):
    choice.show_meetings, choice.configured_at = True, timezone.now()
    choice.save()
    assert "asked for" in run("zoom_sync", "--site", choice.site.hostname)
    assert SyncRun.objects.get().mode == "reconcile"
    SyncRun.objects.all().delete()
    assert "asked for" in run("zoom_sync", "--account", choice.account.zoom_id, "--full")
    assert SyncRun.objects.get().mode == "backfill"
    type(choice).objects.update(paused_at=timezone.now())
    assert "no site wants anything" in run("zoom_sync")


def test_sync_names_what_it_does_not_know(db):
    with pytest.raises(CommandError, match=r"nobody\.example"):
        run("zoom_sync", "--site", "nobody.example")
