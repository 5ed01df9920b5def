"""Settings of a hub without Wagtail. Secrets and addresses come from the environment.

Without ``HUB_URL`` it runs on this machine, with the Zoom simulator of ``make demo-hub``.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import wagtail_zoom

BASE_URL = os.environ.get("HUB_URL", "http://localhost:8000")
FOLDER = Path(os.environ.get("HUB_DIR") or Path(__file__).parents[1] / "var/hub").resolve()
FOLDER.mkdir(parents=True, exist_ok=True)

DEBUG = BASE_URL.startswith("http://localhost")
SECRET_KEY = "only for the hub on this machine" if DEBUG else os.environ["HUB_SECRET_KEY"]
ALLOWED_HOSTS = [urlsplit(BASE_URL).hostname, *(["127.0.0.1", "[::1]"] if DEBUG else [])]
ROOT_URLCONF = "demo_site.hub.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
# The package's translations: it is not in INSTALLED_APPS itself.
LOCALE_PATHS = [Path(wagtail_zoom.__file__).parent / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = FOLDER / "static"

INSTALLED_APPS = [
    "wagtail_zoom.hub",
    "django_q",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

if not DEBUG:
    # Behind a proxy that sets this header in every request.
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    CSRF_COOKIE_SECURE = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "hub.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "CONN_MAX_AGE": 600,
    }
}

Q_CLUSTER = {
    "name": "hub",
    "orm": "default",
    "workers": 2,
    "timeout": 120,
    "retry": 600,
    "queue_limit": 4,
    "bulk": 1,
    "max_attempts": 3,
    "catch_up": False,
    "poll": 0.1,
    "save_limit": 250,
}

if DEBUG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = FOLDER / "mails"
DEFAULT_FROM_EMAIL = os.environ.get("HUB_FROM_EMAIL", "hub@example.org")

WAGTAIL_ZOOM = {
    "CLIENT_ID": os.environ.get("ZOOM_CLIENT_ID", ""),
    "CLIENT_SECRET": os.environ.get("ZOOM_CLIENT_SECRET", ""),
    "WEBHOOK_SECRET_TOKENS": os.environ.get("ZOOM_WEBHOOK_SECRET_TOKENS", "").split(),
    "ENCRYPTION_KEYS": os.environ.get("HUB_ENCRYPTION_KEYS", "").split(),
    "BASE_URL": BASE_URL,
    "OPERATOR_EMAIL": os.environ.get("HUB_OPERATOR_EMAIL", ""),
}
if DEBUG:
    simulator = os.environ.get("SIMULATOR_URL", "http://127.0.0.1:8010")
    WAGTAIL_ZOOM |= {
        "CLIENT_ID": "simulator-client",
        "CLIENT_SECRET": "simulator-secret",
        "WEBHOOK_SECRET_TOKENS": ["simulator-webhook-secret"],
        "OAUTH_URL": simulator,
        "API_URL": f"{simulator}/v2",
    }
