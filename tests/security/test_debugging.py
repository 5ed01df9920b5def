"""Debug pages, error emails and error trackers show no token (X19, O22, O26).

Every line of the functions that hold secrets raises once, in a real run with the simulator. Then
Django's error report is searched: with ``DEBUG`` all variables, in emails those that
``sensitive_variables`` does not hide.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import pytest
import requests
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter

from tests.security.canaries import Canaries
from wagtail_zoom import webhooks
from wagtail_zoom.client import base, client_for_reading
from wagtail_zoom.frontend import links, views
from wagtail_zoom.models import (
    Grant,
    OAuthState,
    Occurrence,
    ZoomSettings,
)
from wagtail_zoom.oauth import connect, disconnect, flow, http, protocol, tokens, userinfo
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.signing import sign
from wagtail_zoom.utils import webhook_requests

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.full_import]
SECRET = "simulator-webhook-secret"


class InjectedError(Exception):
    """Raised by the test inside a function."""


def code_of(function):
    """The code of a function without its decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function.__code__


class FaultInjector:
    """Raises at one line of a set of functions: the ``number``-th executed one."""

    def __init__(self, functions, number):
        self.codes = {code_of(function) for function in functions}
        self.left, self.raised = number, False

    def __enter__(self):
        sys.settrace(self.enter)
        return self

    def __exit__(self, *exc_info):
        sys.settrace(None)

    def enter(self, frame, event, argument):
        return self.line if frame.f_code in self.codes else None

    def line(self, frame, event, argument):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.raised = True
                sys.settrace(None)
                raise InjectedError("a mistake")
        return self.line


def error_report(error, settings, debug):
    """Everything that Django reports of an error, including variables of all frames.

    Not those of the browser that the test kit plays in the same process.
    """
    settings.DEBUG = debug
    request = RequestFactory().get("/")
    reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    data = reporter.get_traceback_data()
    settings.DEBUG = False
    frames = [frame for frame in data["frames"] if "/testing/" not in frame["filename"]]
    assert any(frame["vars"] for frame in frames)
    variables = [f"{name}={value}" for frame in frames for name, value in frame["vars"]]
    return "\n".join([*variables, str(data["settings"]), str(error)])


def inject_everywhere(functions, work, prepare, collect, settings, *, debug=(True, False), step=1):
    """Repeat ``work``, each time with an error at the next line, until all lines had one."""
    number, leaks = 1 - step, []
    while True:
        number += step
        prepare()
        caught = None
        with FaultInjector(functions, number) as injector:
            try:
                work()
            except Exception as error:
                caught = error
        if not injector.raised:
            break
        secrets = collect()
        if caught is not None:
            for mode in debug:
                text = error_report(caught, settings, mode)
                leaks += [(number, mode, leak) for leak in secrets.leaks_in(text)]
    assert number > 5
    assert leaks == []


@pytest.fixture
def secrets(zoom_app, settings):
    """The secrets so far, from the simulator's record."""
    values = Canaries()
    app_settings = settings.WAGTAIL_ZOOM
    values.secret["settings"] |= {
        app_settings["CLIENT_SECRET"],
        SECRET,
        *app_settings["ENCRYPTION_KEYS"],
    }

    def collect():
        exchanges = zoom_app.call("GET", "exchanges")["exchanges"]
        for exchange in exchanges:
            values.collect([exchange["form"], exchange["json"]])
        for row in Grant.objects.all():
            values.secret["row"] |= {row.access_token.reveal(), row.refresh_token.reveal()} - {""}
        # Links and passcodes of fetched objects are not the subject of this test.
        for name in ("join_url", "start_url", "pwd", "password", "share_url", "play_url", "state"):
            values.secret.pop(name, None)
        return values

    return collect


@pytest.fixture
def grant(owner, owner_client, site, zoom_app, zoom_worker):
    zoom_app.options(refresh_grace=36_000)
    connect_site(owner_client, site, "aurora-0")
    return ZoomSettings.for_site(site).grant


def test_x19_refresh(grant, secrets, settings):
    def prepare():
        Grant.objects.update(
            expires_at=timezone.now() - timedelta(minutes=1), lease_until=None, lease_owner="",
            state="connected", reason="", refresh_started_at=None, retry_at=None,
        )  # fmt: skip

    functions = [protocol.refresh, protocol._request_tokens, protocol._request,
                 protocol.parse_token_response, protocol._check_response,
                 tokens._refresh, tokens._rotate, tokens._store_tokens]  # fmt: skip
    refresh = lambda: tokens.get_token(grant)  # noqa: E731
    inject_everywhere(functions, refresh, prepare, secrets, settings, step=2)


