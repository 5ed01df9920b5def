"""Downloading files: the token is sent to Zoom's own hosts only."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from wagtail_zoom.client import base as client_base
from wagtail_zoom.client import files
from wagtail_zoom.exceptions import ZoomNotFound, ZoomProtocolError, ZoomRejected, ZoomTransient
from wagtail_zoom.models import Grant, ZoomAccount
from wagtail_zoom.oauth.http import ZoomResponse

STATUS = {"gone": 404, "ill": 503, "shut": 401}


@pytest.fixture
def server():
    """Responds by path and records hosts and tokens."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.headers["Host"].split(":")[0], self.headers.get("Authorization")))
            name = self.path.removeprefix("/")
            if name in ("away", "round"):
                self.send_response(302)
                target = (
                    "http://localhost:{}/file" if name == "away" else "http://127.0.0.1:{}/round"
                )
                self.send_header("Location", target.format(self.server.server_port))
            else:
                self.send_response(STATUS.get(name, 200))
            self.end_headers()
            self.wfile.write("WEBVTT ü".encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.seen = seen
    yield server
    server.shutdown()
    server.server_close()


class Token:
    api_base = ""

    def reveal(self):
        return "hush"


@pytest.fixture
def fetch(server, settings, monkeypatch):
    base = f"http://127.0.0.1:{server.server_port}"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "API_URL": f"{base}/v2", "LINK_HOSTS": []}
    monkeypatch.setattr(client_base.ratelimit, "reserve", lambda *args, **kwargs: [0.0])
    monkeypatch.setattr(client_base.tokens, "get_token", lambda grant, **kwargs: Token())
    outcomes = []
    monkeypatch.setattr(
        client_base.grant_state, "record_success", lambda grant: outcomes.append("well")
    )
    monkeypatch.setattr(
        client_base.grant_state,
        "record_failure",
        lambda grant, error, began_at: outcomes.append(type(error).__name__),
    )
    client = client_base.BaseClient(Grant(account=ZoomAccount(plan="pro")), deadline=2)

    def run(path):
        return files.fetch_text_file(client, path if "://" in path else f"{base}/{path}")

    run.outcomes = outcomes
    return run


def test_zooms_own_host_gets_the_token(fetch, server):
    assert fetch("file") == "WEBVTT ü"
    assert server.seen == [("127.0.0.1", "Bearer hush")]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("gone", ZoomNotFound),
        ("round", ZoomProtocolError),
        ("away", ZoomProtocolError),
        ("https://example.org/file", ZoomRejected),
        ("https://zoom.us@example.org/file", ZoomRejected),
        ("file:///etc/passwd", ZoomRejected),
    ],
)
def test_no_other_host_gets_the_token(fetch, server, path, error):
    with pytest.raises(error):
        fetch(path)
    assert {host for host, _token in server.seen} <= {"127.0.0.1"}


def test_files_count_as_calls_of_the_account(fetch, server, monkeypatch):
    """They are rate-limited (S18), and their outcome is recorded for the grant."""
    labels = []
    monkeypatch.setattr(
        client_base.ratelimit, "wait_before_send", lambda account, label: labels.append(label)
    )
    fetch("file")
    assert (labels, fetch.outcomes) == (["light"], ["well"])
    with pytest.raises(ZoomTransient):
        fetch("ill")
    assert fetch.outcomes == ["well", "ZoomTransient"]


def test_a_refused_token_is_replaced_once(fetch, server, monkeypatch):
    refreshed = []

    def refresh(grant, token, **kwargs):
        refreshed.append(token)
        return Token()

    monkeypatch.setattr(client_base.tokens, "refresh_after_401", refresh)
    with pytest.raises(ZoomRejected):
        fetch("shut")
    assert len(refreshed) == 1
    assert len(server.seen) == 2
    assert fetch.outcomes == []


@pytest.mark.parametrize("status", [200, 503])
def test_the_storage_host_gets_no_token_and_does_not_affect_the_grant(
    fetch, server, monkeypatch, status
):
    """X13: Zoom redirects downloads to hosts that are not its own."""
    requests = []

    def send_request(method, url, *, auth, **kwargs):
        requests.append((url, auth is not None))
        if "storage" in url:
            return ZoomResponse(status, {}, b"WEBVTT")
        return ZoomResponse(302, {"Location": "https://storage.example.org/file"}, b"")

    monkeypatch.setattr(files, "send_request", send_request)
    if status == 200:
        assert fetch("file") == "WEBVTT"
    else:
        with pytest.raises(ZoomTransient):
            fetch("file")
    assert [auth for _url, auth in requests] == [True, False]
    assert requests[1][0] == "https://storage.example.org/file"
    assert fetch.outcomes == ["well"]
