"""The demo from right to left, in the pseudo-language, and with a cache of its own."""

from demo_site.settings import *  # noqa: F403
from demo_site.settings import CACHES, DEMO

from .pseudo_language import CODE, write_catalogue

CACHES["default"]["LOCATION"] = DEMO.folder / "cache-rtl"
LANGUAGE_CODE = CODE
LOCALE_PATHS = [write_catalogue(DEMO.folder / "locale-rtl")]
