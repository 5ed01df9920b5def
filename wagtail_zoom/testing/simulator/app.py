"""The Flask application: injects faults, formats errors as Zoom does, records all calls."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from ..signing import tracking_id
from . import (
    control,
    control_events,
    control_world,
    link_targets,
    oauth,
    pages,
    rest,
    rest_past,
    rest_recordings,
    rest_registrants,
    rest_summaries,
    rest_write,
)
from .delivery import Sender
from .errors import ControlError, Problem, no_endpoint
from .snapshots import Snapshots
from .world import World

MODULES = (
    oauth,
    link_targets,
    pages,
    rest,
    rest_past,
    rest_recordings,
    rest_registrants,
    rest_summaries,
    rest_write,
    control,
    control_world,
    control_events,
)


def create_app(world: World) -> Flask:
    """Return the application that serves this world."""
    app = Flask(__name__)
    app.config["WORLD"] = world
    app.config["SENDER"] = Sender(world)
    app.config["SENDER"].start()
    app.config["SNAPSHOTS"] = Snapshots(world)
    app.url_map.merge_slashes = False
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of the default provider
    for module in MODULES:
        app.register_blueprint(module.blueprint)
    app.register_error_handler(ControlError, _control_error)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http_error)
    app.before_request(lambda: _before(world))
    app.after_request(lambda response: _after(world, response))
    return app


def _is_call() -> bool:
    """Whether this is an API call, not a page or the control API."""
    return request.path.startswith(("/v2/", "/oauth/")) and request.endpoint != "oauth.authorize"


def _problem(problem: Problem) -> Response:
    if request.path.startswith("/_sim/"):
        fields = [f"{field['field']}: {field['message']}" for field in problem.fields or []]
        return _control_error(ControlError("; ".join([problem.message, *fields])))
    response = jsonify(problem.body())
    response.status_code = problem.status
    response.headers.update(problem.headers)
    return response


def _control_error(error: ControlError) -> Response:
    """Return 400 for a request to the control API, or for a page, that cannot be carried out."""
    response = jsonify(error=str(error))
    response.status_code = 400
    return response


def _http_error(error: HTTPException) -> Any:
    """The API answers unknown paths and methods in JSON."""
    if error.code in (404, 405) and request.path.startswith("/v2/"):
        return _problem(no_endpoint())
    return error


def _call_attributes() -> dict[str, str]:
    return {
        "method": request.method,
        "path": request.path,
        "account": g.account["id"] if "account" in g else "",
        "grant_type": request.form.get("grant_type", ""),
    }


def _before(world: World) -> Any:
    if not _is_call():
        return None
    g.epoch = world.epoch
    g.began = time.monotonic()
    fault = world.faults.before(_call_attributes())
    if fault is None:
        return None
    g.fault = fault["kind"]
    if fault["kind"] == "slow":
        time.sleep(float(fault.get("seconds", 10)))
        if g.epoch != world.epoch:
            # The simulator was reset meanwhile; this call must not change or count in the new data.
            return Response(status=503)
    elif fault["kind"] == "cut_before":
        g.cut = True
        return Response(
            status=503
        )  # the client never receives it; it prevents the view from running
    elif fault["kind"] == "status":
        body = fault.get(
            "body", {"code": fault.get("code", 0), "message": fault.get("message", "")}
        )
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(
            text, status=int(fault["status"]), headers=fault.get("headers"),
            mimetype="application/json",
        )  # fmt: skip
    return None


def _cut() -> None:
    """Drop the connection: shut down the socket, so that no response can be sent."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # the client may have disconnected before
            connection.shutdown(socket.SHUT_RDWR)


def _after(world: World, response: Response) -> Response:
    if not _is_call():
        return _with_csp(response)
    response.headers["x-zm-trackingid"] = tracking_id()
    # The simulator's own processing time counts towards the latency.
    rest = world.options.latency / 1000 - (time.monotonic() - g.get("began", 0.0))
    if world.options.latency and rest > 0:
        time.sleep(rest)
    if "label" in g:
        response.headers.setdefault("X-RateLimit-Category", g.label.capitalize())
    fault = world.faults.after(_call_attributes())
    if fault is not None:
        g.fault = fault["kind"]
        response = _apply_fault(fault, response)
    _record(world, response)
    if g.get("cut"):
        _cut()  # not earlier: who sees the end of the connection may ask for the recorded call
    if fault is not None and fault["kind"] == "drip":
        return _drip(fault, response)
    return response


def _drip(fault: dict[str, Any], response: Response) -> Response:
    """Send byte by byte: each byte arrives within a read timeout, the response never does."""
    pause, body_bytes = float(fault.get("seconds", 0.2)), response.get_data()
    pieces = (body_bytes[index : index + 1] for index in range(len(body_bytes)))
    if not fault.get("head"):

        def body() -> Iterator[bytes]:
            for piece in pieces:
                yield piece
                time.sleep(pause)

        response.response = body()
        response.headers["Content-Length"] = str(len(body_bytes))
        return response
    connection = request.environ["werkzeug.socket"]
    with contextlib.suppress(OSError):  # the client disconnects at some point
        for character in f"HTTP/1.1 {response.status}\r\n{response.headers}":
            connection.sendall(character.encode())
            time.sleep(pause)
    _cut()
    return response


def _with_csp(response: Response) -> Response:
    """Add a strict CSP to pages. (The consent page redirects to the website.)"""
    if response.mimetype == "text/html":
        policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        if request.endpoint != "oauth.authorize":
            policy += "; form-action 'self'"
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _apply_fault(fault: dict[str, Any], response: Response) -> Response:
    kind = fault["kind"]
    if kind == "cut_after":
        g.cut = True
    elif kind == "broken_json":
        response.set_data(b'{"meetings": [')
    elif kind == "wrong_type":
        response.set_data(b'["not", "an", "object"]')
    elif kind == "change_body":
        body = response.get_json(silent=True)
        if isinstance(body, dict):
            rest = {key: value for key, value in body.items() if key not in fault.get("drop", [])}
            response.set_data(json.dumps({**rest, **fault.get("set", {})}))
    elif kind == "truncate":
        body_bytes = response.get_data()
        response.set_data(body_bytes[: len(body_bytes) // 2])
        response.headers["Content-Length"] = str(len(body_bytes))
    elif kind == "gzip_bomb":
        response.set_data(gzip.compress(b" " * (int(fault.get("megabytes", 200)) << 20)))
        response.headers["Content-Encoding"] = "gzip"
    elif kind == "huge_body":
        response.set_data(b'{"a": "' + b"x" * (int(fault.get("megabytes", 50)) << 20) + b'"}')
    elif kind == "loop_page_tokens":
        body = response.get_json(silent=True)
        if isinstance(body, dict) and "next_page_token" in body:
            response.set_data(json.dumps({**body, "next_page_token": "again"}))
    return response


def _record(world: World, response: Response) -> None:
    if g.epoch != world.epoch:
        return
    entry = {
        "method": request.method,
        # Not decoded, so that tests can check how ids are encoded.
        "path": request.environ["RAW_URI"].partition("?")[0],
        "query": request.query_string.decode(),
        "status": response.status_code,
        "account": g.account["id"] if "account" in g else "",
        "grant_type": request.form.get("grant_type", ""),
        "operation": request.endpoint or "",
        "fault": g.get("fault", ""),
        "time": time.time(),
    }
    world.recorder.call(entry)
    if world.options.record_exchanges:
        form = request.form.to_dict() or None
        sent, body = request.get_json(silent=True), response.get_json(silent=True)
        world.recorder.exchange({**entry, "form": form, "sent": sent, "json": body})
