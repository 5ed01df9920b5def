"""``python -m wagtail_zoom.testing.simulator --port 8010``."""

from __future__ import annotations

import argparse
import logging

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import create_app
from .scopes import scheduling_scopes
from .seed import seed
from .world import World


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="simulator", description="A Zoom on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010, help="0 takes a free one")
    parser.add_argument("--state", default=":memory:", help="file that keeps everything")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--demo", action="store_true", help="without the awkward data of tests")
    for name in ("meetings", "webinars", "recordings", "hosts"):
        text = f"so many {name} on top for each account that can have them"
        parser.add_argument(f"--{name}", type=int, default=0, help=text)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds for each call")
    parser.add_argument("--rate-limit", default="plan", help="plan, off, or calls a second")
    parser.add_argument("--redirect-uri", action="append", default=[])
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument("--app-kind", choices=["admin", "user"])
    text = "people may refuse the scopes for scheduling on the consent page"
    parser.add_argument("--optional-scheduling", action="store_true", help=text)
    parser.add_argument("--webhook-url", help="where events go, such as http://…/zoom/webhook/")
    parser.add_argument("--webhook-secret", help="secret token that signs them")
    return parser


def extra_seed_data(options: argparse.Namespace) -> dict[str, int]:
    """Numbers of additional objects to seed."""
    return {
        name: getattr(options, name) for name in ("hosts", "meetings", "webinars", "recordings")
    }


class Handler(WSGIRequestHandler):
    """Keeps connections open, as Zoom does, and logs no requests."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *args: object, **kwargs: object) -> None:
        """Log nothing: the calls are in ``/_sim/calls``."""


def main() -> None:
    """Start the server and print its URL."""
    options = arguments().parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    world = World(options.state)
    changes = {"latency": options.latency, "rate_limit": options.rate_limit}
    for name in ("client_id", "client_secret", "app_kind", "webhook_url", "webhook_secret"):
        if getattr(options, name):
            changes[name] = getattr(options, name)
    if options.redirect_uri:
        changes["redirect_uris"] = options.redirect_uri
    if options.optional_scheduling:
        changes["optional_scopes"] = scheduling_scopes(options.app_kind or world.options.app_kind)
    world.options.update(changes)
    world.baseline = world.options.dump()
    world.seed_args = {
        "number": options.seed,
        "demo": options.demo,
        "extra": extra_seed_data(options),
    }
    app = create_app(world)
    server = make_server(options.host, options.port, app, threaded=True, request_handler=Handler)
    world.base_url = f"http://{options.host}:{server.port}"
    if not world.store.meta("seeded"):
        seed(world, **world.seed_args)
    print(f"Zoom simulator at {world.base_url}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
