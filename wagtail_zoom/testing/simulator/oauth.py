"""OAuth: consent page, token and revoke endpoints."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from . import people
from .ids import secret
from .request_context import get_simulator
from .scopes import default_scopes
from .storage import Doc
from .world import World

blueprint = Blueprint("oauth", __name__, url_prefix="/oauth")


class TokenError(Exception):
    """A token request that is answered with an OAuth error; ``code`` is Zoom's number of it."""

    def __init__(self, status: int, error: str, reason: str, code: int) -> None:
        super().__init__(reason)
        self.status, self.error, self.reason, self.code = status, error, reason, code


@blueprint.errorhandler(TokenError)
def token_error(problem: TokenError) -> tuple[Response, int]:
    """One of the four error formats of Zoom's token endpoint (option ``token_error_shape``)."""
    shapes: dict[int, dict[str, Any]] = {
        2: {"error": problem.error, "error_description": problem.reason},
        3: _page_error(problem.code, problem.reason),
        4: {
            "code": 124 if problem.error == "invalid_grant" else problem.code,
            "message": problem.reason,
        },
    }
    shape = shapes.get(get_simulator().options.token_error_shape)
    return jsonify(shape or {"reason": problem.reason, "error": problem.error}), problem.status


def _page_error(code: int, message: str) -> dict[str, Any]:
    return {"status": False, "errorCode": code, "errorMessage": message, "result": None}


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """The consent page. ``sim_user`` with ``sim_auto=1`` allows access immediately (for tests)."""
    args, world = request.values, get_simulator()
    if args.get("client_id") != world.options.client_id:
        return jsonify(_page_error(4702, "Invalid client_id"))
    if args.get("redirect_uri") not in world.options.redirect_uris:
        text = f"Invalid redirect: {args.get('redirect_uri')}"
        return jsonify(_page_error(4700, text)), 400
    answer = args.get("answer") or ("allow" if args.get("sim_auto") else "")
    if not answer:
        users = world.store.find("users", "status = ?", "active", tail="ORDER BY seq LIMIT 200")
        names = {account["id"]: account["name"] for account in world.store.find("accounts", "1")}
        requested_scopes = scopes(world)
        return render_template(
            "consent.html", args=args, users=users, names=names, scopes=requested_scopes,
            app_name=world.options.app_name, optional=world.options.optional_scopes,
        )  # fmt: skip
    if answer != "allow":
        return _back({"error": "access_denied"})
    return _back({"code": _code(args.get("sim_user", ""))})


def scopes(world: World) -> list[str]:
    """The scopes that the app requests: its own list, or all scopes of its type."""
    return world.options.scopes or default_scopes(world.options.app_kind)


def _granted(world: World) -> list[str]:
    """The granted scopes: all except the optional ones that the user deselected.

    ``sim_deselect`` is the comma-separated list of them together with ``sim_auto``.
    """
    optional = set(world.options.optional_scopes)
    if "answer" in request.form:
        refused = optional - set(request.form.getlist("optional"))
    else:
        refused = optional & set(request.values.get("sim_deselect", "").split(","))
    return [scope for scope in scopes(world) if scope not in refused]


def _back(answer: dict[str, str]) -> ResponseReturnValue:
    target = request.values["redirect_uri"]
    if request.values.get("state"):
        answer["state"] = request.values["state"]
    return redirect(f"{target}?{urlencode(answer)}")


def _code(identifier: str) -> str:
    world, args = get_simulator(), request.values
    user = world.user(identifier)
    code = secret(24)
    doc = {
        "id": code,
        "kind": "code",
        "grant_id": "",
        "user_id": user["id"],
        "scope": _granted(world),
        "redirect_uri": args["redirect_uri"],
        "challenge": args.get("code_challenge", ""),
        "method": args.get("code_challenge_method", "plain"),
        "until": world.clock.time() + world.options.code_ttl,
    }
    with world.transaction():
        world.store.put("tokens", doc)
    return code


def _client() -> None:
    """Check the client, by HTTP Basic or, without that header, by id and secret in the body.

    Widely used libraries send them in the body. Parameters in the query are refused (since
    2023-02-14).
    """
    options, basic = get_simulator().options, request.authorization
    if request.args:
        raise TokenError(400, "invalid_request", "Parameters belong into the body.", 4700)
    if basic is not None:
        given = (basic.username, basic.password)
    else:
        given = (request.form.get("client_id"), request.form.get("client_secret"))
    if given != (options.client_id, options.client_secret):
        code = 4704 if given[0] == options.client_id else 4702
        raise TokenError(401, "invalid_client", "Invalid client_id or client_secret", code)


