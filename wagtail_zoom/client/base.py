"""One call to Zoom: its slot in the budget, its token, and what comes of it for the grant."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

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
from ..oauth.http import Bearer, call
from ..utils.logging import record_metric
from . import ratelimit
from .ratelimit import Priority
from .responses import TokenRefused, data

T = TypeVar("T")


class Calls:
    """How calls on behalf of one grant are made.

    Waits for the account's budget up to ``patience`` seconds (0 in web requests: nothing sleeps).
    """

    def __init__(
        self,
        grant: Grant,
        *,
        priority: Priority = Priority.RECONCILE,
        patience: float = 0.0,
        within: float | None = None,
        renew: bool = True,
    ) -> None:
        self.grant = grant
        self.account = grant.account
        self.priority = priority
        self.patience = patience
        self.within = within
        self.renew = renew

    def call(
        self,
        method: str,
        path: str,
        label: str,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        member: str = "",
    ) -> dict[str, Any]:
        """One call of the REST API; ``member`` is what a good answer must hold."""
        return self.carry(
            label,
            lambda token: self.send(
                method, path, token, params=params, payload=payload, member=member
            ),
        )

    def carry(self, label: str, send: Callable[[tokens.AccessToken], T]) -> T:
        """Run ``send`` in its turn, with a token; once more with another one if Zoom refuses it.

        Raises:
            TokenRefused: the second token was refused as well.
            ZoomError: as all calls.
        """
        waits = ratelimit.reserve(self.account, label, self.priority, patience=self.patience)
        if waits[0]:
            time.sleep(waits[0])
        token = tokens.get_token(self.grant, renew=self.renew)
        if self.priority < Priority.REGISTRATION:  # guard: file-call-paced
            ratelimit.wait_turn(self.account, label)
        try:
            return self.judged(lambda: send(token))
        except TokenRefused:
            other = tokens.renew_after_401(self.grant, token, renew=self.renew)
            return self.judged(lambda: send(other))

    def send(
        self,
        method: str,
        path: str,
        token: tokens.AccessToken,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        member: str = "",
    ) -> dict[str, Any]:
        """The HTTP alone; touches no database, so that threads may do it."""
        answer = call(
            method, f"{token.api_base}{path}", auth=Bearer(token.reveal()), params=params,
            payload=payload, within=self.within,
        )  # fmt: skip
        return data(answer, member, writes=method != "GET")

    def judged(self, work: Callable[[], T]) -> T:
        """Run a call and let the grant's and the account's state know what came of it."""
        try:
            result = work()
        except ZoomError as error:
            record_metric("zoom_calls", outcome=type(error).__name__)
            self._note(error)
            raise
        record_metric("zoom_calls", outcome="ok")
        grant_state.note_success(self.grant)
        return result

    def _note(self, error: ZoomError) -> None:
        if isinstance(error, ZoomRateLimited):
            ratelimit.pause(self.account, error)
        elif isinstance(error, ZoomScopeMissing):
            grant_state.note_missing_scopes(self.grant, error.scopes)
        elif (
            isinstance(error, ZoomAuthError)
            and not isinstance(error, TokenRefused)
            or isinstance(error, ZoomTransient)
        ):
            grant_state.note_failure(self.grant, error)
        elif isinstance(error, ZoomRejected):
            grant_state.note_success(self.grant)
