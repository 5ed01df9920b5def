"""Typed calls of Zoom's REST API: exactly the ones we use, with their labels and pitfalls.

Sources: Zoom's API reference; each method names its endpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Semaphore
from typing import Any

from .. import observing
from ..conf import settings
from ..errors import (
    ZoomAuthError,
    ZoomError,
    ZoomProtocolError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from ..models import Grant, Kind
from ..oauth import health, tokens
from ..oauth.http import Bearer, call, refuse_in_transaction
from . import budget
from .answers import PAID_ONLY, TokenRefused, data
from .budget import LIGHT, MEDIUM, Priority
from .ids import number as number_of
from .ids import segment

PAGE_SIZE = 300
USERS_PAGE_SIZE = 2000
MOST_PAGES = 2000
"""More pages than any account has: an endless listing is an error, never a truncation (S5)."""


_Running = tuple[str, str, str, Future[dict[str, Any]]]


@dataclass(frozen=True)
class Page:
    """One page of a listing. ``total`` is what Zoom says of the whole, None where it does not."""

    items: list[dict[str, Any]]
    total: int | None
    lists: bool = True
    """False: Zoom does not list such things for this account, so absence says nothing."""


class ZoomClient:
    """Calls on behalf of one grant. Knows no business rules; raises ``ZoomError`` only.

    Waits for the account's budget up to ``patience`` seconds (0 in web requests: nothing sleeps).
    """

    def __init__(
        self,
        grant: Grant,
        *,
        priority: Priority = Priority.RECONCILE,
        patience: float = 0.0,
        timeout: tuple[float, float] | None = None,
        renew: bool = True,
    ) -> None:
        self.grant = grant
        self.account = grant.account
        self.priority = priority
        self.patience = patience
        self.timeout = timeout
        self.renew = renew

    # People

    def me(self) -> dict[str, Any]:
        """``GET /users/me``: who the token belongs to, and of which account."""
        return self._call("GET", "/users/me", LIGHT, member="id")

    def users(self) -> Iterator[Page]:
        """``GET /users``: the active users of the account. Account-level grants only."""
        params = {"status": "active", "page_size": USERS_PAGE_SIZE}
        return self._pages("/users", params, "users")

    def user(self, user_id: str) -> dict[str, Any]:
        """``GET /users/{id}``."""
        return self._call("GET", f"/users/{segment(user_id)}", LIGHT, member="id")

    # Meetings and webinars

    def meetings(
        self, host_id: str, kind: str, *, page_size: int = PAGE_SIZE, ahead: bool = False
    ) -> Iterator[Page]:
        """``GET /users/{id}/meetings`` or ``/webinars``: one row per number, series included.

        Unexpired past ones are part of it. An account without the webinar add-on simply has none.
        ``ahead``: the next page is on its way while the caller works on this one.
        """
        name = _plural(kind)
        params: dict[str, Any] = {"type": "scheduled", "page_size": page_size}
        pages = self._pages(f"/users/{segment(host_id)}/{name}", params, name, ahead=ahead)
        if kind != Kind.WEBINAR:
            return pages
        return _none_without_plan(pages)

    def meeting(self, number: str, kind: str) -> dict[str, Any]:
        """``GET /meetings/{id}`` or ``/webinars/{id}``, with past dates of a series."""
        return self._call("GET", *_detail(number, kind))

    def meeting_details(
        self, wanted: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[str, dict[str, Any] | ZoomError]]:
        """Detail reads of ``(number, kind)`` pairs, a few at a time and in the account's pace.

        Yields ``(number, payload)``, or the error of that one read. Errors that concern the whole
        account (rate, authorisation) are raised.
        """
        return self._parallel((number, *_detail(number, kind)) for number, kind in wanted)

    def questions(self, number: str, kind: str) -> dict[str, Any]:
        """``GET .../registrants/questions``: standard and custom questions of the registration."""
        path = f"/{_plural(kind)}/{number_of(number)}/registrants/questions"
        return self._call("GET", path, LIGHT)

    # Registrants

    def registrants(
        self, number: str, kind: str, status: str = "approved", occurrence_id: str = ""
    ) -> Iterator[Page]:
        """``GET .../registrants`` by status: pending, approved or denied (cancelled: never)."""
        params: dict[str, Any] = {"status": status, "page_size": PAGE_SIZE}
        if occurrence_id:
            params["occurrence_id"] = occurrence_id
        path = f"/{_plural(kind)}/{number_of(number)}/registrants"
        return self._pages(path, params, "registrants")

    def registrant(self, number: str, kind: str, registrant_id: str) -> dict[str, Any]:
        """``GET .../registrants/{id}``."""
        path = f"/{_plural(kind)}/{number_of(number)}/registrants/{segment(registrant_id)}"
        return self._call("GET", path, LIGHT)

    def add_registrant(
        self, number: str, kind: str, body: dict[str, Any], occurrence_ids: Sequence[str] = ()
    ) -> dict[str, Any]:
        """``POST .../registrants``. Never repeated here: three a day and person (Zoom: limits).

        Raises:
            ZoomTransient: with ``ambiguous`` set, look the person up before another try.
        """
        params = {"occurrence_ids": ",".join(occurrence_ids)} if occurrence_ids else None
        path = f"/{_plural(kind)}/{number_of(number)}/registrants"
        return self._call("POST", path, LIGHT, params=params, payload=body, member="registrant_id")

    def set_registrant_status(
        self,
        number: str,
        kind: str,
        action: str,
        registrants: Sequence[dict[str, str]],
        occurrence_id: str = "",
    ) -> None:
        """``PUT .../registrants/status``: approve, deny or cancel up to 30 registrants."""
        params = {"occurrence_id": occurrence_id} if occurrence_id else None
        body = {"action": action, "registrants": list(registrants)}
        path = f"/{_plural(kind)}/{number_of(number)}/registrants/status"
        self._call("PUT", path, MEDIUM, params=params, payload=body)

    # Recordings

    def recordings(
        self, host_id: str, start: date, end: date, *, page_size: int = PAGE_SIZE
    ) -> Iterator[Page]:
        """``GET /users/{id}/recordings`` of a window of at most one month (UTC days)."""
        params = {"from": start.isoformat(), "to": end.isoformat(), "page_size": page_size}
        return self._pages(f"/users/{segment(host_id)}/recordings", params, "meetings")

    def recording(self, uuid: str) -> dict[str, Any]:
        """``GET /meetings/{uuid}/recordings``: 404 also while Zoom is still processing."""
        return self._call("GET", f"/meetings/{segment(uuid)}/recordings", LIGHT, member="uuid")

    # How it is done

    def _pages(
        self, path: str, params: dict[str, Any], member: str, *, ahead: bool = False
    ) -> Iterator[Page]:
        """Follow ``next_page_token`` to the empty one; a token that repeats itself is an error."""
        seen: set[str] = set()
        pool = ThreadPoolExecutor(max_workers=1) if ahead else None
        coming: Callable[[], dict[str, Any]] | None = None
        try:
            for _page in range(MOST_PAGES):
                body = (
                    coming()
                    if coming
                    else self._call("GET", path, MEDIUM, params=params, member=member)
                )
                items = body[member]
                if not isinstance(items, list):
                    raise ZoomProtocolError("Zoom's list is none.")
                total = body.get("total_records")
                token = body.get("next_page_token") or ""
                good = isinstance(token, str) and token not in seen
                if good and token:
                    params = {**params, "next_page_token": token}
                    coming = self._ahead(pool, path, params, member) if pool else None
                yield Page(
                    [item for item in items if isinstance(item, dict)],
                    total if isinstance(total, int) else None,
                )
                if not good:
                    raise ZoomProtocolError("Zoom's list does not end.")
                if not token:
                    return
                seen.add(token)
            raise ZoomProtocolError("Zoom's list has too many pages.")
        finally:
            if pool:
                pool.shutdown(cancel_futures=True)

    def _ahead(
        self, pool: ThreadPoolExecutor, path: str, params: dict[str, Any], member: str
    ) -> Callable[[], dict[str, Any]] | None:
        """Send for a page; what waits for it. None: there is no slot now, ask in the usual way."""
        refuse_in_transaction()
        try:
            waits = budget.reserve(self.account, MEDIUM, self.priority, patience=self.patience)
            token = tokens.get_token(self.grant, renew=self.renew)
        except ZoomError:
            return None
        due = time.monotonic() + waits[0]

        def send() -> dict[str, Any]:
            time.sleep(max(0.0, due - time.monotonic()))
            budget.wait_turn(self.account, MEDIUM)
            return self._send("GET", path, token, params=params, member=member)

        future = pool.submit(send)

        def wait() -> dict[str, Any]:
            try:
                return self._judged(future.result)
            except TokenRefused:
                return self._call("GET", path, MEDIUM, params=params, member=member)

        return wait

    def _call(
        self,
        method: str,
        path: str,
        label: str,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        member: str = "",
    ) -> dict[str, Any]:
        waits = budget.reserve(self.account, label, self.priority, patience=self.patience)
        if waits[0]:
            time.sleep(waits[0])
        token = tokens.get_token(self.grant, renew=self.renew)
        if self.priority < Priority.REGISTRATION:
            budget.wait_turn(self.account, label)
        try:
            return self._judged(
                lambda: self._send(
                    method, path, token, params=params, payload=payload, member=member
                )
            )
        except TokenRefused:
            token = tokens.renew_after_401(self.grant, token, renew=self.renew)
            return self._judged(
                lambda: self._send(
                    method, path, token, params=params, payload=payload, member=member
                )
            )

    def _send(
        self,
        method: str,
        path: str,
        token: tokens.AccessToken,
        *,
        params: dict[str, Any] | None = None,
        payload: dict[str, Any] | None = None,
        member: str = "",
    ) -> dict[str, Any]:
        answer = call(
            method, f"{token.api_base}{path}", auth=Bearer(token.reveal()), params=params,
            payload=payload, timeout=self.timeout,
        )  # fmt: skip
        return data(answer, member, writes=method != "GET")

    def _judged(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run a call and let the grant's and the account's state know what came of it."""
        try:
            result = work()
        except ZoomError as error:
            observing.measure("zoom_calls", outcome=type(error).__name__)
            self._note(error)
            raise
        observing.measure("zoom_calls", outcome="ok")
        health.note_success(self.grant)
        return result

    def _note(self, error: ZoomError) -> None:
        if isinstance(error, ZoomRateLimited):
            budget.pause(self.account, error)
        elif isinstance(error, ZoomScopeMissing):
            health.note_missing_scopes(self.grant, error.scopes)
        elif (
            isinstance(error, ZoomAuthError)
            and not isinstance(error, TokenRefused)
            or isinstance(error, ZoomTransient)
        ):
            health.note_failure(self.grant, error)
        elif isinstance(error, ZoomRejected):
            health.note_success(self.grant)

    def _parallel(
        self, wanted: Iterable[tuple[str, str, str]]
    ) -> Iterator[tuple[str, dict[str, Any] | ZoomError]]:
        """GETs of ``(name, path, label)``: threads do the HTTP only, this thread the database.

        Slots are reserved a batch at a time, so that pacing costs one statement for several calls,
        and the next batch is on its way while the caller stores what this one brought: neither
        Zoom's latency nor our own work costs any of the rate.
        """
        size = max(1, settings.parallel_reads)
        turns = Semaphore(size)
        pool = ThreadPoolExecutor(max_workers=2 * size)
        earlier: list[_Running] = []
        try:
            for batch in _batches(wanted, size):
                try:
                    running = self._launch(pool, turns, batch)
                except ZoomError:
                    yield from self._outcomes(earlier)
                    raise
                yield from self._outcomes(earlier)
                earlier = running
            yield from self._outcomes(earlier)
        finally:
            pool.shutdown(cancel_futures=True)

    def _launch(
        self, pool: ThreadPoolExecutor, turns: Semaphore, batch: list[tuple[str, str, str]]
    ) -> list[_Running]:
        """Reserve slots for a batch and let each call go at its time."""
        # The threads have connections of their own and cannot see this one's transaction.
        refuse_in_transaction()
        label = batch[0][2]
        waits = budget.reserve(
            self.account, label, self.priority, calls=len(batch), patience=self.patience
        )
        token = tokens.get_token(self.grant)
        begun = time.monotonic()
        return [
            (name, path, label, pool.submit(self._send_at, begun + wait, turns, path, label, token))
            for (name, path, _label), wait in zip(batch, waits, strict=True)
        ]

    def _send_at(
        self, moment: float, turns: Semaphore, path: str, label: str, token: tokens.AccessToken
    ) -> dict[str, Any]:
        time.sleep(max(0.0, moment - time.monotonic()))
        with turns:
            budget.wait_turn(self.account, label)
            return self._send("GET", path, token)

    def _outcomes(
        self, running: list[_Running]
    ) -> Iterator[tuple[str, dict[str, Any] | ZoomError]]:
        for name, path, label, future in running:
            yield name, self._outcome(path, label, future)

    def _outcome(
        self, path: str, label: str, future: Future[dict[str, Any]]
    ) -> dict[str, Any] | ZoomError:
        try:
            return self._judged(future.result)
        except TokenRefused:
            return self._call("GET", path, label)
        except (ZoomRateLimited, ZoomAuthError):
            raise
        except ZoomError as error:
            return error


def _batches(
    wanted: Iterable[tuple[str, str, str]], size: int
) -> Iterator[list[tuple[str, str, str]]]:
    batch: list[tuple[str, str, str]] = []
    for one in wanted:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _plural(kind: str) -> str:
    return "webinars" if kind == Kind.WEBINAR else "meetings"


def _detail(number: str, kind: str) -> tuple[str, str]:
    path = f"/{_plural(kind)}/{number_of(number)}?show_previous_occurrences=true"
    return path, LIGHT


def _none_without_plan(pages: Iterator[Page]) -> Iterator[Page]:
    """A missing webinar plan comes as HTTP 200 or 400 with code 200: no webinars, no failure."""
    try:
        yield from pages
    except ZoomRejected as error:
        if error.code != PAID_ONLY:
            raise
        yield Page([], 0, lists=False)