@blueprint.post("/token")
def token() -> Response:
    """Exchange a code or refresh; refresh tokens rotate and the old one becomes invalid."""
    _client()
    world = get_simulator()
    with world.transaction():
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            grant = _exchange(world)
        elif kind == "refresh_token":
            grant = _renew(world)
        else:
            code = 4705 if kind else 4706
            raise TokenError(400, "unsupported_grant_type", "Unsupported grant type", code)
        return jsonify(_issue(world, grant))


def _exchange(world: World) -> Doc:
    code = world.store.get("tokens", request.form.get("code", ""))
    if code is None or code["kind"] != "code":
        raise TokenError(400, "invalid_grant", "Invalid authorization code", 4734)
    world.store.delete("tokens", "id = ?", code["id"])
    if code["until"] < world.clock.time():
        raise TokenError(400, "invalid_grant", "Authorization code expired", 4733)
    if request.form.get("redirect_uri") != code["redirect_uri"]:
        raise TokenError(400, "invalid_request", "Redirect URI mismatch.", 4709)
    if not _proves(code, request.form.get("code_verifier", "")):
        raise TokenError(400, "invalid_grant", "Invalid code verifier", 4734)
    user = world.user(code["user_id"])
    grant_id = f"{world.options.client_id}:{user['id']}"
    # A second authorisation by the same user invalidates the tokens of the first (error 4741).
    world.store.delete("tokens", "grant_id = ?", grant_id)
    grant = {
        "id": grant_id,
        "account_id": user["account_id"],
        "user_id": user["id"],
        "client_id": world.options.client_id,
        "scope": code["scope"],
    }
    world.store.put("grants", grant)
    return grant


def _proves(code: Doc, verifier: str) -> bool:
    if not code["challenge"]:
        return True
    if code["method"] != "S256":
        return hmac.compare_digest(code["challenge"], verifier)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(code["challenge"], challenge)


def _renew(world: World) -> Doc:
    old = world.store.get("tokens", request.form.get("refresh_token", ""))
    if old is None or old["kind"] != "refresh" or old["until"] < world.clock.time():
        raise _invalid_token()
    grant = world.store.get("grants", old["grant_id"])
    if grant is None:
        raise _invalid_token()
    if world.options.refresh_kills_access:
        world.store.delete("tokens", "grant_id = ? AND kind = 'access'", grant["id"])
    grace = world.options.refresh_grace
    if grace:
        world.store.put("tokens", {**old, "until": world.clock.time() + grace})
    else:
        world.store.delete("tokens", "id = ?", old["id"])
    return grant


def _invalid_token() -> TokenError:
    return TokenError(400, "invalid_grant", "Invalid Token!", 4741)


def _issue(world: World, grant: Doc) -> dict[str, Any]:
    now, options = world.clock.time(), world.options
    access_token, refresh_token = secret(), secret()
    common = {"grant_id": grant["id"]}
    world.store.put(
        "tokens",
        {"id": access_token, "kind": "access", "until": now + options.access_token_ttl, **common},
        {
            "id": refresh_token,
            "kind": "refresh",
            "until": now + options.refresh_token_ttl,
            **common,
        },
    )
    answer = {
        "access_token": access_token,
        "token_type": "bearer",
        "refresh_token": refresh_token,
        "expires_in": options.access_token_ttl,
        "scope": " ".join(grant["scope"]),
    }
    if options.api_url:
        answer["api_url"] = world.base_url if options.api_url == "self" else options.api_url
    return answer


@blueprint.post("/revoke")
def revoke() -> Response:
    """Revoke the grant of a token."""
    _client()
    world = get_simulator()
    token_doc = world.store.get("tokens", request.form.get("token", ""))
    if token_doc is None:
        raise _invalid_token()
    with world.transaction():
        grants = world.store.find("grants", "id = ?", token_doc["grant_id"])
        if world.options.revoke_deauthorizes:
            people.deauthorize(world, grants)
        world.store.delete("tokens", "grant_id = ?", token_doc["grant_id"])
        world.store.delete("grants", "id = ?", token_doc["grant_id"])
    return jsonify(status="success")


@blueprint.post("/data/compliance")
def data_compliance() -> tuple[str, int]:
    """Deprecated by Zoom; the content of the response is unverified, so it is empty."""
    _client()
    return "", 200
