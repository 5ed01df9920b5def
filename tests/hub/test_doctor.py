"""``zoom_doctor`` of a deployment: whether the hub answers, and since when events come through it.

This process is both: the live server is the hub, the command runs with the deployment's settings.
"""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.blocks import rows
from tests.default_site import default_site
from wagtail_zoom.hub import deployments, tasks
from wagtail_zoom.management import hub_lines
from wagtail_zoom.models import WebhookEvent, ZoomSettings

from .conftest import Member

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(hub, live_server, settings):
    """Settings of a deployment, as ``zoom_hub add`` prints them."""
    member = Member("Harbour House")
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "OAUTH_URL": f"{live_server.url}/zoom/hub",
        "CLIENT_ID": member.row.client_id,
        "CLIENT_SECRET": member.secret,
    }
    tasks.tick()
    return member


def change(settings, **values):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **values}


def lines():
    return {line.name: (line.health.value, line.title) for line in hub_lines.hub_lines()}


def test_hub_answers(member, settings):
    health, title = lines()["hub"]
    assert (health, title.endswith("answers and knows this website")) == ("good", True)


def test_lines_are_in_the_report_and_in_json(member, settings):
    out = StringIO()
    change(settings, CLIENT_SECRET="another")
    with pytest.raises(CommandError, match="does not know this website"):
        call_command("zoom_doctor", stdout=out)
    assert "BAD  The hub" in out.getvalue()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("zoom_doctor", "--json", stdout=out)
    assert json.loads(out.getvalue())["installation"]["hub"]["health"] == "failed"


def test_removed_deployment(member):
    deployments.remove(member.row)
    assert lines()["hub"][0] == "failed"


def test_hub_that_is_away(member, settings):
    change(settings, OAUTH_URL="http://127.0.0.1:9/zoom/hub")
    assert lines()["hub"] == ("failed", "The hub 127.0.0.1:9 does not answer")


def test_hub_whose_worker_does_not_run(member):
    from wagtail_zoom.hub.models import JobRun

    JobRun.objects.update(ran_at=timezone.now() - timedelta(minutes=10))
    health, title = lines()["hub"]
    assert (health, "its worker does not send" in title) == ("waiting", True)


def test_something_else_answers(member, settings):
    change(settings, OAUTH_URL=settings.WAGTAIL_ZOOM["OAUTH_URL"].replace("/zoom/hub", "/nothing"))
    assert "Something else than a hub" in lines()["hub"][1]


def test_url_was_not_pasted(member, settings):
    change(settings, OAUTH_URL="https://zoom.us")
    [line] = hub_lines.hub_lines()
    assert line.title == "CLIENT_ID is of a hub, but OAUTH_URL is not set"


def test_without_a_hub_nothing_is_said_or_called(hub, settings):
    hub.clear_calls()
    assert hub_lines.hub_lines() == []
    assert hub.calls() == []


def test_secret_is_in_no_line(member):
    out = StringIO()
    call_command("zoom_doctor", stdout=out)
    assert "knows this website" in out.getvalue()
    assert member.secret not in out.getvalue()


def test_since_when_events_come(member):
    assert lines()["hub_events"][1] == "No Zoom account is connected through the hub yet"
    account = rows.account()
    site_settings = rows.site_settings(
        default_site(), account, rows.host(account, "host"), user="host"
    )
    now = timezone.now()
    ZoomSettings.objects.update(linked_at=now - timedelta(days=2))
    site_settings.grant.client_id = member.row.client_id
    site_settings.grant.save()
    store = {"account_zoom_id": account.zoom_id, "event": "meeting.updated", "lock_key": "x"}
    # From the app that the Site used before.
    WebhookEvent.objects.create(content_key="0", received_at=now - timedelta(days=3), **store)
    # Of another account.
    WebhookEvent.objects.create(content_key="1", **{**store, "account_zoom_id": "other"})
    assert lines()["hub_events"] == ("unknown", "No event has come through the hub yet")
    for key, age in (("2", timedelta(hours=20)), ("3", timedelta(minutes=5))):
        WebhookEvent.objects.create(content_key=key, received_at=now - age, **store)
    line = hub_lines.hub_lines()[1]
    assert line.title.startswith("Events come through the hub since ")
    assert line.text == "The last one 5 minutes ago."
