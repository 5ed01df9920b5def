"""REST endpoint of summaries."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Blueprint, Response, g, jsonify

from . import summaries
from .errors import Problem, no_meeting
from .limits import LIGHT
from .request_context import enter, user_of_account

blueprint = Blueprint("rest_summaries", __name__, url_prefix="/v2")


@blueprint.get("/meetings/<path:identifier>/meeting_summary")
def summary(identifier: str) -> Response:
    """The summary of one instance; none, or one in the trash, is 404/3001.

    A UUID that begins with ``/`` or contains ``//`` must be encoded twice. Accounts on the free
    plan and those with ``ai_companion`` false have none.
    """
    world = enter("meeting:read:summary", LIGHT)
    if g.account["plan"] == "free" or not g.account.get("ai_companion", True):
        raise Problem(403, 3161, "AI Companion is not enabled for the host of this meeting.")
    if "//" in identifier:
        raise no_meeting(identifier)
    doc = world.store.get("summaries", unquote(identifier))
    if doc is None or doc["account_id"] != g.account["id"] or doc["state"] != "active":
        raise no_meeting(unquote(identifier))
    user_of_account(world, doc["host_id"])
    return jsonify(summaries.response(world, doc))
