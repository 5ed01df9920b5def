"""Validates recorded exchanges and webhook events against the contract in ``openapi.yaml``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

CONTRACT = Path(__file__).with_name("openapi.yaml")
ROOT = "urn:zoom"
API_ERROR = {"$ref": "#/components/schemas/ApiError"}
CLIENT = ("client_id", "client_secret")
ANSWER = "value: {type: string, maxLength: 128}"


@cache
def contract() -> dict[str, Any]:
    # An option of a question may be longer than a text, and is sent whole.
    text = CONTRACT.read_text().replace(ANSWER, "value: {type: string}")
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


@cache
def registry() -> Registry:
    return Registry().with_resource(ROOT, Resource(contract(), DRAFT202012))


@cache
def routes() -> list[tuple[re.Pattern[str], str]]:
    """Contract paths as patterns, the longest first, so that fixed parts match before ids."""
    paths = sorted(contract()["paths"], key=lambda path: (path.count("{"), -len(path)))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in paths]


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that an exchange belongs to, by the path without ``/v2``."""
    short = path.removeprefix("/v2")
    for pattern, name in routes():
        operation = contract()["paths"][name].get(method.lower())
        if operation and pattern.match(short):
            return operation
    return None


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Validation errors of a value; the schema is a part of the contract."""
    errors = _validator(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


_validators: dict[int, tuple[dict[str, Any], Draft202012Validator]] = {}
"""By the id of the schema, with the schema, so that no other gets its id."""


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    if id(schema) not in _validators:
        validator = Draft202012Validator(_absolute(schema), registry=registry())
        _validators[id(schema)] = schema, validator
    return _validators[id(schema)][1]


def _absolute(schema: Any) -> Any:
    """Make references in a schema absolute."""
    if isinstance(schema, dict):
        return {
            key: f"{ROOT}{value}" if key == "$ref" else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(item) for item in schema] if isinstance(schema, list) else schema


def check(exchange: dict[str, Any]) -> list[str]:
    """Validation errors of one recorded exchange; injected faults are exempt."""
    if exchange["fault"]:
        return []
    name = f"{exchange['method']} {exchange['path']} {exchange['status']}"
    operation = find_operation(exchange["method"], exchange["path"])
    body = exchange["json"]
    if operation is None and exchange["status"] == 404 and body and body.get("code") == 2300:
        return [f"{name}: {text}" for text in problems(API_ERROR, body)]
    if operation is None:
        return [f"{name}: no such operation in the contract"]
    errors = [
        *_parameter_problems(operation, exchange),
        *_request_body_problems(operation, exchange),
    ]
    response = operation["responses"].get(str(exchange["status"]))
    if response is None:
        return [*errors, f"{name}: no such answer in the contract"]
    if "$ref" in response:
        response = contract()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    if "content" not in response:
        return [f"{name}: {text}" for text in errors + (["unexpected body"] if body else [])]
    schema = response["content"]["application/json"]["schema"]
    if exchange["status"] == 200 and "code" in body and "message" in body:
        schema = API_ERROR  # errors with HTTP 200
    return [f"{name}: {text}" for text in [*errors, *problems(schema, body)]]


def _request_body_problems(operation: dict[str, Any], exchange: dict[str, Any]) -> list[str]:
    """Validation errors of the body of an accepted request."""
    content = operation.get("requestBody", {}).get("content", {})
    if exchange["status"] >= 300 or not content:
        return []
    if "application/json" in content:
        media, sent = "application/json", exchange["sent"]
    else:
        # How a client names itself is not a part of the request: it may do so in the header, too.
        media, form = next(iter(content)), exchange["form"]
        sent = {name: value for name, value in form.items() if name not in CLIENT}
    return [f"request: {text}" for text in problems(content[media]["schema"], sent)]


def check_event(event: dict[str, Any]) -> list[str]:
    """Validation errors of one webhook event."""
    name = str(event.get("event"))
    operation = contract()["webhooks"].get(name)
    if operation is None:
        return [f"{name}: no such event in the contract"]
    schema = operation["post"]["requestBody"]["content"]["application/json"]["schema"]
    return [f"{name}: {text}" for text in problems(schema, event)]


def check_delivery(delivery: dict[str, Any]) -> list[str]:
    """Validation errors of one delivered event; bodies sent unchanged by a test are exempt."""
    return [] if delivery["fault"] == "raw" else check_event(delivery["body"])


def _parameter_problems(operation: dict[str, Any], exchange: dict[str, Any]) -> list[str]:
    """Parameters of an accepted request that the contract does not know."""
    if exchange["status"] >= 300:
        return []
    documented = set()
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            key = parameter["$ref"].rsplit("/", 1)[1]
            parameter = contract()["components"]["parameters"][key]
        documented.add(parameter["name"])
    sent = {part.partition("=")[0] for part in exchange["query"].split("&") if part}
    # Zoom's webinar lists return a page token without documenting the parameter.
    unknown = sent - documented - {"next_page_token"}
    return [f"parameter {name} is not in the contract" for name in sorted(unknown)]
