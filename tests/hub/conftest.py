"""The hub in this process, the simulator as Zoom, and deployments that a test plays."""

import base64
import hashlib
import html
import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from wagtail_zoom.hub import deployments
from wagtail_zoom.testing.connect import authorize_as
from wagtail_zoom.testing.signing import sign

HUB = "testserver"
ZOOM_SECRET = "simulator-webhook-secret"


@dataclass
class Owner:
    """A browser."""

    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def get(self, url):
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}", secure=True, headers={"host": HUB})

    def press(self, url, answer="continue", **form):
        """Open the hub's page and press a button, with the CSRF token of the page."""
        page = self.get(url)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
        parts = urlsplit(url)
        return self.client.post(
            f"{parts.path}?{parts.query}",
            {"csrfmiddlewaretoken": token[1] if token else "", "answer": answer, **form},
            secure=True,
            headers={"host": HUB, "referer": f"https://{HUB}{parts.path}"},
        )

    def allow(self, url, person, **form):
        """From the hub's page over Zoom to the deployment; the URL that the browser opens there."""
        zoom_url = continue_url(self.press(url, **form))
        answer = self.get(authorize_as(zoom_url, person))
        assert answer.status_code == 302, answer.content.decode()
        return answer["Location"]


def continue_url(response):
    """Zoom's URL, to which the page after the button leads."""
    match = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', response.content.decode())
    assert match, response.content.decode()
    return html.unescape(match[1])


class Member:
    """A deployment, as its own installation sees the hub."""

    def __init__(self, name, url="", webhook_url=""):
        url = url or f"https://{name.lower().replace(' ', '-')}.example"
        self.credentials = deployments.add(
            name, url, f"operator@{urlsplit(url).hostname}", webhook_url=webhook_url
        )
        self.row = self.credentials.deployment
        self.secret = self.credentials.client_secret
        self.verifier = secrets.token_urlsafe(48)
        self.client = Client(enforce_csrf_checks=True)

    def authorize_url(self, **changes):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.row.client_id,
            "redirect_uri": self.row.redirect_uri,
            "state": "member-state",
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }
        query = {name: value for name, value in query.items() if value is not None}
        return f"https://{HUB}{reverse('wagtail_zoom_hub:authorize')}?{urlencode(query)}"

    def call(self, endpoint, secret=None, headers=None, **form):
        pair = base64.b64encode(f"{self.row.client_id}:{secret or self.secret}".encode()).decode()
        return self.client.post(
            reverse(f"wagtail_zoom_hub:{endpoint}"),
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={
                "authorization": f"Basic {pair}",
                **(headers or {}),
            },
        )

    def exchange(self, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.row.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.call("token", **form)

    def refresh(self, token):
        return self.call("token", grant_type="refresh_token", refresh_token=token)

    def connect(self, person, owner=None, **form):
        """Connect as this Zoom user; the tokens."""
        response = self.exchange(
            code_of((owner or Owner()).allow(self.authorize_url(), person, **form))
        )
        assert response.status_code == 200, response.content
        return response.json()


def code_of(url):
    """The code in the URL to which the browser was sent."""
    return parse_qs(urlsplit(url).query)["code"][0]


@pytest.fixture
def hub(db, zoom_app, zoom_no_rate_limit, zoom_worker, monkeypatch, settings):
    """The simulator, with the hub's redirect URL."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OPERATOR_EMAIL": "hub@example.org"}
    zoom_app.options(
        redirect_uris=[f"https://{HUB}/zoom/hub/callback/", f"https://{HUB}/zoom/oauth/callback/"]
    )
    monkeypatch.setattr("wagtail_zoom.hub.routing.debounce", lambda name, seconds: True)
    monkeypatch.setattr("wagtail_zoom.hub.tasks.IDLE_SECONDS", 0)
    return zoom_app


@pytest.fixture
def harbour(hub):
    return Member("Harbour House")


@pytest.fixture
def hill(hub):
    return Member("Hill House")


@pytest.fixture
def owner():
    return Owner()


def post_event(body, *, secret=ZOOM_SECRET, request_id=None, **headers):
    """Post an event to the hub as Zoom does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = {**sign(raw, secret, request_id=request_id), **headers}
    return Client().post(
        reverse("wagtail_zoom_hub:webhook"),
        raw,
        content_type="application/json",
        headers={name: value for name, value in signed.items() if name != "content-type"},
    )


class Recorder:
    """A web server that stores what is posted to it, and answers as told."""

    def __init__(self):
        self.requests = []
        self.status = 200
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.requests.append((self.path, dict(self.headers.items()), body))
                status = recorder.status(body) if callable(recorder.status) else recorder.status
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{recorder.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def recorder():
    server = Recorder()
    yield server
    server.stop()


@pytest.fixture
def allow_local(settings):
    """This machine is a private network that the settings allow; plain http is allowed too."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "HUB_PRIVATE_NETWORKS": ["127.0.0.0/8"]}


def users_me(zoom, tokens):
    """Status of a call with the access token at Zoom."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return requests.get(f"{zoom.url}/v2/users/me", headers=headers, timeout=10)
