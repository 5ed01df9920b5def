"""A webhook endpoint that verifies and records deliveries and answers with given statuses."""

import json
import threading
import time
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wagtail_zoom.testing.signing import challenge_answer, signature

SECRET = "simulator-webhook-secret"


class Delivery:
    def __init__(self, headers, raw):
        self.headers, self.raw = headers, raw
        self.body = json.loads(raw)
        self.event = self.body["event"]
        self.object = self.body["payload"].get("object", {})
        expected = signature(raw, SECRET, headers["x-zm-request-timestamp"])
        self.genuine = headers["x-zm-signature"] == expected


class Receiver:
    """``answers`` are the statuses of the next responses (200 when empty)."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.deliveries, self.answers, self.slow = [], [], 0.0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = Delivery(self.headers, raw)
                endpoint.deliveries.append(delivery)
                time.sleep(endpoint.slow)
                status = endpoint.answers.pop(0) if endpoint.answers else 200
                body = b"{}"
                if delivery.event == "endpoint.url_validation":
                    token = delivery.body["payload"]["plainToken"]
                    proof = challenge_answer(token, SECRET)
                    body = json.dumps({"plainToken": token, "encryptedToken": proof}).encode()
                with suppress(OSError):  # The simulator has disconnected after its timeout.
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/zoom/webhook/"
        serve = partial(self.server.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()

    def wait(self):
        """All deliveries, once no event is due."""
        assert self.simulator.retry_deliveries()
        return self.deliveries

    def events(self):
        return [delivery.event for delivery in self.wait()]

    def last(self):
        return self.wait()[-1]

    def clear(self):
        self.wait()
        self.deliveries.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
