"""Context of the base template on pages outside the page tree: registering, joining, watching."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from wagtail.models import Site

from .models import HomePage


def home(request: HttpRequest) -> dict[str, Any]:
    """``home``: the home page of the requested Site, loaded when a template uses it."""
    return {"home": SimpleLazyObject(lambda: _home(request))}


def _home(request: HttpRequest) -> HomePage | None:
    site = Site.find_for_request(request)
    return site and HomePage.objects.filter(pk=site.root_page_id).first()
