"""What can be switched on the simulator, at the start or while it runs.

Where the behaviour of Zoom is unverified ([U] in the reference this simulator follows) the
default is the choice that catches more mistakes in a client, and the option offers the other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .errors import ControlError


def _default_redirects() -> list[str]:
    hosts = ["http://localhost:8000", "http://127.0.0.1:8000"]
    hosts += ["http://testserver", "https://testserver"]
    return [f"{host}/zoom/oauth/callback/" for host in hosts]


@dataclass
class Options:
    """Settings of the Marketplace app, of the platform and of the machine."""

    client_id: str = "simulator-client"
    client_secret: str = "simulator-secret"
    app_name: str = "Wagtail Zoom (local)"
    app_kind: str = "admin"
    """``admin``: account-level app with ``:admin`` scopes; ``user``: user-managed (1.6)."""
    redirect_uris: list[str] = field(default_factory=_default_redirects)
    scopes: list[str] = field(default_factory=list)
    """Scopes of the app; empty means every granular scope that fits the kind of app."""
    optional_scopes: list[str] = field(default_factory=list)
    """Scopes the person may untick on the consent page."""
    published: bool = True
    """``app_deauthorized`` is sent to published apps only (5.7)."""

    webhook_url: str = ""
    webhook_secret: str = "simulator-webhook-secret"
    delivery_workers: int = 1
    """Deliveries in flight at once. One keeps the order of the changes."""
    sign_clock: str = "real"
    """Clock of ``x-zm-request-timestamp``: ``real``, or ``sim`` to follow time travel."""
    webhook_all: bool = False
    """Deliver also for accounts that have not installed the app."""

    latency: int = 0
    """Milliseconds added to each API and token call."""
    rate_limit: str = "plan"
    """``plan`` (table of section 4), ``off``, or calls per second and label as a number."""

    api_url: str | None = "self"
    """``api_url`` of the token response: ``self`` is this server; None leaves it out (1.2)."""
    access_token_ttl: int = 3600
    refresh_token_ttl: int = 90 * 86400
    code_ttl: int = 300
    refresh_grace: int = 0
    """Seconds a refresh token lives on after its rotation ([U] 1.3; documented: none)."""
    refresh_kills_access: bool = False
    """Whether a refresh ends the earlier access token (measured 2026-10: it does not)."""
    token_error_shape: int = 1
    """Which of the four error bodies of 1.5 a refused refresh is answered with."""
    revoke_deauthorizes: bool = True
    """Whether a revoke also uninstalls and fires ``app_deauthorized`` ([U] 1.4)."""

    page_token_ttl: int = 900
    moved_occurrence_keeps_id: bool = True
    """[U] trap 11."""
    webinar_plan_status: int = 200
    """HTTP status of "Webinar plan is missing" on lists: 200 or 400 (3.1, trap 20)."""
    webinar_linger_days: int = 0
    """Days a webinar can still be read after its end (3.3: unusable at once)."""
    account_recordings: bool = True
    """Whether ``/accounts/me/recordings`` works ([U] 3.6)."""
    long_window: str = "error"
    """Recording windows over one month: ``error`` or ``clip`` ([U] trap 5)."""
    pending_join_url: bool = True
    """Whether ``registration_created`` carries a join_url while pending ([U] 10.11)."""

    record_exchanges: bool = False
    """Keep whole requests and answers for ``GET /_sim/exchanges``."""

    def dump(self) -> dict[str, Any]:
        """Return all options as JSON data."""
        return asdict(self)

    def update(self, changes: dict[str, Any]) -> None:
        """Set some options; an unknown name is an error, so that typing mistakes show."""
        known = {item.name: item for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ControlError(f"unknown option {name!r}; known: {', '.join(sorted(known))}")
            current = getattr(self, name)
            if isinstance(current, str) and value is not None and not isinstance(value, str):
                value = str(value)
            setattr(self, name, value)
