"""Consent page, token and revoke endpoints (REFERENCE 1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request

from . import people
from .ids import secret
from .request_context import world
from .scopes import default_scopes
from .storage import Doc
from .world import World

blueprint = Blueprint("oauth", __name__, url_prefix="/oauth")


class Refused(Exception):
    """A token request that is answered with an OAuth error."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.error, self.reason = status, error, reason


@blueprint.errorhandler(Refused)
def refused(problem: Refused) -> tuple[Response, int]:
    """One of the four shapes of REFERENCE 1.5, as the option says."""
    shapes: dict[int, dict[str, Any]] = {
        2: {"error": problem.error, "error_description": problem.reason},
        3: {"status": False, "errorCode": 4700, "errorMessage": problem.reason, "result": None},
        4: {"code": 124, "message": problem.reason},
    }
    shape = shapes.get(world().options.token_error_shape)
    return jsonify(shape or {"reason": problem.reason, "error": problem.error}), problem.status


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """The consent page. ``sim_user`` with ``sim_auto=1`` agrees at once (for tests)."""
    args, here = request.values, world()
    if args.get("client_id") != here.options.client_id:
        return jsonify(status=False, errorCode=4702, errorMessage="Invalid client_id", result=None)
    if args.get("redirect_uri") not in here.options.redirect_uris:
        text = f"Invalid redirect: {args.get('redirect_uri')}"
        return jsonify(status=False, errorCode=4700, errorMessage=text, result=None), 400
    answer = args.get("answer") or ("allow" if args.get("sim_auto") else "")
    if not answer:
        users = here.store.find("users", "status = ?", "active", tail="ORDER BY seq LIMIT 200")
        names = {one["id"]: one["name"] for one in here.store.find("accounts", "1")}
        wanted = scopes(here)
        return render_template(
            "consent.html", args=args, users=users, names=names, scopes=wanted,
            app_name=here.options.app_name, optional=here.options.optional_scopes,
        )  # fmt: skip
    if answer != "allow":
        return _back({"error": "access_denied"})
    return _back({"code": _code(args.get("sim_user", ""))})


def scopes(here: World) -> list[str]:
    """What the app asks for: its own list, or everything its kind can have."""
    return here.options.scopes or default_scopes(here.options.app_kind)


def _granted(here: World) -> list[str]:
    """What the person lets the app do: all, less the optional things that were unticked.

    ``sim_untick`` is the comma list for tests that agree at once.
    """
    optional = set(here.options.optional_scopes)
    if "answer" in request.form:
        refused = optional - set(request.form.getlist("optional"))
    else:
        refused = optional & set(request.values.get("sim_untick", "").split(","))
    return [scope for scope in scopes(here) if scope not in refused]


def _back(answer: dict[str, str]) -> Response:
    target = request.values["redirect_uri"]
    if request.values.get("state"):
        answer["state"] = request.values["state"]
    return redirect(f"{target}?{urlencode(answer)}")  # type: ignore[return-value]


def _code(ref: str) -> str:
    here, args = world(), request.values
    user = here.user(ref)
    code = secret(24)
    doc = {
        "id": code,
        "kind": "code",
        "grant_id": "",
        "user_id": user["id"],
        "scope": _granted(here),
        "redirect_uri": args["redirect_uri"],
        "challenge": args.get("code_challenge", ""),
        "method": args.get("code_challenge_method", "plain"),
        "until": here.clock.time() + here.options.code_ttl,
    }
    with here.transaction():
        here.store.put("tokens", doc)
    return code


def _client() -> None:
    """HTTP Basic only, and values in the query are refused (since 2023-02-14)."""
    here, given = world(), request.authorization
    if request.args:
        raise Refused(400, "invalid_request", "Parameters belong into the body.")
    name, password = (given.username, given.password) if given else (None, None)
    if name != here.options.client_id or password != here.options.client_secret:
        raise Refused(401, "invalid_client", "Invalid client_id or client_secret")