def test_x19_api_calls(grant, secrets, settings):
    client_class = base.BaseClient
    functions = [
        client_class.call,
        client_class.with_token,
        client_class.send,
        http.request_json,
        http.send_request,
        http._read_body,
    ]
    client = client_for_reading(grant.account)
    inject_everywhere(functions, client.me, lambda: None, secrets, settings)


def test_x19_connect(owner_client, site, zoom_app, secrets, settings):
    def prepare():
        OAuthState.objects.all().delete()

    functions = [flow.start, flow.handle_callback, flow.consume_state, flow.complete,
                 protocol.exchange_code, protocol.authorize_url,
                 userinfo.fetch_userinfo, connect.store_grant]  # fmt: skip
    work = lambda: connect_site(owner_client, site, "aurora-0")  # noqa: E731
    # The code is in the redirect URL as well; it is useless without the verifier.
    inject_everywhere(functions, work, prepare, secrets, settings, debug=(False,), step=4)


def test_x19_revoke(grant, secrets, settings, zoom_app):
    def prepare():
        Grant.objects.update(
            state="revoked", revoke_requested_at=timezone.now(), revoke_attempts=0, retry_at=None
        )
        row = Grant.objects.get()
        row.access_token, row.refresh_token = "not-a-good-token-1", "not-a-good-token-2"
        row.save()

    functions = [disconnect._revoke_token, protocol.revoke, protocol._request]
    work = lambda: disconnect.revoke_pending(grant.pk)  # noqa: E731
    inject_everywhere(functions, work, prepare, secrets, settings)


@pytest.mark.parametrize("event", ["meeting.updated", "endpoint.url_validation"])
def test_x19_webhook(db, zoom_app, secrets, settings, event):
    payload = {"account_id": "a", "object": {"id": 1}, "plainToken": "abc"}
    raw = json.dumps({"event": event, "payload": payload}).encode()

    def work():
        headers = sign(raw, SECRET)
        headers.pop("content-type")
        url = reverse("wagtail_zoom:webhook")
        Client().post(url, raw, content_type="application/json", headers=headers)

    functions = [
        webhooks.webhook,
        webhook_requests.receive,
        webhook_requests.verify,
        webhook_requests.answer_challenge,
        webhooks.store_event,
    ]
    # With DEBUG, the comparison loop shows its secret.
    inject_everywhere(functions, work, lambda: None, secrets, settings, debug=(False,))


def test_x19_redirects_to_zoom(site, settings, rf):
    from tests.blocks import rows

    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, join_policy="public")
    occurrence = rows.occurrence(host)
    recording = rows.recording(host)
    for row, name in ((occurrence.meeting, "join_url"), (recording, "share_url")):
        setattr(row, name, "https://zoom.us/x/1?pwd=canarycode9")
        row.passcode = "canarycode9"
        row.save()
    item = rows.item(site, recording)
    values = Canaries()
    values.secret["code"] |= {"canarycode9", "https://zoom.us/x/1?pwd=canarycode9"}
    for url, functions in (
        (
            links.join_url(site.pk, Occurrence.objects.get(pk=occurrence.pk)),
            [views.join_response, views._join_target],
        ),
        (links.watch_url(item), [views.watch]),
    ):
        get = lambda place=url: Client().get(place)  # noqa: E731
        inject_everywhere(functions, get, lambda: None, lambda: values, settings, debug=(False,))


def test_x19_errors_of_requests(grant, secrets, settings, monkeypatch):
    """``requests`` fails while it holds the token: its frames are not reported."""
    secrets()

    for failing in (RuntimeError("x"), requests.ConnectionError("x"), requests.Timeout("x")):

        def broken(self, *args, failing=failing, **kwargs):
            raise failing

        monkeypatch.setattr(requests.Session, "send", broken)
        Grant.objects.update(expires_at=timezone.now(), lease_until=None, retry_at=None)
        for work in (lambda: tokens.get_token(grant), lambda: protocol.revoke(grant.access_token)):
            with pytest.raises(Exception) as caught:
                work()
            for mode in (True, False):
                leaks = secrets_in(caught.value, grant, settings, mode)
                assert leaks == [], (failing, mode)
        monkeypatch.undo()


def secrets_in(error, grant, settings, mode):
    values = Canaries()
    values.secret["row"] |= {grant.access_token.reveal(), grant.refresh_token.reveal()}
    values.secret["settings"] |= {settings.WAGTAIL_ZOOM["CLIENT_SECRET"]}
    return values.leaks_in(error_report(error, settings, mode))


def test_the_search_detects_a_token(settings):
    """A plain token in a frame is detected, in both types of report."""
    values = Canaries()
    values.secret["token"] |= {"canary-token-1"}

    def careless():
        token = "canary-token-1"
        raise InjectedError(len(token))

    with pytest.raises(InjectedError) as caught:
        careless()
    for mode in (True, False):
        assert values.leaks_in(error_report(caught.value, settings, mode))
