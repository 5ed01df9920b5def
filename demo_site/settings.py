"""Settings of the demo. For local use only: DEBUG is on, the secrets are in the source.

``ZOOM_OAUTH_URL``, ``ZOOM_CLIENT_ID``, ``ZOOM_CLIENT_SECRET`` and ``ZOOM_WEBHOOK_SECRET_TOKENS`` in
the environment connect it through a hub (``make demo-hub``).
"""

import os

from .config import LOOPBACK, DemoConfig

DEMO = DemoConfig.from_environment()
DEMO.folder.mkdir(parents=True, exist_ok=True)

SECRET_KEY = "only for the demo on this machine"
DEBUG = True
ALLOWED_HOSTS = ["localhost", ".localhost", LOOPBACK, "[::1]"]
# The passwords are public: a fast hasher is enough.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "demo_site.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "demo_site",
    "wagtail_zoom",
    "django_q",
    "wagtail.contrib.routable_page",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "demo_site.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_site.context_processors.home",
            ],
        },
    }
]

# Three processes share this file: readers never wait for a writer, writers wait for each other.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DEMO.folder / "demo.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "CONN_MAX_AGE": 600,
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DEMO.folder / "cache",
    }
}

Q_CLUSTER = {
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

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DEMO.folder / "mails"
DEFAULT_FROM_EMAIL = "Sites on this machine <sites@example.org>"

STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = DEMO.folder / "media"

WAGTAIL_SITE_NAME = "wagtail-zoom demo"
WAGTAILADMIN_BASE_URL = DEMO.base_url
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None

WAGTAIL_ZOOM = {
    "CLIENT_ID": os.environ.get("ZOOM_CLIENT_ID", "simulator-client"),
    "CLIENT_SECRET": os.environ.get("ZOOM_CLIENT_SECRET", "simulator-secret"),
    "WEBHOOK_SECRET_TOKENS": os.environ.get(
        "ZOOM_WEBHOOK_SECRET_TOKENS", "simulator-webhook-secret"
    ).split(),
    "BASE_URL": DEMO.base_url,
    "ADMIN_HOSTS": DEMO.admin_hosts,
    # The same installation on any port.
    "INSTALLATION_ID": "demo",
    "OAUTH_URL": os.environ.get("ZOOM_OAUTH_URL", DEMO.simulator_url),
    "API_URL": f"{DEMO.simulator_url}/v2",
    # No other app uses these accounts, and the first import should be fast.
    "RATE_SHARE": 1.0,
    "RECORDING_MONTHS": 12,
}