@blueprint.post("/token")
def token() -> Response:
    """Exchange a code or renew; refresh tokens rotate and the old one dies (1.3)."""
    _client()
    here = world()
    with here.transaction():
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            grant = _exchange(here)
        elif kind == "refresh_token":
            grant = _renew(here)
        else:
            raise Refused(400, "unsupported_grant_type", "Unsupported grant type")
        return jsonify(_issue(here, grant))


def _exchange(here: World) -> Doc:
    code = here.store.get("tokens", request.form.get("code", ""))
    if code is None or code["kind"] != "code":
        raise Refused(400, "invalid_grant", "Invalid authorization code")
    here.store.delete("tokens", "id = ?", code["id"])
    if code["until"] < here.clock.time():
        raise Refused(400, "invalid_grant", "Authorization code expired")
    if request.form.get("redirect_uri") != code["redirect_uri"]:
        raise Refused(400, "invalid_request", "Redirect URI mismatch.")
    if not _proves(code, request.form.get("code_verifier", "")):
        raise Refused(400, "invalid_grant", "Invalid code verifier")
    user = here.user(code["user_id"])
    grant_id = f"{here.options.client_id}:{user['id']}"
    # A second authorisation by the same user ends the first one's tokens (4741).
    here.store.delete("tokens", "grant_id = ?", grant_id)
    grant = {
        "id": grant_id,
        "account_id": user["account_id"],
        "user_id": user["id"],
        "client_id": here.options.client_id,
        "scope": code["scope"],
    }
    here.store.put("grants", grant)
    return grant


def _proves(code: Doc, verifier: str) -> bool:
    if not code["challenge"]:
        return True
    if code["method"] != "S256":
        return hmac.compare_digest(code["challenge"], verifier)
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(code["challenge"], made)


def _renew(here: World) -> Doc:
    old = here.store.get("tokens", request.form.get("refresh_token", ""))
    if old is None or old["kind"] != "refresh" or old["until"] < here.clock.time():
        raise Refused(400, "invalid_grant", "Invalid Token!")
    grant = here.store.get("grants", old["grant_id"])
    if grant is None:
        raise Refused(400, "invalid_grant", "Invalid Token!")
    if here.options.refresh_kills_access:
        here.store.delete("tokens", "grant_id = ? AND kind = 'access'", grant["id"])
    grace = here.options.refresh_grace
    if grace:
        here.store.put("tokens", {**old, "until": here.clock.time() + grace})
    else:
        here.store.delete("tokens", "id = ?", old["id"])
    return grant


def _issue(here: World, grant: Doc) -> dict[str, Any]:
    now, options = here.clock.time(), here.options
    access, renewal = secret(), secret()
    common = {"grant_id": grant["id"]}
    here.store.put(
        "tokens",
        {"id": access, "kind": "access", "until": now + options.access_token_ttl, **common},
        {"id": renewal, "kind": "refresh", "until": now + options.refresh_token_ttl, **common},
    )
    answer = {
        "access_token": access,
        "token_type": "bearer",
        "refresh_token": renewal,
        "expires_in": options.access_token_ttl,
        "scope": " ".join(grant["scope"]),
    }
    if options.api_url:
        answer["api_url"] = here.base_url if options.api_url == "self" else options.api_url
    return answer


@blueprint.post("/revoke")
def revoke() -> Response:
    """End the grant behind a token."""
    _client()
    here = world()
    found = here.store.get("tokens", request.form.get("token", ""))
    if found is None:
        raise Refused(400, "invalid_grant", "Invalid Token!")
    with here.transaction():
        grants = here.store.find("grants", "id = ?", found["grant_id"])
        if here.options.revoke_deauthorizes:
            people.deauthorize(here, grants)
        here.store.delete("tokens", "grant_id = ?", found["grant_id"])
        here.store.delete("grants", "id = ?", found["grant_id"])
    return jsonify(status="success")


@blueprint.post("/data/compliance")
def data_compliance() -> tuple[str, int]:
    """Deprecated (3.7), still answered; what the body says is unverified, so there is none."""
    _client()
    return "", 200
