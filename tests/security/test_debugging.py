"""Whatever breaks, wherever: debug pages, error mails and trackers show no token (X19, O22, O26).

Every line of the functions that hold secrets raises once, in a real run over the simulator. Then
what Django would show is searched: under ``DEBUG`` everything that stands in variables, in mails
what ``sensitive_variables`` leaves.
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
from wagtail_zoom.client import base, client_for
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

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SECRET = "simulator-webhook-secret"


class Boom(Exception):
    """What is raised in the middle of a function."""


def code_of(function):
    """The code of a function under its decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function.__code__


class Breaker:
    """Raises at one line of a set of functions: the ``number``-th that is reached."""

    def __init__(self, functions, number):
        self.codes = {code_of(function) for function in functions}
        self.left, self.raised = number, False

    def __enter__(self):
        sys.settrace(self.enter)
        return self

    def __exit__(self, *found):
        sys.settrace(None)

    def enter(self, frame, event, argument):
        return self.line if frame.f_code in self.codes else None

    def line(self, frame, event, argument):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.raised = True
                sys.settrace(None)
                raise Boom("a mistake")
        return self.line


def shown(error, settings, debug):
    """Everything that Django tells of an error, variables of all frames included."""
    settings.DEBUG = debug
    request = RequestFactory().get("/")
    reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    data = reporter.get_traceback_data()
    settings.DEBUG = False
    assert any(frame["vars"] for frame in data["frames"])
    told = [f"{name}={value}" for frame in data["frames"] for name, value in frame["vars"]]
    return "\n".join([*told, str(data["settings"]), str(error)])


def break_everywhere(functions, work, prepare, learn, settings, *, debug=(True, False), step=1):
    """Repeat ``work``, each time with another line broken, until none is reached any more."""
    number, found = 1 - step, []
    while True:
        number += step
        prepare()
        caught = None
        with Breaker(functions, number) as breaker:
            try:
                work()
            except Exception as error:
                caught = error
        if not breaker.raised:
            break
        secrets = learn()
        if caught is not None:
            for mode in debug:
                text = shown(caught, settings, mode)
                found += [(number, mode, one) for one in secrets.found_in(text)]
    assert number > 5
    assert found == []


@pytest.fixture
def secrets(zoom_app, settings):
    """What has been met until now, by the simulator's own record."""
    made = Canaries()
    own = settings.WAGTAIL_ZOOM
    made.secret["settings"] |= {own["CLIENT_SECRET"], SECRET, *own["ENCRYPTION_KEYS"]}

    def learn():
        kept = zoom_app.call("GET", "exchanges")["exchanges"]
        for exchange in kept:
            made.learn([exchange["form"], exchange["json"]])
        for row in Grant.objects.all():
            made.secret["row"] |= {row.access_token.reveal(), row.refresh_token.reveal()} - {""}
        # Addresses and names of what is fetched are no keys to anything here.
        for name in ("join_url", "start_url", "pwd", "password", "share_url", "play_url", "state"):
            made.secret.pop(name, None)
        return made

    return learn


@pytest.fixture
def grant(owner, owner_client, site, zoom_app, zoom_worker):
    zoom_app.options(refresh_grace=36_000)
    connect_site(owner_client, site, "aurora-0")
    return ZoomSettings.for_site(site).grant


def test_x19_refreshing(grant, secrets, settings):
    def prepare():
        Grant.objects.update(
            expires_at=timezone.now() - timedelta(minutes=1), lease_until=None, lease_owner="",
            state="connected", reason="", refresh_started_at=None, retry_at=None,
        )  # fmt: skip

    functions = [protocol.renew, protocol._tokens, protocol._bare, protocol.token_set,
                 tokens._refresh, tokens._rotate, tokens._store, protocol._checked]  # fmt: skip
    renew = lambda: tokens.get_token(grant)  # noqa: E731
    break_everywhere(functions, renew, prepare, secrets, settings, step=2)


def test_x19_calling(grant, secrets, settings):
    calls = base.Calls
    functions = [calls.call, calls.carry, calls.send, http.call, http.exchange, http._read]
    client = client_for(grant.account)
    break_everywhere(functions, client.me, lambda: None, secrets, settings)


