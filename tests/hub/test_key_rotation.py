"""``zoom_hub rotate-keys``: the hub's secrets, and the digests that only a refresh can renew."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from wagtail_zoom.hub import bindings, deployments
from wagtail_zoom.hub.models import Binding, Delivery, Deployment
from wagtail_zoom.utils.crypto import is_current

from .conftest import post_event
from .test_events import bind, event
from .test_events import harbour as local_harbour  # noqa: F401

pytestmark = pytest.mark.django_db


def run(*arguments, command="zoom_hub"):
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def keys(settings, *names):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": list(names)}


@pytest.fixture
def new_key(settings):
    """A new key, before the one that there was."""
    old, new = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    keys(settings, new, old)
    return new


def test_secrets_and_events_are_reencrypted(local_harbour, settings):  # noqa: F811
    bind(local_harbour)
    secret = local_harbour.credentials.webhook_secret
    deployments.rotate(local_harbour.row)
    post_event(event())
    body = Delivery.objects.get().body.reveal()
    old, new = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    keys(settings, new, old)
    Binding.objects.all().delete()  # its digest needs a refresh: see below
    output = run("rotate-keys", "--batch", "1")
    assert "The 1 older key(s) can be taken out of ENCRYPTION_KEYS." in output
    assert "wagtail_zoom_hub.Deployment: 1 rows, 1 renewed" in output
    assert secret not in output
    keys(settings, new)
    deployment = Deployment.objects.get()
    assert is_current(deployment.webhook_secret.ciphertext())
    assert deployment.previous_webhook_secret.reveal() == secret
    assert Delivery.objects.get().body.reveal() == body
    assert "0 renewed" in run("rotate-keys")


def test_only_the_hubs_own_rows_are_read(db):
    """A hub of its own has no other models; beside Sites, ``zoom_rotate_keys`` reads all."""
    assert "wagtail_zoom.Grant" not in run("rotate-keys")
    assert "wagtail_zoom_hub.Deployment" in run(command="zoom_rotate_keys")


@pytest.mark.parametrize("command", [("zoom_hub", "rotate-keys"), ("zoom_rotate_keys",)])
def test_older_keys_are_needed_until_every_website_has_refreshed(
    hub, harbour, new_key, settings, command
):
    name, *arguments = command
    tokens = harbour.connect("aurora-0")
    run(*arguments, command=name)
    newer = Fernet.generate_key().decode()
    keys(settings, newer, new_key)
    with pytest.raises(CommandError, match="1 connections .* Keep the older keys") as problem:
        run(*arguments, command=name)
    assert problem.value.returncode == 1
    # The older key still finds the connection; from then on the newer one does.
    tokens = harbour.refresh(tokens["refresh_token"]).json()
    assert "can be taken out" in run(*arguments, command=name)
    keys(settings, newer)
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200


def test_connections_that_have_ended_need_no_key(hub, harbour, settings):
    tokens = harbour.connect("aurora-0")
    old, new = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    keys(settings, new, old)
    assert bindings.under_older_keys().count() == 1
    harbour.call("revoke", token=tokens["refresh_token"])
    assert "can be taken out" in run("rotate-keys")


def test_key_that_was_removed_too_early_is_reported(harbour, settings):
    keys(settings, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="keep the older keys") as problem:
        run("rotate-keys")
    assert problem.value.returncode == 1


def test_batch_without_rows_is_refused(db):
    with pytest.raises(CommandError) as problem:
        run("rotate-keys", "--batch", "0")
    assert problem.value.returncode == 2
