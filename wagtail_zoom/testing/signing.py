"""Signs webhook deliveries the way Zoom does (x-zm-signature, version ``v0``).

For tests that post events to the webhook endpoint without the simulator. Uses only the standard
library.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid


def signature(body: bytes, secret: str, timestamp: int | str) -> str:
    """Return the value of ``x-zm-signature`` over the raw body; ``timestamp`` in seconds."""
    signed_data = b"v0:" + str(timestamp).encode("ascii") + b":" + body
    return "v0=" + hmac.new(secret.encode("utf-8"), signed_data, hashlib.sha256).hexdigest()


def challenge_answer(plain_token: str, secret: str) -> str:
    """Return the ``encryptedToken`` an endpoint must answer to ``endpoint.url_validation``."""
    return hmac.new(secret.encode("utf-8"), plain_token.encode("utf-8"), hashlib.sha256).hexdigest()


def tracking_id() -> str:
    """Return a value of ``x-zm-trackingid``, which Zoom sends with deliveries and responses."""
    return "v=2.0;clid=aw1;rid=WEB_" + uuid.uuid4().hex


def sign(
    body: bytes, secret: str, timestamp: int | None = None, request_id: str | None = None
) -> dict[str, str]:
    """Return the headers of a delivery of ``body``.

    ``timestamp`` is in epoch seconds (now when omitted). Zoom keeps ``request_id`` over the
    retries of one event while timestamp and signature are new each time.
    """
    stamp = int(time.time()) if timestamp is None else timestamp
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Zoom Marketplace/1.0a",
        "x-zm-request-timestamp": str(stamp),
        "x-zm-signature": signature(body, secret, stamp),
        "x-zm-request-id": request_id or str(uuid.uuid4()),
        "x-zm-trackingid": tracking_id(),
    }