def test_x19_connecting(owner_client, site, zoom_app, secrets, settings):
    def prepare():
        OAuthState.objects.all().delete()

    functions = [flow.start, flow.receive, flow.take, flow.complete, protocol.exchange,
                 protocol.authorize_url, userinfo.read, connect.store_grant]  # fmt: skip
    work = lambda: connect_site(owner_client, site, "aurora-0")  # noqa: E731
    # The code stands in Zoom's address as well; it is worth nothing without the verifier.
    break_everywhere(functions, work, prepare, secrets, settings, debug=(False,), step=4)


def test_x19_revoking(grant, secrets, settings, zoom_app):
    def prepare():
        Grant.objects.update(
            state="revoked", revoke_requested_at=timezone.now(), revoke_attempts=0, retry_at=None
        )
        row = Grant.objects.get()
        row.access_token, row.refresh_token = "not-a-good-token-1", "not-a-good-token-2"
        row.save()

    functions = [disconnect._revoke, protocol.revoke, protocol._bare]
    work = lambda: disconnect.revoke_pending(grant.pk)  # noqa: E731
    break_everywhere(functions, work, prepare, secrets, settings)


@pytest.mark.parametrize("event", ["meeting.updated", "endpoint.url_validation"])
def test_x19_receiving(db, zoom_app, secrets, settings, event):
    payload = {"account_id": "a", "object": {"id": 1}, "plainToken": "abc"}
    raw = json.dumps({"event": event, "payload": payload}).encode()

    def work():
        headers = sign(raw, SECRET)
        headers.pop("content-type")
        address = reverse("wagtail_zoom:webhook")
        Client().post(address, raw, content_type="application/json", headers=headers)

    functions = [webhooks.webhook, webhooks._verified, webhooks._answer_challenge, webhooks._store]
    # Under DEBUG the loop that compares shows which secret it compares with.
    break_everywhere(functions, work, lambda: None, secrets, settings, debug=(False,))


def test_x19_leading_to_zoom(site, settings, rf):
    from tests.blocks import rows

    host = rows.host(rows.account())
    rows.choice(site, host.account, host, join_policy="public")
    date = rows.date(host)
    film = rows.recording(host)
    for row, name in ((date.meeting, "join_url"), (film, "share_url")):
        setattr(row, name, "https://zoom.us/x/1?pwd=canarycode9")
        row.passcode = "canarycode9"
        row.save()
    item = rows.item(site, film)
    known = Canaries()
    known.secret["code"] |= {"canarycode9", "https://zoom.us/x/1?pwd=canarycode9"}
    for address, functions in (
        (
            links.join(site.pk, Occurrence.objects.get(pk=date.pk)),
            [views.answer, views._target],
        ),
        (links.watch(item), [views.watch]),
    ):
        get = lambda place=address: Client().get(place)  # noqa: E731
        break_everywhere(functions, get, lambda: None, lambda: known, settings, debug=(False,))


def test_x19_errors_of_the_library(grant, secrets, settings, monkeypatch):
    """The library breaks with the token in its hands: its frames do not come along."""
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
                found = secrets_in(caught.value, grant, settings, mode)
                assert found == [], (failing, mode)
        monkeypatch.undo()


def secrets_in(error, grant, settings, mode):
    known = Canaries()
    known.secret["row"] |= {grant.access_token.reveal(), grant.refresh_token.reveal()}
    known.secret["settings"] |= {settings.WAGTAIL_ZOOM["CLIENT_SECRET"]}
    return known.found_in(shown(error, settings, mode))


def test_the_search_would_see_a_token(settings):
    """A frame that holds one in clear is found, in both kinds of report."""
    known = Canaries()
    known.secret["token"] |= {"canary-token-1"}

    def careless():
        token = "canary-token-1"
        raise Boom(len(token))

    with pytest.raises(Boom) as caught:
        careless()
    for mode in (True, False):
        assert known.found_in(shown(caught.value, settings, mode))
