"""Settings of the test project: Wagtail with the app and ``tests.testapp``."""

import os
import tempfile

SECRET_KEY = "tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
MEDIA_ROOT = tempfile.mkdtemp(prefix="wagtail-zoom-media-")
WAGTAIL_SITE_NAME = "Tests"
WAGTAILADMIN_BASE_URL = "http://testserver"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

INSTALLED_APPS = [
    "tests.testapp",
    "wagtail_zoom",
    "wagtail_zoom.hub",
    "django_q",
    "wagtail.contrib.settings",
    "wagtail.contrib.frontend_cache",
    "wagtail.contrib.routable_page",
    "wagtail.api.v2",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

if os.environ.get("TEST_DATABASE") == "postgres":
    # Wagtail's search index has its own columns there and requires it.
    INSTALLED_APPS.append("django.contrib.postgres")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
                "wagtail.contrib.settings.context_processors.settings",
            ],
        },
    }
]


def database() -> dict:
    """The database named by ``TEST_DATABASE``: sqlite (default), postgres or mariadb."""
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    name = os.environ.get("TEST_DATABASE_NAME", "wagtail_zoom")
    if kind == "postgres":
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "CONN_MAX_AGE": 600,
        }
    if kind == "mariadb":
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": name,
            "USER": os.environ.get("MYSQL_USER", "root"),
            "PASSWORD": os.environ.get("MYSQL_PASSWORD", ""),
            "HOST": os.environ.get("MYSQL_HOST", "127.0.0.1"),
            "OPTIONS": {"charset": "utf8mb4"},
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"},
            "CONN_MAX_AGE": 600,
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(tempfile.gettempdir(), f"{name}.sqlite3"),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "CONN_MAX_AGE": 600,
        # A file that can be copied, instead of creating the tables again each time.
        "TEST": {"NAME": os.environ.get("TEST_SQLITE_FILE")},
    }


DATABASES = {"default": database()}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

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

SIMULATOR_URL = os.environ.get("TEST_SIMULATOR_URL", "http://127.0.0.1:1")

WAGTAIL_ZOOM = {
    "CLIENT_ID": "simulator-client",
    "CLIENT_SECRET": "simulator-secret",
    "WEBHOOK_SECRET_TOKENS": ["simulator-webhook-secret"],
    "BASE_URL": "https://testserver",
    "ENCRYPTION_KEYS": ["3VmVWz4Z0WkzUuHaxnIuyA7rcZ3vOYg4vE1mM0sVnVw="],
    "OAUTH_URL": SIMULATOR_URL,
    "API_URL": f"{SIMULATOR_URL}/v2",
    # Each month of each host is a call; tests of many months change this.
    "RECORDING_MONTHS": 2,
    # Tests create rows without the sync; tests of the block cache switch it on.
    "BLOCK_CACHE": os.environ.get("TEST_BLOCK_CACHE", ""),
}
