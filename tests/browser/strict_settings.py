"""The demo with session cookies that browsers withhold on every visit from another website."""

from demo_site.settings import *  # noqa: F403

SESSION_COOKIE_SAMESITE = "Strict"
