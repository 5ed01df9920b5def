"""What a fresh Wagtail has, also after a test with real transactions has emptied the database."""

from __future__ import annotations

from wagtail_zoom.testing.factories import default_site

__all__ = ["default_site"]
