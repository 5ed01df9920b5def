"""Holds exchanges against the contract in ``openapi.yaml``."""

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


@cache
def contract() -> dict[str, Any]:
    return yaml.safe_load(CONTRACT.read_text())


@cache
def registry() -> Registry:
    return Registry().with_resource(ROOT, Resource(contract(), DRAFT202012))


@cache
def routes() -> list[tuple[re.Pattern[str], str]]:
    """Contract paths as patterns, the longest first so that fixed parts win over ids."""
    paths = sorted(contract()["paths"], key=lambda path: (path.count("{"), -len(path)))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in paths]


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that an exchange belongs to, by the path without ``/v2``."""
    short = path.removeprefix("/v2")
    for pattern, name in routes():
        found = contract()["paths"][name].get(method.lower())
        if found and pattern.match(short):
            return found
    return None


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """What the schema finds wrong with a value."""
    absolute = _absolute(schema)
    validator = Draft202012Validator(absolute, registry=registry())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _absolute(schema: Any) -> Any:
    """Point references into the contract, wherever the schema was taken from."""
    if isinstance(schema, dict):
        return {
            key: f"{ROOT}{value}" if key == "$ref" else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(item) for item in schema] if isinstance(schema, list) else schema


def check(exchange: dict[str, Any]) -> list[str]:
    """What is wrong with one recorded exchange; deliberate faults are exempt."""
    if exchange["fault"]:
        return []
    name = f"{exchange['method']} {exchange['path']} {exchange['status']}"
    found = operation(exchange["method"], exchange["path"])
    if found is None:
        return [f"{name}: no such operation in the contract"]
    wrong = [*_parameters(found, exchange["query"]), *_sent(found, exchange)]
    answer = found["responses"].get(str(exchange["status"]))
    if answer is None:
        return [*wrong, f"{name}: no such answer in the contract"]
    if "$ref" in answer:
        answer = contract()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    body = exchange["json"]
    if "content" not in answer:
        return [f"{name}: {text}" for text in wrong + (["a body in vain"] if body else [])]
    schema = answer["content"]["application/json"]["schema"]
    if exchange["status"] == 200 and "code" in body and "message" in body:
        schema = {"$ref": "#/components/schemas/ApiError"}  # errors under HTTP 200 (REFERENCE 3.1)
    return [f"{name}: {text}" for text in [*wrong, *problems(schema, body)]]


def _sent(found: dict[str, Any], exchange: dict[str, Any]) -> list[str]:
    """What is wrong with the body of a request that was accepted."""
    content = found.get("requestBody", {}).get("content", {})
    if exchange["status"] >= 300 or not content:
        return []
    media = "application/json" if "application/json" in content else next(iter(content))
    sent = exchange["sent"] if media == "application/json" else exchange["form"]
    return [f"request: {text}" for text in problems(content[media]["schema"], sent)]


def check_event(message: dict[str, Any]) -> list[str]:
    """What is wrong with one webhook message."""
    name = str(message.get("event"))
    found = contract()["webhooks"].get(name)
    if found is None:
        return [f"{name}: no such event in the contract"]
    schema = found["post"]["requestBody"]["content"]["application/json"]["schema"]
    return [f"{name}: {text}" for text in problems(schema, message)]


def check_delivery(delivery: dict[str, Any]) -> list[str]:
    """What is wrong with one delivered event; messages sent raw by a test are exempt."""
    return [] if delivery["fault"] == "raw" else check_event(delivery["message"])


def _parameters(found: dict[str, Any], query: str) -> list[str]:
    known = set()
    for parameter in found.get("parameters", []):
        if "$ref" in parameter:
            key = parameter["$ref"].rsplit("/", 1)[1]
            parameter = contract()["components"]["parameters"][key]
        known.add(parameter["name"])
    sent = {part.partition("=")[0] for part in query.split("&") if part}
    # Webinar lists answer a token without listing the parameter (REFERENCE 3.5).
    unknown = sent - known - {"next_page_token"}
    return [f"parameter {name} is not in the contract" for name in sorted(unknown)]
