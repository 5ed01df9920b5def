"""The default Site of a new Wagtail, also after tests with real transactions emptied the tables."""

from __future__ import annotations

from wagtail_zoom.testing.factories import default_site

__all__ = ["default_site"]
