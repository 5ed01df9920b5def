"""Connections as ``docs/how-to/production.md`` sets them under ASGI."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = ["django.contrib.postgres", *INSTALLED_APPS]
ASGI_APPLICATION = "tests.projects.asgi.application.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("ASGI_DATABASE", ""),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "OPTIONS": {"pool": True},
    }
}
