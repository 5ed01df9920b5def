"""``zoom_hub doctor`` and deployments that answer slowly or wrongly."""

import socket
import threading
import time

import pytest
from cryptography.fernet import Fernet

from wagtail_zoom.hub import http, status
from wagtail_zoom.hub.models import Deployment

from .test_events import harbour as harbour

pytestmark = pytest.mark.django_db


@pytest.fixture
def dripping():
    """The URL of a server that sends a byte of its response each tenth of a second."""
    server = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve():
        connection, _address = server.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        while not is_over.wait(0.1):
            try:
                connection.sendall(b" ")
            except OSError:
                break
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    is_over.set()
    thread.join(5)
    server.close()


def test_answer_has_a_time_limit(harbour, dripping, monkeypatch):
    monkeypatch.setattr(http, "MAX_SECONDS", 1.0)
    harbour.row.webhook_url = dripping
    started = time.monotonic()
    assert "does not answer" in status.validate_webhook(harbour.row)
    assert time.monotonic() - started < 10


def answer(content):
    """The URL of a server that sends this once and closes the connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _address = server.accept()
        connection.recv(65536)
        connection.sendall(content)
        connection.close()
        server.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
        b"no HTTP at all",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00[",
    ],
)
def test_wrong_answers_stop_nothing(harbour, content):
    """The others are checked all the same."""
    harbour.row.webhook_url = answer(content)
    assert status.validate_webhook(harbour.row)


def test_secret_that_cannot_be_decrypted(harbour, settings):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    row = Deployment.objects.get()
    assert "cannot be decrypted" in status.validate_webhook(row)
