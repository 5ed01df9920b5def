"""The demo's sites as in production: several processes on one real database.

Timeouts and leases are a sixth of the usual ones, so that many killed processes are recovered from
within a run; their order (a lease is longer than a task) is the usual one.
"""

import os
from datetime import timedelta

from demo_site.settings import *  # noqa: F403
from demo_site.settings import DATABASES as DEMO_DATABASES
from demo_site.settings import DEMO
from demo_site.settings import WAGTAIL_ZOOM as DEMO_ZOOM

DEBUG = False
SECRET_KEY = "only for the soak on this machine"

if os.environ.get("SOAK_DATABASE") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["SOAK_DATABASE_NAME"],
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "CONN_MAX_AGE": 600,
        }
    }
else:
    DATABASES = DEMO_DATABASES

REDIS = os.environ.get("SOAK_REDIS", "")
if REDIS:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS,
            "KEY_PREFIX": f"soak-{DEMO.port}",
        }
    }

LEASE = timedelta(seconds=int(os.environ.get("SOAK_LEASE", "30")))
Q_CLUSTER = {
    "name": f"soak-{DEMO.port}",
    "workers": 2,
    "timeout": LEASE.seconds * 2 // 3,
    "retry": 90,
    "queue_limit": 4,
    "bulk": 1,
    "max_attempts": 3,
    "catch_up": False,
    "poll": 0.1,
    "save_limit": 250,
    "guard_cycle": 1,
    **({"redis": REDIS} if REDIS else {"orm": "default"}),
}

WAGTAIL_ZOOM = {
    **DEMO_ZOOM,
    "INSTALLATION_ID": "soak",
    "ENCRYPTION_KEYS": ["3VmVWz4Z0WkzUuHaxnIuyA7rcZ3vOYg4vE1mM0sVnVw="],
    "LINK_HOSTS": ["127.0.0.1", "localhost"],
    "RECORDING_MONTHS": 3,
    "SLICE_SECONDS": 3,
    "READ_TIMEOUT": 3,
    "RATE_SHARE": float(os.environ.get("SOAK_RATE_SHARE", "1.0")),
    "REGISTRATION_LIMITS": {"network": (10**6, 600)},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {name: {"level": "WARNING"} for name in ("django-q", "django_tasks", "wagtail")},
}
INSTALLED_APPS = [
    "tests.soak.apps.SoakConfig",
    "django.contrib.postgres",
    *INSTALLED_APPS,  # noqa: F405
]
