"""A connected Site made of database rows only (fixture ``zoom_rows``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wagtail.models import Site

from ..models import Meeting, Recording, Registration, SiteItem, Summary
from . import factories


class ZoomRows:
    """A connected Site: one account, one host, every kind shown.

    ``site``, ``account``, ``host``, ``grant`` and ``settings`` are its rows; the methods add more.
    """

    def __init__(
        self, site: Site | None = None, *, show: Sequence[str] = factories.KINDS, **values: Any
    ):
        self.site = site or factories.default_site()
        self.account = factories.make_account()
        self.host = factories.make_host(self.account, display_name="Ines Novak")
        self.grant = factories.make_grant(self.account, zoom_user_id=self.host.zoom_id)
        self.settings = factories.make_settings(
            self.site, self.grant, [self.host], show=show, **values
        )

    def meeting(self, topic: str = "", **values: Any) -> Meeting:
        """A meeting that the Site shows, see :func:`factories.make_meeting`."""
        return self._with_item(
            factories.make_meeting(values.pop("host", self.host), **_with_topic(topic, values))
        )

    def webinar(self, topic: str = "", **values: Any) -> Meeting:
        """A webinar that the Site shows."""
        return self._with_item(
            factories.make_webinar(values.pop("host", self.host), **_with_topic(topic, values))
        )

    def recording(self, topic: str = "", *, publish: bool = True, **values: Any) -> Recording:
        """A recording: published, or waiting for review."""
        recording = factories.make_recording(
            values.pop("host", self.host), **_with_topic(topic, values)
        )
        factories.make_item(self.site, recording, visibility="published" if publish else "auto")
        return recording

    def summary(
        self,
        topic: str = "",
        *,
        publish: bool = True,
        text: str = "The group agreed.",
        **values: Any,
    ) -> Summary:
        """A summary: reviewed and published, or waiting for review. Set ``show_summaries`` on
        ``settings``."""
        summary = factories.make_summary(
            values.pop("host", self.host), **_with_topic(topic, values)
        )
        item = factories.make_item(
            self.site, summary, visibility="published" if publish else "auto"
        )
        if publish:
            factories.make_review(item, text)
        return summary

    def item(self, zoom_object: Meeting | Recording | Summary, **curation: Any) -> SiteItem:
        """The Site's item for a meeting, recording or summary; blocks may hold the first two."""
        return factories.make_item(self.site, zoom_object, **curation)

    def registration(self, meeting: Meeting, email: str = "", **values: Any) -> Registration:
        """A registration on this Site."""
        return factories.make_registration(self.site, meeting, email, **values)

    def _with_item(self, meeting: Meeting) -> Meeting:
        factories.make_item(self.site, meeting)
        return meeting


def _with_topic(topic: str, values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "topic": topic} if topic else values
