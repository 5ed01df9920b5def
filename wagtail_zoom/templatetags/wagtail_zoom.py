"""``{% zoom_assets %}``: stylesheet and script of the blocks, once a page."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.urls import get_script_prefix
from django.utils.translation import get_language, gettext, ngettext
from wagtail.models import Site

from ..frontend.cache.fingerprint import catalogue
from ..frontend.context import Shared
from ..frontend.datetimes import day_and_clock
from ..frontend.links import origin_of

register = template.Library()
_ABOUT = ("offer", "row")
"""A form's offer, or a sign-up."""


@register.inclusion_tag("wagtail_zoom/blocks/_assets.html", takes_context=True)
def zoom_assets(context: Any) -> dict[str, Any]:
    """For the ``<head>`` of the project's base template.

    Without it the first block of a page brings them along.
    """
    Shared.of(context).has_assets = True
    return {}


@register.simple_tag
def zoom_moment(moment: datetime) -> dict[str, str]:
    """A moment as ``{"iso": …, "text": "Sunday 22 November at 09:40"}``."""
    return {"iso": moment.isoformat(timespec="minutes"), "text": day_and_clock(moment)}


@register.simple_tag(takes_context=True)
def zoom_home(context: Any) -> dict[str, str]:
    """``{"name": …, "url": …}`` of the Site that a public page is about; nothing without a name.

    Pages about sign-ups also stand on the canonical host, which is another Site's, or nobody's.
    """
    request = context.get("request")
    here = Site.find_for_request(request) if request else None
    about = [context.get("site"), *(getattr(context.get(name), "site", None) for name in _ABOUT)]
    site = next((each for each in about if isinstance(each, Site)), here)
    if site is None or not site.site_name:
        return {}
    own = here is not None and here.pk == site.pk
    return {"name": site.site_name, "url": get_script_prefix() if own else f"{origin_of(site)}/"}


@register.simple_tag
def zoom_words() -> str:
    """The sentences of the script in the active language, as JSON for an attribute."""
    language = get_language()
    return _words(language, catalogue(language))


@lru_cache(maxsize=128)
def _words(language: str | None, translations: str) -> str:
    return json.dumps(
        {
            # Translators: said beside a time, e.g. "In your time, Tokyo: 02:30 to 03:30".
            "yours": gettext("In your time, %(city)s: %(time)s"),
            "same": gettext("This is your time too."),
            "span": gettext("%(start)s to %(end)s"),
            "next": gettext("the next day for you"),
            "before": gettext("the day before for you"),
            "tomorrow": gettext("tomorrow for you"),
            "yesterday": gettext("yesterday for you"),
            "days": [ngettext("day", "days", each) for each in (1, 2)],
            "hours": [ngettext("hour", "hours", each) for each in (1, 2)],
            "minutes": [ngettext("minute", "minutes", each) for each in (1, 2)],
            "seconds": [ngettext("second", "seconds", each) for each in (1, 2)],
            # Translators: read out by screen readers, e.g. "Starts in 10 minutes.".
            "starts": gettext("Starts in %(time)s."),
            "started": gettext("It has started."),
            "copied": gettext("Copied"),
            # Translators: added to a date, e.g. "23 November, today".
            "today": gettext(", today"),
        },
        ensure_ascii=False,
    )
