"""The test project's settings, with the benchmarks' own pages and views."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as TESTED
from tests.settings import WAGTAIL_ZOOM as TESTED_ZOOM

INSTALLED_APPS = ["benchmarks", *TESTED]
ROOT_URLCONF = "benchmarks.urls"
SILENCED_SYSTEM_CHECKS = ["wagtail_zoom.W001"]
WAGTAIL_ZOOM = {
    **TESTED_ZOOM,
    "RATE_SHARE": 1.0,
    "DEBOUNCE_SECONDS": 0,
    "BLOCK_CACHE": "default",
    "HUB_PRIVATE_NETWORKS": ["127.0.0.0/8"],
    "REGISTRATION_LIMITS": {"network": (10**6, 600), "address": (10**6, 600)},
}
# As in production: templates are compiled once.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
# Refused events are logged to a file: logging is not measured.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": os.environ["BENCH_LOG"]}},
    "root": {"handlers": ["file"], "level": "WARNING"},
}
