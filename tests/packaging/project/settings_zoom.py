"""What the README tells a project to add to its settings; here appended to ``settings/dev.py``."""

# ruff: noqa: F821 - appended to a file that has imported everything

INSTALLED_APPS += ["wagtail_zoom", "django_q", "wagtail.contrib.settings"]

WAGTAIL_ZOOM = {
    "CLIENT_ID": "simulator-client",
    "CLIENT_SECRET": "simulator-secret",
    "WEBHOOK_SECRET_TOKENS": ["simulator-webhook-secret"],
    "BASE_URL": "http://localhost",
    "ENCRYPTION_KEYS": ["3VmVWz4Z0WkzUuHaxnIuyA7rcZ3vOYg4vE1mM0sVnVw="],
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

DATABASES["default"]["CONN_MAX_AGE"] = 600
ALLOWED_HOSTS = ["*"]
