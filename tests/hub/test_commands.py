"""``manage.py zoom_hub`` and the system checks of the hub."""

import re
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django_q.models import Schedule

from wagtail_zoom.hub import checks, tasks
from wagtail_zoom.hub.models import Delivery, Deployment

from .conftest import post_event
from .test_events import bind, event
from .test_events import harbour as harbour

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("zoom_hub", *arguments, stdout=out)
    return out.getvalue()


def test_add_prints_the_settings_to_paste():
    text = run("add", "Harbour House", "https://harbour.example/", "--email", "a@harbour.example")
    namespace = {}
    exec(text.partition("\n\n")[2], namespace)  # noqa: S102 - what is pasted into settings
    pasted = namespace["WAGTAIL_ZOOM"]
    deployment = Deployment.objects.get()
    assert pasted["OAUTH_URL"] == "https://testserver/zoom/hub"
    assert pasted["CLIENT_ID"] == deployment.client_id
    assert pasted["WEBHOOK_SECRET_TOKENS"] == [deployment.webhook_secret.reveal()]
    assert deployment.redirect_uri == "https://harbour.example/zoom/oauth/callback/"
    assert deployment.webhook_url == "https://harbour.example/zoom/webhook/"
    assert pasted["CLIENT_SECRET"] not in repr(Deployment.objects.values().get())
    # The settings are complete: nothing is unknown to wagtail_zoom.
    from wagtail_zoom.conf import DEFAULTS

    assert set(pasted) <= set(DEFAULTS)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://harbour.example", ()),
        ("harbour.example", ()),
        ("https://harbour.example/path", ()),
        ("https://user@harbour.example", ()),
        ("https://10.0.0.1", ()),
        ("https://[::1]", ()),
        ("https://harbour.example", ("--webhook-url", "http://harbour.example/zoom/webhook/")),
        ("https://harbour.example", ("--webhook-url", "https://169.254.169.254/")),
        ("https://harbour.example", ("--redirect-uri", "javascript:alert(1)")),
    ],
)
def test_add_refuses_urls_that_are_not_allowed(url, options):
    with pytest.raises(CommandError) as problem:
        run("add", "Harbour", url, "--email", "a@harbour.example", *options)
    assert problem.value.returncode == 2
    assert not Deployment.objects.exists()


def test_add_refuses_a_missing_name_or_address():
    for name, email in ((" ", "a@harbour.example"), ("Harbour", "nobody")):
        with pytest.raises(CommandError):
            run("add", name, "https://harbour.example", "--email", email)
    assert not Deployment.objects.exists()


def test_list_rotate_and_remove():
    run("add", "Harbour", "https://harbour.example", "--email", "a@harbour.example")
    deployment = Deployment.objects.get()
    assert "Harbour" in run("list")
    assert "waiting: 0" in run("list")
    text = run("rotate", deployment.client_id)
    assert "7 days" in text
    assert re.search(r'"CLIENT_SECRET": "[^"]{40,}"', text)
    assert "removed" in run("remove", deployment.client_id)
    assert run("list") == ""
    for action in ("rotate", "remove"):
        with pytest.raises(CommandError) as problem:
            run(action, deployment.client_id)
        assert problem.value.returncode == 2


def test_rotate_repairs_a_secret_that_cannot_be_decrypted(settings):
    """The encryption key was lost."""
    run("add", "Harbour", "https://harbour.example", "--email", "a@harbour.example")
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    deployment = Deployment.objects.get()
    assert not deployment.webhook_secret.readable
    assert "WEBHOOK_SECRET_TOKENS" in run("rotate", deployment.client_id)
    deployment.refresh_from_db()
    assert deployment.webhook_secret.readable
    assert not deployment.previous_webhook_secret


def test_deliver_sends_what_is_due(harbour, recorder):
    bind(harbour)
    post_event(event())
    assert "1 deliveries tried" in run("deliver")
    assert len(recorder.requests) == 1
    assert "0 deliveries that were given up" in run("deliver", "--again")
    post_event(event(number=2))
    Delivery.objects.exclude(body="").update(state=Delivery.State.DEAD)
    assert "1 deliveries that were given up" in run("deliver", "--again")
    assert len(recorder.requests) == 2


def test_doctor_names_what_is_wrong_with_the_hub_itself(hub, settings):
    with pytest.raises(CommandError, match=r"^The hub itself needs somebody\.$") as problem:
        run("doctor")
    assert problem.value.returncode == 1
    tasks.tick()
    assert "deliveries late: 0" in run("doctor")
    out = StringIO()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    with pytest.raises(CommandError):
        call_command("zoom_hub", "doctor", stdout=out)
    assert "does not know CLIENT_ID and CLIENT_SECRET" in out.getvalue()


def test_doctor_names_the_deployment_that_does_not_answer_rightly(harbour, recorder):
    recorder.status = 404
    out = StringIO()
    with pytest.raises(CommandError) as problem:
        call_command("zoom_hub", "doctor", stdout=out)
    assert problem.value.returncode == 1
    assert "Harbour: It answered with status 404." in out.getvalue()


def test_doctor_of_a_deployment_that_has_its_secret(harbour, recorder, live_server, settings):
    """The deployment's endpoint is this installation's own, with the deployment's secret."""
    secret = harbour.credentials.webhook_secret
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": [secret]}
    Deployment.objects.update(webhook_url=f"{live_server.url}/zoom/webhook/")
    tasks.tick()
    assert "Harbour: ok" in run("doctor")
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "WEBHOOK_SECRET_TOKENS": ["another"]}
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("zoom_hub", "doctor", stdout=out)
    assert "another webhook secret" in out.getvalue()


def test_schedule_exists_once():
    assert Schedule.objects.filter(func="wagtail_zoom.hub.tasks.tick").count() == 1


def test_one_failing_job_does_not_stop_the_others(monkeypatch, caplog):
    ran = []

    def fail(now):
        raise RuntimeError(f"secret {6 * 7}")

    monkeypatch.setattr(tasks, "PERIODIC_JOBS", (fail, ran.append))
    tasks.tick()
    assert len(ran) == 1
    assert "secret 42" not in caplog.text


def test_checks(settings, monkeypatch):
    assert checks.check_hub() == []
    settings.WAGTAIL_ZOOM = {"HUB_PRIVATE_NETWORKS": ["ten"]}
    monkeypatch.setattr(checks.apps, "is_installed", lambda name: False)
    settings.Q_CLUSTER = {}
    ids = {message.id for message in checks.check_hub()}
    assert ids == {f"wagtail_zoom_hub.{name}" for name in ("E001", "W003", "W004")}
    settings.ROOT_URLCONF = "tests.webhooks.urls"
    assert "wagtail_zoom_hub.E002" in {message.id for message in checks.check_hub()}
