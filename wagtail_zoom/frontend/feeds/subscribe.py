"""Links with which visitors subscribe to the calendar of a Site, so that changes reach them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from .. import links, restrictions
from ..visibility import SiteVisibility
from .ical import calendar_name


@dataclass(frozen=True)
class FeedLinks:
    """URLs of one calendar; all of them start a subscription, none is a copy."""

    url: str
    """For any program that asks for an address."""

    name: str

    @property
    def webcal(self) -> str:
        """Opens the calendar program of the device."""
        return f"webcal:{self.url.partition(':')[2]}"

    @property
    def google(self) -> str:
        return f"https://calendar.google.com/calendar/r?{urlencode({'cid': self.webcal})}"

    @property
    def outlook(self) -> str:
        """For personal Microsoft accounts."""
        return f"https://outlook.live.com/calendar/0/addfromweb?{self._query}"

    @property
    def microsoft_365(self) -> str:
        """For work and school accounts."""
        return f"https://outlook.office.com/calendar/0/addfromweb?{self._query}"

    @property
    def _query(self) -> str:
        return urlencode({"url": self.url, "name": self.name})


def feed_links(visibility: SiteVisibility) -> FeedLinks | None:
    """The links for the calendar of the whole Site; None where calendar programs are refused."""
    site_settings = visibility.site_settings
    if site_settings is None or restrictions.refuses_programs(visibility):
        return None
    url = links.site_origin(site_settings) + links.site_calendar_url()
    return FeedLinks(url, calendar_name(site_settings))
