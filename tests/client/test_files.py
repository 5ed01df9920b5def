"""Where the token may go when a file is fetched: a credential stays with Zoom's own hosts."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from wagtail_zoom.client import base as client_base
from wagtail_zoom.client import files
from wagtail_zoom.exceptions import ZoomNotFound, ZoomProtocolError, ZoomRejected, ZoomTransient
from wagtail_zoom.models import Grant, ZoomAccount
from wagtail_zoom.oauth.http import Answer

STATUS = {"gone": 404, "ill": 503, "shut": 401}


@pytest.fixture
def server():
    """Answers by path and writes down who came with a token."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.headers["Host"].split(":")[0], self.headers.get("Authorization")))
            place = self.path.removeprefix("/")
            if place in ("away", "round"):
                self.send_response(302)
                target = (
                    "http://localhost:{}/file" if place == "away" else "http://127.0.0.1:{}/round"
                )
                self.send_header("Location", target.format(self.server.server_port))
            else:
                self.send_response(STATUS.get(place, 200))
            self.end_headers()
            self.wfile.write("WEBVTT ü".encode())

        def log_message(self, *args):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    made.seen = seen
    yield made
    made.shutdown()
    made.server_close()


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
    noted = []
    monkeypatch.setattr(client_base.grant_state, "note_success", lambda grant: noted.append("well"))
    monkeypatch.setattr(
        client_base.grant_state,
        "note_failure",
        lambda grant, error: noted.append(type(error).__name__),
    )
    client = client_base.Calls(Grant(account=ZoomAccount(plan="pro")), within=2)

    def run(path):
        return files.text_file(client, path if "://" in path else f"{base}/{path}")

    run.noted = noted
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
def test_nobody_else_does(fetch, server, path, error):
    with pytest.raises(error):
        fetch(path)
    assert {host for host, _token in server.seen} <= {"127.0.0.1"}


def test_files_count_as_calls_of_the_account(fetch, server, monkeypatch):
    """Looked at before they leave (S18), and they tell how the permission is."""
    looks = []
    monkeypatch.setattr(
        client_base.ratelimit, "wait_turn", lambda account, label: looks.append(label)
    )
    fetch("file")
    assert (looks, fetch.noted) == (["light"], ["well"])
    with pytest.raises(ZoomTransient):
        fetch("ill")
    assert fetch.noted == ["well", "ZoomTransient"]


def test_a_refused_token_is_replaced_once(fetch, server, monkeypatch):
    renewed = []

    def renew(grant, token, **kwargs):
        renewed.append(token)
        return Token()

    monkeypatch.setattr(client_base.tokens, "renew_after_401", renew)
    with pytest.raises(ZoomRejected):
        fetch("shut")
    assert len(renewed) == 1
    assert len(server.seen) == 2
    assert fetch.noted == []


@pytest.mark.parametrize("status", [200, 503])
def test_the_storage_host_gets_no_token_and_has_no_say(fetch, server, monkeypatch, status):
    """X13: Zoom hands files out by redirects to hosts that are not its own."""
    asked = []

    def exchange(method, url, *, auth, **kwargs):
        asked.append((url, auth is not None))
        if "storage" in url:
            return Answer(status, {}, b"WEBVTT")
        return Answer(302, {"Location": "https://storage.example.org/file"}, b"")

    monkeypatch.setattr(files, "exchange", exchange)
    if status == 200:
        assert fetch("file") == "WEBVTT"
    else:
        with pytest.raises(ZoomTransient):
            fetch("file")
    assert [auth for _url, auth in asked] == [True, False]
    assert asked[1][0] == "https://storage.example.org/file"
    assert fetch.noted == ["well"]
