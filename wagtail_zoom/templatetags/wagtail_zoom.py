"""Template tags of public pages: ``{% zoom_assets %}``, dates, and texts of the script."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.urls import get_script_prefix
from django.utils.translation import get_language, gettext, ngettext
from wagtail.models import Site

from ..frontend.cache.fingerprint import translations_digest
from ..frontend.context import RequestContext
from ..frontend.datetimes import day_and_time
from ..frontend.links import origin_of
from ..frontend.zone_names import cities_for_script

register = template.Library()
_SITE_SOURCES = ("form_context", "row")
"""Context variables with a ``site``: a form's context, or a registration."""


@register.inclusion_tag("wagtail_zoom/blocks/_assets.html", takes_context=True)
def zoom_assets(context: Any) -> dict[str, Any]:
    """For the ``<head>`` of the project's base template.

    Without it, the first block of a page includes them.
    """
    RequestContext.from_context(context).has_assets = True
    return {}


@register.simple_tag
def zoom_datetime(value: datetime) -> dict[str, str]:
    """A time as ``{"iso": …, "text": "Sunday 22 November at 09:40"}``."""
    return {"iso": value.isoformat(timespec="minutes"), "text": day_and_time(value)}


@register.simple_tag(takes_context=True)
def zoom_home(context: Any) -> dict[str, str]:
    """``{"name": …, "url": …}`` of the Site of a public page; empty without a site name.

    Pages about registrations are also on the canonical host, which can belong to another Site or
    to none.
    """
    request = context.get("request")
    request_site = Site.find_for_request(request) if request else None
    candidates = [
        context.get("site"),
        *(getattr(context.get(name), "site", None) for name in _SITE_SOURCES),
    ]
    site = next(
        (candidate for candidate in candidates if isinstance(candidate, Site)), request_site
    )
    if site is None or not site.site_name:
        return {}
    is_own = request_site is not None and request_site.pk == site.pk
    return {"name": site.site_name, "url": get_script_prefix() if is_own else f"{origin_of(site)}/"}


@register.simple_tag
def zoom_script_texts() -> str:
    """The texts of the script in the active language, as JSON for an attribute."""
    language = get_language()
    return _script_texts(language, translations_digest(language))


@lru_cache(maxsize=128)
def _script_texts(language: str | None, translations: str) -> str:
    return json.dumps(
        {
            # Translators: said beside a time, e.g. "In your time, Tokyo: 02:30 to 03:30".
            "yours": gettext("In your time, %(city)s: %(time)s"),
            # Translators: the same where there is little room, e.g. "Fri 27 Nov, 02:30 for you".
            "short": gettext("%(time)s for you"),
            "same": gettext("This is your time too."),
            "span": gettext("%(start)s to %(end)s"),
            "cities": cities_for_script(),
            "next": gettext("the next day for you"),
            "before": gettext("the day before for you"),
            "tomorrow": gettext("tomorrow for you"),
            "yesterday": gettext("yesterday for you"),
            "days": [ngettext("day", "days", number) for number in (1, 2)],
            "hours": [ngettext("hour", "hours", number) for number in (1, 2)],
            "minutes": [ngettext("minute", "minutes", number) for number in (1, 2)],
            "seconds": [ngettext("second", "seconds", number) for number in (1, 2)],
            # Translators: read out by screen readers, e.g. "Starts in 10 minutes.".
            "starts": gettext("Starts in %(time)s."),
            "started": gettext("It has started."),
            "copied": gettext("Copied"),
            # Translators: added to a date, e.g. "23 November, today".
            "today": gettext(", today"),
        },
        ensure_ascii=False,
    )
