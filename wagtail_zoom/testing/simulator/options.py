"""Options of the simulator, set at the start or while it runs.

Where Zoom's behaviour is unverified, the default is the behaviour that reveals more mistakes of a
client, and the option switches to the other.
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
    """Settings of the Marketplace app, of Zoom's behaviour and of the server."""

    client_id: str = "simulator-client"
    client_secret: str = "simulator-secret"
    app_name: str = "Wagtail Zoom (local)"
    app_kind: str = "admin"
    """``admin``: account-level app with ``:admin`` scopes; ``user``: user-managed app."""
    redirect_uris: list[str] = field(default_factory=_default_redirects)
    scopes: list[str] = field(default_factory=list)
    """Scopes of the app; empty: every granular scope of this type of app."""
    optional_scopes: list[str] = field(default_factory=list)
    """Scopes that the user may deselect on the consent page."""
    published: bool = True
    """``app_deauthorized`` is sent to published apps only."""

    webhook_url: str = ""
    webhook_secret: str = "simulator-webhook-secret"
    delivery_workers: int = 1
    """Number of concurrent deliveries. With one, events arrive in the order of the changes."""
    sign_clock: str = "real"
    """Clock of ``x-zm-request-timestamp``: ``real``, or ``sim`` for the simulated clock."""
    webhook_all: bool = False
    """Deliver also for accounts that have not installed the app."""

    latency: int = 0
    """Milliseconds added to each API and token call."""
    rate_limit: str = "plan"
    """``plan`` (Zoom's limits of the account's plan), ``off``, or calls per second and label."""

    api_url: str | None = "self"
    """``api_url`` of the token response: ``self`` is this server; None omits it."""
    access_token_ttl: int = 3600
    refresh_token_ttl: int = 90 * 86400
    code_ttl: int = 300
    refresh_grace: int = 0
    """Seconds a refresh token stays valid after its rotation (unverified; documented: none)."""
    refresh_kills_access: bool = False
    """Whether a refresh invalidates the earlier access token (measured 2026-10: it does not)."""
    token_error_shape: int = 1
    """Which of Zoom's four error formats the token endpoint uses (1 to 4)."""
    revoke_deauthorizes: bool = True
    """Whether a revoke also uninstalls the app and sends ``app_deauthorized`` (unverified)."""

    participants_delay: int = 600
    """Seconds after the end of a meeting until Zoom lists who took part."""
    participants_early: str = "error"
    """The list before that time: ``error`` (404/3001), or ``empty`` (unverified)."""
    page_token_ttl: int = 900
    moved_occurrence_keeps_id: bool = True
    """Whether a moved occurrence keeps its id (unverified)."""
    rule_keeps_occurrence_ids: bool = False
    """Whether dates that a new rule has, too, keep their ids (unverified)."""
    custom_keys_returned: bool = True
    """Whether a meeting is returned with the ``settings.custom_keys`` it has (unverified)."""
    webinar_plan_status: int = 200
    """HTTP status of "Webinar plan is missing" on lists: 200 or 400."""
    webinar_readable_days: int = 0
    """Days a webinar can still be read after its end (documented: none)."""
    account_recordings: bool = True
    """Whether ``/accounts/me/recordings`` works (unverified)."""
    long_window: str = "answer"
    """Date ranges of recordings over one month: ``answer`` (measured), ``clip`` or ``error``."""
    cancelled_registrants: str = "hidden"
    """Who was cancelled: ``hidden`` (documented), or listed as ``denied`` (devforum 39340)."""
    pending_join_url: bool = True
    """Whether ``registration_created`` has a join_url while pending (unverified)."""

    record_exchanges: bool = False
    """Store full requests and responses for ``GET /_sim/exchanges``."""

    def dump(self) -> dict[str, Any]:
        """Return all options as JSON data."""
        return asdict(self)

    def update(self, changes: dict[str, Any]) -> None:
        """Set some options; an unknown name is an error."""
        fields_by_name = {item.name: item for item in fields(self)}
        for name, value in changes.items():
            if name not in fields_by_name:
                raise ControlError(
                    f"unknown option {name!r}; known: {', '.join(sorted(fields_by_name))}"
                )
            current = getattr(self, name)
            if isinstance(current, str) and value is not None and not isinstance(value, str):
                value = str(value)
            setattr(self, name, value)
