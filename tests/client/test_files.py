"""Where the token may go when a file is fetched: a credential stays with Zoom's own hosts."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from wagtail_zoom.client import files
from wagtail_zoom.errors import ZoomNotFound, ZoomProtocolError, ZoomRejected


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
                self.send_response(404 if place == "gone" else 200)
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


class Client:
    """Only what ``text_file`` needs of a client."""

    account = grant = None
    priority, patience, timeout = 1, 0.0, (2, 2)


class Token:
    def reveal(self):
        return "hush"


@pytest.fixture
def fetch(server, settings, monkeypatch):
    base = f"http://127.0.0.1:{server.server_port}"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "API_URL": f"{base}/v2", "LINK_HOSTS": []}
    monkeypatch.setattr(files.budget, "reserve", lambda *args, **kwargs: [0.0])
    monkeypatch.setattr(files.tokens, "get_token", lambda grant: Token())
    return lambda path: files.text_file(Client(), path if "://" in path else f"{base}/{path}")


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
