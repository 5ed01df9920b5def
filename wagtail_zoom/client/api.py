"""Typed calls of Zoom's REST API: the ones we use, with their rate-limit labels and pitfalls.

Sources: Zoom's API reference; each method names its endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from ..exceptions import ZoomError, ZoomProtocolError, ZoomRejected
from ..models import Kind
from .base import BaseClient
from .concurrency import fetch_in_parallel
from .paging import PAGE_SIZE, USERS_PAGE_SIZE, ApiPage, iter_pages
from .ratelimit import LIGHT, MEDIUM
from .responses import PAID_ONLY_CODE
from .urls import meeting_number, path_segment


class ZoomClient(BaseClient):
    """Calls that read. Contains no business rules; raises ``ZoomError`` only."""

    # Users

    def me(self) -> dict[str, Any]:
        """``GET /users/me``: the user of the token, and their account."""
        return self.call("GET", "/users/me", LIGHT, required_key="id")

    def users(self) -> Iterator[ApiPage]:
        """``GET /users``: the active users of the account. Account-level grants only."""
        params = {"status": "active", "page_size": USERS_PAGE_SIZE}
        return iter_pages(self, "/users", params, "users")

    def user(self, user_id: str) -> dict[str, Any]:
        """``GET /users/{id}``."""
        return self.call("GET", f"/users/{path_segment(user_id)}", LIGHT, required_key="id")

    # Meetings and webinars

    def meetings(
        self, host_id: str, kind: str, *, page_size: int = PAGE_SIZE, prefetch: bool = False
    ) -> Iterator[ApiPage]:
        """``GET /users/{id}/meetings`` or ``/webinars``: one row per number, series included.

        Includes past ones that have not expired. An account without the webinar add-on has none.
        ``prefetch``: the next page is fetched while the caller works on this one.
        """
        name = _plural(kind)
        params: dict[str, Any] = {"type": "scheduled", "page_size": page_size}
        pages = iter_pages(
            self, f"/users/{path_segment(host_id)}/{name}", params, name, prefetch=prefetch
        )
        return _none_without_plan(pages) if kind == Kind.WEBINAR else pages

    def meeting(self, number: str, kind: str) -> dict[str, Any]:
        """``GET /meetings/{id}`` or ``/webinars/{id}``, with past occurrences of a series."""
        return self.call("GET", *_detail(number, kind))

    def meeting_details(
        self, targets: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[str, dict[str, Any] | ZoomError]]:
        """Detail reads of ``(number, kind)`` pairs, a few at a time, within the rate limit.

        Yields ``(number, payload)``, or the error of that one read. Errors that concern the whole
        account (rate, authorisation) are raised.
        """
        reads = ((number, *_detail(number, kind)) for number, kind in targets)
        return fetch_in_parallel(self, reads)

    def questions(self, number: str, kind: str) -> dict[str, Any]:
        """``GET .../registrants/questions``: standard and custom questions of the registration."""
        path = f"/{_plural(kind)}/{meeting_number(number)}/registrants/questions"
        return self.call("GET", path, LIGHT)

    def list_meeting_templates(self, host_id: str) -> list[dict[str, Any]]:
        """``GET /users/{id}/meeting_templates``: ``id``, ``name`` and ``type`` of each template.

        Scope ``meeting:read:list_templates``. Webinars have none here.
        """
        path = f"/users/{path_segment(host_id)}/meeting_templates"
        templates = self.call("GET", path, MEDIUM, required_key="templates")["templates"]
        if not isinstance(templates, list):
            raise ZoomProtocolError("Zoom's list is not a list.")
        return [template for template in templates if isinstance(template, dict)]

    # Registrants

    def registrants(
        self,
        number: str,
        kind: str,
        status: str = "approved",
        occurrence_id: str = "",
        *,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[ApiPage]:
        """``GET .../registrants`` by status: pending, approved or denied (cancelled: never)."""
        params: dict[str, Any] = {"status": status, "page_size": page_size}
        if occurrence_id:
            params["occurrence_id"] = occurrence_id
        path = f"/{_plural(kind)}/{meeting_number(number)}/registrants"
        return iter_pages(self, path, params, "registrants")

    def registrant(self, number: str, kind: str, registrant_id: str) -> dict[str, Any]:
        """``GET .../registrants/{id}``."""
        path = (
            f"/{_plural(kind)}/{meeting_number(number)}/registrants/{path_segment(registrant_id)}"
        )
        return self.call("GET", path, LIGHT)

    # Recordings

    def recordings(
        self, host_id: str, start: date, end: date, *, page_size: int = PAGE_SIZE
    ) -> Iterator[ApiPage]:
        """``GET /users/{id}/recordings`` of a window of at most one month (UTC days)."""
        params = {"from": start.isoformat(), "to": end.isoformat(), "page_size": page_size}
        return iter_pages(self, f"/users/{path_segment(host_id)}/recordings", params, "meetings")

    def recording(self, uuid: str) -> dict[str, Any]:
        """``GET /meetings/{uuid}/recordings``: 404 also while Zoom is still processing."""
        return self.call(
            "GET", f"/meetings/{path_segment(uuid)}/recordings", LIGHT, required_key="uuid"
        )

    # Past meetings and webinars

    def past_instances(self, number: str, kind: str) -> list[dict[str, Any]]:
        """``GET /past_meetings/{id}/instances`` or ``/past_webinars``: ``uuid`` and ``start_time``.

        Scope ``meeting:read:list_past_instances``, ``webinar:read:list_past_instances``. Reaches
        15 months back.
        """
        name = _plural(kind)
        label = LIGHT if kind == Kind.WEBINAR else MEDIUM
        path = f"/past_{name}/{meeting_number(number)}/instances"
        instances = self.call("GET", path, label, required_key=name)[name]
        if not isinstance(instances, list):
            raise ZoomProtocolError("Zoom's list is not a list.")
        return [instance for instance in instances if isinstance(instance, dict)]

    def participants(
        self, uuid: str, kind: str, *, page_size: int = PAGE_SIZE
    ) -> Iterator[ApiPage]:
        """``GET /past_meetings/{uuid}/participants`` or ``/past_webinars``: a row for each join.

        Scope ``meeting:read:list_past_participants``, ``webinar:read:list_past_participants``.
        The rows hold names and addresses: take what is needed of a page, and drop it.

        Raises:
            ZoomNotFound: not available yet, some minutes after the end, or not any more.
            ZoomRejected: code 200, a free account; code 12702, older than a year.
        """
        path = f"/past_{_plural(kind)}/{path_segment(uuid)}/participants"
        return iter_pages(self, path, {"page_size": page_size}, "participants")

    # Summaries

    def meeting_summary(self, uuid: str) -> dict[str, Any]:
        """``GET /meetings/{uuid}/meeting_summary``: what AI Companion wrote about one instance.

        Scope ``meeting:read:summary``.

        Raises:
            ZoomNotFound: there is none, or it is in the trash.
            ZoomRejected: the host's plan or settings have no summaries.
        """
        path = f"/meetings/{path_segment(uuid)}/meeting_summary"
        return self.call("GET", path, LIGHT, required_key="meeting_uuid")


class SiteClient(ZoomClient):
    """Calls that change something at Zoom, too: with the grant of one Site, for this Site."""

    def add_registrant(
        self, number: str, kind: str, body: dict[str, Any], occurrence_ids: Sequence[str] = ()
    ) -> dict[str, Any]:
        """``POST .../registrants``. Never retried here: three a day per person (Zoom: limits).

        Raises:
            ZoomTransient: with ``ambiguous`` set, look up the registrant before another attempt.
        """
        params = {"occurrence_ids": ",".join(occurrence_ids)} if occurrence_ids else None
        path = f"/{_plural(kind)}/{meeting_number(number)}/registrants"
        return self.call(
            "POST", path, LIGHT, params=params, payload=body, required_key="registrant_id"
        )

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
        path = f"/{_plural(kind)}/{meeting_number(number)}/registrants/status"
        self.call("PUT", path, MEDIUM, params=params, payload=body)

    # Scheduling: "Create a meeting", "Update a meeting", "Delete a meeting" and those of webinars.
    # A host's meetings and webinars can be created and changed 100 times a UTC day (Zoom: limits).

    def create_meeting(self, host_id: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """``POST /users/{id}/meetings`` or ``/webinars``: returns the whole meeting, with secrets.

        ``start_time`` without ``Z`` is the wall clock of ``timezone``. Scopes
        ``meeting:write:meeting``, ``webinar:write:webinar``. Never retried here: Zoom takes no
        key by which it would recognise a second attempt.

        Raises:
            ZoomTransient: with ``ambiguous`` set, look for the meeting before another attempt.
        """
        path = f"/users/{path_segment(host_id)}/{_plural(kind)}"
        label = LIGHT if kind == Kind.WEBINAR else MEDIUM
        return self.call("POST", path, label, payload=body, required_key="id")

    def update_meeting(
        self, number: str, kind: str, changes: dict[str, Any], occurrence_id: str = ""
    ) -> None:
        """``PATCH /meetings/{id}`` or ``/webinars/{id}``, or one occurrence: only what changes.

        Zoom returns nothing: read the meeting again. ``recurrence`` makes all occurrences again,
        with new ids and without single changes. Of one occurrence only ``agenda``, ``start_time``,
        ``duration`` and some settings can change. Scopes ``meeting:update:meeting``,
        ``webinar:update:webinar``.

        Raises:
            ZoomTransient: with ``ambiguous`` set, the change may have taken effect.
        """
        params = {"occurrence_id": occurrence_id} if occurrence_id else None
        path = f"/{_plural(kind)}/{meeting_number(number)}"
        self.call("PATCH", path, LIGHT, params=params, payload=changes)

    def delete_meeting(
        self,
        number: str,
        kind: str,
        occurrence_id: str = "",
        *,
        notify_host: bool = False,
        notify_registrants: bool = False,
    ) -> None:
        """``DELETE /meetings/{id}`` or ``/webinars/{id}``, or one occurrence of it.

        Args:
            notify_host: Zoom sends an email to host and alternative hosts; meetings only.
            notify_registrants: Zoom sends an email to those who registered.

        Scopes ``meeting:delete:meeting``, ``webinar:delete:webinar``.

        Raises:
            ZoomNotFound: it is gone already, or was never there.
            ZoomRejected: code 3002, while the meeting is running.
            ZoomTransient: with ``ambiguous`` set, it may be deleted.
        """
        is_webinar = kind == Kind.WEBINAR
        name = "cancel_webinar_reminder" if is_webinar else "cancel_meeting_reminder"
        params = {name: _flag(notify_registrants)}
        if not is_webinar:
            params["schedule_for_reminder"] = _flag(notify_host)
        if occurrence_id:
            params["occurrence_id"] = occurrence_id
        path = f"/{_plural(kind)}/{meeting_number(number)}"
        self.call("DELETE", path, LIGHT, params=params)


def _plural(kind: str) -> str:
    return "webinars" if kind == Kind.WEBINAR else "meetings"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _detail(number: str, kind: str) -> tuple[str, str]:
    path = f"/{_plural(kind)}/{meeting_number(number)}?show_previous_occurrences=true"
    return path, LIGHT


def _none_without_plan(pages: Iterator[ApiPage]) -> Iterator[ApiPage]:
    """A missing webinar plan arrives as HTTP 200 or 400 with code 200: no webinars, no error."""
    try:
        yield from pages
    except ZoomRejected as error:
        if error.code != PAID_ONLY_CODE:
            raise
        yield ApiPage([], 0, available=False)
