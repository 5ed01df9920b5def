"""Settings of a separate worker process, with leases short enough for a test."""

from datetime import timedelta

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, Q_CLUSTER, WAGTAIL_ZOOM

INSTALLED_APPS = ["tests.soak.apps.SoakConfig", *INSTALLED_APPS]
LEASE = timedelta(seconds=8)
Q_CLUSTER = {**Q_CLUSTER, "guard_cycle": 0.5, "timeout": 30, "retry": 60}
WAGTAIL_ZOOM = {**WAGTAIL_ZOOM, "SLICE_SECONDS": 2, "RATE_SHARE": 1.0, "DEBOUNCE_SECONDS": 0}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
