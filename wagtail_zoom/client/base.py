"""One call to Zoom: rate-limit slot, token, and recording the outcome for the grant."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from ..exceptions import (
    ZoomAuthError,
    ZoomError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from ..models import Grant
from ..oauth import grant_state, tokens
from ..oauth.http import BearerAuth, request_json
from ..utils.logging import record_metric
from . import ratelimit
from .ratelimit import Priority
from .responses import TokenRejected, parse_response

T = TypeVar("T")


class BaseClient:
    """Makes calls on behalf of one grant.

    Waits up to ``max_wait`` seconds for the account's rate limit (0 in web requests: no waiting).
    """

    def __init__(
        self,
        grant: Grant,
        *,
        priority: Priority = Priority.RECONCILE,
        max_wait: float = 0.0,
        deadline: float | None = None,
        allow_refresh: bool = True,
    ) -> None:
        self.grant = grant
        self.account = grant.account
        self.priority = priority
        self.max_wait = max_wait
        self.deadline = deadline
        self.allow_refresh = allow_refresh

    def call(
        self,
        method: str,
        path: str,
        label: str,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        required_key: str = "",
    ) -> dict[str, Any]:
        """One call of the REST API; a valid response contains ``required_key``."""
        return self.with_token(
            label,
            lambda token: self.send(
                method, path, token, params=params, payload=payload, required_key=required_key
            ),
        )

    def with_token(self, label: str, send: Callable[[tokens.AccessToken], T]) -> T:
        """Run ``send`` with a token when a slot is free; once again if Zoom refuses the token.

        Raises:
            TokenRejected: the second token was refused as well.
            ZoomError: as all calls.
        """
        waits = ratelimit.reserve(self.account, label, self.priority, max_wait=self.max_wait)
        if waits[0]:
            time.sleep(waits[0])
        token = tokens.get_token(self.grant, allow_refresh=self.allow_refresh)
        if self.priority < Priority.REGISTRATION:  # guard: file-call-paced
            ratelimit.wait_before_send(self.account, label)
        try:
            return self.record_outcome(lambda: send(token))
        except TokenRejected:
            refreshed_token = tokens.refresh_after_401(
                self.grant, token, allow_refresh=self.allow_refresh
            )
            return self.record_outcome(lambda: send(refreshed_token))

    def send(
        self,
        method: str,
        path: str,
        token: tokens.AccessToken,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        required_key: str = "",
    ) -> dict[str, Any]:
        """HTTP only; uses no database, so that threads can call it."""
        response = request_json(
            method, f"{token.api_base}{path}", auth=BearerAuth(token.reveal()), params=params,
            payload=payload, deadline=self.deadline,
        )  # fmt: skip
        return parse_response(response, required_key, writes=method != "GET")

    def record_outcome(self, func: Callable[[], T], began_at: datetime | None = None) -> T:
        """Run a call and record its outcome for the grant and the account.

        Args:
            began_at: when another thread began it, if ``func`` only waits for its end.
        """
        began_at = began_at or timezone.now()
        try:
            result = func()
        except ZoomError as error:
            record_metric("zoom_calls", outcome=type(error).__name__)
            self._record_error(error, began_at)
            raise
        record_metric("zoom_calls", outcome="ok")
        grant_state.record_success(self.grant)
        return result

    def _record_error(self, error: ZoomError, began_at: datetime) -> None:
        if isinstance(error, ZoomRateLimited):
            ratelimit.pause_account(self.account, error)
        elif isinstance(error, ZoomScopeMissing):
            grant_state.record_missing_scopes(self.grant, error.scopes)
        elif (
            isinstance(error, ZoomAuthError)
            and not isinstance(error, TokenRejected)
            or isinstance(error, ZoomTransient)
        ):
            grant_state.record_failure(self.grant, error, began_at)
        elif isinstance(error, ZoomRejected):
            grant_state.record_success(self.grant)
